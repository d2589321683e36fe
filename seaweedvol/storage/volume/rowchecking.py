"""Whether the rows of an .idx can all be true: what SeaweedFS ``idx/check.go`` finds, in its words.

All rows at once, by NumPy; nothing of the .dat is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs
import numpy
from numpy.typing import NDArray

from seaweedvol.storage.format.index import ALIGNMENT, NUMPY_ENTRY, OffsetWidth
from seaweedvol.storage.format.needle import HEADER_LENGTH, NEEDLE_VERSIONS
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH
from seaweedvol.storage.needlemap import Rows
from seaweedvol.storage.volume.still import Still

Column = NDArray[numpy.int64]

MOST_FAILURES: Final = 100_000
"""So many are told of one volume; Go tells all, until its memory or the message is full."""
_CHUNK_ROWS: Final = 1 << 18


@attrs.frozen
class IndexFindings:
    """``failures`` in words, one for each row that cannot be true, and how many there were besides."""

    row_count: int
    failures: list[str]
    more: int = 0


def read_rows(read_at: Callable[[int, int], bytes], width: OffsetWidth, first: int, count: int) -> Rows:
    """Up to ``count`` rows from row ``first`` on, fewer where the file ends."""
    data = read_at(count * width.entry_length, first * width.entry_length)
    packed = numpy.frombuffer(data, NUMPY_ENTRY[width], len(data) // width.entry_length)
    units = packed["offset"].astype(numpy.int64)
    if width is OffsetWidth.FIVE:
        units |= packed["offset_high"].astype(numpy.int64) << 32
    return Rows(width, packed["key"].astype(numpy.uint64), units, packed["size"].astype(numpy.int32))


def record_lengths(sizes: NDArray[numpy.int32], version: int) -> Column:
    """Bytes of the record of each row as Go reckons them: in 32 bits where it does, and with its remainder, which
    has the sign of the dividend. So sizes that make no sense give what they give there.
    """
    fixed = HEADER_LENGTH + NEEDLE_VERSIONS[version].footer_length
    wrapped = (sizes.astype(numpy.int64) + fixed).astype(numpy.int32)
    padding = ALIGNMENT - numpy.fmod(wrapped, numpy.int32(ALIGNMENT))
    lengths: Column = sizes.astype(numpy.int64) + fixed + padding
    return lengths


def check_rows(still: Still) -> IndexFindings:
    """Every row that tells of bytes which another one claims, and whether the .idx consists of whole rows.

    :raises OSError: when it cannot be read.
    """
    rows = _all_rows(still)
    failures, more = _overlaps(rows, still.version)
    expected = len(rows) * still.width.entry_length
    if expected != still.index_length:
        failures.append(f"expected an index file of size {still.index_length}, got {expected}")
    return IndexFindings(len(rows), failures, more)


def empty_index_failure(still: Still) -> str:
    """Why there may not be no rows, "" if there may: a volume that was made but not used has none."""
    if still.index_length or still.data_length <= SUPERBLOCK_LENGTH:
        return ""
    return f"zero-size IDX file for volume {still.volume_id} with store size {still.data_length}"


def _all_rows(still: Still) -> Rows:
    read_at = still.open_index()
    parts = []
    for first in range(0, still.row_count, _CHUNK_ROWS):
        parts.append(read_rows(read_at, still.width, first, min(_CHUNK_ROWS, still.row_count - first)))
    if len(parts) == 1:
        return parts[0]
    return Rows(still.width, *(_joined([getattr(part, name) for part in parts]) for name in ("keys", "units", "sizes")))


def _joined(columns: list[NDArray[Any]]) -> NDArray[Any]:
    return numpy.concatenate(columns) if columns else numpy.zeros(0, numpy.int64)


def _overlaps(rows: Rows, version: int) -> tuple[list[str], int]:
    # Deletions in a remote tier have no record.
    numbers = numpy.flatnonzero((rows.units != 0) | (rows.sizes >= 0))
    starts = rows.units[numbers] * ALIGNMENT
    if not (starts[1:] > starts[:-1]).all():
        order = numpy.lexsort((rows.sizes[numbers], starts))
        numbers, starts = numbers[order], starts[order]
    lengths = record_lengths(rows.sizes[numbers], version)
    ends = starts + lengths - (lengths != 0)
    found = numpy.flatnonzero(starts[1:] <= ends[:-1]) + 1
    keys = rows.keys[numbers]
    return [
        f"needle {keys[at]} (#{numbers[at] + 1}) at [{starts[at]}-{ends[at]}] "
        f"overlaps needle {keys[at - 1]} at [{starts[at - 1]}-{ends[at - 1]}]"
        for at in found[:MOST_FAILURES].tolist()
    ], max(len(found) - MOST_FAILURES, 0)
