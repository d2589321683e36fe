"""Needle records: what a .dat file holds after its superblock, in the three versions of the layout.

::

    header    cookie u32, key u64, size i32                              16 bytes
    body      version 1: the data                                        size bytes
              versions 2, 3, nothing if there is no data, else:
              data size u32, data, flags u8, then by flags, in this order
                0x02  name length u8, name
                0x04  mime length u8, mime
                0x08  last modified, seconds, the low 40 bits
                0x10  ttl, 2 bytes
                0x20  pairs length u16, pairs
    checksum  CRC32C of the data u32                                     4 bytes
    time      version 3: when it was appended, ns u64                    8 bytes
    padding   1 to 8 bytes, so that the next record begins at a multiple of 8

As in SeaweedFS ``needle/needle_write_v*.go`` and ``needle_read.go``. Readers do not look at the padding, but files are
to compare byte for byte with Go's, which writes there what its header buffer last held; so do we.
"""

from __future__ import annotations

import struct
from typing import Final

import attrs

from seaweedvol.storage.errors import ChecksumMismatch, FormatError, NeedleTooLarge, SizeMismatch
from seaweedvol.storage.format import checksum as crc
from seaweedvol.storage.format.ttl import EMPTY_TTL, TTL_LENGTH, Ttl

HEADER_LENGTH: Final = 16
DATA_SIZE_LENGTH: Final = 4
CHECKSUM_LENGTH: Final = 4
TIME_LENGTH: Final = 8
PADDING_LENGTH: Final = 8
LAST_MODIFIED_LENGTH: Final = 5

FLAG_COMPRESSED: Final = 0x01
FLAG_NAME: Final = 0x02
FLAG_MIME: Final = 0x04
FLAG_LAST_MODIFIED: Final = 0x08
FLAG_TTL: Final = 0x10
FLAG_PAIRS: Final = 0x20
FLAG_MANIFEST: Final = 0x80

MAX_NAME_LENGTH: Final = 0xFF
MAX_MIME_LENGTH: Final = 0xFF
MAX_PAIRS_LENGTH: Final = 0xFFFF
MAX_SIZE: Final = 2**31 - 1

_FIELD_FLAGS: Final = FLAG_NAME | FLAG_MIME | FLAG_LAST_MODIFIED | FLAG_TTL | FLAG_PAIRS

_HEADER = struct.Struct(">IQi")
_HEADER_DATA_SIZE = struct.Struct(">IQiI")
_UINT16 = struct.Struct(">H")
_UINT32 = struct.Struct(">I")
_UINT64 = struct.Struct(">Q")
_CHECKSUM_TIME = struct.Struct(">IQ")
_CHECKSUM_TIME_PADDING = struct.Struct(">IQi4x")
assert _HEADER.size == HEADER_LENGTH
assert _HEADER_DATA_SIZE.size == HEADER_LENGTH + DATA_SIZE_LENGTH
assert _CHECKSUM_TIME.size == CHECKSUM_LENGTH + TIME_LENGTH


@attrs.frozen
class Needle:
    """One stored file, or (``size`` 0) an empty one, or the record of a deletion, which looks the same.

    ``size`` is what header and index say: bytes of the body. ``data_size`` is the length of the data, which may be
    known while ``data`` was not read. ``last_modified`` is in seconds, ``append_at_ns`` in nanoseconds of Unix time;
    0 is none. ``name``, ``mime`` and ``pairs`` (JSON) count only with their flag.
    """

    cookie: int
    key: int
    size: int = 0
    data: bytes = b""
    data_size: int = 0
    flags: int = 0
    name: bytes = b""
    mime: bytes = b""
    pairs: bytes = b""
    last_modified: int = 0
    ttl: Ttl | None = None
    checksum: int = 0
    append_at_ns: int = 0

    @property
    def is_compressed(self) -> bool:
        """Whether the data are gzip of what was uploaded."""
        return bool(self.flags & FLAG_COMPRESSED)

    @property
    def is_manifest(self) -> bool:
        """Whether the data are a list of chunks that make up the file."""
        return bool(self.flags & FLAG_MANIFEST)

    @property
    def has_name(self) -> bool:
        """Whether a file name was stored, be it empty."""
        return bool(self.flags & FLAG_NAME)

    @property
    def has_mime(self) -> bool:
        """Whether a media type was stored, be it empty."""
        return bool(self.flags & FLAG_MIME)

    @property
    def has_pairs(self) -> bool:
        """Whether name-value pairs were stored."""
        return bool(self.flags & FLAG_PAIRS)

    @property
    def has_last_modified(self) -> bool:
        """Whether a time of modification was stored."""
        return bool(self.flags & FLAG_LAST_MODIFIED)

    @property
    def has_ttl(self) -> bool:
        """Whether a time to live was stored."""
        return bool(self.flags & FLAG_TTL)

    @property
    def etag(self) -> str:
        """The checksum as an ETag, without quotes."""
        return crc.etag(self.checksum)


def decode_header(data: bytes, at: int = 0) -> tuple[int, int, int]:
    """Cookie, key and signed size of the record that begins at byte ``at``.

    :raises FormatError: when ``data`` ends within the header.
    """
    try:
        cookie, key, size = _HEADER.unpack_from(data, at)
    except struct.error:
        raise FormatError(f"a needle header has {HEADER_LENGTH} bytes, found {max(len(data) - at, 0)}") from None
    return cookie, key, size


@attrs.frozen
class NeedleVersion:
    """The codec of one version of the layout. ``data_offset`` is where in a record with data the data begin."""

    number: int
    data_offset: int
    footer_length: int

    # -- lengths

    def record_length(self, size: int) -> int:
        """Bytes of a whole record whose header says ``size``, padding included."""
        end = HEADER_LENGTH + size + self.footer_length
        return end + PADDING_LENGTH - end % PADDING_LENGTH

    def size_of(self, data_length: int, flags: int, name: bytes = b"", mime: bytes = b"", pairs: bytes = b"") -> int:
        """What the header's size will be.

        :raises NeedleTooLarge: when no header can say it.
        """
        size = data_length
        if data_length and self.number > 1:
            size += DATA_SIZE_LENGTH + 1
            if flags & FLAG_NAME:
                size += 1 + min(len(name), MAX_NAME_LENGTH)
            if flags & FLAG_MIME:
                size += 1 + len(mime)
            if flags & FLAG_LAST_MODIFIED:
                size += LAST_MODIFIED_LENGTH
            if flags & FLAG_TTL:
                size += TTL_LENGTH
            if flags & FLAG_PAIRS:
                size += _UINT16.size + len(pairs)
        if size > MAX_SIZE:
            raise NeedleTooLarge(f"a needle of {size} bytes is larger than {MAX_SIZE}")
        return size

    # -- writing

    def encode(self, needle: Needle) -> bytes:
        """The whole record. Size and checksum are reckoned from the data; without data the checksum is taken as given,
        since Go leaves in the record of a deletion what it knew of the deleted data.

        :raises NeedleTooLarge: when the needle or a field is too long.
        """
        data = needle.data
        length = len(data)
        checksum = crc.crc32c(data) if length else needle.checksum
        return b"".join((self.encode_head(needle, length), data, self.encode_tail(needle, length, checksum)))

    def encode_head(self, needle: Needle, data_length: int) -> bytes:
        """The part of a record before its ``data_length`` bytes of data; ``needle.data`` are not looked at.

        :raises NeedleTooLarge: when the needle is too long.
        """
        size = self.size_of(data_length, needle.flags, needle.name, needle.mime, needle.pairs)
        if data_length and self.number > 1:
            return _HEADER_DATA_SIZE.pack(needle.cookie, needle.key, size, data_length)
        return _HEADER.pack(needle.cookie, needle.key, size)

    def encode_tail(self, needle: Needle, data_length: int, checksum: int) -> bytes:
        """The part of a record after its data; ``needle.data`` and ``needle.checksum`` are not looked at.

        :raises NeedleTooLarge: when a field is too long.
        """
        if data_length and self.number > 1:
            fields = _encode_fields(needle)
            size = DATA_SIZE_LENGTH + data_length + len(fields)
        else:
            fields = b""
            size = data_length
        padded = self.footer_length + PADDING_LENGTH - (HEADER_LENGTH + size + self.footer_length) % PADDING_LENGTH
        if self.number == 3:
            return fields + _CHECKSUM_TIME_PADDING.pack(checksum, needle.append_at_ns, size)[:padded]
        left_over = needle.key
        if fields and needle.flags & FLAG_LAST_MODIFIED:
            # Go's buffer had held the time in the first half of where the key was.
            left_over = (needle.last_modified & 0xFFFFFFFF) << 32 | needle.key & 0xFFFFFFFF
        return fields + _CHECKSUM_TIME.pack(checksum, left_over)[:padded]

    # -- reading

    def decode(self, record: bytes, size: int, *, verify: bool = True) -> Needle:
        """The needle in ``record``, which the index says is of ``size``. With ``verify`` the checksum is that of the
        data, even where its masked form was stored; else it is what was stored.

        :raises SizeMismatch: when the header says another size.
        :raises ChecksumMismatch: when ``verify`` and the data are not those that were written.
        :raises FormatError: when ``record`` is too short, or a length in it leads out of the body.
        """
        cookie, key, found = decode_header(record)
        _check_size(size, found)
        end = HEADER_LENGTH + size
        stored, append_at_ns = self._decode_footer(record, end)
        if self.number == 1 or not size:
            data, fields = record[HEADER_LENGTH:end], _NO_FIELDS
        else:
            start = self.data_offset
            data_end = start + _data_size(record, size)
            data, fields = record[start:data_end], _decode_fields(record, data_end, end)
        if verify and data:
            stored = _verified(data, stored, key)
        return Needle(cookie, key, size, data, len(data), *fields, stored, append_at_ns)

    def data_extent(self, head: bytes) -> tuple[int, int]:
        """Where in a record the data begin, and their length, from its first 20 bytes.

        :raises FormatError: when ``head`` is too short, or the length leads out of the body.
        """
        _, _, size = decode_header(head)
        if self.number == 1 or not size:
            return HEADER_LENGTH, size
        return self.data_offset, _data_size(head, size)

    def decode_meta(self, head: bytes, tail: bytes, size: int) -> Needle:
        """The needle without its data: from ``head``, the first 20 bytes of its record, and ``tail``, all that follows
        the data (:meth:`data_extent` tells where that is). The checksum is the stored one.

        :raises SizeMismatch: when the header says another size than ``size``.
        :raises FormatError: when a part is too short, or a length leads out of the body.
        """
        cookie, key, found = decode_header(head)
        _check_size(size, found)
        start, data_size = self.data_extent(head)
        end = HEADER_LENGTH + size - start - data_size
        stored, append_at_ns = self._decode_footer(tail, end)
        fields = _decode_fields(tail, 0, end) if end else _NO_FIELDS
        return Needle(cookie, key, size, b"", data_size, *fields, stored, append_at_ns)

    def _decode_footer(self, data: bytes, at: int) -> tuple[int, int]:
        try:
            if self.number == 3:
                return _CHECKSUM_TIME.unpack_from(data, at)
            return _UINT32.unpack_from(data, at)[0], 0
        except struct.error:
            raise FormatError(f"record cut short: {len(data)} bytes, footer at {at}") from None


NEEDLE_VERSIONS: Final = {
    1: NeedleVersion(1, HEADER_LENGTH, CHECKSUM_LENGTH),
    2: NeedleVersion(2, HEADER_LENGTH + DATA_SIZE_LENGTH, CHECKSUM_LENGTH),
    3: NeedleVersion(3, HEADER_LENGTH + DATA_SIZE_LENGTH, CHECKSUM_LENGTH + TIME_LENGTH),
}

_Fields = tuple[int, bytes, bytes, bytes, int, Ttl | None]

_NO_FIELDS: Final[_Fields] = (0, b"", b"", b"", 0, None)


def _check_size(expected: int, found: int) -> None:
    if found != expected:
        raise SizeMismatch("size mismatch")
    if found < 0:
        raise FormatError(f"size invalid: {found}")


def _data_size(head: bytes, size: int) -> int:
    if len(head) < HEADER_LENGTH + DATA_SIZE_LENGTH:
        raise FormatError(f"record cut short: {len(head)} bytes")
    data_size: int = _UINT32.unpack_from(head, HEADER_LENGTH)[0]
    if data_size + DATA_SIZE_LENGTH > size:
        raise _out_of_range(1)
    return data_size


def _verified(data: bytes, stored: int, key: int) -> int:
    computed = crc.crc32c(data)
    if not crc.checksum_matches(stored, computed):
        raise ChecksumMismatch(
            f"invalid CRC for needle {key:x} (got {computed:08x}, want {stored:08x}), data on disk corrupted: "
            "needle data corrupted"
        )
    return computed


def _encode_fields(needle: Needle) -> bytes:
    flags = needle.flags
    parts = [bytes((flags,))]
    if flags & FLAG_NAME:
        name = needle.name[:MAX_NAME_LENGTH]
        parts += bytes((len(name),)), name
    if flags & FLAG_MIME:
        if len(needle.mime) > MAX_MIME_LENGTH:
            raise NeedleTooLarge(f"a mime of {len(needle.mime)} bytes is longer than {MAX_MIME_LENGTH}")
        parts += bytes((len(needle.mime),)), needle.mime
    if flags & FLAG_LAST_MODIFIED:
        parts.append(_UINT64.pack(needle.last_modified)[-LAST_MODIFIED_LENGTH:])
    if flags & FLAG_TTL:
        parts.append((needle.ttl or EMPTY_TTL).to_bytes())
    if flags & FLAG_PAIRS:
        if len(needle.pairs) > MAX_PAIRS_LENGTH:
            raise NeedleTooLarge(f"pairs of {len(needle.pairs)} bytes are longer than {MAX_PAIRS_LENGTH}")
        parts += _UINT16.pack(len(needle.pairs)), needle.pairs
    return b"".join(parts)


def _decode_fields(data: bytes, at: int, end: int) -> _Fields:
    """The fields between ``at`` and ``end``. A body may end after any of them, as Go lets it, but not within one."""
    if at >= end:
        return _NO_FIELDS
    flags = data[at]
    if not flags & _FIELD_FLAGS:
        return flags, b"", b"", b"", 0, None
    at += 1
    name = mime = pairs = b""
    last_modified = 0
    ttl = None
    if flags & FLAG_NAME and at < end:
        start, at = at + 1, at + 1 + data[at]
        _check_end(at, end, 2)
        name = data[start:at]
    if flags & FLAG_MIME and at < end:
        start, at = at + 1, at + 1 + data[at]
        _check_end(at, end, 3)
        mime = data[start:at]
    if flags & FLAG_LAST_MODIFIED and at < end:
        start, at = at, at + LAST_MODIFIED_LENGTH
        _check_end(at, end, 4)
        last_modified = int.from_bytes(data[start:at], "big")
    if flags & FLAG_TTL and at < end:
        start, at = at, at + TTL_LENGTH
        _check_end(at, end, 5)
        ttl = Ttl.from_bytes(data[start:at])
    if flags & FLAG_PAIRS and at < end:
        start = at + _UINT16.size
        _check_end(start, end, 6)
        at = start + int.from_bytes(data[at:start], "big")
        _check_end(at, end, 7)
        pairs = data[start:at]
    return flags, name, mime, pairs, last_modified, ttl


def _check_end(at: int, end: int, place: int) -> None:
    if at > end:
        raise _out_of_range(place)


def _out_of_range(place: int) -> FormatError:
    return FormatError(f"index out of range {place}: needle data corrupted")
