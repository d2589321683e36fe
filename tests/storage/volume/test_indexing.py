"""Tests of :mod:`seaweedvol.storage.volume.indexing`: which needle map a volume gets, and that all serve the same."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import NeedleDeleted, NeedleNotFound
from seaweedvol.storage.format.placement import NO_REPLICATION
from seaweedvol.storage.format.volumeinfo import VolumeInfo, dump_volume_info
from seaweedvol.storage.needlemap import MapKind, MapSettings
from seaweedvol.storage.volume.indexing import drop_derived_maps
from seaweedvol.storage.volume.loading import create_volume, load_volume
from seaweedvol.storage.volume.volume import Volume
from tests.contracts.needlemaps import NO_LEVELDB
from tests.storage.volume.building import COOKIE, Crash, Ground, crash, draft


class MapCase(SynchronousTestCase):
    """A volume 3 that is opened with maps of any kind."""

    def setUp(self) -> None:
        """Nothing yet."""
        self.ground = Ground.at(self.mktemp())
        self.open: list[Volume] = []
        self.addCleanup(self.close)

    def close(self) -> None:
        """Close what is open."""
        for volume in self.open:
            volume.close()
        self.open.clear()

    def create(self, kind: MapKind) -> Volume:
        """Make it."""
        volume = create_volume(
            self.ground.directory, self.ground.directory, "", 3, placement=NO_REPLICATION, ttl=self.ground.ttl,
            maps=MapSettings(kind), report=self.ground.reports.append,
        )
        self.open.append(volume)
        return volume

    def load(self, kind: MapKind = MapKind.MEMORY) -> Volume:
        """Open it again."""
        self.close()
        volume = load_volume(
            self.ground.directory, self.ground.directory, "", 3, maps=MapSettings(kind),
            report=self.ground.reports.append,
        )
        self.open.append(volume)
        return volume

    def fill(self, volume: Volume, keys: range) -> None:
        """Store a needle for each key, delete every third one."""
        for key in keys:
            volume.append(draft(key, b"needle %d" % key))
            if key % 3 == 0:
                volume.delete(key, COOKIE)

    def check(self, volume: Volume, keys: range) -> None:
        """The needles of :meth:`fill` are there, and those not that are not."""
        for key in keys:
            if key % 3:
                self.assertEqual(volume.read(key).data, b"needle %d" % key)
            else:
                self.assertRaises(NeedleNotFound, volume.read, key)

    def has(self, suffix: str) -> bool:
        """Whether the volume has such a file."""
        return self.ground.path(suffix).exists()


class SortedTests(MapCase):
    """Volumes that are read-only from the start."""

    def mark(self, *, can_delete: bool = False) -> None:
        """Have the .vif say so."""
        self.close()
        info = VolumeInfo(version=3, bytes_offset=4, read_only=True, read_only_can_delete=can_delete)
        self.ground.path(".vif").write_bytes(dump_volume_info(info))

    def test_lookups(self) -> None:
        """They are served from an .sdx; what was deleted before is not in it."""
        self.fill(self.create(MapKind.MEMORY), range(1, 20))
        self.assertFalse(self.has(".sdx"))
        self.mark()
        volume = self.load()
        self.check(volume, range(1, 20))
        self.assertRaises(NeedleNotFound, volume.read, 3, read_deleted=True)
        self.assertTrue(self.has(".sdx"))
        self.assertEqual((volume.counts.file_count, volume.counts.deleted_count), (25, 12))

    def test_deletions(self) -> None:
        """Where they are taken they last, with and without the .sdx."""
        self.fill(self.create(MapKind.MEMORY), range(1, 20))
        self.mark(can_delete=True)
        self.assertEqual(self.load().delete(4, COOKIE), len(b"needle 4") + 5)
        self.assertRaises(NeedleDeleted, self.load().read, 4)
        self.ground.path(".sdx").unlink()
        self.assertRaises(NeedleNotFound, self.load().read, 4)
        self.assertEqual(self.ground.rows()[-1][::2], (4, -1))

    def test_writable_again(self) -> None:
        """Marked writable, it takes needles and deletions at once, and after a restart has them all."""
        self.fill(self.create(MapKind.MEMORY), range(1, 20))
        self.mark()
        volume = self.load()
        volume.mark_writable()
        self.fill(volume, range(20, 40))
        self.check(volume, range(1, 40))
        self.check(self.load(), range(1, 40))

    def test_without_room_for_the_file(self) -> None:
        """Where no .sdx can be made the volume is served from memory."""
        self.fill(self.create(MapKind.MEMORY), range(1, 20))
        self.mark()
        self.ground.path(".sdx").mkdir()
        self.check(self.load(), range(1, 20))
        self.assertIn("is indexed in memory", self.ground.reports[-1])

    def test_destroyed(self) -> None:
        """The .sdx goes with the volume."""
        self.fill(self.create(MapKind.MEMORY), range(1, 4))
        self.mark()
        self.load().destroy()
        self.assertEqual(list(self.ground.directory.iterdir()), [])


class LevelTests(MapCase):
    """Volumes with a LevelDB."""

    skip = NO_LEVELDB

    def test_any_kind_after_any_other(self) -> None:
        """Needles written with one kind are served with every other, also those that were deleted."""
        kinds = (*MapKind, *reversed(MapKind))
        self.fill(self.create(kinds[0]), range(1, 11))
        for lap, kind in enumerate(kinds, 1):
            volume = self.load(kind)
            self.assertEqual(self.has(".ldb"), lap > 1)
            self.check(volume, range(1, 1 + 10 * lap))
            self.assertEqual(volume.read(3, read_deleted=True).data, b"needle 3")
            self.fill(volume, range(1 + 10 * lap, 11 + 10 * lap))

    def test_crashes(self) -> None:
        """Wherever the process dies in a write or a deletion, what was done before is there after a restart, and the
        map agrees with one in memory.
        """
        self.fill(self.create(MapKind.LEVELDB), range(1, 20))
        key = 101
        for point in ("data.write", "data.written", "index.write", "index.written"):
            for change in ("append", "delete"):
                volume = self.load(MapKind.LEVELDB)
                self.fill(volume, range(key, key + 4))
                with failpoints.armed(point, crash):
                    if change == "append":
                        self.assertRaises(Crash, volume.append, draft(key + 4))
                    else:
                        self.assertRaises(Crash, volume.delete, key, COOKIE)
                volume = self.load(MapKind.LEVELDB)
                self.check(volume, range(1, 20))
                self.check(volume, range(key + 3, key + 4))
                found = list(volume.ascending())
                self.assertEqual(found, list(self.load().ascending()), point)
                key += 9

    def test_another_index(self) -> None:
        """Where the maps were dropped before another .idx took the place of the old one, that one counts."""
        volume = self.create(MapKind.LEVELDB)
        self.fill(volume, range(1, 5))
        self.close()
        self.ground.path(".sdx").touch()
        for _ in range(2):
            drop_derived_maps(volume.paths)
        self.assertEqual((self.has(".ldb"), self.has(".sdx")), (False, False))
        rows = self.ground.path(".idx").read_bytes()
        self.ground.path(".idx").write_bytes(rows[:16] + rows[32:])
        volume = self.load(MapKind.LEVELDB)
        self.assertEqual([key for key, _, _ in volume.ascending()], [1, 3, 4])

    def test_read_only(self) -> None:
        """A volume that is read-only from the start has no LevelDB until it is written to."""
        self.fill(self.create(MapKind.MEMORY), range(1, 20))
        self.close()
        info = VolumeInfo(version=3, bytes_offset=4, read_only=True)
        self.ground.path(".vif").write_bytes(dump_volume_info(info))
        volume = self.load(MapKind.LEVELDB)
        self.assertEqual((self.has(".ldb"), self.has(".sdx")), (False, True))
        volume.mark_writable()
        self.fill(volume, range(20, 40))
        self.assertTrue(self.has(".ldb"))
        self.check(volume, range(1, 40))
        self.check(self.load(MapKind.LEVELDB), range(1, 40))

    def test_destroyed(self) -> None:
        """The .ldb goes with the volume."""
        volume = self.create(MapKind.LEVELDB)
        self.fill(volume, range(1, 4))
        volume.destroy()
        self.assertEqual(list(self.ground.directory.iterdir()), [])
