"""Needle records: what a .dat file holds after its superblock, in the three versions of the layout.

::

    header    cookie u32, key u64, size i32                              16 bytes
    body      version 1: the data                                        size bytes
              versions 2, 3, nothing if there is no data, else:
              data size u32, data, and what ``fields`` draws
    checksum  CRC32C of the data u32                                     4 bytes
    time      version 3: when it was appended, ns u64                    8 bytes
    padding   1 to 8 bytes, so that the next record begins at a multiple of 8

As in SeaweedFS ``needle/needle_write_v*.go`` and ``needle_read.go``. Readers do not look at the padding, but files are
to compare byte for byte with Go's, which writes there what its header buffer last held; so do we.
"""

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.storage.errors import ChecksumMismatch, FormatError, NeedleTooLarge, SizeMismatch
from seaweedvol.storage.format import checksum as crc
from seaweedvol.storage.format.fields import (
    FLAG_COMPRESSED, FLAG_LAST_MODIFIED, FLAG_MANIFEST, FLAG_MIME, FLAG_NAME, FLAG_PAIRS, FLAG_TTL, MAX_MIME_LENGTH,
    MAX_NAME_LENGTH, MAX_PAIRS_LENGTH, NO_FIELDS, decode_fields, encode_fields, fields_length, out_of_range,
)
from seaweedvol.storage.format.ttl import Ttl

__all__ = [
    "FLAG_COMPRESSED", "FLAG_LAST_MODIFIED", "FLAG_MANIFEST", "FLAG_MIME", "FLAG_NAME", "FLAG_PAIRS", "FLAG_TTL",
    "HEADER_LENGTH", "MAX_MIME_LENGTH", "MAX_NAME_LENGTH", "MAX_PAIRS_LENGTH", "MAX_SIZE", "NEEDLE_VERSIONS", "Needle",
    "NeedleVersion", "decode_header",
]

HEADER_LENGTH: Final = 16
DATA_SIZE_LENGTH: Final = 4
CHECKSUM_LENGTH: Final = 4
TIME_LENGTH: Final = 8
PADDING_LENGTH: Final = 8

MAX_SIZE: Final = 2**31 - 1

_HEADER = struct.Struct(">IQi")
_HEADER_DATA_SIZE = struct.Struct(">IQiI")
_UINT32 = struct.Struct(">I")
_CHECKSUM_TIME = struct.Struct(">IQ")
_CHECKSUM_TIME_PADDING = struct.Struct(">IQi4x")
assert _HEADER.size == HEADER_LENGTH
assert _HEADER_DATA_SIZE.size == HEADER_LENGTH + DATA_SIZE_LENGTH
assert _CHECKSUM_TIME.size == CHECKSUM_LENGTH + TIME_LENGTH


if TYPE_CHECKING:
    from attrs import frozen as _needle_value
else:
    # A value is frozen for the type checker only: making one lies on the road of every read, and costs 0.5 us instead
    # of the 1.9 us of an object that defends itself at run time.
    _needle_value = functools.partial(attrs.define, unsafe_hash=True)


@_needle_value
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
            size += DATA_SIZE_LENGTH + fields_length(flags, name, mime, pairs)
        return _fitting(size)

    # -- writing

    def encode(self, needle: Needle) -> bytes:
        """The whole record. Size and checksum are reckoned from the data; without data the checksum is taken as given,
        since Go leaves in the record of a deletion what it knew of the deleted data.

        :raises NeedleTooLarge: when the needle or a field is too long.
        """
        data = needle.data
        fields = _encode_fields(needle) if data and self.number > 1 else b""
        checksum = crc.crc32c(data) if data else needle.checksum
        _, *pieces = self.pieces(
            needle.cookie, needle.key, data, fields, checksum, needle.append_at_ns, needle.last_modified,
        )
        return b"".join(pieces)

    def pieces(
        self, cookie: int, key: int, data: bytes, fields: bytes, checksum: int, append_at_ns: int, last_modified: int,
    ) -> tuple[int, bytes, bytes, bytes, bytes]:
        """The size, and the four pieces that in a row are the record; without a :class:`Needle`, for speed.

        :param fields: as ``encode_fields`` gave them. Not looked at where the layout has no place for them.
        :param last_modified: in seconds, as in ``fields``.
        :raises NeedleTooLarge: when no header can say the size.
        """
        length = size = len(data)
        if not length or self.number == 1:
            fields = b""
            head = _HEADER.pack(cookie, key, _fitting(size))
        else:
            size += DATA_SIZE_LENGTH + len(fields)
            if size > MAX_SIZE:
                _fitting(size)
            head = _HEADER_DATA_SIZE.pack(cookie, key, size, length)
        if self.number == 3:
            # As :meth:`_footer`, whose call would be a fifth of what a record costs.
            tail = _CHECKSUM_TIME_PADDING.pack(checksum, append_at_ns, size)[:20 - (size + 4 & 7)]
        else:
            tail = self._footer(key, size, checksum, append_at_ns, fields, last_modified)
        return size, head, data, fields, tail

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
        if not data_length or self.number == 1:
            fields, size = b"", data_length
        else:
            fields = _encode_fields(needle)
            size = DATA_SIZE_LENGTH + data_length + len(fields)
        return fields + self._footer(
            needle.key, size, checksum, needle.append_at_ns, fields, needle.last_modified,
        )

    def _footer(
        self, key: int, size: int, checksum: int, append_at_ns: int, fields: bytes, last_modified: int,
    ) -> bytes:
        padded = self.footer_length + PADDING_LENGTH - (HEADER_LENGTH + size + self.footer_length) % PADDING_LENGTH
        if self.number == 3:
            return _CHECKSUM_TIME_PADDING.pack(checksum, append_at_ns, size)[:padded]
        left_over = key
        if fields and fields[0] & FLAG_LAST_MODIFIED:
            # Go's buffer had held the time in the first half of where the key was.
            left_over = (last_modified & 0xFFFFFFFF) << 32 | key & 0xFFFFFFFF
        return _CHECKSUM_TIME.pack(checksum, left_over)[:padded]

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
            data, fields = record[HEADER_LENGTH:end], NO_FIELDS
        else:
            start = self.data_offset
            data_end = start + _data_size(record, size)
            data, fields = record[start:data_end], decode_fields(record, data_end, end)
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
        fields = decode_fields(tail, 0, end) if end else NO_FIELDS
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


def _fitting(size: int) -> int:
    if size > MAX_SIZE:
        raise NeedleTooLarge(f"a needle of {size} bytes is larger than {MAX_SIZE}")
    return size


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
        raise out_of_range(1)
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
    return encode_fields(
        needle.flags, needle.name, needle.mime, needle.pairs, needle.last_modified, needle.ttl,
    )
