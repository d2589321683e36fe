"""Compaction of volumes whose needle maps are on disk."""

from __future__ import annotations

import threading

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import NeedleNotFound
from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.format.placement import NO_REPLICATION
from seaweedvol.storage.format.ttl import EMPTY_TTL
from seaweedvol.storage.needlemap import MapKind, MapSettings
from seaweedvol.storage.volume.batching import Put
from seaweedvol.storage.volume.loading import create_volume, load_volume
from seaweedvol.storage.volume.volume import Volume
from tests.contracts.needlemaps import NO_LEVELDB
from tests.storage.volume.building import COOKIE, Ground, draft

COUNT = 300


class CompactingMapsTests(SynchronousTestCase):
    """Volumes of every kind."""

    def setUp(self) -> None:
        self.ground = Ground.at(self.mktemp())

    def create(self, kind: MapKind) -> Volume:
        """Half of its needles are deleted."""
        volume = create_volume(
            self.ground.directory, self.ground.directory, "", 3, placement=NO_REPLICATION, ttl=EMPTY_TTL,
            maps=MapSettings(kind), report=self.ground.reports.append,
        )
        for key in range(COUNT):
            volume.append(draft(key + 1, b"%d" % key))
        for key in range(0, COUNT, 2):
            volume.delete(key + 1, COOKIE)
        self.addCleanup(volume.close)
        return volume

    def load(self, kind: MapKind) -> Volume:
        """As after a restart."""
        volume = load_volume(
            self.ground.directory, self.ground.directory, "", 3, maps=MapSettings(kind),
            report=self.ground.reports.append)
        self.addCleanup(volume.close)
        return volume

    def check(self, volume: Volume) -> None:
        """What is left of the needles, and no more."""
        for key in range(2, COUNT):
            if key % 2:
                self.assertEqual(volume.read(key + 1).data, b"%d" % key)
            else:
                self.assertRaises(NeedleNotFound, volume.read, key + 1)
        self.assertEqual(volume.read(1000).data, b"carried over")
        self.assertRaises(NeedleNotFound, volume.read, 2)

    def vacuum(self, volume: Volume) -> None:
        """With a write and a deletion in between."""
        list(volume.compact())
        volume.append(draft(1000, b"carried over"))
        volume.delete(2, COOKIE)
        self.assertTrue(volume.commit_compaction())

    def test_level(self) -> None:
        """In a LevelDB: the old one is gone, the new one answers, now and after restarts with any kind."""
        for kind in (MapKind.LEVELDB, MapKind.LEVELDB_LARGE):
            self.setUp()
            volume = self.create(kind)
            self.vacuum(volume)
            self.check(volume)
            files = volume.files
            assert files is not None
            self.assertTrue(files.needles.may_wait)
            volume.append(draft(2000, b"later"))
            volume.close()
            for other in (kind, MapKind.MEMORY, kind):
                volume = self.load(other)
                self.check(volume)
                self.assertEqual(volume.read(2000).data, b"later")
                volume.close()
            self.assertEqual(self.ground.reports, [])

    def test_many(self) -> None:
        """So many that a LevelDB has noted how far it is, with changes before and after that point."""
        volume = self.create(MapKind.LEVELDB)
        fields, body = b"\0", b"many"
        for start in range(5000, 30_000, 1000):
            volume.apply([Put(key, COOKIE, body, crc32c(body), fields, 0) for key in range(start, start + 1000)])
        list(volume.compact())
        for key in (5001, 29_999):
            volume.delete(key, COOKIE)
        for key in (5002, 29_998):
            volume.append(draft(key, b"changed"))
        volume.commit_compaction()
        for _ in range(2):
            for key in range(5000, 30_000):
                found = volume.locate(key)
                assert found is not None
                self.assertEqual(found[1] < 0, key in (5001, 29_999), key)
            self.assertEqual([volume.read(key).data for key in (5000, 5002, 29_998)], [body, b"changed", b"changed"])
            volume.close()
            volume = self.load(MapKind.LEVELDB)
        self.assertEqual(self.ground.reports, [])

    def test_sorted(self) -> None:
        """In a sorted file, which volumes that are read-only from the start have; also once they are writable."""
        volume = self.create(MapKind.MEMORY)
        volume.mark_read_only(persist=True, can_delete=True)
        volume.close()
        volume = self.load(MapKind.MEMORY)
        list(volume.compact())
        volume.delete(2, COOKIE)
        volume.commit_compaction()
        self.assertTrue(self.ground.path(".sdx").exists())
        self.assertRaises(NeedleNotFound, volume.read, 2)
        volume.mark_writable()
        volume.append(draft(1000, b"carried over"))
        self.check(volume)
        volume.close()
        self.check(self.load(MapKind.MEMORY))
        self.assertEqual(self.ground.reports, [
            "volume 3 is read-only: marked read-only (deletes are taken)",
            "volume 3 takes writes again; no more: marked read-only",
        ])

    def test_low_disk(self) -> None:
        """A disk that is too full for the moment is no reason for a map that takes no writes."""
        for kind in (MapKind.MEMORY, MapKind.LEVELDB):
            self.setUp()
            volume = self.create(kind)
            volume.set_low_disk(True)
            list(volume.compact())
            volume.commit_compaction()
            self.assertFalse(self.ground.path(".sdx").exists())
            volume.set_low_disk(False)
            volume.append(draft(1, b"room again"))
            self.assertEqual(volume.read(1).data, b"room again")

    def test_readers(self) -> None:
        """Readers find every needle all the while, whatever the kind of map."""
        for kind in (MapKind.LEVELDB, MapKind.MEMORY):
            self.setUp()
            volume = self.create(kind)
            volume.append(draft(1000, b"there"))
            failures: list[Exception] = []
            is_done = threading.Event()

            def read(volume: Volume = volume, failures: list[Exception] = failures,
                     is_done: threading.Event = is_done) -> None:
                while not is_done.is_set():
                    try:
                        for key in (4, 100, 1000):
                            volume.read(key)
                            assert volume.locate(key)
                    except Exception as error:
                        failures.append(error)

            readers = [threading.Thread(target=read) for _ in range(3)]
            for reader in readers:
                reader.start()
            for _ in range(10):
                list(volume.compact())
                volume.commit_compaction()
            is_done.set()
            for reader in readers:
                reader.join()
            self.assertEqual(failures, [])
            self.assertEqual(volume.compaction_revision, 10)

    if NO_LEVELDB:
        test_level.skip = test_many.skip = NO_LEVELDB  # type: ignore[attr-defined]
        test_low_disk.skip = test_readers.skip = NO_LEVELDB  # type: ignore[attr-defined]
