"""All rows at once must come to what they come to one by one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.backend import MemoryFile
from seaweedvol.storage.format.index import OffsetWidth, encode_entry
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.needlemap import Counts, MemoryNeedleMap, read_rows, replay
from tests import strategies

FIXED_LENGTH = 28

Entries = list[tuple[int, int, int]]

entries = st.lists(st.tuples(
    st.integers(0, 8) | st.integers(0, 2**64 - 1),
    st.integers(0, 3) | st.integers(0, 2**32 - 1),
    st.integers(-1, 3) | st.integers(-2**31, 2**31 - 1),
), max_size=80)


def one_by_one(rows: Entries) -> tuple[dict[int, tuple[int, int]], Counts]:
    """What ``doLoading`` of SeaweedFS does, in the words of its source."""
    needles: dict[int, tuple[int, int]] = {}
    counts = Counts()
    for key, unit, size in rows:
        counts.max_key = max(counts.max_key, key)
        if unit and size > 0:
            counts.max_needle_end = max(counts.max_needle_end, unit * 8 + NEEDLE_VERSIONS[3].record_length(size))
        old = needles.get(key)
        if unit and size >= 0:
            counts.file_count += 1
            counts.content_bytes += size
            needles[key] = (unit * 8, size)
            if old is not None and old[1] >= 0:
                counts.deleted_count += 1
                counts.deleted_bytes += old[1]
            continue
        counts.deleted_count += 1
        if old is not None and old[1] >= 0:
            counts.deleted_bytes += old[1]
            needles[key] = (old[0], -old[1] or -1)
    return needles, counts


def index_of(rows: Entries, width: OffsetWidth) -> MemoryFile:
    """An .idx with these rows; offsets in units of 8."""
    return MemoryFile(b"".join(encode_entry(width, key, unit * 8, size) for key, unit, size in rows))


class ReplayTests(SynchronousTestCase):
    """replay."""

    @settings(max_examples=200, deadline=None)
    @given(entries, strategies.widths)
    def test_same_as_one_by_one(self, rows: Entries, width: OffsetWidth) -> None:
        """Any rows leave the same needles and the same counts."""
        index = index_of(rows, width)
        columns, counts = replay(read_rows(index, width), FIXED_LENGTH)
        needles = MemoryNeedleMap(index, width, columns, counts)
        expected, expected_counts = one_by_one(rows)
        found = {key: (offset, size) for key, offset, size in needles.ascending()}
        self.assertEqual(found, expected)
        self.assertEqual(counts, expected_counts)
        self.assertEqual({key: needles.get(key) for key in expected}, expected)

    def test_offsets_beyond_four_bytes(self) -> None:
        """Wide offsets keep their upper bits."""
        index = index_of([(1, 2**40 - 1, 5), (3, 2**32, 6), (2, 2**33 + 7, 7)], OffsetWidth.FIVE)
        columns, counts = replay(read_rows(index, OffsetWidth.FIVE), FIXED_LENGTH)
        self.assertEqual(columns.lookup()(1), ((2**40 - 1) * 8, 5))
        self.assertEqual(columns.lookup()(2), ((2**33 + 7) * 8, 7))
        self.assertEqual(columns.lookup()(3), (2**35, 6))
        self.assertEqual(counts.max_needle_end, (2**40 - 1) * 8 + 40)

    def test_many_deletions_of_one_key(self) -> None:
        """A hundred thousand tombstones of one key take no time and count each."""
        rows = [(5, 1, 10), *[(5, 2, -1)] * 100_000, (6, 3, 4)]
        columns, counts = replay(read_rows(index_of(rows, OffsetWidth.FOUR), OffsetWidth.FOUR), FIXED_LENGTH)
        self.assertEqual((columns.lookup()(5), columns.lookup()(6)), ((8, -10), (24, 4)))
        self.assertEqual((counts.deleted_count, counts.deleted_bytes), (100_000, 10))

    def test_memory(self) -> None:
        """A needle takes at most 20 bytes once loaded."""
        rows = [(3 * number, number + 1, 100) for number in range(100_000)]
        columns, _ = replay(read_rows(index_of(rows, OffsetWidth.FIVE), OffsetWidth.FIVE), FIXED_LENGTH)
        assert columns.high is not None
        arrays = (columns.keys, columns.values, columns.high, columns.buckets)
        self.assertLessEqual(sum(len(column) * column.itemsize for column in arrays), 20 * len(rows))
