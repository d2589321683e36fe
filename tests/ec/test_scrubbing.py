from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial import unittest

from seaweedvol.ec.layout import LARGE_BLOCK, locate
from seaweedvol.ec.ratio import Ratio
from seaweedvol.ec.scrubbing import EcStill, LocalShard, NeedleWalk, check_local, read_piece_of, rows_of
from seaweedvol.storage.format.index import ALIGNMENT, OffsetWidth, encode_entries
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from tests.ec.encoded import VOLUME, Encoded, make_encoded


def still_of(encoded: Encoded, *numbers: int) -> EcStill:
    """The volume with some of its shards, all if none are named."""
    shards = {number: path for number, path in encoded.paths.shards().items() if number in numbers or not numbers}
    return EcStill(
        VOLUME, 3, OffsetWidth.FOUR, encoded.paths.index, os.path.getsize(encoded.paths.index), encoded.ratio,
        encoded.data_length,
        tuple((number, LocalShard(path, os.path.getsize(path))) for number, path in shards.items()))


class CheckTests(unittest.SynchronousTestCase):
    """Needles are looked at where they lie."""

    def encoded(self) -> Encoded:
        """A volume over some blocks."""
        return make_encoded(Path(self.mktemp()), 300, Ratio(3, 2))

    def test_steps(self) -> None:
        """A step without time does some rows all the same; all of them together do each once."""
        encoded = self.encoded()
        still, row, steps = still_of(encoded), 0, 0
        while row < still.row_count:
            step = check_local(still, row, 0.0)
            self.assertEqual((step.bad, step.elsewhere), ([], []))
            self.assertGreater(step.next_row, row)
            row, steps = step.next_row, steps + 1
        self.assertEqual(row, len(encoded.held))

    def test_elsewhere(self) -> None:
        """Rows with a piece in no shard of this server are told, exactly those."""
        encoded = self.encoded()
        self.assertGreater(encoded.data_length, 3 << 20)
        codec = NEEDLE_VERSIONS[3]
        everything = check_local(still_of(encoded, 4), 0).elsewhere
        self.assertEqual(len(everything), len(encoded.held))
        for numbers in ((0,), (1, 4), (0, 2), (0, 1), (0, 1, 2)):
            expected = [
                row for row in everything
                if not {piece.shard_id for piece in locate(
                    encoded.ratio, encoded.data_length, row[1], codec.record_length(row[2]))} <= set(numbers)]
            step = check_local(still_of(encoded, *numbers), 0)
            self.assertEqual(step.elsewhere, expected)
            self.assertEqual(step.bad, [])
        walk = NeedleWalk(still_of(encoded), read_piece_of(still_of(encoded)))
        self.assertEqual(walk.check(rows_of(still_of(encoded), everything)), [])

    def test_bad(self) -> None:
        """What is wrong is told of the needle, in the order of the rows."""
        encoded = self.encoded()
        for number in range(3):
            with open(encoded.paths.shard(number), "r+b") as file:
                file.seek(400_000)
                file.write(b"\0" * 100_000)
        bad = check_local(still_of(encoded), 0).bad
        self.assertGreater(len(bad), 2)
        self.assertEqual([needle.key for needle in bad], sorted(needle.key for needle in bad))
        for needle in bad:
            self.assertEqual(needle.pieces, ())
            self.assertNotEqual(needle.words, "")

    def test_cut_index(self) -> None:
        """An index that was cut meanwhile is at its end."""
        encoded = self.encoded()
        still = still_of(encoded)
        os.truncate(encoded.paths.index, 160)
        self.assertEqual(check_local(still, 10).next_row, still.row_count)


class WhereTests(unittest.SynchronousTestCase):
    """Which needles lie in shards of this server, for volumes of any length."""

    @settings(max_examples=200, deadline=None)
    @given(data=st.data())
    def test_as_located(self, data: st.DataObject) -> None:
        """All rows at once give what the pieces of each say."""
        ratio = Ratio(data.draw(st.integers(1, 5)), 1)
        length = data.draw(st.integers(1 << 20, 3 * ratio.data * LARGE_BLOCK))
        held = data.draw(st.sets(st.integers(0, ratio.data)))
        near = st.sampled_from([LARGE_BLOCK, ratio.data * LARGE_BLOCK, 1 << 20]).map(lambda edge: edge - 16)
        rows = []
        for key in range(10):
            offset = data.draw(st.integers(8, length) | near) // ALIGNMENT * ALIGNMENT
            rows.append((key, offset, data.draw(st.integers(0, 7 << 20))))
        path = self.mktemp()
        Path(path).write_bytes(encode_entries(OffsetWidth.FIVE, rows))
        still = EcStill(1, 3, OffsetWidth.FIVE, path, 170, ratio, length, tuple(
            (number, LocalShard("nowhere", 0)) for number in held))
        expected = [row for row in rows if not {piece.shard_id for piece in locate(
            ratio, length, row[1], NEEDLE_VERSIONS[3].record_length(row[2]))} <= held]
        self.assertEqual(check_local(still, 0).elsewhere, expected)
