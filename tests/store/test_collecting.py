"""What a heartbeat tells of a whole store, and what becomes of volumes whose time is over."""

from __future__ import annotations

import errno
import os
import shutil
import time

from twisted.trial import unittest

from seaweedvol.storage.format.ttl import parse_ttl
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store import store as store_module
from seaweedvol.store.collecting import collect
from seaweedvol.store.diskspace import FAILURES_UNTIL_UNAVAILABLE
from seaweedvol.store.location import Location
from seaweedvol.store.report import DiskTag, digest
from seaweedvol.store.store import Store
from tests.store.making import (
    ANY_SPACE,
    NO_SPACE,
    listening,
    new_directory,
    new_store,
    put_needles,
    put_volume,
)

SEVEN = VolumeId(7)
HOUR = 3600


class ReportTests(unittest.SynchronousTestCase):
    """The master is told what Go tells it."""

    def test_empty_server(self) -> None:
        """No volumes, and how many fit."""
        store = new_store(self, configured_max_count=5, tags=("fast", "new"))
        report = store.report()
        self.assertEqual((report.volumes, report.has_no_volumes, report.digest), ((), True, 0))
        self.assertEqual((report.max_counts, report.max_file_key), ({"": 5}, 0))
        self.assertEqual(report.disk_tags, (DiskTag(0, ("fast", "new"), "", 5),))
        self.assertEqual(report.uuids, (store.locations[0].uuid,))
        status = store.locations[0].status
        self.assertEqual((report.disk_total, report.disk_free), ({"": status.all}, {"": status.free}))

    def test_volumes(self) -> None:
        """Sizes of files, counts of needles, the greatest key, and the digest over all."""
        store = new_store(self)
        put_needles(store.allocate(SEVEN, "pics"), 3)
        store.get(7).delete(3, 0x1234)
        report = store.report()
        (volume,) = report.volumes
        path = store.get(7).data_path
        self.assertEqual((volume.size, volume.modified_at), (path.stat().st_size, int(path.stat().st_mtime)))
        self.assertEqual((volume.file_count, volume.delete_count, volume.collection), (3, 1, "pics"))
        self.assertGreater(volume.deleted_bytes, 0)
        self.assertEqual((report.max_file_key, report.has_no_volumes), (3, False))
        self.assertEqual(report.digest, digest(report.volumes))

    def test_counts_by_disk_type(self) -> None:
        """Directories of a type are added up; one that is low on space offers no more than it has."""
        places = [(new_directory(self), "", ANY_SPACE), (new_directory(self), "ssd", ANY_SPACE),
                  (new_directory(self), "ssd", NO_SPACE)]
        put_volume(places[2][0], 7)
        store = new_store(self, *(Location(each, each, disk_type, min_free=rule) for each, disk_type, rule in places))
        report = store.report()
        self.assertEqual(report.max_counts, {"": 8, "ssd": 9})
        self.assertEqual([tag.max_count for tag in report.disk_tags], [8, 8, 1])
        self.assertTrue(report.volumes[0].read_only)

    def test_dead_disk(self) -> None:
        """A directory that does not answer is left out, but for its id."""
        store = new_store(self, count=2)
        store.allocate(SEVEN)
        dead = store.get(7).location
        shutil.rmtree(dead.directory)
        for _ in range(FAILURES_UNTIL_UNAVAILABLE):
            dead.check_space()
        report = store.report()
        self.assertEqual((report.volumes, report.max_counts), ((), {"": 8}))
        self.assertEqual(len(report.uuids), 2)
        self.assertEqual([tag.max_count for tag in report.disk_tags], [0, 8])

    def test_data_removed_under_the_volume(self) -> None:
        """A .dat that only the open volume still knows is not told of; without needles nobody minds."""
        store = new_store(self)
        store.allocate(SEVEN)
        store.get(7).data_path.unlink()
        self.assertEqual(len(store.report().volumes), 1)
        put_needles(store.get(7))
        report = store.report()
        self.assertEqual((report.volumes, report.max_file_key), ((), 0))

    def test_failing_disk(self) -> None:
        """A volume that had I/O errors in a row is left out until an operator marks it writable."""
        store = new_store(self)
        put_needles(store.allocate(SEVEN), 3)
        for _ in range(3):
            store.get(7)._core.note_error(OSError(errno.EIO, "Input/output error"))
        report = store.report()
        self.assertEqual((report.volumes, report.max_file_key), ((), 3))
        store.mark_writable(SEVEN)
        self.assertEqual(len(store.report().volumes), 1)

    def test_auto_size(self) -> None:
        """Directories without limit are sized as soon as the master has told how large volumes get."""
        store = new_store(self, configured_max_count=0)
        self.assertEqual(store.report().max_counts, {"": 0})
        store.volume_size_limit = 1 << 20
        self.assertGreater(store.report().max_counts[""], 0)
        self.assertFalse(new_store(self).adjust_max_counts())

    def test_statuses(self) -> None:
        """The status page lists everything by id, with the bytes of content."""
        store = new_store(self, count=2)
        for number in (9, 7, 8):
            put_needles(store.allocate(VolumeId(number)))
        statuses = store.volume_statuses()
        self.assertEqual([status.id for status in statuses], [7, 8, 9])
        self.assertEqual(statuses[0].size, store.get(7).counts.content_bytes)


class ExpiryTests(unittest.SynchronousTestCase):
    """Volumes end with their time to live."""

    def setUp(self) -> None:
        """A volume whose needles live ten minutes, on disk."""
        self.directory = new_directory(self)
        put_volume(self.directory, 7, ttl=parse_ttl("10m"))

    def store_after(self, seconds: int, limit: int = 1 << 30) -> Store:
        """A store that finds the volume so long after its last change."""
        then = time.time() - seconds
        os.utime(self.directory / "7.dat", (then, then))
        store = new_store(self, Location(self.directory, self.directory))
        store.volume_size_limit = limit
        return store

    def test_alive(self) -> None:
        """Within its time it is told of."""
        self.assertEqual(len(self.store_after(9 * 60).report().volumes), 1)

    def test_expired(self) -> None:
        """After its time it is not told of, but stays for a while."""
        store = self.store_after(11 * 60)
        heard = listening(store)
        self.assertEqual(store.report().volumes, ())
        self.assertIsNotNone(store.find(7))
        self.assertEqual(heard, [])

    def test_removed(self) -> None:
        """A tenth of its time later it goes, without an event: the heartbeat lacks it already."""
        store = self.store_after(12 * 60)
        heard = listening(store)
        self.assertEqual(store.report().volumes, ())
        self.assertIsNone(store.find(7))
        self.assertFalse((self.directory / "7.dat").exists())
        self.assertEqual(heard, [])

    def test_written_at_the_last_moment(self) -> None:
        """A volume that was written to after it was found overdue is kept."""
        store = self.store_after(12 * 60)
        volume = store.get(7)

        def write_after(*_: object) -> object:
            found = collect(store.locations, store.volume_size_limit)
            put_needles(volume, last_modified=int(time.time()))
            return found

        self.patch(store_module, "collect", write_after)
        self.assertEqual(store.report().volumes, ())
        self.assertIs(store.find(7), volume)
        self.assertEqual(len(collect(store.locations, store.volume_size_limit)[0].volumes), 1)

    def test_needle_of_old_date(self) -> None:
        """A fresh volume lives its time, however old its first needle says it is."""
        store = new_store(self)
        store.volume_size_limit = 1 << 30
        put_needles(store.allocate(SEVEN, ttl=parse_ttl("10m")), last_modified=1)
        self.assertEqual(len(store.report().volumes), 1)
        self.assertIsNotNone(store.find(7))

    def test_nothing_expires_before_the_master_was_heard(self) -> None:
        """Without a size limit nobody can know."""
        store = self.store_after(365 * 24 * HOUR, limit=0)
        self.assertEqual(len(store.report().volumes), 1)
        self.assertIsNotNone(store.find(7))
