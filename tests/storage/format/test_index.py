"""Tests for L{seaweedvol.storage.format.index}."""

import numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import FormatError, VolumeFull
from seaweedvol.storage.format.index import (
    NUMPY_ENTRY, TOMBSTONE_SIZE, OffsetWidth, decode_entry, encode_entry, guess_width, iterate,
)
from seaweedvol.storage.format.needle import decode_header
from tests import strategies
from tests.golden import reading

Row = tuple[int, int, int]


def encoded(width: OffsetWidth, rows: list[Row]) -> bytes:
    """An .idx file of these rows."""
    return b"".join(encode_entry(width, *row) for row in rows)


class EntryTests(SynchronousTestCase):
    """Single rows."""

    def test_bytes(self) -> None:
        """Each field is at its place; the high byte of a wide offset comes after its low ones."""
        row = (0x0102030405060708, 0x11223344 * 8, TOMBSTONE_SIZE)
        self.assertEqual(encode_entry(OffsetWidth.FOUR, *row).hex(), "010203040506070811223344ffffffff")
        row = (0x0102030405060708, 0xAA11223344 * 8, 5)
        self.assertEqual(encode_entry(OffsetWidth.FIVE, *row).hex(), "010203040506070811223344aa00000005")

    def test_reach(self) -> None:
        """The last multiple of 8 below the limit fits; the limit itself is beyond the reach of the width."""
        for width, limit in ((OffsetWidth.FOUR, 32 << 30), (OffsetWidth.FIVE, 8 << 40)):
            self.assertEqual(width.max_volume_length, limit)
            self.assertEqual(width.entry_length, 12 + width.bytes)
            self.assertEqual(decode_entry(width, encode_entry(width, 1, limit - 8, 2)), (1, limit - 8, 2))
            self.assertRaises(VolumeFull, encode_entry, width, 1, limit, 2)
            self.assertRaises(ValueError, encode_entry, width, 1, 9, 2)

    def test_cut(self) -> None:
        """A row that is not all there is refused."""
        for width in OffsetWidth:
            row = encode_entry(width, 1, 8, 2)
            self.assertRaises(FormatError, decode_entry, width, row[:-1])
            self.assertRaises(FormatError, decode_entry, width, row, 1)


class FileTests(SynchronousTestCase):
    """Whole files of rows."""

    @given(st.data(), strategies.widths)
    @settings(max_examples=100, deadline=None)
    def test_round_trip(self, data: st.DataObject, width: OffsetWidth) -> None:
        """Rows are read back in order, one by one and as NumPy records, without the incomplete one at the end."""
        rows = data.draw(st.lists(strategies.index_rows(width), max_size=20))
        content = encoded(width, rows)
        torn = content + data.draw(st.binary(max_size=width.entry_length - 1))
        self.assertEqual(list(iterate(width, torn)), rows)
        self.assertEqual([decode_entry(width, content, at * width.entry_length) for at in range(len(rows))], rows)
        records = numpy.frombuffer(content, NUMPY_ENTRY[width])
        self.assertEqual(records["key"].tolist(), [row[0] for row in rows])
        self.assertEqual(records["size"].tolist(), [row[2] for row in rows])
        units = records["offset"].astype(numpy.uint64)
        if width is OffsetWidth.FIVE:
            units |= records["offset_high"].astype(numpy.uint64) << numpy.uint64(32)
        self.assertEqual((units * numpy.uint64(8)).tolist(), [row[1] for row in rows])

    def test_golden(self) -> None:
        """Every row the Go server wrote comes out byte for byte and points at a record with its key.

        Its size is the record's, or the row is a tombstone and so is the record, which has no size.
        """
        count = 0
        for path in reading.volumes():
            data, index = path.read_bytes(), path.with_suffix(".idx").read_bytes()
            rows = list(iterate(OffsetWidth.FOUR, index))
            self.assertEqual(encoded(OffsetWidth.FOUR, rows), index)
            for key, offset, size in rows:
                _, found_key, found_size = decode_header(data, offset)
                self.assertEqual((found_key, found_size), (key, max(size, 0)))
                count += 1
        self.assertGreater(count, 200)

    def test_golden_order(self) -> None:
        """Rows and records are in the same order, and there is one for each."""
        for path in reading.volumes():
            offsets = [offset for _, offset, _ in iterate(OffsetWidth.FOUR, path.with_suffix(".idx").read_bytes())]
            self.assertEqual(offsets, [at for _, at, _ in reading.records(path)])


class GuessWidthTests(SynchronousTestCase):
    """Telling the width from the rows."""

    def test_golden(self) -> None:
        """Files of the Go server, which has offsets of 4 bytes, are known as such, unless they are empty."""
        for path in reading.volumes():
            index = path.with_suffix(".idx").read_bytes()
            expected = OffsetWidth.FOUR if index else None
            self.assertIs(guess_width(index, path.stat().st_size), expected, path.name)

    @given(strategies.widths, st.lists(st.tuples(st.integers(1, 2**40), st.integers(1, 2000)), min_size=1, max_size=40))
    @settings(max_examples=100, deadline=None)
    def test_known(self, width: OffsetWidth, needles: list[tuple[int, int]]) -> None:
        """A plausible file is never taken for one of the other width."""
        rows, offset = [], 8
        for key, size in needles:
            rows.append((key, offset, size))
            offset += (size + 36) // 8 * 8
        guess = guess_width(encoded(width, rows), offset)
        self.assertIs(guess, width)

    def test_neither(self) -> None:
        """Nothing, and rows that point nowhere, tell nothing."""
        self.assertIsNone(guess_width(b"", 1000))
        self.assertIsNone(guess_width(b"\xff" * 160, 1000))

    @given(st.binary(max_size=200), st.integers(0, 2**45))
    @settings(max_examples=100, deadline=None)
    def test_any_bytes(self, data: bytes, length: int) -> None:
        """Any bytes give an answer."""
        self.assertIn(guess_width(data, length), (None, *OffsetWidth))
