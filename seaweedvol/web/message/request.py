"""The head of an HTTP request as the use cases see it, read the way SeaweedFS on Go's ``net/http`` reads it.

Knows headers, query values and the grammar of needle paths. Knows no Twisted, no bodies and no stores.
Facts from Go 1.26 ``net/http/request.go``, ``net/textproto``, ``strconv`` and SeaweedFS ``weed/server/common.go``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from seaweedvol.web.syntax.disposition import MediaTypeError, parse_media_type
from seaweedvol.web.syntax.urls import BadTarget, Query, Target, bytes_of, extension, parse_target, text_of

__all__ = [
    "BadTarget", "Headers", "NeedlePath", "Query", "Request", "Target", "canonical_name", "form_error",
    "is_media_type", "make_request",
    "parse_bool", "parse_int", "parse_needle_path", "parse_target", "parse_uint", "strict_int",
]

MAX_INT64: Final = 2**63 - 1
MIN_INT64: Final = -2**63
MAX_UINT64: Final = 2**64 - 1

FORM: Final = "application/x-www-form-urlencoded"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_TRUE: Final = frozenset(("1", "t", "T", "TRUE", "true", "True"))


@functools.lru_cache(maxsize=1024)
def canonical_name(name: str) -> str:
    """The spelling Go gives a header name: ``content-md5`` becomes ``Content-Md5``; what is no name stays as it is."""
    if not _TOKEN.match(name):
        return name
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


class Headers:
    """Request headers: names without regard to case, values as latin-1 text, several values for a name in order."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(canonical_name(name), []).append(value)

    def get(self, name: str, default: str = "") -> str:
        """The first value of ``name`` (latin-1), "" when there is none."""
        values = self._values.get(canonical_name(name))
        return values[0] if values else default

    def get_text(self, name: str) -> str:
        """The first value of ``name`` as UTF-8 text (see :mod:`seaweedvol.web.syntax.urls`)."""
        return text_of(self.get(name).encode("latin-1", "replace"))

    def get_all(self, name: str) -> list[str]:
        """All values of ``name`` in order."""
        return list(self._values.get(canonical_name(name), ()))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and canonical_name(name) in self._values

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for name, values in self._values.items():
            for value in values:
                yield name, value

    def __repr__(self) -> str:
        return f"Headers({list(self)!r})"


@attrs.frozen
class Request:
    """One request without its body.

    :ivar target: the request target as it was sent.
    :ivar path: decoded as Go's URL.Path (UTF-8, ``surrogateescape``).
    :ivar peer_host: the socket peer's address, without port.
    :ivar is_public: True when it came in on the read-only port.
    """

    method: str
    target: bytes
    path: str
    query: Query
    headers: Headers
    peer_host: str = ""
    is_public: bool = False
    http_version: str = "HTTP/1.1"

    @property
    def is_pretty(self) -> bool:
        """True when JSON is wanted indented."""
        return self.query.get("pretty") != ""


def make_request(method: str, target: bytes, headers: Headers, *, peer_host: str = "", is_public: bool = False,
                 http_version: str = "HTTP/1.1") -> Request:
    """A :class:`Request` from what stood on the wire.

    :raises BadTarget: when the target cannot be read.
    """
    parsed = parse_target(target, is_connect=method == "CONNECT")
    return Request(method, target, parsed.path, Query(parsed.raw_query), headers, peer_host, is_public, http_version)


@functools.lru_cache(maxsize=1024)
def is_media_type(text: str) -> bool:
    """Whether a Content-Type of ASCII is one that :func:`form_error` has nothing against."""
    try:
        parse_media_type(text)
    except MediaTypeError:
        return False
    return text.isascii()


def form_error(request: Request) -> str | None:
    """What Go's Request.ParseForm complains about, None when it does not.

    SeaweedFS asks before each POST and PUT and answers 400 with this text. Unlike Go we never read a
    form-urlencoded body as a form (it is the file to store), so a fault in such a body is not found.
    """
    error = None
    if request.method in ("POST", "PUT", "PATCH"):
        try:
            parse_media_type(request.headers.get_text("Content-Type") or "application/octet-stream")
        except MediaTypeError as complaint:
            error = str(complaint)
    return error or request.query.error


# --- needle paths ------------------------------------------------------------------------------------------------

@attrs.frozen
class NeedlePath:
    """The parts of a needle's URL path, still text; ``ext`` has its dot."""

    vid: str
    fid: str = ""
    filename: str = ""
    ext: str = ""
    is_volume_only: bool = False


def parse_needle_path(path: str) -> NeedlePath:
    """Split ``/vid/fid/name``, ``/vid/fid.ext`` or ``/vid,fid.ext``. Never fails: nonsense gives parts that are no ids.

    A path of four slashes and more is cut at offsets that Go counts from the last slash but applies to the whole path.
    Where Go's slicing panics (and the connection breaks off) this gives an empty or non-decimal ``vid``, so 400.
    """
    parts = path.split("/")
    if len(parts) == 4:
        return NeedlePath(parts[1], parts[2], parts[3], extension(parts[3]))
    if len(parts) == 3:
        stem, dot, ext = parts[2].rpartition(".")
        return NeedlePath(parts[1], stem, "", dot + ext) if stem else NeedlePath(parts[1], parts[2])
    return _parse_comma_path(bytes_of(path))


def _parse_comma_path(path: bytes) -> NeedlePath:
    slash = path.rfind(b"/")
    last = path[max(slash, 0):]
    comma = last.rfind(b",")
    if comma <= 0:
        return NeedlePath(text_of(path[slash + 1:]), is_volume_only=True)
    dot = last.rfind(b".")
    vid = text_of(path[slash + 1:comma])
    if dot <= 0:
        return NeedlePath(vid, text_of(path[comma + 1:]))
    return NeedlePath(vid, text_of(path[comma + 1:dot]), "", text_of(path[dot:]))


# --- values ------------------------------------------------------------------------------------------------------

def parse_bool(text: str) -> bool:
    """Go's ``strconv.ParseBool``; what it refuses is False."""
    return text in _TRUE


def strict_int(text: str) -> int | None:
    """A signed 64-bit decimal as Go's ``strconv.ParseInt`` accepts it, None where it gives an error."""
    value = _scan(text[1:] if text[:1] in ("+", "-") else text)
    value = -value if text[:1] == "-" and value is not None else value
    return value if value is not None and MIN_INT64 <= value <= MAX_INT64 else None


def parse_int(text: str) -> int:
    """What is left of ``strconv.Atoi`` when its error is dropped: 0 for nonsense, the nearest int64 when too large."""
    value = _scan(text[1:] if text[:1] in ("+", "-") else text) or 0
    return max(MIN_INT64, -value) if text[:1] == "-" else min(MAX_INT64, value)


def parse_uint(text: str) -> int:
    """What is left of ``strconv.ParseUint`` when its error is dropped: 0 for nonsense, 2**64-1 when too large."""
    return min(MAX_UINT64, _scan(text) or 0)


def _scan(text: str) -> int | None:
    """An unsigned decimal, 2**64 for anything larger, None for nonsense.

    Like Go's scan from the left it calls ``99999999999999999999x`` too large, not nonsense.
    """
    match = _DIGITS.match(text)
    if match is None:
        return None
    digits = match.group().lstrip("0") or "0"
    value = MAX_UINT64 + 1 if len(digits) > 20 else min(int(digits), MAX_UINT64 + 1)
    return value if value > MAX_UINT64 or match.end() == len(text) else None
