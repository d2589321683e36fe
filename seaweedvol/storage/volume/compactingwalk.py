"""The walk of a compaction: which needles are live, and their records copied in the order of their keys.

Works on paths alone and remembers nothing that it could not find again, so that it may run in another process, a part
at a time: a part that is done twice writes the same bytes to the same place. As ``copyDataBasedOnIndexFile`` in
SeaweedFS ``volume_vacuum.go``; records are copied as they stand, so append times stay.

What cannot be read (beyond the end, of another size, with a wrong checksum) is left behind, as in Go; when the disk
fails, all fails. A needle whose own time to live is over is left behind too. Go goes by the time to live of the
volume: where that has none, each needle that has one is dropped, and the check at the end then gives the vacuum up.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator
from typing import Any, Final, Protocol

import attrs
import numpy
from numpy.typing import NDArray

from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.errors import Corrupt, VolumeFull
from seaweedvol.storage.format.checksum import checksum_matches, crc32c
from seaweedvol.storage.format.index import ALIGNMENT, OffsetWidth
from seaweedvol.storage.format.needle import FLAG_LAST_MODIFIED, FLAG_TTL, HEADER_LENGTH, NEEDLE_VERSIONS, Needle
from seaweedvol.storage.needlemap.replay import final_rows
from seaweedvol.storage.needlemap.rows import Rows, read_rows

_HEAD: Final = struct.Struct(">IQiI")
_CHECKSUM: Final = struct.Struct(">I")
_DATA_START: Final = HEADER_LENGTH + 4
_WINDOW_LENGTH: Final = 1 << 20
_LONG_RECORD: Final = 4 << 20
# Reading this much for nothing is cheaper than asking once more.
_NEAR: Final = 16 << 10
_MAX_TAIL: Final = 128 << 10
_PLANS_KEPT: Final = 2
_NS_PER_MINUTE: Final = 60 * 10**9

_KEPT, _EXPIRED, _DAMAGED, _OTHER_SIZE = range(4)
"""What becomes of a needle."""


class IRecords(Protocol):
    """The bytes of a .dat, wherever they are."""

    def read_at(self, length: int, offset: int) -> bytes:
        """Up to ``length`` bytes from ``offset``, fewer only at the end."""


class OpensRecords(Protocol):
    """A value that says where such bytes are, to whatever process; can be compared and hashed."""

    def open(self) -> IRecords:
        """Have them at hand.

        :raises OSError: when that cannot be.
        """


@attrs.frozen
class WalkJob:
    """What is to be walked, and where to.

    :ivar data: path of the .dat; "" where ``records`` opens what would be in it.
    :ivar index_length: bytes of the .idx that count.
    :ivar target_file: device and inode of the file at ``target``, lest another compaction's be written to.
    :ivar start: where in ``target`` the first record goes.
    :ivar now_ns: when needles whose time is over by then are left behind.
    """

    data: str
    index: str
    index_length: int
    target: str
    target_file: tuple[int, int]
    start: int
    version: int
    width: OffsetWidth
    now_ns: int
    records: OpensRecords | None = None


@attrs.frozen
class Part:
    """What one step did.

    :ivar next_row: the first row of the plan that was not looked at.
    :ivar end: where in the target the next record goes.
    :ivar index: rows for the new .idx.
    :ivar reached: the offset in the .dat at which the step was to stop; -1 if it stopped elsewhere.
    :ivar dropped: how many needles could not be read; ``missing_bytes``: the sizes of these and of those expired.
    :ivar is_done: whether there is nothing more.
    """

    next_row: int
    end: int
    index: bytes
    reached: int
    dropped: int
    missing_bytes: int
    is_done: bool


def copy_part(job: WalkJob, row: int, end: int, length: int, stop_above: int) -> Part:
    """Copy the needles from ``row`` of the plan on to ``end`` in the target.

    :param length: about so many bytes of records.
    :param stop_above: stop before the first needle whose offset in the .dat is greater.
    :raises OSError: when the disk fails.
    :raises VolumeFull: when what is copied is beyond the reach of offsets.
    """
    plan = _plan_of(job)
    last = plan.last_row(row, length)
    reached = -1
    beyond = numpy.flatnonzero(plan.offsets[row:last] > stop_above)
    if len(beyond):
        last = row + int(beyond[0])
        reached = int(plan.offsets[last])
    return plan.copy(row, last, end, reached)


def forget(job: WalkJob) -> None:
    """Let go of the files of a walk that is over."""
    with _plans_lock:
        _plans.pop(job, None)


_plans: dict[WalkJob, _Plan] = {}
_plans_lock = threading.Lock()


def _plan_of(job: WalkJob) -> _Plan:
    plan = _plans.get(job) or _make_plan(job)
    with _plans_lock:
        _plans.pop(job, None)
        _plans[job] = plan
        while len(_plans) > _PLANS_KEPT:
            del _plans[next(iter(_plans))]
    return plan


def _make_plan(job: WalkJob) -> _Plan:
    index = DiskFile(job.index, writable=False, role="walk.index")
    rows = final_rows(read_rows(index, job.width).where(slice(job.index_length // job.width.entry_length)))
    rows = rows.where((rows.units != 0) & (rows.sizes >= 0))
    target = DiskFile(job.target, role="walk")
    found = os.stat(job.target)
    if (found.st_dev, found.st_ino) != job.target_file:
        raise OSError(f"{job.target} is another file by now")
    if job.records is not None:
        return _Plan(job, job.records.open(), target, rows)
    return _Plan(job, DiskFile(job.data, writable=False, role="walk.data"), target, rows)


class _Plan:
    """The live needles of one job by key, and the files."""

    def __init__(self, job: WalkJob, source: IRecords, target: DiskFile, rows: Rows) -> None:
        self._job = job
        self._codec = NEEDLE_VERSIONS[job.version]
        self._source = source
        self._target = target
        self._rows = rows
        self.offsets: NDArray[Any] = rows.units.astype(numpy.int64) * ALIGNMENT
        self._ends: NDArray[Any] = rows.ends(HEADER_LENGTH + self._codec.footer_length)
        self._lengths: NDArray[Any] = self._ends - self.offsets
        self._sums: NDArray[Any] = numpy.cumsum(self._lengths)

    def last_row(self, row: int, length: int) -> int:
        """Where a part ends that begins at ``row`` and has about ``length`` bytes."""
        before = int(self._sums[row - 1]) if row else 0
        return min(max(row + 1, int(numpy.searchsorted(self._sums, before + length))), len(self._rows))

    def copy(self, first: int, last: int, end: int, reached: int) -> Part:
        """Copy the rows from ``first`` to before ``last``."""
        writer = _Writer(self._target, end)
        fates = numpy.zeros(last - first, numpy.int8)
        for row, record in self._records(first, last):
            size = int(self._rows.sizes[row])
            fate = self._copy_long(row, writer) if record is None else self._judge(record, size)
            if fate == _OTHER_SIZE:
                record = self._outgrown(row)
                fate = self._judge(record, size)
            if fate:
                fates[row - first] = fate
            elif record is not None:
                # Of the padding at the end of the file nothing is missed.
                lacks = int(self._lengths[row]) - len(record)
                writer.add(memoryview(bytes(record) + bytes(lacks)) if lacks else record)
        writer.flush()
        rows = self._rows.where(slice(first, last))
        kept = rows.where(fates == _KEPT)
        starts = end + numpy.cumsum(self._lengths[first:last][fates == _KEPT])
        starts -= self._lengths[first:last][fates == _KEPT]
        if len(starts) and int(starts[-1]) >= self._job.width.max_volume_length:
            raise VolumeFull(f"compacted volume exceeds {self._job.width.max_volume_length} bytes")
        kept = attrs.evolve(kept, units=(starts // ALIGNMENT).astype(kept.units.dtype))
        return Part(
            last, writer.end, kept.encode(), reached, int(numpy.count_nonzero(fates >= _DAMAGED)),
            int(rows.sizes[fates != _KEPT].sum(dtype=numpy.int64)), last == len(self._rows),
        )

    def _records(self, first: int, last: int) -> Iterator[tuple[int, memoryview | None]]:
        """The bytes of the rows, as far as the file has them; None for a long record. Neighbours are read at once."""
        offsets, ends = self.offsets[first:last].tolist(), self._ends[first:last].tolist()
        count, at = last - first, 0
        while at < count:
            start, end = offsets[at], ends[at]
            if end - start > _LONG_RECORD:
                yield first + at, None
                at += 1
                continue
            following = at + 1
            while (
                following < count and 0 <= offsets[following] - end <= _NEAR
                and ends[following] - start <= _WINDOW_LENGTH
            ):
                end = ends[following]
                following += 1
            view = memoryview(self._source.read_at(end - start, start))
            for near in range(at, following):
                yield first + near, view[offsets[near] - start:ends[near] - start]
            at = following

    def _outgrown(self, row: int) -> memoryview:
        """The record where it is if the .dat grew beyond what 4 bytes of offset reach, which count from there again."""
        if self._job.width is not OffsetWidth.FOUR:
            return memoryview(b"")
        offset = int(self.offsets[row]) + self._job.width.max_volume_length
        return memoryview(self._source.read_at(int(self._lengths[row]), offset))

    def _judge(self, record: memoryview, size: int) -> int:
        """What becomes of a needle whose record this should be. Runs for each; what is usual comes first."""
        footer = HEADER_LENGTH + size
        if len(record) < footer + self._codec.footer_length:
            return _DAMAGED
        _, _, found, data_length = _HEAD.unpack_from(record)
        if found != size:
            return _OTHER_SIZE
        data_end = _DATA_START + data_length
        if (
            data_length and data_end < footer and self._codec.data_offset == _DATA_START
            and not record[data_end] & FLAG_TTL
            and checksum_matches(_CHECKSUM.unpack_from(record, footer)[0], crc32c(record[_DATA_START:data_end]))
        ):
            return _KEPT
        try:
            needle = self._codec.decode(bytes(record), size)
        except Corrupt:
            return _DAMAGED
        return _EXPIRED if self._is_expired(needle) else _KEPT

    def _is_expired(self, needle: Needle) -> bool:
        """As ``expiry`` says it when the needle is read."""
        minutes = needle.ttl.minutes if needle.ttl else 0
        if not minutes or not needle.flags & FLAG_TTL or not needle.flags & FLAG_LAST_MODIFIED:
            return False
        return self._job.now_ns >= needle.append_at_ns + minutes * _NS_PER_MINUTE

    def _copy_long(self, row: int, writer: _Writer) -> int:
        """Copy a record that is not to be held in memory, if it is sound."""
        offset, size, length = int(self.offsets[row]), int(self._rows.sizes[row]), int(self._lengths[row])
        head = self._source.read_at(_DATA_START, offset)
        try:
            start, data_length = self._codec.data_extent(head)
            rest = length - start - data_length
            if rest > _MAX_TAIL:
                return _DAMAGED
            tail = self._source.read_at(rest, offset + start + data_length)
            needle = self._codec.decode_meta(head, tail, size)
        except Corrupt:
            return _DAMAGED
        if self._is_expired(needle):
            return _EXPIRED
        writer.flush()
        checksum, at = 0, writer.end
        self._target.write_at(head[:start], at)
        for data in _pieces(self._source, offset + start, data_length):
            checksum = crc32c(data, checksum)
            self._target.write_at(data, at + start)
            at += len(data)
        if at - writer.end != data_length or not checksum_matches(needle.checksum, checksum):
            return _DAMAGED
        self._target.write_at(tail, at + start)
        writer.end += length
        return _KEPT


def _pieces(file: IRecords, offset: int, length: int) -> Iterator[bytes]:
    end = offset + length
    while offset < end:
        data = file.read_at(min(_WINDOW_LENGTH, end - offset), offset)
        if not data:
            return
        yield data
        offset += len(data)


class _Writer:
    """Records one after the other from ``end`` on, many with one call."""

    def __init__(self, file: DiskFile, end: int) -> None:
        self.end = end
        self._file = file
        self._pieces: list[memoryview] = []
        self._waiting = 0

    def add(self, record: memoryview) -> None:
        """One more."""
        self._pieces.append(record)
        self._waiting += len(record)
        if self._waiting >= _WINDOW_LENGTH:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._pieces:
            self._file.write_at(b"".join(self._pieces), self.end)
            self.end += self._waiting
            self._pieces, self._waiting = [], 0
