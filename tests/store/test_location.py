"""Tests of :mod:`seaweedvol.store.location`."""

from __future__ import annotations

import errno
import os
import shutil

from twisted.trial import unittest

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import DirectoryInUse, VolumeNotEmpty
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.loading import load_volume
from seaweedvol.storage.volume.volume import ReadOnlyReason
from seaweedvol.store import volumeloading
from seaweedvol.store.directory import UUID_NAME
from seaweedvol.store.diskspace import FAILURES_UNTIL_UNAVAILABLE
from seaweedvol.store.location import Location
from tests.store.making import ANY_SPACE, NO_SPACE, fail_with, new_directory, new_location, put_volume

SEVEN = VolumeId(7)


class OpeningTests(unittest.SynchronousTestCase):
    """A directory is taken before anything in it is touched."""

    def test_second_location_is_refused(self) -> None:
        """The directory of a running server is not opened again, and can be once that one is closed."""
        first = new_location(self)
        second = Location(first.directory, first.directory)
        self.assertRaises(DirectoryInUse, second.open)
        first.close()
        second.open()
        second.close()

    def test_uuid_of_the_directory(self) -> None:
        """The id in the directory is that of the location."""
        location = new_location(self)
        self.assertEqual((location.directory / UUID_NAME).read_text(), location.uuid)

    def test_failed_opening_holds_nothing(self) -> None:
        """When the id cannot be written the lock is given back."""
        directory = new_directory(self)

        def fail() -> None:
            raise OSError(errno.EACCES, "Permission denied")

        failpoints.arm("aside.write", fail)
        self.assertRaises(OSError, Location(directory, directory).open)
        failpoints.disarm("aside.write")
        new_location(self, directory)

    def test_full_disk(self) -> None:
        """The id is kept in memory until there is room for it."""
        directory = new_directory(self)
        failpoints.arm("aside.write", fail_with(errno.ENOSPC))
        self.addCleanup(failpoints.disarm)
        location = new_location(self, directory)
        uuid = location.uuid
        self.assertEqual(len(uuid), 36)
        location.load()
        self.assertFalse((directory / UUID_NAME).exists())
        failpoints.disarm("aside.write")
        location.check_space()
        self.assertEqual((directory / UUID_NAME).read_text(), uuid)


class LoadingTests(unittest.SynchronousTestCase):
    """Every volume that can be served is served."""

    def test_all_volumes(self) -> None:
        """Volumes of all collections are loaded, with their place."""
        directory = new_directory(self)
        for number in range(1, 30):
            put_volume(directory, number, "pics" if number % 2 else "")
        location = new_location(self, directory, disk_id=3)
        location.load()
        self.assertEqual(sorted(location.volumes), list(range(1, 30)))
        volume = location.volumes[SEVEN]
        self.assertEqual((volume.collection, volume.disk_id, volume.location), ("pics", 3, location))
        self.assertEqual(volume.read(1).data, b"needle 1")

    def test_index_directory(self) -> None:
        """Volumes whose index lies elsewhere are found by their .vif."""
        directory, index_directory = new_directory(self), new_directory(self)
        put_volume(directory, 7, index_directory=index_directory)
        self.assertFalse((directory / "7.idx").exists())
        location = new_location(self, directory, index_directory=index_directory)
        location.load()
        self.assertEqual(location.volumes[SEVEN].read(1).data, b"needle 1")

    def test_bad_volume_is_set_aside(self) -> None:
        """One volume that makes no sense is named with a reason, the others are served, its files stay."""
        directory = new_directory(self)
        for number in (6, 7, 8):
            put_volume(directory, number)
        (directory / "7.dat").write_bytes(b"\xffgarbage in the superblock")
        location = new_location(self, directory)
        location.load()
        self.assertEqual(sorted(location.volumes), [6, 8])
        self.assertEqual(list(location.failed), [7])
        self.assertTrue(location.failed[SEVEN])
        self.assertTrue((directory / "7.dat").exists())

    def test_twins(self) -> None:
        """Of two files of an id one is served; the other is told of, whichever comes first, also after a second look.
        """
        directory = new_directory(self)
        for collection, number in (("b\udcff", 7), ("", 7), ("a", 8), ("b", 8), ("a", 9)):
            put_volume(directory, number, collection)
        (directory / "a_8.dat").write_bytes(b"\xffgarbage in the superblock")
        location = new_location(self, directory)
        with self.assertLogs("seaweedvol.store", "ERROR") as logged:
            location.load()
        self.assertEqual(sorted(location.volumes), [7, 8, 9])
        told = sorted(record.getMessage() for record in logged.records)
        self.assertEqual(len(told), 2)
        self.assertTrue(told[0].startswith(f"{directory}/a_8.dat is not served: "))
        self.assertEqual(told[1], f"{directory}/b\udcff_7.dat is not served: volume 7 is served from {directory}/7.dat")
        for _ in range(2):
            self.assertEqual(sorted((each.volume_id, each.file) for each in location.not_served.values()),
                             [(7, f"{directory}/b\ufffd_7.dat"), (8, f"{directory}/a_8.dat")])
            location.load()
        (directory / "a_8.dat").unlink()
        location.load()
        self.assertEqual([each.volume_id for each in location.not_served.values()], [7])

    def test_disk_that_fails_when_loading(self) -> None:
        """It is counted, and told until the volume can be loaded."""
        directory = new_directory(self)
        put_volume(directory, 7)
        location = new_location(self, directory)
        real = load_volume
        self.patch(volumeloading, "load_volume", lambda *_, **__: fail_with(errno.EIO)())
        location.load()
        self.assertEqual((location.room.io_errors, len(location.not_served)), (1, 1))
        self.patch(volumeloading, "load_volume", real)
        location.load()
        self.assertEqual((list(location.volumes), location.not_served), ([7], {}))

    def test_name_that_is_no_text_is_set_aside(self) -> None:
        """No heartbeat could hold it, so it would keep the master from hearing of the others; its files stay."""
        directory = new_directory(self)
        put_volume(directory, 7, "b\udcff")
        put_volume(directory, 8, "b\udcff")
        put_volume(directory, 8)
        location = new_location(self, directory)
        with self.assertLogs("seaweedvol.store", "ERROR") as logged:
            location.load()
        self.assertEqual((list(location.volumes), list(location.failed)), ([8], [7]))
        told = "\n".join(sorted(record.getMessage() for record in logged.records))
        self.assertIn(f"{directory}/b\udcff_7.dat is not served", told)
        self.assertIn(f"{directory}/b\udcff_8.dat is not served", told)
        self.assertIsNone(location.mount(SEVEN))
        self.assertTrue((directory / "b\udcff_7.dat").exists())

    def test_unexpected_error_is_set_aside_too(self) -> None:
        """Even a mistake of ours costs one volume only."""
        directory = new_directory(self)
        put_volume(directory, 7)
        location = new_location(self, directory)

        def fail(*args: object, **named: object) -> None:
            raise ZeroDivisionError("ours")

        self.patch(volumeloading, "_opened", fail)
        location.load()
        self.assertEqual(location.failed, {7: "ZeroDivisionError('ours')"})

    def test_mended_volume_is_loaded_later(self) -> None:
        """Loading again takes what is new or has been repaired, and leaves loaded volumes alone."""
        directory = new_directory(self)
        put_volume(directory, 6)
        put_volume(directory, 7)
        good = (directory / "7.dat").read_bytes()
        (directory / "7.dat").write_bytes(b"\xff" * 100)
        location = new_location(self, directory)
        location.load()
        before = location.volumes[VolumeId(6)]
        (directory / "7.dat").write_bytes(good)
        put_volume(directory, 8)
        location.load()
        self.assertEqual((sorted(location.volumes), location.failed), ([6, 7, 8], {}))
        self.assertIs(location.volumes[VolumeId(6)], before)

    def test_unfinished_copy_is_removed(self) -> None:
        """A volume with a .note is gone afterwards; its neighbours are not."""
        directory = new_directory(self)
        put_volume(directory, 7)
        put_volume(directory, 7, "pics")
        (directory / "7.note").write_bytes(b"copying")
        location = new_location(self, directory)
        location.load()
        self.assertEqual(location.volumes[SEVEN].collection, "pics")
        self.assertFalse((directory / "7.dat").exists())

    def test_interrupted_compaction_is_settled_first(self) -> None:
        """The new files of a decided compaction are in force when the volume is loaded."""
        directory = new_directory(self)
        put_volume(directory, 7, needles=3)
        for old, new in ((".dat", ".cpd"), (".idx", ".cpx")):
            os.rename(directory / f"7{old}", directory / f"7{new}")
        put_volume(directory, 7, needles=1)
        (directory / "7.cpc").touch()
        location = new_location(self, directory)
        location.load()
        self.assertEqual(location.volumes[SEVEN].counts.file_count, 3)

    def test_compaction_that_cannot_be_settled(self) -> None:
        """Data and index that may not fit together are not served."""
        directory = new_directory(self)
        put_volume(directory, 7)
        shutil.copy(directory / "7.dat", directory / "7.cpd")
        (directory / "7.cpc").touch()

        def fail() -> None:
            raise OSError(5, "Input/output error")

        location = new_location(self, directory)
        failpoints.arm("rename", fail)
        self.addCleanup(failpoints.disarm, "rename")
        location.load()
        self.assertEqual(location.volumes, {})
        self.assertIn("interrupted compaction", location.failed[SEVEN])

    def test_encoded_volume_is_left_alone(self) -> None:
        """A .dat beside whole shards is not served, and nothing of it is touched."""
        directory = new_directory(self)
        put_volume(directory, 7)
        for name in ("7.ecx", "7.ec00"):
            (directory / name).write_bytes(b"x" * (1 << 20))
        before = sorted(os.listdir(directory))
        location = new_location(self, directory)
        location.load()
        self.assertEqual(location.volumes, {})
        self.assertIn("erasure-coded", location.failed[SEVEN])
        self.assertEqual(set(before) - set(os.listdir(directory)), set())


class MountingTests(unittest.SynchronousTestCase):
    """Single volumes come and go."""

    def setUp(self) -> None:
        """A location with volume 7 on disk."""
        self.directory = new_directory(self)
        put_volume(self.directory, 7)
        self.location = new_location(self, self.directory)

    def test_mount_and_unmount(self) -> None:
        """A volume is served between the two, its files stay."""
        volume = self.location.mount(SEVEN)
        assert volume is not None
        self.assertIs(self.location.mount(SEVEN), volume)
        self.location.unmount(SEVEN)
        self.location.unmount(SEVEN)
        self.assertEqual(self.location.volumes, {})
        self.assertTrue((self.directory / "7.dat").exists())

    def test_nothing_to_mount(self) -> None:
        """A volume that is not here is not mounted, nor is one that cannot be loaded."""
        self.assertIsNone(self.location.mount(VolumeId(8)))
        (self.directory / "7.dat").write_bytes(b"")
        self.assertIsNone(self.location.mount(SEVEN))
        self.assertIn(SEVEN, self.location.failed)

    def test_destroy(self) -> None:
        """The files go with the volume, unless it had to be empty and is not."""
        self.location.mount(SEVEN)
        self.assertRaises(VolumeNotEmpty, self.location.destroy, SEVEN, only_empty=True)
        self.assertIn(SEVEN, self.location.volumes)
        self.location.destroy(SEVEN)
        self.assertEqual(self.location.volumes, {})
        self.assertEqual(sorted(os.listdir(self.directory)), [".seaweedvol.lock", UUID_NAME])

    def test_close(self) -> None:
        """Nothing is served afterwards, by whoever still holds it either."""
        volume = self.location.mount(SEVEN)
        assert volume is not None
        self.location.close()
        self.location.close()
        self.assertEqual((self.location.volumes, volume.data_length), ({}, 0))


class RoomTests(unittest.SynchronousTestCase):
    """A full disk takes no more, and says so."""

    def test_low_space(self) -> None:
        """Volumes turn read-only, no slot is free, and the master hears of those in use only."""
        directory = new_directory(self)
        put_volume(directory, 7)
        location = new_location(self, directory, configured_max_count=5)
        location.load()
        self.assertEqual((location.has_free_slot, location.free_slots, location.reported_max_count), (True, 4, 5))
        location.min_free = NO_SPACE
        location.check_space()
        self.assertEqual((location.has_free_slot, location.free_slots, location.reported_max_count), (False, 0, 1))
        self.assertEqual(location.volumes[SEVEN].read_only_reasons, {ReadOnlyReason.LOW_DISK})
        location.min_free = ANY_SPACE
        location.check_space()
        self.assertFalse(location.volumes[SEVEN].is_read_only)

    def test_volume_that_comes_to_a_full_disk(self) -> None:
        """It is read-only from its first moment."""
        directory = new_directory(self)
        put_volume(directory, 7)
        location = new_location(self, directory, min_free=NO_SPACE)
        location.load()
        self.assertTrue(location.volumes[SEVEN].is_read_only)

    def test_all_slots_taken(self) -> None:
        """As many volumes as configured, and not one more."""
        directory = new_directory(self)
        put_volume(directory, 7)
        location = new_location(self, directory, configured_max_count=1)
        location.load()
        self.assertFalse(location.has_free_slot)

    def test_no_limit(self) -> None:
        """Without limit there is always room, until one has been worked out."""
        location = new_location(self, configured_max_count=0)
        self.assertTrue(location.has_free_slot)
        self.assertTrue(location.adjust_max_count(1 << 20, is_preallocating=False))
        self.assertEqual(location.reported_max_count, location.max_count)
        self.assertGreater(location.max_count, 0)

    def test_limit_counts_what_volumes_may_still_need(self) -> None:
        """What volumes have not used yet is not free for others, unless it was reserved already."""
        directory = new_directory(self)
        put_volume(directory, 7)
        location = new_location(self, directory, configured_max_count=0)
        location.load()
        huge = 1 << 60
        location.adjust_max_count(huge, is_preallocating=False)
        self.assertEqual(location.max_count, 1)
        self.assertFalse(location.has_free_slot)

    def test_configured_limit_stays(self) -> None:
        """A number from the operator is not adjusted."""
        location = new_location(self, configured_max_count=5)
        self.assertFalse(location.adjust_max_count(1 << 20, is_preallocating=True))
        self.assertEqual(location.max_count, 5)

    def test_dead_disk(self) -> None:
        """A directory that cannot be asked again and again is unavailable, and takes no volume."""
        location = new_location(self)
        location.load()
        shutil.rmtree(location.directory)
        for _ in range(FAILURES_UNTIL_UNAVAILABLE):
            self.assertFalse(location.is_unavailable)
            location.check_space()
        self.assertTrue(location.is_unavailable)
        self.assertFalse(location.has_free_slot)
