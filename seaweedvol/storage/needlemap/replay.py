"""From the rows of an .idx to a needle map, all rows at once: 10 million take about a second.

The outcome, counts included, is that of taking the rows one by one as ``doLoading`` in SeaweedFS
``needle_map_memory.go`` does: a row with an offset and a size of 0 or more puts, any other deletes.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy

from seaweedvol.storage.format.index import TOMBSTONE_SIZE, OffsetWidth
from seaweedvol.storage.memory import give_back
from seaweedvol.storage.needlemap.columns import Columns, empty_columns, make_columns
from seaweedvol.storage.needlemap.counts import Counts
from seaweedvol.storage.needlemap.rows import Mask, Rows

#: After the replay of so many rows, free memory is worth giving back.
LARGE: Final = 1 << 20
_HALF = numpy.uint64(32)


def replay(rows: Rows, fixed_length: int) -> tuple[Columns, Counts]:
    """The needles that ``rows`` leave, and what Go would have counted.

    :param fixed_length: bytes of a record besides its body and padding.
    """
    if not len(rows):
        return empty_columns(rows.width is OffsetWidth.FIVE), Counts()
    counts = Counts(max_key=int(rows.keys.max()), max_needle_end=rows.farthest_end(fixed_length, only_filled=True))
    is_put = (rows.units != 0) & (rows.sizes >= 0)
    counts.file_count = int(numpy.count_nonzero(is_put))
    counts.content_bytes = int(rows.sizes.sum(dtype=numpy.int64, where=is_put))
    if not (rows.keys[1:] > rows.keys[:-1]).all():
        order = numpy.argsort(rows.keys, kind="stable")
        rows, is_put = rows.where(order), is_put[order]
        del order
    is_repeat = numpy.zeros(len(rows), numpy.bool_)
    numpy.equal(rows.keys[1:], rows.keys[:-1], out=is_repeat[1:])
    _count_deletions(counts, rows, is_put, is_repeat)
    columns = _columns(_final(rows, is_put, is_repeat))
    is_large = len(rows) >= LARGE
    del rows, is_put, is_repeat
    if is_large:
        give_back()
    return columns, counts


def final_rows(rows: Rows) -> Rows:
    """The needles that ``rows`` leave, by key; of deleted ones the last put with its size negated (-1 for an empty
    one), which is what a needle map answers.
    """
    if not len(rows):
        return rows
    rows = rows.where(numpy.argsort(rows.keys, kind="stable"))
    is_repeat = numpy.zeros(len(rows), numpy.bool_)
    numpy.equal(rows.keys[1:], rows.keys[:-1], out=is_repeat[1:])
    return _final(rows, (rows.units != 0) & (rows.sizes >= 0), is_repeat)


def _count_deletions(counts: Counts, rows: Rows, is_put: Mask, is_repeat: Mask) -> None:
    replaces = is_repeat[1:] & is_put[:-1]
    counts.deleted_count = int(numpy.count_nonzero(~is_put))
    counts.deleted_count += int(numpy.count_nonzero(replaces & is_put[1:]))
    counts.deleted_bytes = int(rows.sizes[:-1].sum(dtype=numpy.int64, where=replaces))


def _final(rows: Rows, is_put: Mask, is_repeat: Mask) -> Rows:
    """Of each key its last put, with the size negated if a deletion came after; keys never put are left out."""
    is_final = numpy.ones(len(rows), numpy.bool_)
    numpy.logical_not(is_repeat[1:], out=is_final[:-1])
    deletions = numpy.flatnonzero(is_final & ~is_put)
    is_final &= is_put
    if len(deletions):
        puts = numpy.flatnonzero(is_put)
        before = numpy.searchsorted(puts, deletions) - 1
        deleted = puts[before[before >= 0]]
        deleted = deleted[rows.keys[deleted] == rows.keys[deletions[before >= 0]]]
        is_final[deleted] = True
        rows = attrs.evolve(rows, sizes=rows.sizes.copy())
        rows.sizes[deleted] = numpy.where(rows.sizes[deleted] == 0, TOMBSTONE_SIZE, -rows.sizes[deleted])
    return rows if is_final.all() else rows.where(is_final)


def _columns(rows: Rows) -> Columns:
    values = rows.units.astype(numpy.uint64)
    values <<= _HALF
    values |= numpy.ascontiguousarray(rows.sizes).view(numpy.uint32)
    high = (rows.units >> _HALF).astype(numpy.uint8) if rows.width is OffsetWidth.FIVE else None
    return make_columns(rows.keys, values, high)
