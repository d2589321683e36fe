"""Tests of :mod:`seaweedvol.storage.needlemap.tally`."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.needlemap import Counts
from seaweedvol.storage.needlemap.rows import make_rows
from seaweedvol.storage.needlemap.tally import tally
from tests import strategies

FIXED_LENGTH = 28

Entry = tuple[int, int, int]

entries = st.lists(st.tuples(
    st.integers(0, 20) | st.integers(0, 2**64 - 1),
    st.integers(0, 1000).map(lambda units: units * 8),
    st.integers(-1, 1000) | st.just(0) | st.just(-1),
), max_size=40)


def counted(rows: list[Entry]) -> Counts:
    """As ``needleMapMetricFromIndexFile``, with a set in place of the Bloom filter."""
    counts, seen = Counts(), set()
    for key, offset, size in reversed(rows):
        counts.max_key = max(counts.max_key, key)
        if offset and size > 0:
            end = offset + (FIXED_LENGTH + size) // 8 * 8 + 8
            counts.max_needle_end = max(counts.max_needle_end, end)
        counts.content_bytes += max(size, 0)
        counts.file_count += 1
        if key not in seen:
            seen.add(key)
            counts.deleted_count += size <= 0
        else:
            counts.deleted_count += 1
            counts.deleted_bytes += max(size, 0)
    return counts


class TallyTests(SynchronousTestCase):
    """tally."""

    @settings(max_examples=200, deadline=None)
    @given(strategies.widths, entries)
    def test_counts_as_go_does(self, width: OffsetWidth, rows: list[Entry]) -> None:
        """The walk from the end that Go does, all rows at once."""
        counts, live = tally(make_rows(width, rows), FIXED_LENGTH)
        self.assertEqual(counts, counted(rows))
        last = {key: (offset, size) for key, offset, size in rows}
        self.assertEqual(live, sum(offset > 0 and size >= 0 for offset, size in last.values()))
