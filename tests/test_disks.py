"""Tests of :mod:`seaweedvol.disks`."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial import unittest

from seaweedvol.disks import HOUR_SECONDS, SPACE_CHECK_SECONDS, Disks, make_disks
from seaweedvol.storage.errors import DirectoryInUse
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.needlemap import MapKind, MapSettings
from seaweedvol.storage.needlemap.idle import IdleWatch
from seaweedvol.store.directory import DirectoryLock
from seaweedvol.store.diskspace import MinFree
from seaweedvol.store.location import Location
from seaweedvol.store.room import Room
from seaweedvol.store.store import Store
from tests.store.making import IDENTITY, NO_SPACE, new_directory, put_volume
from seaweedvol.store.events import StoreEvents


class Threads:
    """Stands for the thread pool: work waits until the test does it."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def __call__(self, work: Callable[[], Any]) -> Deferred[Any]:
        """Take work in."""
        done: Deferred[Any] = Deferred()
        self.waiting.append((work, done))
        return done

    def work(self) -> int:
        """Do what waits; how much that was."""
        waiting, self.waiting = self.waiting, []
        for work, done in waiting:
            try:
                done.callback(work())
            except Exception:
                done.errback()
        return len(waiting)


class DisksTests(unittest.SynchronousTestCase):
    """Directories are loaded, watched and closed in the background."""

    def setUp(self) -> None:
        """Two directories with a volume each, as services that are not started."""
        self.clock, self.threads = Clock(), Threads()
        self.directories = [new_directory(self), new_directory(self)]
        for volume_id, directory in enumerate(self.directories, 7):
            put_volume(directory, volume_id)
        self.store = Store([Location(each, each) for each in self.directories], IDENTITY, StoreEvents())
        self.store.open()
        self.addCleanup(self.store.close)
        self.disks = self.make()

    def make(self) -> Disks:
        """The services of the store."""
        return make_disks(self.store, self.clock, self.threads)

    def is_free(self, directory: Path) -> bool:
        """Whether nobody has the directory."""
        try:
            DirectoryLock(directory).release()
        except DirectoryInUse:
            return False
        return True

    def test_start_loads_in_threads(self) -> None:
        """Starting does not block; when the threads are done everything is loaded, and whoever waits is told."""
        self.disks.startService()
        early = self.disks.when_loaded()
        self.assertNoResult(early)
        self.assertIsNone(self.store.find(7))
        self.assertEqual(self.threads.work(), 2)
        self.assertNoResult(early)
        # All directories are there, now what lies in several can be put together.
        self.assertEqual(self.threads.work(), 1)
        self.successResultOf(early)
        self.successResultOf(self.disks.when_loaded())
        self.assertIsNotNone(self.store.find(7))
        self.assertIsNotNone(self.store.find(8))

    def test_settled_once(self) -> None:
        """However many wait, what takes a view of all directories is done once, and when all of them are there."""
        settled: list[list[int]] = []
        self.patch(Store, "settle", lambda store: settled.append([len(each.volumes) for each in store.locations]))
        self.disks.startService()
        waiting = [self.disks.when_loaded() for _ in range(2)]
        while self.threads.work():
            pass
        for each in (*waiting, self.disks.when_loaded()):
            self.successResultOf(each)
        self.assertEqual(settled, [[1, 1]])

    def test_space_is_watched(self) -> None:
        """Each directory is looked at when it wants to be, in threads, and never twice at a time."""
        self.patch(Room, "patience", SPACE_CHECK_SECONDS)
        self.disks.startService()
        self.threads.work()
        self.store.locations[0].min_free = NO_SPACE
        self.clock.advance(SPACE_CHECK_SECONDS - 1)
        self.assertEqual(self.threads.work(), 0)
        self.clock.advance(1)
        self.clock.advance(SPACE_CHECK_SECONDS)
        self.assertEqual(self.threads.work(), 2)
        self.assertTrue(self.store.locations[0].is_low_space)
        self.clock.advance(SPACE_CHECK_SECONDS)
        self.assertEqual(self.threads.work(), 2)

    def test_full_disk_is_watched_closely(self) -> None:
        """One that is too full is looked at each second, and takes writes again soon after it is not."""
        first, second = self.store.locations
        self.patch(first, "min_free", NO_SPACE)
        self.disks.startService()
        self.threads.work()
        self.assertTrue(first.volumes[VolumeId(7)].is_read_only)
        first.min_free = MinFree(percent=0)
        self.patch(second, "room", SimpleNamespace(patience=SPACE_CHECK_SECONDS))
        self.clock.advance(1)
        self.assertEqual(self.threads.work(), 1)
        self.assertFalse(first.volumes[VolumeId(7)].is_read_only)

    def test_failed_look_does_not_end_the_watch(self) -> None:
        """After an error the next minute is as good as any."""
        def fail(location: Location) -> None:
            raise ZeroDivisionError

        self.disks.startService()
        self.threads.work()
        self.patch(Location, "check_space", fail)
        for _ in range(2):
            self.clock.advance(SPACE_CHECK_SECONDS)
            self.assertEqual(self.threads.work(), 2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 4)

    def test_idle_maps(self) -> None:
        """Where idle needle maps are to be closed, each hour is told; elsewhere nobody counts them."""
        self.store.locations[0].maps = MapSettings(MapKind.LEVELDB, watch := IdleWatch(2))
        hours: list[IdleWatch] = []
        self.patch(IdleWatch, "note_hour", lambda each: hours.append(each))
        self.disks.startService()
        self.threads.work()
        for _ in range(2):
            self.clock.advance(HOUR_SECONDS)
            self.threads.work()
        self.assertEqual(hours, [watch, watch])
        self.disks.stopService()
        self.threads.work()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_closes(self) -> None:
        """After stopping, nothing is served or watched, and the directories are free."""
        self.disks.startService()
        self.threads.work()
        stopped = self.disks.stopService()
        self.assertNoResult(stopped)
        self.assertEqual(self.threads.work(), 2)
        self.successResultOf(stopped)
        self.assertEqual([self.is_free(each) for each in self.directories], [True, True])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_while_loading(self) -> None:
        """Closing waits for the loading, and nothing is watched after it."""
        self.disks.startService()
        stopped = self.disks.stopService()
        self.threads.work()
        self.assertNoResult(stopped)
        self.threads.work()
        self.successResultOf(stopped)
        self.assertIsNone(self.store.find(7))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_while_looking(self) -> None:
        """Closing waits for a look that is under way."""
        self.disks.startService()
        self.threads.work()
        self.clock.advance(SPACE_CHECK_SECONDS)
        stopped = self.disks.stopService()
        self.assertEqual(self.threads.work(), 2)
        self.assertNoResult(stopped)
        self.assertEqual(self.threads.work(), 2)
        self.successResultOf(stopped)

    def test_directory_that_cannot_be_read(self) -> None:
        """Whoever waits for the loading hears of it; the other directories are loaded."""
        shutil.rmtree(self.directories[0])
        self.disks.startService()
        waiting = self.disks.when_loaded()
        self.threads.work()
        self.failureResultOf(waiting, FileNotFoundError)
        self.failureResultOf(self.disks.when_loaded(), FileNotFoundError)
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)
        self.assertIsNotNone(self.store.find(8))

    def test_directory_that_is_set_aside(self) -> None:
        """It is tried again once a minute, and served when its disk is well."""
        broken = [True]
        real = os.listdir

        def listed(path: Any) -> list[str]:
            if broken and str(path) == str(self.directories[0]):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(path)

        self.patch(os, "listdir", listed)
        self.disks.startService()
        waiting = self.disks.when_loaded()
        while self.threads.work():
            pass
        self.successResultOf(waiting)
        self.assertIsNone(self.store.find(7))
        for _ in range(2):
            self.clock.pump([1] * (SPACE_CHECK_SECONDS + 1))
            while self.threads.work():
                pass
            self.assertEqual(self.store.find(7) is None, bool(broken))
            broken.clear()
        self.assertIsNotNone(self.store.find(8))

    def test_directory_that_cannot_be_taken(self) -> None:
        """It is not loaded by those who have no lock on it."""
        first = self.store.disks[0]
        first.set_aside(OSError(errno.EIO, "no"))
        self.disks.startService()
        waiting = self.disks.when_loaded()
        while self.threads.work():
            pass
        self.successResultOf(waiting)
        self.assertEqual((first.volumes, first.has_loaded), ({}, False))
        self.assertEqual(self.store.locations, (self.store.disks[1],))
