"""Whether .dat and .idx agree at the end of the .dat, and what to do if not. Looks only; ``repairing`` does it.

A crash leaves, of the last writes, any of: a record cut short or filled with zeros, a record without its row, a row
without its record. All of that is at the tail. What disagrees further ahead is no crash but damage, and is left to an
operator: the volume goes read-only, as Go makes it for either (``volume_checking.go``).

The tail is found from both sides: the last row whose record is sound is the anchor; from its end on, sound records
follow that have no (right) row yet; where they end, the .dat is to end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs
import numpy
from numpy.typing import NDArray

from seaweedvol.storage.backend import IVolumeFile
from seaweedvol.storage.format.index import ALIGNMENT, TOMBSTONE_SIZE, OffsetWidth
from seaweedvol.storage.format.needle import HEADER_LENGTH, NeedleVersion
from seaweedvol.storage.needlemap import Rows
from seaweedvol.storage.volume.scanning import Record, RecordReader

MAX_ROWS_TRIED: Final = 1024
"""Rows that are tried for an anchor before the index is taken to belong to another .dat."""
MAX_DAMAGED_IN_A_ROW: Final = 16
"""Damaged records that are passed over in search of a sound one."""


@attrs.frozen(eq=False)
class Tail:
    """What the check found.

    ``end`` is where the .dat is to end and ``length`` where it does. The first ``kept`` rows stay, or if that is None
    those of ``keep``; ``added`` (key, offset, size) are to follow. ``problem``: why nothing of this may be done.
    """

    length: int
    end: int
    keep: NDArray[numpy.bool_] | None = None
    dropped: int = 0
    added: list[tuple[int, int, int]] = attrs.Factory(list)
    last_append_at_ns: int = 0
    problem: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to do."""
        return self.end == self.length and not self.dropped and not self.added and not self.problem

    @property
    def torn_length(self) -> int:
        """How many bytes of the .dat are no record."""
        return self.length - self.end


def check_tail(data: IVolumeFile, codec: NeedleVersion, start: int, rows: Rows) -> Tail:
    """Compare the ends of both files. ``start`` is where the first record begins.

    :raises OSError: when the .dat cannot be read: nothing is known then.
    """
    length = data.length()
    if rows.width is OffsetWidth.FOUR and length > rows.width.max_volume_length:
        # Offsets have wrapped around: rows no longer tell where the tail is.
        return Tail(length, length)
    return _Check(RecordReader(data, codec, length), codec, start, rows).run()


@attrs.define(eq=False)
class _Check:
    _reader: RecordReader
    _codec: NeedleVersion
    _start: int
    _rows: Rows

    def run(self) -> Tail:
        length = self._reader.length
        rows = self._rows
        fixed_length = HEADER_LENGTH + self._codec.footer_length
        if not len(rows) and length == self._start:
            return Tail(length, length)
        if len(rows) and rows.farthest_end(fixed_length) == length:
            record = self._last_record(rows, fixed_length)
            if record is not None:
                return Tail(length, length, last_append_at_ns=record.append_at_ns)
        return self._closely(rows.last_per_offset(), rows.ends(fixed_length))

    def _last_record(self, rows: Rows, fixed_length: int) -> Record | None:
        """The sound record with which the .dat ends; its row is the last one, unless the .idx is sorted by key."""
        record = self._reader.holds(rows[len(rows) - 1])
        if record is not None and record.end == self._reader.length:
            return record
        at_end = numpy.flatnonzero((rows.ends(fixed_length) == self._reader.length) & (rows.units != 0))
        return self._reader.holds(rows[int(at_end[-1])])

    def _closely(self, ordered: NDArray[numpy.intp], ends: NDArray[numpy.int64]) -> Tail:
        rows, length = self._rows, self._reader.length
        fits = ordered[ends[ordered] <= length]
        anchor = None
        for at in fits[::-1][:MAX_ROWS_TRIED]:
            anchor = self._reader.holds(rows[int(at)])
            if anchor is not None:
                break
        found = list(self._follow(anchor.end if anchor else self._start, is_rebuilt=not len(rows)))
        end = found[-1].end if found else anchor.end if anchor else self._start
        last = found[-1] if found else anchor
        offsets = rows.units.astype(numpy.int64) * ALIGNMENT
        problem = self._problem(anchor, found, end, offsets[ordered])
        if problem:
            return Tail(length, length, problem=problem)
        keep = offsets < end
        return Tail(
            length, end, keep, int(numpy.count_nonzero(~keep)), list(self._entries(found, keep)),
            last.append_at_ns if last else 0,
        )

    def _follow(self, at: int, is_rebuilt: bool) -> Iterator[Record]:
        """Records from ``at`` on. Damaged ones between sound ones are passed over, for an older needle of the key may
        be sound; but without any .idx they are given too, as they may have been acknowledged.
        """
        while True:
            record = self._reader.record_at(at)
            if record is None:
                return
            if not record.is_sound or self._reader.may_be_torn_header(record):
                if not self._is_sound_after(record):
                    return
                if is_rebuilt:
                    yield record
            else:
                yield record
            at = record.end

    def _is_sound_after(self, record: Record) -> bool:
        at = record.end
        for _ in range(MAX_DAMAGED_IN_A_ROW):
            following = self._reader.record_at(at)
            if following is None:
                return False
            if following.is_sound:
                return True
            at = following.end
        return False

    def _problem(
        self, anchor: Record | None, found: list[Record], end: int, offsets: NDArray[numpy.int64],
    ) -> str:
        """Why this is more than a torn tail; empty if it is not."""
        after = anchor.offset if anchor else 0
        strays = int(numpy.count_nonzero((offsets > after) & (offsets < end)))
        if strays:
            return f"{strays} rows of the index do not fit the records at the end of the data"
        if anchor or found:
            return ""
        if len(offsets) > 1:
            return f"no row of the index fits the data of {self._reader.length} bytes"
        first = self._reader.header_at(self._start)
        if first is not None and first.end < self._reader.length:
            return f"no record can be made out in the data of {self._reader.length} bytes"
        return ""

    def _entries(self, found: list[Record], keep: NDArray[numpy.bool_]) -> Iterator[tuple[int, int, int]]:
        """Rows for records that had none. An empty record is a deletion if there was something to delete: the same
        bytes may also be an empty needle written over another one.
        """
        is_live: dict[int, bool] = {}
        for record in found:
            key, offset, size = record.entry
            if not size and is_live.get(key, None) is None:
                is_live[key] = self._was_live(key, keep)
            is_deletion = not size and is_live[key]
            is_live[key] = not is_deletion
            yield key, offset, TOMBSTONE_SIZE if is_deletion else size

    def _was_live(self, key: int, keep: NDArray[numpy.bool_]) -> bool:
        at = numpy.flatnonzero((self._rows.keys == numpy.uint64(key)) & keep)
        return bool(len(at)) and int(self._rows.sizes[at[-1]]) >= 0 and int(self._rows.units[at[-1]]) != 0
