from __future__ import annotations

import random
from pathlib import Path

from twisted.trial import unittest

from seaweedvol.ec.codec import reconstruct
from seaweedvol.ec.decoding import decode
from seaweedvol.ec.layout import LARGE_BLOCK, locate, shard_length
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import Ratio
from seaweedvol.ec.striped import Striped, without
from seaweedvol.storage.errors import Corrupt, TooFewShards
from seaweedvol.storage.format.index import OffsetWidth, encode_entries
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS, Needle
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH, SuperBlock, decode_superblock
from tests.ec.encoded import make_encoded


class StripedTests(unittest.SynchronousTestCase):
    """A volume read out of its shards."""

    def test_any_shards(self) -> None:
        """Any range comes out as it went in, whatever shards there are."""
        encoded = make_encoded(Path(self.mktemp()), 60, Ratio(3, 2))
        source = Path(encoded.paths.data).read_bytes()
        draw = random.Random(1)
        for numbers in ((0, 1, 2), (0, 1, 2, 3, 4), (1, 2, 3), (2, 3, 4), (4, 0, 3)):
            shards = tuple((number, encoded.paths.shard(number)) for number in numbers)
            file = Striped(shards, encoded.ratio, encoded.data_length).open()
            for _ in range(20):
                offset = draw.randrange(len(source))
                length = draw.randrange(200_000)
                self.assertEqual(file.read_at(length, offset), source[offset:offset + length])
            self.assertEqual(file.read_at(100, len(source)), b"")
            self.assertEqual(file.read_at(100, len(source) + 5), b"")

    def test_too_few(self) -> None:
        """Fewer than are needed cannot be read."""
        where = Striped(((0, "0"), (1, "1")), Ratio(2, 1), 10)
        self.assertRaises(TooFewShards, without(where, (1,)).open)

    def test_short_shard(self) -> None:
        """A shard that ends too early does not give zeros."""
        encoded = make_encoded(Path(self.mktemp()), 60, Ratio(2, 1))
        Path(encoded.paths.shard(0)).write_bytes(b"")
        shards = tuple(encoded.paths.shards().items())
        file = Striped(shards, encoded.ratio, encoded.data_length).open()
        self.assertRaises(Corrupt, file.read_at, 100, 0)


class LargeBlockTests(unittest.SynchronousTestCase):
    """A volume with a row of large blocks, most of which is a hole."""

    ratio = Ratio(2, 1)
    row = 2 * LARGE_BLOCK
    length = row + (5 << 20)

    def lay(self, records: dict[int, bytes]) -> EcPaths:
        """Shards with these bytes, and zeros between."""
        directory = Path(self.mktemp())
        directory.mkdir()
        paths = EcPaths(str(directory), str(directory), "", 7)
        for number in range(self.ratio.total):
            with open(paths.shard(number), "wb") as file:
                file.truncate(shard_length(self.length, self.ratio))
        for offset, record in records.items():
            for piece in locate(self.ratio, self.length, offset, len(record)):
                with open(paths.shard(piece.shard_id), "r+b") as file:
                    file.seek(piece.offset)
                    file.write(record[:piece.length])
                record = record[piece.length:]
                self.add_parity(paths, piece.offset, piece.length)
        return paths

    def add_parity(self, paths: EcPaths, offset: int, length: int) -> None:
        """Make a range of the third shard what it must be."""
        pieces = {}
        for number in (0, 1):
            with open(paths.shard(number), "rb") as file:
                file.seek(offset)
                pieces[number] = file.read(length)
        with open(paths.shard(2), "r+b") as file:
            file.seek(offset)
            file.write(reconstruct(self.ratio, pieces, (2,))[2])

    def test_decoded(self) -> None:
        """Needles before, across and behind the borders of large blocks come back, also where nothing live is left
        behind them, and where a shard is missing.
        """
        codec = NEEDLE_VERSIONS[3]
        places = {
            1: SUPERBLOCK_LENGTH, 2: LARGE_BLOCK - 1000, 3: self.row - 2000, 4: self.row + (1 << 20) - 800,
            5: self.row + (3 << 20)}
        needles = {key: Needle(1, key, data=bytes([key]) * 5000, append_at_ns=key) for key in places}
        records = {0: SuperBlock().encode(), **{places[key]: codec.encode(needles[key]) for key in places}}
        size = codec.size_of(5000, 0, b"")
        for live, lost in (((1, 2, 3, 4, 5), None), ((1, 2), None), ((2, 3, 4), 0), ((1, 5), 1)):
            paths = self.lay(records)
            rows = [(key, places[key], size if key in live else -1) for key in places]
            Path(paths.index).write_bytes(encode_entries(OffsetWidth.FOUR, rows))
            shards = {number: path for number, path in paths.shards().items() if number != lost}
            decode(paths, shards, self.ratio, OffsetWidth.FOUR, data_length=self.length)
            made = Path(paths.data).read_bytes()
            self.assertEqual(decode_superblock(made).compaction_revision, 1)
            self.assertEqual(made[SUPERBLOCK_LENGTH:], b"".join(codec.encode(needles[key]) for key in live))

    def test_ambiguous_length(self) -> None:
        """Shards of whole large blocks do not tell their layout; where that matters nothing is made."""
        self.length = self.row
        codec = NEEDLE_VERSIONS[3]
        record = codec.encode(Needle(1, 1, data=b"x", append_at_ns=1))
        paths = self.lay({0: SuperBlock().encode(), SUPERBLOCK_LENGTH: record})
        row = (1, SUPERBLOCK_LENGTH, codec.size_of(1, 0, b""))
        Path(paths.index).write_bytes(encode_entries(OffsetWidth.FOUR, [row]))
        error = self.assertRaises(Corrupt, decode, paths, paths.shards(), self.ratio, OffsetWidth.FOUR)
        self.assertIn("does not identify the block layout", str(error))
        decode(paths, paths.shards(), self.ratio, OffsetWidth.FOUR, data_length=self.length)
        self.assertEqual(Path(paths.data).read_bytes()[SUPERBLOCK_LENGTH:], record)
