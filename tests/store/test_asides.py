"""Tests of :mod:`seaweedvol.store.asides`, and of what a store does with directories that are set aside."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from twisted.trial import unittest

from seaweedvol.storage.errors import NoFreeSlot
from seaweedvol.storage.format.state import VolumeServerState
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.directory import DirectoryLock
from seaweedvol.store.events import StoreEvents
from seaweedvol.store.location import Location
from seaweedvol.store.store import Store
from tests.store.making import ANY_SPACE, IDENTITY, new_directory, put_volume


class BadDisks:
    """Has calls of :mod:`os` fail for paths in some directories."""

    def __init__(self, test: unittest.SynchronousTestCase) -> None:
        self.errors: dict[str, int] = {}
        for name in ("open", "listdir"):
            test.patch(os, name, self.calling(getattr(os, name)))

    def calling(self, real: Any) -> Any:
        """In the place of ``real``."""
        def call(path: Any, *arguments: Any, **named: Any) -> Any:
            for directory, number in self.errors.items():
                if str(path).startswith(directory):
                    raise OSError(number, os.strerror(number))
            return real(path, *arguments, **named)
        return call


class AsideTests(unittest.SynchronousTestCase):
    """Two directories with a volume each, of which the first fails."""

    def setUp(self) -> None:
        """A store that is not open."""
        self.bad, self.good = new_directory(self), new_directory(self)
        put_volume(self.bad, 7)
        put_volume(self.good, 8)
        self.disks = BadDisks(self)
        self.store = self.make(self.bad, self.good)

    def make(self, *directories: Path) -> Store:
        """A store over directories."""
        store = Store([Location(each, each, min_free=ANY_SPACE) for each in directories], IDENTITY, StoreEvents())
        self.addCleanup(store.close)
        return store

    def break_disks(self, number: int = errno.EIO, *directories: Path) -> None:
        """From now on."""
        self.disks.errors = {str(each): number for each in directories or (self.bad,)}

    def start(self) -> None:
        """Open and load."""
        self.store.open()
        self.store.load()

    def check_aside(self) -> None:
        """The first is told of as bad, and gets nothing; the other serves."""
        bad, good = self.store.disks
        self.assertEqual(self.store.locations, (good,))
        self.assertIn(str(self.bad), bad.trouble)
        self.assertEqual(bad.status.error, bad.trouble)
        self.assertFalse(bad.has_free_slot)
        bad.check_space()
        self.assertTrue(bad.is_unavailable)
        self.assertIsNone(self.store.find(7))
        self.assertIsNotNone(self.store.find(8))
        report = self.store.report()
        self.assertEqual(report.uuids, (good.uuid,))
        self.assertEqual([tag.max_count for tag in report.disk_tags], [0, 8])
        self.assertEqual(report.max_counts, {"": 8})
        self.assertEqual(self.store.allocate(VolumeId(9)).directory, self.good)

    def test_lock_cannot_be_opened(self) -> None:
        """EIO and a file system that an error has made read-only."""
        for number in (errno.EIO, errno.EROFS):
            self.store = self.make(self.bad, self.good)
            self.break_disks(number)
            with self.assertLogs("seaweedvol.store.location", "ERROR") as logged:
                self.start()
            self.assertIn(f"{self.bad} is set aside, nothing in it is served: [Errno {number}]", logged.output[0])
            self.check_aside()
            self.store.delete_volume(VolumeId(9))
            self.store.close()

    def test_cannot_be_listed(self) -> None:
        """What was taken and cannot be loaded is given up again."""
        self.store.open()
        self.break_disks()
        self.store.load()
        self.check_aside()
        self.disks.errors = {}
        DirectoryLock(self.bad).release()

    def test_served_when_well(self) -> None:
        """A look finds out; so does SIGHUP. Its volumes are served then, and all its files are there."""
        for look in (lambda: self.store.try_again(self.store.disks[0]), lambda: self.store.load_new_volumes()):
            self.store = self.make(self.bad, self.good)
            files = sorted(os.listdir(self.bad))
            self.break_disks()
            self.start()
            look()
            self.assertIsNone(self.store.find(7))
            self.disks.errors = {}
            self.assertEqual(sorted(set(files) - set(os.listdir(self.bad))), [])
            look()
            self.assertIsNotNone(self.store.find(7))
            self.assertEqual(self.store.locations, self.store.disks)
            self.assertFalse(self.store.disks[0].is_unavailable)
            self.assertEqual(len(self.store.report().uuids), 2)
            self.store.close()

    def test_in_use_meanwhile(self) -> None:
        """Somebody else may have taken it."""
        self.break_disks()
        self.start()
        self.disks.errors = {}
        lock = DirectoryLock(self.bad)
        self.addCleanup(lock.release)
        self.store.load_new_volumes()
        self.assertIn("is in use", self.store.disks[0].trouble)

    def test_only_one(self) -> None:
        """Nothing can be served; the error names the directory."""
        self.store = self.make(self.bad)
        self.break_disks()
        error = self.assertRaises(OSError, self.store.open)
        self.assertIn(f"Input/output error: '{self.bad}", str(error))

    def test_all(self) -> None:
        """Neither can anything be served when all are bad; nothing is held."""
        self.break_disks(errno.EIO, self.bad, self.good)
        error = self.assertRaises(OSError, self.store.open)
        self.assertIn(str(self.bad), str(error))
        self.assertIn(str(self.good), str(error))

    def test_all_fail_to_load(self) -> None:
        """The start ends with it."""
        self.store.open()
        self.break_disks(errno.EIO, self.bad, self.good)
        self.assertRaises(OSError, self.store.load)

    def test_others_errors(self) -> None:
        """What is not of the disk is refused as ever, with the directory."""
        self.break_disks(errno.EACCES)
        error = self.assertRaises(PermissionError, self.store.open)
        self.assertIn(str(self.bad), str(error))
        self.disks.errors = {}
        DirectoryLock(self.good).release()

    def test_bad_while_serving(self) -> None:
        """Of a directory that was loaded nothing is taken away when it cannot be listed later."""
        self.start()
        self.break_disks()
        put_volume(self.good, 10)
        self.store.load_new_volumes()
        self.assertIsNotNone(self.store.find(7))
        self.assertIsNotNone(self.store.find(10))
        self.assertEqual(self.store.disks[0].trouble, "")

    def test_nothing_to_place(self) -> None:
        """A kind of disk that is set aside as a whole takes no volume."""
        self.store = Store([Location(self.bad, self.bad, disk_type="ssd"), Location(self.good, self.good)],
                           IDENTITY, StoreEvents())
        self.addCleanup(self.store.close)
        self.break_disks()
        self.start()
        self.assertRaises(NoFreeSlot, self.store.allocate, VolumeId(9), disk_type="ssd")

    def test_state_that_cannot_be_read(self) -> None:
        """It is read when that is possible, and not changed before."""
        self.start()
        self.store.state.set(VolumeServerState(maintenance=True))
        self.store.close()
        self.store = self.make(self.bad, self.good)
        real = Path.read_bytes

        def read(path: Path) -> bytes:
            if path.name == "state.pb" and self.disks.errors:
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
            return real(path)

        self.patch(Path, "read_bytes", read)
        self.break_disks()
        self.start()
        self.assertFalse(self.store.state.is_maintenance)
        self.assertRaises(OSError, self.store.state.set, VolumeServerState())
        self.disks.errors = {}
        self.store.load_new_volumes()
        self.assertTrue(self.store.state.is_maintenance)
