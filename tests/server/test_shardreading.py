"""Bytes of shards, and deletions that other servers tell."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import ecmounting, shardreading
from seaweedvol.server.errors import Refused
from seaweedvol.server.shardreading import PIECE_LENGTH, ShardPiece, ShardRequest, delete_needle, read_shard
from tests.server.building import VOLUME, store_for
from tests.server.erasing import erasing_server, make_encoded

MIB = 1 << 20


class ShardTests(SynchronousTestCase):
    """One mounted volume."""

    def setUp(self) -> None:
        self.store = store_for(self)
        self.paths = make_encoded(erasing_server(self.store), shards=(0, 11))
        volume = self.store.erasure.find(VOLUME)
        assert volume is not None
        self.volume = volume

    def read(self, offset: int = 0, length: int = 10, shard_id: int = 0, key: int = 0,
             encode_time_ns: int = 0) -> list[ShardPiece]:
        """All pieces."""
        return list(read_shard(self.store, ShardRequest(VOLUME, shard_id, offset, length, key, encode_time_ns)))

    def test_bytes(self) -> None:
        """They are those of the file, fewer at its end."""
        data = Path(self.paths.shard(0)).read_bytes()
        for offset, length in ((0, 10), (8, 5000), (MIB - 5, 10), (0, 3 * PIECE_LENGTH)):
            pieces = self.read(offset, length)
            self.assertEqual(b"".join(piece.data for piece in pieces), data[offset:offset + length])
            self.assertEqual({piece.encode_time_ns for piece in pieces}, {self.volume.encode_time_ns})
        for offset, length in ((MIB, 10), (0, 0), (1 << 40, 1), (5, -1)):
            self.assertEqual(self.read(offset, length), [])

    def test_refused(self) -> None:
        """In Go's words."""
        for found, words in (
            (lambda: self.read(shard_id=5), "not found ec shard 7.5"),
            (lambda: self.read(-1), f"readat {self.paths.shard(0)}: negative offset"),
            (lambda: self.read(encode_time_ns=5), "ec shard 7.0 belongs to a different encode run"),
        ):
            self.assertEqual(str(self.assertRaises(Refused, found)), words)
        self.assertEqual(len(self.read(encode_time_ns=self.volume.encode_time_ns)), 1)
        self.assertEqual(len(self.read(shard_id=256 + 11)), 1)

    def test_deleted(self) -> None:
        """Of a deleted needle only that is told."""
        delete_needle(self.store, VOLUME, 2)
        piece, = self.read(key=2)
        self.assertEqual((piece.data, piece.is_deleted), (b"", True))
        self.assertFalse(self.read(key=3)[0].is_deleted)
        self.assertFalse(self.read(key=99)[0].is_deleted)

    def test_unmounted_on_the_way(self) -> None:
        """A shard that is unmounted while it is read is read to its end."""
        self.patch(shardreading, "PIECE_LENGTH", 1000)
        pieces = read_shard(self.store, ShardRequest(VOLUME, 0, 0, MIB))
        next(pieces)
        ecmounting.unmount(self.store, VOLUME, (0,))
        self.assertEqual(sum(len(piece.data) for piece in pieces), MIB - 1000)

    def test_delete(self) -> None:
        """A needle goes once; one that never was is refused; a volume that is not here is nothing to do."""
        delete_needle(self.store, VOLUME, 2)
        delete_needle(self.store, VOLUME, 2)
        self.assertEqual(Path(self.paths.journal).read_bytes(), (2).to_bytes(8, "big"))
        refused = self.assertRaises(Refused, delete_needle, self.store, VOLUME, 99)
        self.assertEqual(str(refused), "locate in local ec volume: FindNeedleFromEcx: needle not found")
        delete_needle(self.store, VOLUME + 1, 2)  # type: ignore[arg-type]
