"""Where in a volume the records begin that were appended after a moment; as in SeaweedFS ``volume_backup.go``.

Rows of an .idx are in the order in which their records were appended, so it is searched by halves. Unlike in Go only
the times of records are read, not their bodies: a damaged record on the way is no obstacle.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Final

import attrs

from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.errors import Corrupt
from seaweedvol.storage.format.index import OffsetWidth, decode_entry
from seaweedvol.storage.format.needle import CHECKSUM_LENGTH, HEADER_LENGTH, TIME_LENGTH, NeedleVersion, decode_header
from seaweedvol.storage.volume.core import Core
from seaweedvol.storage.volume.walking import RawRecord, ReadAt, raw_records

_TIME: Final = struct.Struct(">Q")
#: Versions of the layout whose records hold the time of their appending; of others every record is of time 0.
_WITH_TIMES: Final = 3


@attrs.frozen(eq=False)
class Stretch:
    """The end of a .dat, from one record to where the file ended when it was found.

    It stays readable, and what it was, though the volume be compacted or closed.
    """

    _read_at: ReadAt
    _codec: NeedleVersion
    start: int
    end: int

    def blocks(self, length: int) -> Iterator[bytes]:
        """All bytes, in blocks of ``length``.

        :raises OSError: as the device says.
        """
        for at in range(self.start, self.end, length):
            yield self._read_at(min(length, self.end - at), at)

    def records(self) -> Iterator[tuple[RawRecord, int]]:
        """All records with the times (ns) of their appending; one that is still being written is left out.

        :raises Corrupt: when what is there cannot be a record.
        :raises OSError: as the device says.
        """
        has_time = self._codec.number >= _WITH_TIMES
        for record in raw_records(self._read_at, self._codec, self.start, self.end):
            at = HEADER_LENGTH + record.size + CHECKSUM_LENGTH
            yield record, _TIME.unpack_from(record.data, at)[0] if has_time else 0


def stretch_after(core: Core, since_ns: int) -> Stretch | None:
    """What was appended after ``since_ns`` (nanoseconds); None when nothing was.

    :raises VolumeClosed: when the volume is closed.
    :raises Corrupt: when the .idx leads to no record.
    :raises OSError: as the device says.
    """
    with core.lock:
        # With both files of one moment: a compaction replaces them together.
        files = core.open_files()
        read_at, end = files.data.pinned(), files.data.length()
        index = DiskFile(core.paths.index, writable=False, role="index")
    try:
        start = Timeline(index.pinned(), index.length(), read_at, core.codec, core.width).offset_after(since_ns)
    finally:
        index.close()
    return None if start is None else Stretch(read_at, core.codec, start, end)


def last_append_at(index_path: str, data_path: str, codec: NeedleVersion, width: OffsetWidth) -> int:
    """The append time (ns) of the record that the last row of an .idx leads to; 0 where there is none.

    :raises Corrupt: when it leads to no record.
    :raises OSError: when a file cannot be read.
    """
    if codec.number < _WITH_TIMES or not os.path.getsize(index_path):
        return 0
    index, data = (DiskFile(path, writable=False) for path in (index_path, data_path))
    try:
        timeline = Timeline(index.pinned(), index.length(), data.pinned(), codec, width)
        offset = timeline.offset_of(timeline.row_count - 1)
        return timeline.time_at(offset) if offset else 0
    finally:
        index.close()
        data.close()


@attrs.define(eq=False)
class Timeline:
    """The rows of an .idx as moments."""

    _index_at: ReadAt
    _index_length: int
    _data_at: ReadAt
    _codec: NeedleVersion
    _width: OffsetWidth
    row_count: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.row_count = self._index_length // self._width.entry_length

    def offset_after(self, since_ns: int) -> int | None:
        """The offset of the first record appended after ``since_ns`` (nanoseconds); None when there is none.

        :raises Corrupt: when the .idx leads to no record.
        """
        low, high = 0, self.row_count
        best: int | None = None
        while low < high:
            row = (low + high) // 2
            at, offset = self._next_with_offset(row, high)
            if offset and self._time_of_row(at, offset) <= since_ns:
                low = at + 1
            else:
                # What is right of here is later still.
                high = row
                best = offset or best
        return best

    def offset_of(self, row: int) -> int:
        """Where the record of a row begins; 0 for one that has none (deleted while the data were elsewhere)."""
        length = self._width.entry_length
        entry = self._index_at(length, row * length)
        if len(entry) != length:
            raise Corrupt(f"read entry {row}: EOF")
        return decode_entry(self._width, entry)[1]

    def time_at(self, offset: int) -> int:
        """When the record at ``offset`` was appended, in nanoseconds.

        :raises Corrupt: when the file ends within the record.
        """
        if self._codec.number < _WITH_TIMES:
            return 0
        _, _, size = decode_header(self._data_at(HEADER_LENGTH, offset))
        time = self._data_at(TIME_LENGTH, offset + HEADER_LENGTH + max(size, 0) + CHECKSUM_LENGTH)
        if len(time) != TIME_LENGTH:
            raise Corrupt(f"needle at offset {offset}: EOF")
        return int(_TIME.unpack(time)[0])

    def _time_of_row(self, row: int, offset: int) -> int:
        try:
            return self.time_at(offset)
        except Corrupt as error:
            raise Corrupt(f"read entry {row} offset {offset}: {error}") from None

    def _next_with_offset(self, row: int, end: int) -> tuple[int, int]:
        """The first row from ``row`` on that has an offset, and that; 0 for none."""
        while row < end:
            offset = self.offset_of(row)
            if offset:
                return row, offset
            row += 1
        return row, 0
