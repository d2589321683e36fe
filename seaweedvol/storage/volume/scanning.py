"""Walking over the records of a .dat, header by header or with every byte checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from seaweedvol.storage.backend import IVolumeFile
from seaweedvol.storage.errors import Corrupt
from seaweedvol.storage.format.checksum import checksum_matches, crc32c
from seaweedvol.storage.format.needle import CHECKSUM_LENGTH, HEADER_LENGTH, Needle, NeedleVersion, decode_header

_WINDOW_LENGTH: Final = 1 << 20
_HEAD_LENGTH: Final = HEADER_LENGTH + 4


@attrs.frozen
class Record:
    """A record without its data. ``is_sound``: all its bytes are what was once written; only then the append time
    (0 in versions 1 and 2) is known.
    """

    offset: int
    end: int
    cookie: int
    key: int
    size: int
    is_sound: bool = False
    append_at_ns: int = 0

    @property
    def entry(self) -> tuple[int, int, int]:
        """Key, offset and size, as in a row of the .idx."""
        return self.key, self.offset, self.size


@attrs.define(eq=False)
class RecordReader:
    """Reads and checks records of a file whose length is fixed; in order it reads the file once."""

    _file: IVolumeFile
    _codec: NeedleVersion
    length: int
    _window: bytes = b""
    _window_at: int = 0

    def _bytes(self, offset: int, length: int) -> bytes:
        """Up to a window of bytes, fewer at the end of the file."""
        start = offset - self._window_at
        if not 0 <= start <= len(self._window) - length:
            self._window = self._file.read_at(max(length, _WINDOW_LENGTH), offset)
            self._window_at, start = offset, 0
        return self._window[start:start + length]

    def header_at(self, offset: int) -> Record | None:
        """The record at ``offset``, unchecked; None if the file ends within it."""
        head = self._bytes(offset, HEADER_LENGTH)
        if len(head) < HEADER_LENGTH:
            return None
        cookie, key, size = decode_header(head)
        end = offset + self._codec.record_length(max(size, 0))
        if size < 0 or end > self.length:
            return None
        return Record(offset, end, cookie, key, size)

    def record_at(self, offset: int) -> Record | None:
        """The record at ``offset`` with all its bytes checked; None if the file ends within it."""
        record = self.header_at(offset)
        if record is None:
            return None
        try:
            needle = self._checked(record)
        except Corrupt:
            return record
        return attrs.evolve(record, is_sound=True, append_at_ns=needle.append_at_ns)

    def holds(self, entry: tuple[int, int, int]) -> Record | None:
        """The sound record that a row of the .idx (key, offset, signed size) tells of, or None."""
        key, offset, size = entry
        record = self.record_at(offset) if offset else None
        if record is None or not record.is_sound or record.entry != (key, offset, max(size, 0)):
            return None
        return record

    def may_be_torn_header(self, record: Record) -> bool:
        """Whether what looks like a record without data may be the beginning of another one that turned to zeros in
        the midst of its header. Versions that note no time cannot tell; then zeros that follow raise the doubt.
        """
        if record.size or record.append_at_ns:
            return False
        return record.end < self.length and not any(self._bytes(record.end, HEADER_LENGTH))

    def _checked(self, record: Record) -> Needle:
        size, length = record.size, record.end - record.offset
        if not size:
            return self._checked_empty(record, length)
        head = self._bytes(record.offset, _HEAD_LENGTH)
        start, data_length = self._codec.data_extent(head)
        if not data_length:
            # Nothing writes a body without data; the checksum would hold for it, whatever it is.
            raise Corrupt("a body without data")
        if length <= _WINDOW_LENGTH:
            return self._codec.decode(self._bytes(record.offset, length), size)
        data_at = record.offset + start
        tail = self._file.read_at(record.end - data_at - data_length, data_at + data_length)
        needle = self._codec.decode_meta(head, tail, size)
        if not checksum_matches(needle.checksum, self._checksum(data_at, data_length)):
            raise Corrupt("invalid CRC")
        return needle

    def _checked_empty(self, record: Record, length: int) -> Needle:
        """Without data there is nothing to check but that this is not a stretch of zeros that a crash left."""
        data = self._bytes(record.offset, length)
        needle = self._codec.decode(data, 0)
        has_time = self._codec.footer_length > CHECKSUM_LENGTH
        if not any(data) or has_time and not needle.append_at_ns:
            raise Corrupt("nothing but zeros")
        return needle

    def _checksum(self, at: int, length: int) -> int:
        checksum, end = 0, at + length
        while at < end:
            chunk = self._file.read_at(min(_WINDOW_LENGTH, end - at), at)
            if not chunk:
                raise Corrupt("cut short")
            checksum = crc32c(chunk, checksum)
            at += len(chunk)
        return checksum


def scan(file: IVolumeFile, codec: NeedleVersion, start: int) -> Iterator[tuple[int, Needle]]:
    """Offset and header of the records from ``start`` on, as far as they are whole by their headers."""
    reader = RecordReader(file, codec, file.length())
    record = reader.header_at(start)
    while record is not None:
        yield record.offset, Needle(record.cookie, record.key, record.size)
        record = reader.header_at(record.end)
