"""Whether the needles of an encoded volume are what their checksums say, as far as their shards can be read.

Goes in steps that another process may take, like ``storage/volume/recordchecking``, whose judgement of records that
were read together this uses. Nothing is computed from other shards: what lies in a shard is what is looked at. As in
SeaweedFS ``erasure_coding/ec_volume_scrub.go`` and ``storage/store_ec_scrub.go``; texts are for who asked to make.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import attrs
import numpy
from numpy.typing import NDArray

from seaweedvol.ec.layout import LARGE_BLOCK, SMALL_BLOCK, Interval, large_rows, locate
from seaweedvol.ec.ratio import Ratio
from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.errors import Corrupt, SizeMismatch
from seaweedvol.storage.format.index import ALIGNMENT, OffsetWidth
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS, decode_header
from seaweedvol.storage.needlemap import Rows
from seaweedvol.storage.volume.recordchecking import STEP_SECONDS, WINDOW_LENGTH, are_sound, windows
from seaweedvol.storage.volume.rowchecking import Column, read_rows, record_lengths

_STEP_ROWS: Final = 1 << 14

ReadPiece = Callable[[Interval], bytes]
"""Reads all of an interval.

:raises OSError: when it cannot; the text of the first argument is for people.
"""


@attrs.frozen
class LocalShard:
    """A shard of this server: its path, and the length it had when it was opened."""

    path: str
    length: int


@attrs.frozen
class EcStill:
    """A volume to be looked at by whatever process.

    :ivar data_length: of the .dat when it was encoded.
    :ivar shards: those of this server, by number.
    """

    volume_id: int
    version: int
    width: OffsetWidth
    index_path: str
    index_length: int
    ratio: Ratio
    data_length: int
    shards: tuple[tuple[int, LocalShard], ...]

    @property
    def row_count(self) -> int:
        """Whole rows of the .ecx."""
        return self.index_length // self.width.entry_length


@attrs.frozen
class BadPiece:
    """The ``number``-th of ``count`` pieces of a record, which could not be read, and why."""

    interval: Interval
    number: int
    count: int
    words: str


@attrs.frozen
class BadNeedle:
    """A needle with which something is wrong.

    :ivar shard_ids: in which its pieces lie, sorted, once for each piece; of those that were asked for.
    :ivar length: of its record in bytes, of which ``found`` could be read.
    :ivar pieces: those that could not; empty when all could.
    :ivar words: what is wrong with the record then; "" when only the index and the record disagree on whether it was
        deleted.
    """

    key: int
    offset: int
    length: int
    found: int
    shard_ids: tuple[int, ...]
    pieces: tuple[BadPiece, ...]
    words: str


@attrs.frozen
class EcStep:
    """What came of the rows up to ``next_row``; ``elsewhere`` are rows with a piece in no shard of this server."""

    next_row: int
    bad: list[BadNeedle]
    elsewhere: list[tuple[int, int, int]]


def check_local(still: EcStill, first_row: int, seconds: float = STEP_SECONDS) -> EcStep:
    """Check the rows from ``first_row`` on until ``seconds`` have passed; but always some.

    :raises OSError: when the .ecx cannot be read.
    """
    index = DiskFile(still.index_path, writable=False, role="ecx")
    walk = NeedleWalk(still, read_piece_of(still))
    held = [number for number, _ in still.shards]
    until = time.monotonic() + seconds
    row = first_row
    bad: list[BadNeedle] = []
    elsewhere: list[tuple[int, int, int]] = []
    while row < still.row_count:
        rows = read_rows(index.read_at, still.width, row, min(_STEP_ROWS, still.row_count - row))
        if not len(rows):
            # Somebody cut the .ecx.
            return EcStep(still.row_count, bad, elsewhere)
        row += len(rows)
        live = rows.where(rows.sizes >= 0)
        is_here = _are_here(still, live, held)
        bad.extend(walk.check(live.where(is_here)))
        others = live.where(~is_here)
        elsewhere.extend(others[at] for at in range(len(others)))
        if time.monotonic() >= until:
            break
    return EcStep(row, bad, elsewhere)


def read_piece_of(still: EcStill) -> ReadPiece:
    """Reads from the shards of this server."""
    files: dict[int, DiskFile] = {}
    shards = dict(still.shards)

    def read(interval: Interval) -> bytes:
        shard = shards.get(interval.shard_id)
        if shard is None:
            # Of what lies between two records; each by itself is here.
            raise OSError("not here")
        if interval.offset + interval.length > shard.length:
            raise OSError("too short")
        file = files.get(interval.shard_id)
        if file is None:
            file = files[interval.shard_id] = DiskFile(shard.path, writable=False, role="shard")
        data = file.read_at(interval.length, interval.offset)
        if len(data) != interval.length:
            raise OSError("EOF")
        return data

    return read


def rows_of(still: EcStill, rows: Iterable[tuple[int, int, int]]) -> Rows:
    """Rows again of what :class:`EcStep` tells."""
    keys, offsets, sizes = zip(*rows, strict=True)
    return Rows(still.width, numpy.array(keys, numpy.uint64), numpy.array(offsets, numpy.int64) // ALIGNMENT,
                numpy.array(sizes, numpy.int32))


def _are_here(still: EcStill, rows: Rows, held: list[int]) -> NDArray[numpy.bool_]:
    """Of which rows all pieces lie in the shards ``held``."""
    data = still.ratio.data
    is_held = numpy.zeros(data, numpy.bool_)
    is_held[[number for number in held if number < data]] = True
    if is_held.all():
        return numpy.ones(len(rows), numpy.bool_)
    starts = rows.units.astype(numpy.int64) * ALIGNMENT
    ends = starts + record_lengths(rows.sizes, still.version) - 1
    large_end = large_rows(still.data_length, still.ratio) * LARGE_BLOCK * data
    first, last = (_blocks(at, large_end) for at in (starts, ends))
    here: NDArray[numpy.bool_] = numpy.ones(len(rows), numpy.bool_)
    for number in range(min(data, int((last - first).max(initial=0)) + 1)):
        here &= (first + number > last) | is_held[(first + number) % data]
    return here


def _blocks(at: Column, large_end: int) -> Column:
    """The number of the block of each byte, so that blocks that follow each other have numbers that do: a row of
    large blocks ends where the first of small ones begins, both with whole rows.
    """
    blocks: Column = numpy.where(
        at < large_end, at // LARGE_BLOCK, large_end // LARGE_BLOCK + (at - large_end) // SMALL_BLOCK)
    return blocks


class NeedleWalk:
    """Looks at records, as many at once as lie together."""

    def __init__(self, still: EcStill, read_piece: ReadPiece) -> None:
        self._still = still
        self._read_piece = read_piece
        self._codec = NEEDLE_VERSIONS[still.version]

    def check(self, rows: Rows) -> list[BadNeedle]:
        """Those of the rows, none of them deleted, with which something is wrong; in their order."""
        offsets = rows.units.astype(numpy.int64) * ALIGNMENT
        order = numpy.argsort(offsets, kind="stable")
        offsets, sizes = offsets[order], rows.sizes[order]
        lengths = record_lengths(sizes, self._still.version)
        doubtful: list[int] = []
        for first, last in windows(offsets, lengths):
            doubtful.extend(self._doubtful(first, last, offsets, lengths, sizes))
        found = [(int(order[at]), self._look_at(int(rows.keys[order[at]]), int(offsets[at]), int(sizes[at])))
                 for at in doubtful]
        return [bad for _, bad in sorted(found, key=lambda pair: pair[0]) if bad is not None]

    def _doubtful(self, first: int, last: int, offsets: Column, lengths: Column, sizes: NDArray[Any]) -> Iterator[int]:
        """Which of a run of records are not known to be sound."""
        start = int(offsets[first])
        length = int(offsets[last - 1] + lengths[last - 1]) - start
        data = self._read(start, length) if length <= WINDOW_LENGTH else None
        if data is None:
            yield from range(first, last)
            return
        sound = are_sound(data, offsets[first:last] - start, sizes[first:last].astype(numpy.int64), self._codec)
        yield from (numpy.flatnonzero(~sound) + first).tolist()

    def _read(self, offset: int, length: int) -> bytes | None:
        try:
            return b"".join([self._read_piece(each) for each in self._pieces(offset, length)])
        except OSError:
            return None

    def _pieces(self, offset: int, length: int) -> list[Interval]:
        return locate(self._still.ratio, self._still.data_length, offset, length)

    def _look_at(self, key: int, offset: int, size: int) -> BadNeedle | None:
        """What is wrong with one needle; None if nothing is."""
        length = self._codec.record_length(size)
        intervals = self._pieces(offset, length)
        bad: list[BadPiece] = []
        pieces: list[bytes] = []
        for number, interval in enumerate(intervals, 1):
            try:
                pieces.append(self._read_piece(interval))
            except OSError as error:
                bad.append(BadPiece(interval, number, len(intervals), error.strerror or str(error)))
        shard_ids = tuple(sorted(interval.shard_id for interval in intervals))
        words = "" if bad else self._judge(b"".join(pieces), key, size)
        if words is None:
            return None
        return BadNeedle(key, offset, length, sum(map(len, pieces)), shard_ids, tuple(bad), words)

    def _judge(self, record: bytes, key: int, size: int) -> str | None:
        try:
            self._codec.decode(record, size)
        except SizeMismatch:
            _, found_key, found_size = decode_header(record)
            if found_size == 0 and found_key == key:
                # The record of a deletion, of which the index does not know.
                return ""
            return "size mismatch"
        except Corrupt as error:
            return str(error)
        return None
