"""Media types and dispositions with their parameters (RFC 2045, 2183, 2231), read and written as Go's ``mime`` does.

Text is UTF-8 with ``surrogateescape`` (:mod:`seaweedvol.web.syntax.urls`). Knows neither headers nor file names.
Facts from Go 1.26 ``mime/mediatype.go`` and ``mime/grammar.go``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Final

import attrs

from seaweedvol.web.syntax.urls import BadEscape, bytes_of, text_of, unescape

SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+")
_SPECIALS: Final = frozenset('()<>@,;:\\"/[]?=')
_PLAIN = re.compile(rb"[!#$&+\-.^_`{|}~0-9A-Za-z]")
_PRINTABLE = re.compile(r"[\t -~]*\Z")


class MediaTypeError(Exception):
    """Raised when a media type cannot be read; the text is Go's."""


class InvalidParameter(MediaTypeError):
    """Raised when the type is fine and a parameter is not."""

    def __init__(self, media_type: str) -> None:
        super().__init__("mime: invalid media parameter")
        self.media_type = media_type


def is_token(text: str) -> bool:
    """True for a non-empty run of RFC 2045 token characters."""
    return _TOKEN.fullmatch(text) is not None


# --- writing -----------------------------------------------------------------------------------------------------

def format_media_type(kind: str, parameters: Mapping[str, str]) -> str:
    """``kind; name=value; …`` with names sorted; quoted, or percent-encoded UTF-8 (RFC 2231), where a value needs it.

    "" when ``kind`` or a name is no token. The result is ASCII.
    """
    if len(parameters) == 1:
        [(name, value)] = parameters.items()
        head = _head(kind, name)
        return head and head + _assignment(value)
    if not all(is_token(part) for part in kind.split("/", 1)):
        return ""
    out = [kind.lower()]
    for name in sorted(parameters):
        if not is_token(name):
            return ""
        out.append(name.lower() + _assignment(parameters[name]))
    return "; ".join(out)


@functools.lru_cache(maxsize=64)
def _head(kind: str, name: str) -> str:
    """``kind; name``, "" when one of them is no token; kept, as it is always the same few."""
    if not all(map(is_token, (*kind.split("/", 1), name))):
        return ""
    return f"{kind.lower()}; {name.lower()}"


def _assignment(value: str) -> str:
    """What comes after the name of a parameter with this value."""
    if _TOKEN.fullmatch(value):
        return "=" + value
    if not _PRINTABLE.match(value):
        return "*=utf-8''" + "".join(_percent(byte) for byte in bytes_of(value))
    return '="' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _percent(byte: int) -> str:
    return chr(byte) if _PLAIN.match(bytes((byte,))) else f"%{byte:02X}"


# --- reading -----------------------------------------------------------------------------------------------------

@attrs.frozen
class MediaType:
    """A lower-cased type (``text/plain``, ``attachment``) and its parameters, whose names are lower-cased too."""

    kind: str
    parameters: dict[str, str]


def parse_media_type(text: str) -> MediaType:
    """Read the value of a Content-Type or Content-Disposition header.

    :raises MediaTypeError: when it is malformed; its leaf :class:`InvalidParameter` still knows the type.
    """
    base, semicolon, rest = text.partition(";")
    kind = base.lower().strip(SPACE)
    _check_kind(kind)
    plain: dict[str, str] = {}
    starred: dict[str, dict[str, str]] = {}
    rest = (semicolon + rest).lstrip(SPACE)
    while rest:
        taken = _take_parameter(rest)
        if taken is None:
            if rest.strip(SPACE) == ";":
                break
            raise InvalidParameter(kind)
        name, value, rest = taken
        stem, star, _ = name.partition("*")
        values = starred.setdefault(stem, {}) if star else plain
        if values.setdefault(name, value) != value:
            raise MediaTypeError("mime: duplicate parameter name")
        rest = rest.lstrip(SPACE)
    for stem, pieces in starred.items():
        joined = _join(stem, pieces)
        if joined is not None:
            plain[stem] = joined
    return MediaType(kind, plain)


def _check_kind(kind: str) -> None:
    major = _TOKEN.match(kind)
    if major is None:
        raise MediaTypeError("mime: no media type")
    rest = kind[major.end():]
    if not rest:
        return
    if rest[0] != "/":
        raise MediaTypeError("mime: expected slash after first token")
    minor = _TOKEN.match(rest, 1)
    if minor is None:
        raise MediaTypeError("mime: expected token after slash")
    if minor.end() != len(rest):
        raise MediaTypeError("mime: unexpected content after media subtype")


def _take_parameter(text: str) -> tuple[str, str, str] | None:
    """``; name = value`` off the front: name, value and what follows. None when there is no such thing."""
    if not text.startswith(";"):
        return None
    text = text[1:].lstrip(SPACE)
    name = _TOKEN.match(text)
    if name is None:
        return None
    rest = text[name.end():].lstrip(SPACE)
    if not rest.startswith("="):
        return None
    value = _take_value(rest[1:].lstrip(SPACE))
    return None if value is None else (name.group().lower(), *value)


def _take_value(text: str) -> tuple[str, str] | None:
    if not text.startswith('"'):
        token = _TOKEN.match(text)
        return None if token is None else (token.group(), text[token.end():])
    out: list[str] = []
    at = 1
    while at < len(text) and text[at] not in "\r\n":
        char = text[at]
        if char == '"':
            return "".join(out), text[at + 1:]
        if char == "\\" and text[at + 1:at + 2] in _SPECIALS:   # else a literal one, as in MSIE's C:\dir\name
            at += 1
            char = text[at]
        out.append(char)
        at += 1
    return None


def _join(stem: str, pieces: Mapping[str, str]) -> str | None:
    """The value behind ``stem*`` or ``stem*0``, ``stem*1*``, …; None when there is no usable one."""
    if stem + "*" in pieces:
        return _decoded(pieces[stem + "*"])
    out: list[str] = []
    while True:
        name = f"{stem}*{len(out)}"
        if name in pieces:
            out.append(pieces[name])
        elif name + "*" in pieces:
            piece = pieces[name + "*"]
            out.append((_unescaped(piece) if out else _decoded(piece)) or "")
        else:
            return text_of(bytes_of("".join(out))) if out else None


def _decoded(value: str) -> str | None:
    """``charset'language'percent-encoded``, for the two charsets Go knows."""
    charset, first, rest = value.partition("'")
    _, second, encoded = rest.partition("'")
    if not first or not second or charset.lower() not in ("us-ascii", "utf-8"):
        return None
    return _unescaped(encoded)


def _unescaped(value: str) -> str | None:
    try:
        return text_of(unescape(bytes_of(value)))
    except BadEscape:
        return None
