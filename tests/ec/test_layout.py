"""Which byte lies where."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial import unittest

from seaweedvol.ec import layout
from seaweedvol.ec.layout import (
    LARGE_BLOCK, SMALL_BLOCK, Interval, data_length_from_shard, is_ambiguous, locate, row_at, shard_length,
)
from seaweedvol.ec.ratio import DEFAULT_RATIO, Ratio
from tests.ec.strategies import ratios

MIB = 1 << 20
lengths = st.one_of(st.integers(0, 64 * MIB), st.integers(0, 1 << 43))


class LayoutTests(unittest.SynchronousTestCase):
    """Volumes as they are."""

    def test_shard_length(self) -> None:
        """Whole blocks, small ones unless a whole row of large ones is left."""
        for length, expected in (
            (0, 0), (1, MIB), (10 * MIB, MIB), (10 * MIB + 1, 2 * MIB), (37 * MIB + 12345, 4 * MIB),
            (LARGE_BLOCK, 103 * MIB), (10 * LARGE_BLOCK - 1, LARGE_BLOCK), (10 * LARGE_BLOCK, LARGE_BLOCK),
            (10 * LARGE_BLOCK + 1, LARGE_BLOCK + MIB), (30 * LARGE_BLOCK, 3 * LARGE_BLOCK),
        ):
            self.assertEqual(shard_length(length, DEFAULT_RATIO), expected, length)
        self.assertEqual(shard_length(6 * LARGE_BLOCK, Ratio(6, 3)), LARGE_BLOCK)
        self.assertEqual(shard_length(6 * LARGE_BLOCK, Ratio(14, 2)), 439 * MIB)

    def test_small_blocks(self) -> None:
        """The example of SHARDS.rst: needles across the ends of blocks and rows."""
        length = 25 * MIB
        self.assertEqual(locate(DEFAULT_RATIO, length, 8, 100), [Interval(0, 8, 100)])
        self.assertEqual(
            locate(DEFAULT_RATIO, length, 13 * MIB - 40, 100), [Interval(2, 2 * MIB - 40, 40), Interval(3, MIB, 60)])
        self.assertEqual(
            locate(DEFAULT_RATIO, length, 10 * MIB - 1, 2), [Interval(9, MIB - 1, 1), Interval(0, MIB, 1)])

    def test_large_blocks(self) -> None:
        """Small blocks follow behind the large ones, in each shard."""
        length = 10 * LARGE_BLOCK + 5 * MIB
        self.assertEqual(
            locate(DEFAULT_RATIO, length, 10 * LARGE_BLOCK - 10, 30),
            [Interval(9, LARGE_BLOCK - 10, 10), Interval(0, LARGE_BLOCK, 20)])
        self.assertEqual(
            locate(DEFAULT_RATIO, length, 3 * LARGE_BLOCK - 1, 2),
            [Interval(2, LARGE_BLOCK - 1, 1), Interval(3, 0, 1)])

    def test_just_short_of_a_large_row(self) -> None:
        """One byte less than a row of large blocks is dealt out in small ones."""
        length = 10 * LARGE_BLOCK - 1
        self.assertEqual(locate(DEFAULT_RATIO, length, MIB, 1), [Interval(1, 0, 1)])
        self.assertEqual(locate(DEFAULT_RATIO, length + 1, MIB, 1), [Interval(0, MIB, 1)])

    def test_other_ratios(self) -> None:
        """With six data shards the row ends after the sixth block."""
        self.assertEqual(locate(Ratio(6, 3), 25 * MIB, 6 * MIB, 1), [Interval(0, MIB, 1)])
        self.assertEqual(locate(Ratio(14, 2), 25 * MIB, 10 * MIB, 1), [Interval(10, 0, 1)])

    def test_length_from_shard(self) -> None:
        """Shards that could have either layout are read as small blocks."""
        length = data_length_from_shard(LARGE_BLOCK, DEFAULT_RATIO)
        self.assertEqual(layout.large_rows(length, DEFAULT_RATIO), 0)
        self.assertTrue(is_ambiguous(LARGE_BLOCK))
        self.assertFalse(is_ambiguous(LARGE_BLOCK + MIB))
        self.assertEqual(data_length_from_shard(0, DEFAULT_RATIO), 0)


class LayoutProperties(unittest.SynchronousTestCase):
    """What holds for every volume and every ratio."""

    @settings(max_examples=200, deadline=None)
    @given(ratios, lengths, st.data())
    def test_intervals_follow_each_other(self, ratio: Ratio, length: int, data: st.DataObject) -> None:
        """They add up, lie within the shards, never cross a block, and begin where the volume says."""
        offset = data.draw(st.integers(0, max(length - 1, 0)))
        wanted = data.draw(st.integers(0, min(length - offset, 40 * MIB))) if length else 0
        found = locate(ratio, length, offset, wanted)
        self.assertEqual(sum(each.length for each in found), wanted)
        for each in found:
            self.assertTrue(0 <= each.shard_id < ratio.data)
            self.assertLessEqual(each.offset + each.length, shard_length(length, ratio))
            self.assertEqual(self.volume_offset(ratio, length, each.shard_id, each.offset), offset)
            last = each.offset + each.length - 1
            self.assertEqual(self.volume_offset(ratio, length, each.shard_id, last), offset + each.length - 1)
            offset += each.length

    @staticmethod
    def volume_offset(ratio: Ratio, length: int, shard_id: int, shard_offset: int) -> int:
        """The way back, by the row that the encoder would write there."""
        row = row_at(shard_offset, length, ratio)
        return row.data_offset + shard_id * row.block + shard_offset - row.shard_offset

    @settings(max_examples=200, deadline=None)
    @given(ratios, lengths)
    def test_length_of_shards_tells_the_layout(self, ratio: Ratio, length: int) -> None:
        """Without the length of the volume bytes are found at the same place, unless the shards are ambiguous."""
        shard = shard_length(length, ratio)
        guess = data_length_from_shard(shard, ratio)
        self.assertEqual(shard_length(guess, ratio), shard)
        if not is_ambiguous(shard):
            self.assertEqual(layout.large_rows(guess, ratio), layout.large_rows(length, ratio))

    def test_every_byte_once(self) -> None:
        """Each byte of a volume is in one place, and no place is taken twice; seen with blocks of a few bytes."""
        self.patch(layout, "LARGE_BLOCK", 20)
        self.patch(layout, "SMALL_BLOCK", 4)
        for ratio in (Ratio(1, 1), Ratio(3, 2), Ratio(6, 3), Ratio(10, 4)):
            for length in range(0, 3 * 20 * ratio.data + 9, 7):
                places = {
                    (each.shard_id, each.offset + at)
                    for each in locate(ratio, length, 0, length) for at in range(each.length)}
                self.assertEqual(len(places), length)
                room = {(number, at) for number in range(ratio.data) for at in range(shard_length(length, ratio))}
                self.assertLessEqual(places, room)
                # Any part is found where it is found as part of the whole.
                flat = [
                    (each.shard_id, each.offset + at)
                    for each in locate(ratio, length, 0, length) for at in range(each.length)]
                for offset in range(0, length, 13):
                    part = [(each.shard_id, each.offset + at)
                            for each in locate(ratio, length, offset, 9) for at in range(each.length)]
                    self.assertEqual(part[:len(flat) - offset], flat[offset:offset + 9])

    def test_real_blocks(self) -> None:
        """The blocks are Go's."""
        self.assertEqual((LARGE_BLOCK, SMALL_BLOCK), (1 << 30, 1 << 20))
