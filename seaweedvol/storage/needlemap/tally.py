"""What Go counts of an .idx for needles that it does not hold in memory; as SeaweedFS ``needle_map_metric.go``.

Other figures than ``replay`` gives: rows of deletions count as files, empty needles as deleted ones. Go recognises
keys by a Bloom filter that errs once in a thousand; here none is mistaken.
"""

from __future__ import annotations

import numpy

from seaweedvol.storage.needlemap.counts import Counts
from seaweedvol.storage.needlemap.rows import Mask, Rows


def tally(rows: Rows, fixed_length: int) -> tuple[Counts, int]:
    """The counts, and how many keys have a needle that is not deleted.

    :param fixed_length: bytes of a record besides its body and padding.
    """
    if not len(rows):
        return Counts(), 0
    is_last = _last_rows(rows)
    is_filled = rows.sizes > 0
    overwritten = len(rows) - int(numpy.count_nonzero(is_last))
    counts = Counts(
        file_count=len(rows),
        deleted_count=overwritten + int(numpy.count_nonzero(is_last & ~is_filled)),
        content_bytes=int(rows.sizes.sum(dtype=numpy.int64, where=is_filled)),
        deleted_bytes=int(rows.sizes.sum(dtype=numpy.int64, where=is_filled & ~is_last)),
        max_key=int(rows.keys.max()),
        max_needle_end=rows.farthest_end(fixed_length, only_filled=True),
    )
    return counts, int(numpy.count_nonzero(is_last & (rows.units != 0) & (rows.sizes >= 0)))


def _last_rows(rows: Rows) -> Mask:
    """Which row of each key is the last one."""
    is_last = numpy.ones(len(rows), numpy.bool_)
    if (rows.keys[1:] > rows.keys[:-1]).all():
        return is_last
    order = numpy.argsort(rows.keys, kind="stable")
    is_last[order[:-1]] = rows.keys[order[1:]] != rows.keys[order[:-1]]
    return is_last
