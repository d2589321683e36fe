"""Tests of :mod:`seaweedvol.ec.volume`, with :mod:`~seaweedvol.ec.opening` and :mod:`~seaweedvol.ec.shard`."""

from __future__ import annotations

import os
import time
from pathlib import Path

import attrs
from twisted.trial import unittest

from seaweedvol.ec.index import write_sorted
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.opening import open_volume
from seaweedvol.ec.ratio import Ratio
from seaweedvol.ec.shard import EcShard
from seaweedvol.ec.volume import EcVolume, Found
from seaweedvol.storage.errors import FormatError, VolumeClosed
from seaweedvol.storage.format.index import OffsetWidth, encode_entry
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.format.volumeinfo import dump_volume_info, load_volume_info
from tests.ec.encoded import make_encoded


class OpenedTestCase(unittest.SynchronousTestCase):
    """A directory with an encoded volume."""

    ratio = Ratio(10, 4)

    def setUp(self) -> None:
        """Encode one."""
        self.directory = Path(self.mktemp())
        self.encoded = make_encoded(self.directory, count=30, ratio=self.ratio)
        self.paths = self.encoded.paths
        self.reports: list[str] = []

    def open(self, paths: EcPaths | None = None, directories: tuple[str, ...] = ()) -> EcVolume:
        """The volume with all shards that are there."""
        volume = open_volume(paths or self.paths, width=OffsetWidth.FOUR, report=self.reports.append,
                             directories=directories)
        for number, path in self.paths.shards().items():
            volume.add(EcShard(number, path))
        self.addCleanup(volume.close)
        return volume

    def change_info(self, **fields: int) -> None:
        """Put other values into the .vif."""
        info = load_volume_info(Path(self.paths.info).read_bytes())
        for name, value in fields.items():
            setattr(info, name, value)
        Path(self.paths.info).write_bytes(dump_volume_info(info))


class NeedleTests(OpenedTestCase):
    """Needles are found, and their pieces in the shards."""

    def read(self, volume: EcVolume, key: int) -> bytes:
        """The data of a needle, from data shards alone."""
        found = volume.find(key)
        assert found is not None
        record = b"".join(volume.shards[piece.shard_id].read_at(piece.length, piece.offset)
                          for piece in volume.intervals(found.offset, found.size))
        return NEEDLE_VERSIONS[volume.version].decode(record, found.size).data

    def test_every_needle(self) -> None:
        """What was written can be read."""
        volume = self.open()
        self.assertEqual({key: self.read(volume, key) for key in self.encoded.held}, self.encoded.held)

    def test_without_length(self) -> None:
        """Old volumes do not tell how long they were: a shard does."""
        self.change_info(dat_file_size=0)
        volume = self.open()
        self.assertEqual({key: self.read(volume, key) for key in self.encoded.held}, self.encoded.held)
        for number in list(volume.shards):
            volume.remove(number)
        self.assertRaises(VolumeClosed, volume.intervals, 8, 1)

    def test_deleted_before(self) -> None:
        """What was deleted before the volume was encoded is not in its index."""
        self.assertIsNone(self.open().find(5))

    def test_tombstone(self) -> None:
        """A deletion is in the journal, once; what is not there, or was folded in, is not written."""
        volume = self.open()
        before = volume.find(3)
        assert before is not None
        for key in (3, 3, 5, 999):
            volume.tombstone(key)
        self.assertEqual(volume.find(3), Found(before.offset, before.size, is_deleted=True))
        self.assertEqual(Path(self.paths.journal).read_bytes(), (3).to_bytes(8, "big"))
        self.assertEqual((volume.delete_count, volume.file_count), (1, len(self.encoded.held)))

    def test_deletion_in_the_index(self) -> None:
        """A row that says deleted needs no journal, but counts as a deletion when it is asked for again, as in Go."""
        with open(self.paths.index, "r+b") as file:
            file.write(encode_entry(OffsetWidth.FOUR, 1, 8, -1))
        volume = self.open()
        found = volume.find(1)
        assert found is not None
        self.assertTrue(found.is_deleted)
        volume.tombstone(1)
        self.assertEqual(volume.delete_count, 1)
        self.assertFalse(os.path.exists(self.paths.journal))

    def test_closed(self) -> None:
        """Nothing more is found or deleted."""
        volume = self.open()
        volume.close()
        volume.close()
        self.assertRaises(OSError, volume.find, 3)
        self.assertRaises(OSError, volume.shards[0].read_at, 1, 0)


class OtherRatioTests(NeedleTests):
    """The arithmetic is that of the volume's own ratio; Go's is that of ten."""

    ratio = Ratio(6, 3)


class OpeningTests(OpenedTestCase):
    """Which files a volume is made of."""

    def split(self) -> EcPaths:
        """The paths with a directory for indexes."""
        index_directory = Path(self.mktemp())
        index_directory.mkdir()
        return attrs.evolve(self.paths, index_directory=str(index_directory))

    def test_what_the_info_says(self) -> None:
        """Ratio, version, length, time and end come from the .vif."""
        self.change_info(version=2, expire_at_sec=77)
        volume = self.open()
        self.assertEqual(
            (volume.id, volume.collection, volume.ratio, volume.version, volume.data_length, volume.encode_time_ns,
             volume.expires_at), (7, "", Ratio(10, 4), 2, self.encoded.data_length, 1, 77))
        self.assertTrue(volume.is_overdue())
        self.assertEqual(self.reports, [])

    def test_end(self) -> None:
        """Zero is no time at which anything ends."""
        self.assertFalse(self.open().is_overdue())
        self.change_info(expire_at_sec=int(time.time()) + 60)
        self.assertFalse(self.open().is_overdue())

    def test_nonsense(self) -> None:
        """A version that there is none of, or a .vif that cannot be understood, is reported at most."""
        self.change_info(version=0)
        self.assertEqual(self.open().version, 3)
        Path(self.paths.info).write_bytes(b"nonsense")
        self.assertEqual((self.open().encode_time_ns, len(self.reports)), (0, 1))

    def test_info_elsewhere(self) -> None:
        """Beside the index, or on another disk."""
        paths = self.split()
        os.rename(self.paths.info, paths.index_base + ".vif")
        self.assertEqual(self.open(paths).encode_time_ns, 1)
        elsewhere = paths.index_directory
        self.assertEqual(self.open().encode_time_ns, 0)
        self.assertEqual(self.open(directories=(self.paths.directory, elsewhere)).encode_time_ns, 1)
        plain = Path(self.mktemp())
        plain.mkdir()
        (plain / "7.vif").write_bytes(b'{"version": 3}')
        self.assertEqual(self.open(directories=(str(plain), elsewhere)).encode_time_ns, 1)

    def test_no_index(self) -> None:
        """Without one there is no volume."""
        os.unlink(self.paths.index)
        self.assertRaises(FileNotFoundError, self.open)

    def test_journal_goes_with_the_index(self) -> None:
        """It is made where the index is."""
        paths = self.split()
        volume = self.open(paths)
        volume.tombstone(3)
        self.assertTrue(os.path.exists(self.paths.journal))
        self.assertFalse(os.path.exists(paths.journal))

    def test_width(self) -> None:
        """Of the rows: by the .vif, else by the length of the index, else as configured."""
        write_sorted(self.paths.row_index, self.paths.index, OffsetWidth.FOUR)
        self.change_info(bytes_offset=5)
        self.assertIs(self.open().width, OffsetWidth.FIVE)
        self.change_info(bytes_offset=0)
        Path(self.paths.index).write_bytes(b"\0" * 17)
        self.assertIs(self.open().width, OffsetWidth.FIVE)
        Path(self.paths.index).write_bytes(b"\0" * 32)
        self.assertIs(self.open().width, OffsetWidth.FOUR)

    def test_torn_index(self) -> None:
        """One that has become shorter under us is told, not misread."""
        volume = self.open()
        os.truncate(self.paths.index, 8)
        self.assertRaises(FormatError, volume.find, 3)


class ShardTests(OpenedTestCase):
    """Shards come and go, figures follow."""

    def test_figures(self) -> None:
        """Numbers and lengths of what is served."""
        volume = self.open()
        for number in range(12):
            shard = volume.remove(number)
            assert shard is not None
            self.assertEqual(shard.id, number)
        self.assertIsNone(volume.remove(0))
        self.assertEqual((volume.shard_ids, volume.shard_length, volume.length), ([12, 13], 1 << 20, 2 << 20))
        self.assertEqual(volume.created_at, os.stat(self.paths.index).st_mtime)

    def test_added_twice(self) -> None:
        """The first stays, the other is closed."""
        volume = self.open()
        first, second = volume.shards[0], EcShard(0, self.paths.shard(0))
        self.assertFalse(volume.add(second))
        self.assertIs(volume.shards[0], first)
        self.assertRaises(OSError, second.read_at, 1, 0)

    def test_missing_file(self) -> None:
        """There is no shard without a file."""
        self.assertRaises(FileNotFoundError, EcShard, 0, self.paths.shard(31))

    def test_reads_end_where_the_shard_does(self) -> None:
        """Fewer bytes, no error."""
        shard = EcShard(0, self.paths.shard(0))
        self.assertEqual(len(shard.read_at(100, shard.length - 10)), 10)
        held = shard.descriptor
        shard.close()
        self.assertEqual(len(held.read_at(10, 0)), 10)
        self.assertIn("7.ec00", repr(shard))

    def test_destroy(self) -> None:
        """Index, journal, shards and checksums go, in both directories; the .dat keeps its .vif."""
        index_directory = Path(self.mktemp())
        index_directory.mkdir()
        for suffix in (".ecx", ".ecj", ".ecsum", ".vif"):
            (index_directory / f"7{suffix}").write_bytes(b"old")
        volume = self.open(attrs.evolve(self.paths, index_directory=str(index_directory)))
        volume.tombstone(3)
        volume.destroy()
        self.assertEqual(sorted(os.listdir(self.directory)), ["7.dat", "7.idx", "7.vif"])
        self.assertEqual(os.listdir(index_directory), ["7.vif"])

    def test_destroy_beside_data_elsewhere(self) -> None:
        """The .vif is all that tells where the data are of a volume that is in an object store: an .idx, no .dat."""
        os.unlink(self.paths.data)
        self.open().destroy()
        self.assertEqual(sorted(os.listdir(self.directory)), ["7.idx", "7.vif"])
