"""Index rows as columns."""

from __future__ import annotations

import numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.backend import MemoryFile
from seaweedvol.storage.format.index import OffsetWidth, encode_entry, iterate
from seaweedvol.storage.format.needle import HEADER_LENGTH, NEEDLE_VERSIONS
from seaweedvol.storage.needlemap import read_rows, rows
from seaweedvol.storage.needlemap.rows import make_rows
from tests import strategies

entry_lists = st.lists(
    st.tuples(strategies.keys, st.integers(0, 2**32 - 1).map(lambda unit: unit * 8), st.integers(-2**31, 2**31 - 1)),
    max_size=30,
)


class RowsTests(SynchronousTestCase):
    """Rows and read_rows."""

    @settings(max_examples=100, deadline=None)
    @given(entry_lists, strategies.widths, st.integers(0, 15))
    def test_reads_what_the_format_writes(
        self, entries: list[tuple[int, int, int]], width: OffsetWidth, excess: int,
    ) -> None:
        """Rows come back one by one and as bytes; an incomplete one at the end is left out."""
        self.patch(rows, "_CHUNK_ROWS", 4)
        data = b"".join(encode_entry(width, *entry) for entry in entries)
        found = read_rows(MemoryFile(data + b"x" * excess), width)
        self.assertEqual([found[at] for at in range(len(found))], entries)
        self.assertEqual(found.encode(), data)
        self.assertEqual(make_rows(width, entries).encode(), data)
        self.assertEqual(list(iterate(width, found.encode())), entries)

    @settings(max_examples=100, deadline=None)
    @given(entry_lists, strategies.widths, strategies.versions)
    def test_ends(self, entries: list[tuple[int, int, int]], width: OffsetWidth, version: int) -> None:
        """Records end where the codec says; the farthest end leaves out rows that have no offset."""
        codec = NEEDLE_VERSIONS[version]
        fixed_length = HEADER_LENGTH + codec.footer_length
        found = make_rows(width, entries)
        ends = [offset + codec.record_length(max(size, 0)) for _, offset, size in entries]
        self.assertEqual(found.ends(fixed_length).tolist(), ends)
        placed = [end for end, (_, offset, _) in zip(ends, entries) if offset]
        self.assertEqual(found.farthest_end(fixed_length), max(placed, default=0))
        filled = [end for end, (_, offset, size) in zip(ends, entries) if offset and size > 0]
        self.assertEqual(found.farthest_end(fixed_length, only_filled=True), max(filled, default=0))

    def test_choosing_and_joining(self) -> None:
        """Masks, slices and other rows give what they give for lists."""
        found = make_rows(OffsetWidth.FIVE, [(1, 8, 1), (2, 16, 2), (3, 2**36, 3)])
        chosen = found.where(numpy.array([True, False, True])).followed_by(found.where(slice(1)))
        self.assertEqual([chosen[at] for at in range(3)], [(1, 8, 1), (3, 2**36, 3), (1, 8, 1)])

    def test_a_file_that_ends_early_is_an_error(self) -> None:
        """Rows that cannot be read are not taken for rows that are not there."""

        class Short(MemoryFile):
            def length(self) -> int:
                return 64

        self.assertRaises(OSError, read_rows, Short(bytes(32)), OffsetWidth.FOUR)
