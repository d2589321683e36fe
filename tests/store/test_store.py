"""Tests of :mod:`seaweedvol.store.store` and :mod:`seaweedvol.store.collecting`."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from twisted.trial import unittest

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import (
    DirectoryInUse,
    FormatError,
    NoFreeSlot,
    VolumeBusy,
    VolumeError,
    VolumeExists,
    VolumeNotEmpty,
    VolumeNotFound,
)
from seaweedvol.storage.format.placement import ReplicaPlacement, parse_placement
from seaweedvol.storage.format.state import VolumeServerState
from seaweedvol.storage.format.ttl import parse_ttl
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.events import StoreEvents, VolumeAdded, VolumeRemoved
from seaweedvol.store.location import Location
from seaweedvol.store.store import Store
from tests.store.making import (
    IDENTITY,
    NO_SPACE,
    fail_with,
    kinds,
    listening,
    new_directory,
    new_store,
    put_needles,
    put_volume,
)

SEVEN = VolumeId(7)
HOUR = 3600


class OpeningTests(unittest.SynchronousTestCase):
    """A store has all its directories or none."""

    def test_one_directory_in_use(self) -> None:
        """When one is taken the others are given back."""
        busy, free = new_directory(self), new_directory(self)
        new_store(self, Location(busy, busy))
        store = Store([Location(free, free), Location(busy, busy)], IDENTITY, StoreEvents())
        self.assertRaises(DirectoryInUse, store.open)
        new_store(self, Location(free, free))

    def test_damaged_state(self) -> None:
        """A state that cannot be understood stops the start, and nothing is held."""
        directory = new_directory(self)
        (directory / "state.pb").write_bytes(b"\xff\xff")
        store = Store([Location(directory, directory)], IDENTITY, StoreEvents())
        self.assertRaises(FormatError, store.open)
        (directory / "state.pb").unlink()
        new_store(self, Location(directory, directory))

    def test_state_lies_in_the_first_index_directory(self) -> None:
        """Where Go looks for it."""
        directory, index_directory, second = (new_directory(self) for _ in range(3))
        store = new_store(self, Location(directory, index_directory), Location(second, index_directory))
        store.state.set(VolumeServerState(maintenance=True))
        self.assertTrue((index_directory / "state.pb").exists())

    def test_positions_are_disk_ids(self) -> None:
        """The master tells disks apart by their position."""
        store = new_store(self, count=3)
        self.assertEqual([location.disk_id for location in store.locations], [0, 1, 2])


class FindingTests(unittest.SynchronousTestCase):
    """Volumes are found wherever they are."""

    def test_in_any_directory(self) -> None:
        """Each volume once, missing ones not."""
        directories = [new_directory(self), new_directory(self)]
        put_volume(directories[0], 6)
        put_volume(directories[1], 7)
        store = new_store(self, *(Location(each, each) for each in directories))
        self.assertEqual(store.get(7).disk_id, 1)
        self.assertIsNone(store.find(8))
        error = self.assertRaises(VolumeNotFound, store.get, 8)
        self.assertEqual(str(error), "volume 8 not found")

    def test_twins(self) -> None:
        """Of a volume that two directories have, the first one's is served."""
        directories = [new_directory(self), new_directory(self)]
        for each in directories:
            put_volume(each, 7)
        store = new_store(self, *(Location(each, each) for each in directories))
        self.assertEqual(store.get(7).disk_id, 0)

    def test_new_files_while_running(self) -> None:
        """What was put into a directory is served after the next look."""
        store = new_store(self)
        put_volume(store.locations[0].directory, 7)
        self.assertIsNone(store.find(7))
        store.load_new_volumes()
        self.assertEqual(store.get(7).read(1).data, b"needle 1")


class AllocatingTests(unittest.SynchronousTestCase):
    """New volumes are made where there is room, and announced."""

    def test_new_volume(self) -> None:
        """It is empty, as wanted, writable, told of, and there after a restart."""
        store = new_store(self, disk_type="ssd")
        heard = listening(store)
        volume = store.allocate(SEVEN, "pics", parse_placement("010"), parse_ttl("3d"), "ssd")
        self.assertIs(store.find(7), volume)
        put_needles(volume)
        (event,) = heard
        assert isinstance(event, VolumeAdded)
        report = event.report
        self.assertEqual((report.id, report.collection, report.placement_byte, report.ttl_uint32, report.version,
                          report.disk_type, report.size), (7, "pics", 10, 3 << 8 | 3, 3, "ssd", 8))
        store.close()
        directory = store.locations[0].directory
        again = new_store(self, Location(directory, directory))
        self.assertEqual(again.get(7).read(1).data, b"needle 1")

    def test_spread_over_directories(self) -> None:
        """The emptiest directory is next."""
        store = new_store(self, count=2)
        for number in range(1, 5):
            store.allocate(VolumeId(number))
        self.assertEqual([location.volume_count for location in store.locations], [2, 2])

    def test_existing_id(self) -> None:
        """The same id is refused in any collection; files that are not mounted are not overwritten."""
        store = new_store(self, count=2)
        store.allocate(SEVEN)
        error = self.assertRaises(VolumeExists, store.allocate, SEVEN, "other")
        self.assertEqual(str(error), "Volume Id 7 already exists!")
        single = new_store(self)
        put_volume(single.locations[0].directory, 7)
        error = self.assertRaises(VolumeExists, single.allocate, SEVEN)
        self.assertEqual(str(error), "Volume Id 7 already exists!")
        self.assertEqual(single.mount(SEVEN).read(1).data, b"needle 1")

    def test_no_room(self) -> None:
        """Full, low on space, or of another type: Go's words, and nothing is announced."""
        store = new_store(self, configured_max_count=1)
        store.allocate(SEVEN)
        heard = listening(store)
        error = self.assertRaises(NoFreeSlot, store.allocate, VolumeId(8))
        self.assertEqual(str(error), "No more free space left")
        roomy = new_store(self)
        self.assertRaises(NoFreeSlot, roomy.allocate, VolumeId(8), disk_type="ssd")
        low = new_store(self, min_free=NO_SPACE)
        self.assertRaises(NoFreeSlot, low.allocate, VolumeId(8))
        self.assertEqual(heard, [])


class MountingTests(unittest.SynchronousTestCase):
    """Mounting and unmounting are announced, and change no file."""

    def setUp(self) -> None:
        """A store with volume 7, mounted."""
        self.store = new_store(self)
        put_needles(self.store.allocate(SEVEN))
        self.heard = listening(self.store)

    def test_unmount_and_mount(self) -> None:
        """The volume goes and comes back with its needles."""
        self.store.unmount(SEVEN)
        self.assertIsNone(self.store.find(7))
        self.assertEqual(self.store.mount(SEVEN).read(1).data, b"needle 1")
        self.assertEqual(kinds(self.heard), [(VolumeRemoved, 7, 0), (VolumeAdded, 7, 0)])

    def test_unmount_of_nothing(self) -> None:
        """What is not mounted is unmounted already."""
        self.store.unmount(VolumeId(8))
        self.assertEqual(self.heard, [])

    def test_mount_again(self) -> None:
        """A mounted volume stays as it is, and is announced, as in Go."""
        before = self.store.find(7)
        self.assertIs(self.store.mount(SEVEN), before)
        self.assertEqual(kinds(self.heard), [(VolumeAdded, 7, 0)])

    def test_mount_of_nothing(self) -> None:
        """Go's words, with the reason when there is one."""
        error = self.assertRaises(VolumeNotFound, self.store.mount, VolumeId(8))
        self.assertEqual(str(error), "volume 8 not found on disk")
        self.store.unmount(SEVEN)
        (self.store.locations[0].directory / "7.dat").write_bytes(b"")
        error = self.assertRaises(VolumeNotFound, self.store.mount, SEVEN)
        self.assertTrue(str(error).startswith("volume 7 not found on disk: "), error)

    def test_unmount_of_twins(self) -> None:
        """Every copy goes, so that none is taken for the volume later."""
        directories = [new_directory(self), new_directory(self)]
        for each in directories:
            put_volume(each, 7)
        store = new_store(self, *(Location(each, each) for each in directories))
        heard = listening(store)
        store.unmount(SEVEN)
        self.assertIsNone(store.find(7))
        self.assertEqual(kinds(heard), [(VolumeRemoved, 7, 0), (VolumeRemoved, 7, 1)])


class DeletingTests(unittest.SynchronousTestCase):
    """What is deleted is gone, and announced."""

    def setUp(self) -> None:
        """A store with a full volume 7 and an empty volume 8 of another collection."""
        self.store = new_store(self)
        put_needles(self.store.allocate(SEVEN, "pics"))
        self.store.allocate(VolumeId(8), "other")
        self.directory = self.store.locations[0].directory
        self.heard = listening(self.store)

    def volume_files(self) -> set[str]:
        """What volumes left in the directory."""
        return {name for name in os.listdir(self.directory) if Path(name).suffix in (".dat", ".idx", ".vif")}

    def test_delete(self) -> None:
        """Files and all; the event tells how it was."""
        self.store.delete_volume(SEVEN)
        self.assertEqual(self.volume_files(), {"other_8.dat", "other_8.idx", "other_8.vif"})
        self.assertEqual(kinds(self.heard), [(VolumeRemoved, 7, 0)])
        self.assertEqual(self.heard[0].report.file_count, 1)

    def test_delete_of_nothing(self) -> None:
        """Go's words."""
        error = self.assertRaises(VolumeNotFound, self.store.delete_volume, VolumeId(9))
        self.assertEqual(str(error), "delete volume 9 not found on disk")

    def test_only_empty(self) -> None:
        """A volume with needles stays and is served on, an empty one goes."""
        error = self.assertRaises(VolumeNotEmpty, self.store.delete_volume, SEVEN, only_empty=True)
        self.assertEqual(str(error), "DeleteVolume 7: volume not empty")
        self.assertEqual(self.store.get(7).read(1).data, b"needle 1")
        self.store.delete_volume(VolumeId(8), only_empty=True)
        self.assertEqual(kinds(self.heard), [(VolumeRemoved, 8, 0)])

    def test_twins(self) -> None:
        """Every copy goes."""
        directories = [new_directory(self), new_directory(self)]
        for each in directories:
            put_volume(each, 7)
        store = new_store(self, *(Location(each, each) for each in directories))
        store.delete_volume(SEVEN)
        self.assertEqual([(each / "7.dat").exists() for each in directories], [False, False])

    def test_compacting(self) -> None:
        """A volume that is being compacted is refused, alone; a collection is deleted around it."""
        volume = self.store.get(7)
        volume._core.is_compacting = True
        error = self.assertRaises(VolumeBusy, self.store.delete_volume, SEVEN)
        self.assertEqual(str(error), "DeleteVolume 7 failed on some disks: volume 7 is compacting")
        self.store.delete_collection("pics")
        self.assertIs(self.store.find(7), volume)
        self.assertEqual(self.heard, [])

    def test_file_that_stays(self) -> None:
        """When the disk refuses, the caller hears it, and nothing half closed is served."""
        failpoints.arm("remove", fail_with(errno.EIO))
        self.addCleanup(failpoints.disarm, "remove")
        error = self.assertRaises(VolumeError, self.store.delete_volume, SEVEN)
        self.assertIn("DeleteVolume 7 failed on some disks: ", str(error))
        self.assertIsNone(self.store.find(7))
        self.assertEqual(kinds(self.heard), [(VolumeRemoved, 7, 0)])

    def test_collection(self) -> None:
        """All volumes of this collection and no other; an unknown one is empty."""
        self.store.allocate(VolumeId(9), "pics")
        self.heard.clear()
        self.store.delete_collection("pics")
        self.store.delete_collection("unknown")
        self.assertEqual(sorted(self.store.locations[0].volumes), [8])
        self.assertEqual(sorted(kinds(self.heard), key=str), [(VolumeRemoved, 7, 0), (VolumeRemoved, 9, 0)])

    def test_collection_that_stays(self) -> None:
        """What could not be removed is told."""
        failpoints.arm("remove", fail_with(errno.EIO))
        self.addCleanup(failpoints.disarm, "remove")
        error = self.assertRaises(VolumeError, self.store.delete_collection, "pics")
        self.assertIn("Input/output error", str(error))


class ChangingTests(unittest.SynchronousTestCase):
    """Marks and settings of single volumes."""

    def setUp(self) -> None:
        """A store with volume 7."""
        self.store = new_store(self)
        self.store.allocate(SEVEN)
        self.heard = listening(self.store)

    def test_placement(self) -> None:
        """The master hears of the new placement at once, and it is there after a restart."""
        self.store.configure(SEVEN, "011")
        self.assertEqual(kinds(self.heard), [(VolumeRemoved, 7, 0), (VolumeAdded, 7, 0)])
        reports = [event.report for event in self.heard if isinstance(event, VolumeAdded | VolumeRemoved)]
        self.assertEqual([report.placement_byte for report in reports], [0, 11])
        self.store.unmount(SEVEN)
        self.assertEqual(self.store.mount(SEVEN).placement, ReplicaPlacement(0, 1, 1))

    def test_placement_of_an_unmounted_volume(self) -> None:
        """It is mounted with the new placement."""
        self.store.unmount(SEVEN)
        self.heard.clear()
        self.store.configure(SEVEN, "001")
        self.assertEqual(kinds(self.heard), [(VolumeAdded, 7, 0)])
        self.assertEqual(self.store.get(7).placement.to_byte(), 1)

    def test_placement_of_nothing(self) -> None:
        """Go's words."""
        error = self.assertRaises(VolumeNotFound, self.store.configure, VolumeId(8), "000")
        self.assertEqual(str(error), "volume 8 not found on disk")

    def test_read_only_and_back(self) -> None:
        """A mark lasts over a restart if it is to, and nothing is announced: the master is told otherwise."""
        self.store.mark_read_only(SEVEN)
        self.assertTrue(self.store.get(7).no_write_or_delete)
        self.store.mark_read_only(SEVEN, can_delete=True, persist=True)
        self.assertTrue(self.store.get(7).no_write_can_delete)
        self.assertEqual(self.heard, [])
        self.store.unmount(SEVEN)
        self.assertTrue(self.store.mount(SEVEN).is_read_only)
        self.store.mark_writable(SEVEN)
        self.store.unmount(SEVEN)
        self.assertFalse(self.store.mount(SEVEN).is_read_only)

    def test_marks_of_nothing(self) -> None:
        """Go's words."""
        for mark in (self.store.mark_read_only, self.store.mark_writable):
            self.assertEqual(str(self.assertRaises(VolumeNotFound, mark, VolumeId(8))), "volume 8 not found")

    def test_stop_and_close(self) -> None:
        """Stopping serves on, closing does not; both may be repeated."""
        self.store.stop()
        self.assertTrue(self.store.is_stopping)
        self.assertIsNotNone(self.store.find(7))
        self.store.close()
        self.store.close()
        self.assertIsNone(self.store.find(7))
