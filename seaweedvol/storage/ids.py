"""The names of things: volume ids, needle ids, cookies, file ids, and their text forms.

A file id is ``<volume>,<key><cookie>``: decimal volume, hexadecimal key without leading zero bytes, eight hexadecimal
digits of cookie (``3,01637037d6``). As in SeaweedFS ``needle/needle.go`` and ``needle/file_id.go``.
"""

from __future__ import annotations

import re
from typing import Final, NewType

import attrs

from seaweedvol.storage.errors import InvalidId

VolumeId = NewType("VolumeId", int)
NeedleId = NewType("NeedleId", int)
Cookie = NewType("Cookie", int)

COOKIE_DIGITS: Final = 8
KEY_DIGITS: Final = 16
MAX_UINT64: Final = 2**64 - 1

_DECIMAL = re.compile(r"[0-9]+\Z", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]+\Z", re.ASCII)


def go_quote(text: str) -> str:
    """``text`` as Go's ``%q`` prints it, for messages that clients compare."""
    out = ['"']
    for char in text:
        code = ord(char)
        if 0xDC80 <= code <= 0xDCFF:
            out.append(f"\\x{code - 0xDC00:02x}")
        elif char in '"\\':
            out.append("\\" + char)
        elif char in _SHORT_ESCAPES:
            out.append(_SHORT_ESCAPES[char])
        elif code < 0x20 or code == 0x7F:
            out.append(f"\\x{code:02x}")
        elif char.isprintable():
            out.append(char)
        else:
            out.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return "".join(out) + '"'


_SHORT_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def parse_uint(text: str, *, base: int = 10, bits: int = 64) -> int:
    """An unsigned integer as Go's ``strconv.ParseUint`` reads it.

    :raises InvalidId: with Go's words, when ``text`` is malformed or does not fit in ``bits``.
    """
    pattern = _DECIMAL if base == 10 else _HEX
    if not pattern.match(text):
        raise InvalidId(f"strconv.ParseUint: parsing {go_quote(text)}: invalid syntax")
    value = int(text, base)
    if value >> bits:
        raise InvalidId(f"strconv.ParseUint: parsing {go_quote(text)}: value out of range")
    return value


def parse_volume_id(text: str) -> VolumeId:
    """A volume id; like Go, read as 64 bits and cut to 32.

    :raises InvalidId: when ``text`` is not a decimal number.
    """
    return VolumeId(parse_uint(text) & 0xFFFFFFFF)


def parse_key_cookie(text: str) -> tuple[NeedleId, Cookie]:
    """Split ``<key><cookie>`` hexadecimal text.

    :raises InvalidId: when it is too short, too long or not hexadecimal.
    """
    if len(text) <= COOKIE_DIGITS:
        raise InvalidId("KeyHash is too short.")
    if len(text) > KEY_DIGITS + COOKIE_DIGITS:
        raise InvalidId("KeyHash is too long.")
    key_text, cookie_text = text[:-COOKIE_DIGITS], text[-COOKIE_DIGITS:]
    try:
        key = parse_uint(key_text, base=16)
    except InvalidId as error:
        raise InvalidId(f"Parse needleId error: needle id {key_text} format error: {error}") from None
    try:
        cookie = parse_uint(cookie_text, base=16, bits=32)
    except InvalidId as error:
        raise InvalidId(f"Parse cookie error: needle cookie {cookie_text} format error: {error}") from None
    return NeedleId(key), Cookie(cookie)


def parse_needle_path(text: str) -> tuple[NeedleId, Cookie]:
    """The part of a request path after the comma: key and cookie, with an optional ``_N`` that is added to the key.

    :raises InvalidId: as :func:`parse_key_cookie`, and when the key overflows.
    """
    if len(text.encode("utf-8", "surrogateescape")) <= COOKIE_DIGITS:
        raise InvalidId(f"Invalid fid: {text}")
    delta_text = ""
    at = text.rfind("_")
    if at > 0:
        text, delta_text = text[:at], text[at + 1:]
    key, cookie = parse_key_cookie(text)
    if delta_text:
        delta = parse_uint(delta_text)
        if delta > MAX_UINT64 - key:
            # Go's message has the hexadecimal digits of the key once more in hexadecimal.
            raise InvalidId(f"delta {delta} overflows needle id {f'{key:x}'.encode().hex()}")
        key = NeedleId(key + delta)
    return key, cookie


def format_key_cookie(key: int, cookie: int) -> str:
    """``<key><cookie>`` in hexadecimal; leading zero *bytes* of the key are left out, as Go does."""
    digits = f"{key:x}" if key else ""
    if len(digits) % 2:
        digits = "0" + digits
    return f"{digits}{cookie:08x}"


@attrs.frozen
class FileId:
    """Where one needle is: volume, key, and the cookie that proves the reader was told."""

    volume_id: VolumeId
    key: NeedleId
    cookie: Cookie

    def __str__(self) -> str:
        return f"{self.volume_id},{format_key_cookie(self.key, self.cookie)}"


def parse_file_id(text: str) -> FileId:
    """A whole file id, without extension.

    :raises InvalidId: when there is no comma or a part is malformed.
    """
    volume_text, comma, rest = text.partition(",")
    if not comma or not volume_text:
        raise InvalidId("wrong fid format")
    volume_id = parse_volume_id(volume_text)
    key, cookie = parse_key_cookie(rest)
    return FileId(volume_id, key, cookie)
