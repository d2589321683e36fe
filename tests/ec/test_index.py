from __future__ import annotations

import os
import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial import unittest

from seaweedvol.ec.index import EcIndex, sorted_rows, write_sorted
from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.index import OffsetWidth, encode_entries, iterate

ROWS = st.lists(
    st.tuples(
        st.integers(0, 6) | st.integers(2**64 - 3, 2**64 - 1),
        st.integers(0, 2**31).map(lambda units: units * 8),
        st.integers(-1, 2**31 - 1)),
    max_size=40)


def live(rows: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """What is left of the rows of an .idx, in the order of the keys."""
    held: dict[int, tuple[int, int]] = {}
    for key, offset, size in rows:
        held.pop(key, None)
        if offset and size >= 0:
            held[key] = offset, size
    return [(key, *held[key]) for key in sorted(held)]


class SortedRowsTests(unittest.SynchronousTestCase):
    """What an .ecx consists of."""

    @settings(max_examples=200, deadline=None)
    @given(rows=ROWS, width=st.sampled_from(OffsetWidth), rest=st.binary(max_size=15))
    def test_last_row_of_each_key(self, rows: list[tuple[int, int, int]], width: OffsetWidth, rest: bytes) -> None:
        """The last row of each key, unless a deletion, by unsigned key; half a row at the end is left out."""
        data = encode_entries(width, rows) + rest
        self.assertEqual(list(iterate(width, sorted_rows(data, width))), live(rows))

    def test_five_byte_offset_whose_low_part_is_nothing(self) -> None:
        """An offset of exactly 32 GiB, whose low 32 bits are zero, is one all the same."""
        data = encode_entries(OffsetWidth.FIVE, [(1, 2**35, 4)])
        self.assertEqual(sorted_rows(data, OffsetWidth.FIVE), data)

    def test_written_at_once(self) -> None:
        """The file replaces another and nothing else is left."""
        directory = Path(self.mktemp())
        directory.mkdir()
        (directory / "1.idx").write_bytes(encode_entries(OffsetWidth.FOUR, [(2, 8, 1), (1, 16, 1)]))
        (directory / "1.ecx").write_bytes(b"old")
        write_sorted(str(directory / "1.idx"), str(directory / "1.ecx"), OffsetWidth.FOUR)
        self.assertEqual(list(iterate(OffsetWidth.FOUR, (directory / "1.ecx").read_bytes())), [(1, 16, 1), (2, 8, 1)])
        self.assertEqual(sorted(os.listdir(directory)), ["1.ecx", "1.idx"])


class EcIndexTests(unittest.SynchronousTestCase):
    """Looking things up in an .ecx."""

    def index(
        self, rows: list[tuple[int, int, int]], width: OffsetWidth = OffsetWidth.FOUR, rest: bytes = b"",
    ) -> EcIndex:
        """An open .ecx with these rows."""
        path = self.mktemp()
        Path(path).write_bytes(encode_entries(width, rows) + rest)
        index = EcIndex(path, width)
        self.addCleanup(index.close)
        return index

    def test_every_row_is_found(self) -> None:
        """Whatever the number of rows: each is found by its key, and nothing between."""
        draw = random.Random(1)
        for count in (0, 1, 2, 255, 256, 257, 5000):
            for width in OffsetWidth:
                keys = sorted({draw.randrange(2**63) * 2 for _row in range(count)})
                rows = [(key, 8 * (at + 1), at) for at, key in enumerate(keys)]
                index = self.index(rows, width, b"junk")
                self.assertEqual(index.row_count, count)
                for _again in range(2):
                    for key, offset, size in rows[::7] + rows[-1:]:
                        self.assertEqual(index.find(key), (offset, size))
                        self.assertIsNone(index.find(key + 1))
                        self.assertEqual(index.find_now(key), (offset, size))
                        self.assertIsNone(index.find_now(key + 1))
                self.assertEqual(list(index.ascending()), rows)
                self.assertEqual(index.table()["key"].tolist(), keys)
                self.assertEqual(index.table()["size"].tolist(), [size for _key, _offset, size in rows])

    def test_no_key_is_too_small_or_too_large(self) -> None:
        """Keys beside all rows are not there."""
        index = self.index([(5, 8, 1), (2**63, 16, 2)])
        self.assertIsNone(index.find(0))
        self.assertIsNone(index.find(2**64 - 1))

    def test_size_is_read_afresh(self) -> None:
        """A row that became a deletion meanwhile is one."""
        rows = [(key, 8, 1) for key in range(1000)]
        index = self.index(rows)
        self.assertEqual(index.find(500), (8, 1))
        rows[500] = (500, 8, -1)
        with open(index.path, "r+b") as file:
            file.write(encode_entries(OffsetWidth.FOUR, rows))
        self.assertEqual(index.find(500), (8, -1))

    def test_cut_file(self) -> None:
        """A file that became shorter is damage, not a missing needle."""
        index = self.index([(key, 8, 1) for key in range(1000)])
        os.truncate(index.path, 100)
        self.assertRaises(FormatError, index.find, 999)
        self.assertRaises(FormatError, list, index.ascending())

    def test_closed(self) -> None:
        """After close there is an error, no other file's bytes."""
        index = self.index([(1, 8, 1)])
        index.close()
        self.assertRaises(OSError, index.find, 1)
