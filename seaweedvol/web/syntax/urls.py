"""Request targets: percent escapes, paths and query strings, read exactly as Go's ``net/url`` reads them.

Text in this package is UTF-8 decoded with ``surrogateescape``, so every byte string survives. Knows nothing of HTTP
messages or of needles. Facts from Go 1.26 ``net/url/url.go``, ``path/path.go`` and ``net/http/server.go``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import attrs

from seaweedvol.storage.ids import go_quote

MAX_QUERY_PARAMETERS: Final = 10_000

_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})?")
_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*):")
_UNESCAPED_IN_PATH: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~$&+,/:;=@")
_LEFT_ALONE_IN_PATH: Final = _UNESCAPED_IN_PATH | frozenset(b"!'()*[]%")


class BadTarget(Exception):
    """Raised when a request target cannot be read; Go's server then answers a bare 400."""


class BadEscape(Exception):
    """Raised for a ``%`` without two hexadecimal digits; the text is Go's."""


def text_of(data: bytes) -> str:
    """``data`` as this package's text: UTF-8, bytes that are not UTF-8 kept as lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The inverse of :func:`text_of`; lone surrogates that stand for no byte become ``?``."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def unescape(data: bytes, *, plus_is_space: bool = False) -> bytes:
    """Undo percent escapes.

    :raises BadEscape: for a malformed one.
    """
    def byte(match: re.Match[bytes]) -> bytes:
        digits = match.group(1)
        if digits is None:
            raise BadEscape("invalid URL escape " + go_quote(text_of(data[match.start():match.start() + 3])))
        return bytes((int(digits, 16),))

    if b"%" not in data:
        return data.replace(b"+", b" ") if plus_is_space else data
    return _ESCAPE.sub(byte, data.replace(b"+", b" ") if plus_is_space else data)


def escape_path(path: bytes) -> bytes:
    """``path`` with everything escaped that Go escapes in a path (so ``!'()*`` too)."""
    return b"".join(bytes((c,)) if c in _UNESCAPED_IN_PATH else b"%%%02X" % c for c in path)


class Query:
    """The arguments of a URL: every name with its values in order. Malformed pairs are left out, as Go does.

    ``error`` is what Go's ParseQuery would have complained about, or None.
    """

    def __init__(self, raw: bytes = b"") -> None:
        self.raw = raw
        self.error: str | None = None
        self._values: dict[str, list[str]] = {}
        if raw:
            self._parse(raw)

    def _parse(self, raw: bytes) -> None:
        if raw.count(b"&") + 1 > MAX_QUERY_PARAMETERS:
            self.error = "number of URL query parameters exceeded limit"
            return
        for pair in raw.split(b"&"):
            if b";" in pair:
                self.error = "invalid semicolon separator in query"
            elif pair:
                self._add(pair)

    def _add(self, pair: bytes) -> None:
        name, _, value = pair.partition(b"=")
        try:
            key, text = (text_of(unescape(part, plus_is_space=True)) for part in (name, value))
        except BadEscape as error:
            self.error = self.error or str(error)
        else:
            self._values.setdefault(key, []).append(text)

    def get(self, name: str, default: str = "") -> str:
        """The first value of ``name``."""
        values = self._values.get(name)
        return values[0] if values else default

    def get_all(self, name: str) -> list[str]:
        """All values of ``name`` in order; empty when there is none."""
        return list(self._values.get(name, ()))

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def items(self) -> Iterator[tuple[str, list[str]]]:
        """Names with their values, in order of first appearance."""
        return iter(self._values.items())

    def __repr__(self) -> str:
        return f"Query({self.raw!r})"


@attrs.frozen
class Target:
    """A parsed request target.

    ``path`` is decoded, ``escaped_path`` what Go's URL.EscapedPath gives (the original spelling if it was proper).
    """

    path: str
    escaped_path: str
    raw_query: bytes = b""


def parse_target(target: bytes, *, is_connect: bool = False) -> Target:
    """Read the second word of a request line as Go's ``url.ParseRequestURI`` does.

    :raises BadTarget: with Go's text, which its server does not show.
    """
    if is_connect and not target.startswith(b"/"):
        target = b"http://" + target
    if any(c < 0x20 or c == 0x7F for c in target):
        raise BadTarget("net/url: invalid control character in URL")
    if target == b"*":
        return Target("*", "*")
    has_scheme, rest = _cut_scheme(target)
    rest, _, raw_query = rest.partition(b"?")
    if not rest.startswith(b"/"):
        if not has_scheme:
            raise BadTarget("invalid URI for request" if target else "empty url")
        return Target("", "", raw_query)
    if has_scheme and rest.startswith(b"//"):
        _, slash, after = rest[2:].partition(b"/")
        rest = slash + after
    return _target(rest, raw_query)


def _cut_scheme(target: bytes) -> tuple[bool, bytes]:
    if target.startswith(b":"):
        raise BadTarget("missing protocol scheme")
    match = _SCHEME.match(target)
    return (True, target[match.end():]) if match else (False, target)


def _target(raw_path: bytes, raw_query: bytes) -> Target:
    try:
        path = unescape(raw_path)
    except BadEscape as error:
        raise BadTarget(str(error)) from None
    is_proper = all(c in _LEFT_ALONE_IN_PATH for c in raw_path)
    escaped = raw_path if is_proper else escape_path(path)
    return Target(text_of(path), escaped.decode("ascii"), raw_query)


# --- paths -------------------------------------------------------------------------------------------------------

def clean(path: str) -> str:
    """The shortest spelling of a path: no empty, ``.`` or (where that can be) ``..`` elements. Go's ``path.Clean``."""
    rooted = path.startswith("/")
    kept: list[str] = []
    for element in path.split("/"):
        if element in ("", "."):
            continue
        if element != "..":
            kept.append(element)
        elif kept and kept[-1] != "..":
            kept.pop()
        elif not rooted:
            kept.append("..")
    return ("/" if rooted else "") + "/".join(kept) or "."


def base_name(path: str) -> str:
    """The last element of ``path``; "." for nothing and "/" for nothing but slashes. Go's ``path.Base``."""
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def extension(path: str) -> str:
    """From the last dot of the last element on, or nothing. Go's ``filepath.Ext``."""
    _, dot, after = path.rpartition("/")[2].rpartition(".")
    return dot + after if dot else ""


def cleaned_location(target: Target) -> str | None:
    """Where Go's ServeMux sends a request whose path is not clean (status 307), or None.

    The mux cleans the escaped path and then escapes it once more, so an escape in such a path comes out doubled. The
    query follows as it came, each byte a character.
    """
    path = target.escaped_path
    rooted = path if path.startswith("/") else "/" + path
    cleaned = clean(rooted)
    if rooted.endswith("/") and cleaned != "/":
        cleaned += "/"
    if cleaned == path:
        return None
    location = escape_path(cleaned.encode("ascii"))
    if target.raw_query:
        location += b"?" + target.raw_query
    return location.decode("latin-1")
