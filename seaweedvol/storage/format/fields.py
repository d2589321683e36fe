"""The fields of a needle record that may follow its data, in versions 2 and 3 of the layout.

::

    flags u8, then by flags, in this order
      0x02  name length u8, name
      0x04  mime length u8, mime
      0x08  last modified, seconds, the low 40 bits
      0x10  ttl, 2 bytes
      0x20  pairs length u16, pairs
    0x01 says that the data are gzip, 0x80 that they are a chunk manifest; 0x40 is not used

As in SeaweedFS ``needle/needle_read.go``. What stands around the fields is told in ``needle``.
"""

from __future__ import annotations

import struct
from typing import Final

from seaweedvol.storage.errors import FormatError, NeedleTooLarge
from seaweedvol.storage.format.ttl import EMPTY_TTL, TTL_LENGTH, Ttl

FLAG_COMPRESSED: Final = 0x01
FLAG_NAME: Final = 0x02
FLAG_MIME: Final = 0x04
FLAG_LAST_MODIFIED: Final = 0x08
FLAG_TTL: Final = 0x10
FLAG_PAIRS: Final = 0x20
FLAG_MANIFEST: Final = 0x80

LAST_MODIFIED_LENGTH: Final = 5
MAX_NAME_LENGTH: Final = 0xFF
MAX_MIME_LENGTH: Final = 0xFF
MAX_PAIRS_LENGTH: Final = 0xFFFF

_FIELD_FLAGS: Final = FLAG_NAME | FLAG_MIME | FLAG_LAST_MODIFIED | FLAG_TTL | FLAG_PAIRS

_UINT16 = struct.Struct(">H")
_UINT64 = struct.Struct(">Q")

Fields = tuple[int, bytes, bytes, bytes, int, Ttl | None]
"""Flags, name, mime, pairs, last modified, ttl."""

NO_FIELDS: Final[Fields] = (0, b"", b"", b"", 0, None)


def fields_length(flags: int, name: bytes, mime: bytes, pairs: bytes) -> int:
    """How many bytes :func:`encode_fields` gives."""
    length = 1
    if flags & FLAG_NAME:
        length += 1 + min(len(name), MAX_NAME_LENGTH)
    if flags & FLAG_MIME:
        length += 1 + len(mime)
    if flags & FLAG_LAST_MODIFIED:
        length += LAST_MODIFIED_LENGTH
    if flags & FLAG_TTL:
        length += TTL_LENGTH
    if flags & FLAG_PAIRS:
        length += _UINT16.size + len(pairs)
    return length


def encode_plain_fields(name: bytes, mime: bytes, last_modified: int) -> bytes:
    """As :func:`encode_fields` of name, type and time, none of them too long; for speed, since most needles are so."""
    return b"\x0e%c%b%c%b%b" % (len(name), name, len(mime), mime, last_modified.to_bytes(LAST_MODIFIED_LENGTH, "big"))


def encode_fields(
    flags: int, name: bytes, mime: bytes, pairs: bytes, last_modified: int, ttl: Ttl | None,
) -> bytes:
    """The bytes that follow the data; a longer name is cut, as Go does.

    :raises NeedleTooLarge: when the media type or the pairs are longer than their length field can say.
    """
    fields = b"%c" % flags
    if flags & FLAG_NAME:
        name = name[:MAX_NAME_LENGTH]
        fields += b"%c%b" % (len(name), name)
    if flags & FLAG_MIME:
        if len(mime) > MAX_MIME_LENGTH:
            raise NeedleTooLarge(f"a mime of {len(mime)} bytes is longer than {MAX_MIME_LENGTH}")
        fields += b"%c%b" % (len(mime), mime)
    if flags & FLAG_LAST_MODIFIED:
        fields += _UINT64.pack(last_modified)[-LAST_MODIFIED_LENGTH:]
    if flags & FLAG_TTL:
        fields += (EMPTY_TTL if ttl is None else ttl).to_bytes()
    if flags & FLAG_PAIRS:
        if len(pairs) > MAX_PAIRS_LENGTH:
            raise NeedleTooLarge(f"pairs of {len(pairs)} bytes are longer than {MAX_PAIRS_LENGTH}")
        fields += _UINT16.pack(len(pairs)) + pairs
    return fields


def decode_fields(data: bytes, at: int, end: int) -> Fields:
    """The fields between ``at`` and ``end``. A body may end after any of them, as Go lets it, but not within one.

    :raises FormatError: with Go's words, when a length leads beyond ``end``.
    """
    if at >= end:
        return NO_FIELDS
    flags = data[at]
    if not flags & _FIELD_FLAGS:
        return flags, b"", b"", b"", 0, None
    at += 1
    name = mime = pairs = b""
    last_modified = 0
    ttl = None
    if flags & FLAG_NAME and at < end:
        start, at = at + 1, at + 1 + data[at]
        if at > end:
            raise out_of_range(2)
        name = data[start:at]
    if flags & FLAG_MIME and at < end:
        start, at = at + 1, at + 1 + data[at]
        if at > end:
            raise out_of_range(3)
        mime = data[start:at]
    if flags & FLAG_LAST_MODIFIED and at < end:
        start, at = at, at + LAST_MODIFIED_LENGTH
        if at > end:
            raise out_of_range(4)
        last_modified = int.from_bytes(data[start:at], "big")
    if flags & FLAG_TTL and at < end:
        start, at = at, at + TTL_LENGTH
        if at > end:
            raise out_of_range(5)
        ttl = Ttl.from_bytes(data[start:at])
    if flags & FLAG_PAIRS and at < end:
        start = at + _UINT16.size
        if start > end:
            raise out_of_range(6)
        at = start + int.from_bytes(data[at:start], "big")
        if at > end:
            raise out_of_range(7)
        pairs = data[start:at]
    return flags, name, mime, pairs, last_modified, ttl


def out_of_range(place: int) -> FormatError:
    """The error for a length that leads out of the body; ``place`` is the number Go gives to the field."""
    return FormatError(f"index out of range {place}: needle data corrupted")
