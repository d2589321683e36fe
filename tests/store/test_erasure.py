"""Tests of :mod:`seaweedvol.store.erasure`: shards on one disk and on several, served and not."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from twisted.trial import unittest

from seaweedvol.ec.volume import EcVolume
from seaweedvol.storage.errors import VolumeError
from tests.store.making import new_directory, new_store
from tests.store.shards import (
    ALL, SEVEN, at, copy, encoded_directory, files, listening, move, read_needle, served, set_info, shard_names,
)


class StartTests(unittest.SynchronousTestCase):
    """What lies in one directory is served after a start."""

    def setUp(self) -> None:
        """A directory with all shards of volume 7."""
        self.directory, self.encoded = encoded_directory(self)

    def test_all_shards(self) -> None:
        """Every needle can be read from the shards, with the bytes that were written."""
        store = new_store(self, at(self.directory))
        self.assertEqual(served(store), [list(ALL)])
        volume = store.erasure.find(7)
        assert volume is not None
        found = {key: read_needle(store.erasure, volume, key) for key in self.encoded.held}
        self.assertEqual(found, self.encoded.held)
        self.assertIsNone(volume.find(5))
        self.assertIsNone(store.find(7))

    def test_some_shards(self) -> None:
        """Those that are elsewhere are nobody's concern here."""
        for name in shard_names((0, 3, 13)):
            (self.directory / f"7{name}").unlink()
        store = new_store(self, at(self.directory))
        self.assertEqual(store.erasure.shard_ids(7), [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        self.assertIsNone(store.erasure.shard(7, 3))

    def test_index_elsewhere(self) -> None:
        """An index in the directory for indexes, and one that was made before there was such a directory."""
        index_directory = new_directory(self)
        store = new_store(self, at(self.directory, index_directory=index_directory))
        self.assertEqual(served(store), [list(ALL)])
        store.close()
        move(self.directory, index_directory, (".ecx",))
        store = new_store(self, at(self.directory, index_directory=index_directory))
        self.assertEqual(served(store), [list(ALL)])

    def test_name_that_is_no_text(self) -> None:
        """Shards that no master could be told of are not served, and stay; one line names them."""
        for path in list(self.directory.iterdir()):
            if path.name.startswith("7."):
                path.rename(path.with_name(f"b\udcff_{path.name}"))
        with self.assertLogs("seaweedvol.store", "ERROR") as logged:
            store = new_store(self, at(self.directory))
        self.assertEqual((served(store), list(store.shard_reports())), ([[]], []))
        self.assertEqual([record.getMessage().split(": ")[0] for record in logged.records],
                         [f"{self.directory}/b\udcff_7"])
        self.assertTrue((self.directory / "b\udcff_7.ec00").exists())

    def test_no_index(self) -> None:
        """Shards of which nobody can tell what is in them wait, and stay."""
        (self.directory / "7.ecx").unlink()
        store = new_store(self, at(self.directory))
        self.assertEqual(served(store), [[]])
        self.assertLess(set(shard_names(ALL)), files(self.directory))

    def test_empty_shards(self) -> None:
        """They are not served; one that nobody can be writing any more is removed."""
        for number in (2, 4):
            (self.directory / f"7.ec{number:02d}").write_bytes(b"")
        old = time.time() - 3700
        os.utime(self.directory / "7.ec04", (old, old))
        store = new_store(self, at(self.directory))
        self.assertEqual(store.erasure.shard_ids(7), [number for number in ALL if number not in (2, 4)])
        self.assertIn(".ec02", files(self.directory))
        self.assertNotIn(".ec04", files(self.directory))

    def test_missing_info(self) -> None:
        """Without .vif the ratio is Go's, and none is made up."""
        (self.directory / "7.vif").unlink()
        store = new_store(self, at(self.directory))
        volume = store.erasure.find(7)
        assert volume is not None
        self.assertEqual((volume.encode_time_ns, volume.data_length, str(volume.ratio)), (0, 0, "10+4"))
        key = min(self.encoded.held)
        self.assertEqual(read_needle(store.erasure, volume, key), self.encoded.held[key])
        self.assertNotIn(".vif", files(self.directory))

    def test_journal(self) -> None:
        """What was deleted before the restart is deleted after it."""
        store = new_store(self, at(self.directory))
        store.erasure.tombstone(7, 3)
        store.erasure.tombstone(7, 12345)
        store.close()
        store = new_store(self, at(self.directory))
        volume = store.erasure.find(7)
        assert volume is not None
        found = volume.find(3)
        assert found is not None
        self.assertTrue(found.is_deleted)
        self.assertEqual((volume.delete_count, volume.file_count), (1, len(self.encoded.held)))

    def test_new_files(self) -> None:
        """Shards that are put there while the server runs are served, and announced, when it looks again."""
        elsewhere = new_directory(self)
        move(self.directory, elsewhere, shard_names((4, 5)))
        store = new_store(self, at(self.directory))
        move(elsewhere, self.directory, shard_names((4, 5)))
        listener = listening(store)
        store.load_new_volumes()
        self.assertEqual(listener.heard, [("ShardsAdded", 7, 0, (4, 5))])
        self.assertEqual(served(store), [list(ALL)])

    def test_two_collections(self) -> None:
        """An id stands for one volume: shards of another collection are not mixed with it."""
        for name in (*shard_names((0, 1)), ".ecx", ".vif"):
            (self.directory / f"pics_7{name}").write_bytes((self.directory / f"7{name}").read_bytes())
        store = new_store(self, at(self.directory))
        self.assertEqual(served(store), [list(ALL)])


class MountingTests(unittest.SynchronousTestCase):
    """Single shards come and go."""

    def setUp(self) -> None:
        """A store over two disks: the first has shards 0 to 6 and the index, the second the rest."""
        self.first, self.encoded = encoded_directory(self)
        self.second = new_directory(self)
        self.store = new_store(self, at(self.first), at(self.second))
        self.store.erasure.unload(7)
        move(self.first, self.second, shard_names(range(7, 14)))
        self.listener = listening(self.store)

    def test_mount(self) -> None:
        """A shard is found on whichever disk it is, with the index of the other, and announced with its disk."""
        self.store.erasure.mount(7, "", (3, 9))
        self.assertEqual(served(self.store), [[3], [9]])
        self.assertEqual(self.listener.heard, [("ShardsAdded", 7, 0, (3,)), ("ShardsAdded", 7, 1, (9,))])
        held = self.store.erasure.held(7, 9)
        assert held is not None
        self.assertEqual((held.volume.disk_id, held.shard.length), (1, 1 << 20))
        self.assertEqual([location.disk_id for location, _ in self.store.erasure.holders(7)], [0, 1])

    def test_mount_again(self) -> None:
        """What is served is announced again, and stays open."""
        self.store.erasure.mount(7, "", (3,))
        shard = self.store.erasure.shard(7, 3)
        self.store.erasure.mount(7, "", (3,))
        self.assertIs(self.store.erasure.shard(7, 3), shard)
        self.assertEqual(len(self.listener.heard), 2)

    def test_nothing_to_mount(self) -> None:
        """The reason is told in Go's words."""
        error = self.assertRaises(VolumeError, self.store.erasure.mount, 7, "", (14,))
        self.assertEqual(str(error), "MountEcShards 7.14 not found on disk")
        error = self.assertRaises(VolumeError, self.store.erasure.mount, 8, "", (1,))
        self.assertEqual(str(error), "MountEcShards 8.1: no .ecx index found on any local disk")
        self.assertEqual(self.listener.heard, [])

    def test_empty_shard_is_none(self) -> None:
        """Nobody could read from it."""
        (self.first / "7.ec03").write_bytes(b"")
        self.assertRaises(VolumeError, self.store.erasure.mount, 7, "", (3,))
        self.assertIsNone(self.store.erasure.find(7))

    def test_disk_that_fails(self) -> None:
        """An index that cannot be read is told with its disk, and the other disk has its turn."""
        with patch("seaweedvol.store.shardloading.open_volume", side_effect=OSError(5, "Input/output error")):
            error = self.assertRaises(VolumeError, self.store.erasure.mount, 7, "", (3,))
        self.assertEqual(
            str(error), f"MountEcShards 7.3 load failures: {self.first}: [Errno 5] Input/output error")

    def test_source_disk_type(self) -> None:
        """A volume may be reported under the disk type that it had before it was encoded."""
        self.store.erasure.mount(7, "", (3,), "SSD")
        self.assertEqual([report.disk_type for report in self.store.shard_reports()], ["ssd"])
        self.store.erasure.mount(7, "", (4,))
        self.assertEqual([report.disk_type for report in self.store.shard_reports()], ["ssd"])

    def test_unmount(self) -> None:
        """On every disk; with its last shard the volume goes, the files stay."""
        self.store.erasure.mount(7, "", (3, 4, 9))
        self.listener.heard.clear()
        self.store.erasure.unmount(7, (3, 9, 12))
        self.assertEqual(served(self.store), [[4], []])
        self.store.erasure.unmount(7, (4,))
        self.assertIsNone(self.store.erasure.find(7))
        self.assertEqual(self.listener.heard, [
            ("ShardsRemoved", 7, 0, (3,)), ("ShardsRemoved", 7, 1, (9,)), ("ShardsRemoved", 7, 0, (4,))])
        self.assertIn(".ec04", files(self.first))

    def test_unmount_older_only(self) -> None:
        """Who cleans up after an encoding may not take the shards of a later one, nor those of an unknown one."""
        self.store.erasure.mount(7, "", (3,))
        self.store.erasure.unmount(7, (3,), encode_time_ns=1)
        self.assertEqual(served(self.store), [[3], []])
        self.store.erasure.unmount(7, (3,), encode_time_ns=2)
        self.assertEqual(served(self.store), [[], []])

    def test_readers_keep_what_they_have(self) -> None:
        """A read that has begun ends well although the shard is unmounted meanwhile."""
        self.store.erasure.mount(7, "", (3,))
        shard = self.store.erasure.shard(7, 3)
        assert shard is not None
        read = shard.pinned()
        self.store.erasure.unmount(7, (3,))
        self.assertEqual(len(read(10, 0)), 10)
        self.assertRaises(OSError, shard.read_at, 10, 0)

    def test_finding_takes_no_lock(self) -> None:
        """Whoever reads is not kept waiting by who mounts."""
        self.store.erasure.mount(7, "", (3, 9))
        held = []
        for lock in (self.store.locations[0].changing, self.store.changing):
            lock.acquire()
        try:
            is_kept_waiting = _run(lambda: held.extend([
                self.store.erasure.find(7), self.store.erasure.shard(7, 9), self.store.erasure.reports()]))
        finally:
            for lock in (self.store.locations[0].changing, self.store.changing):
                lock.release()
        self.assertFalse(is_kept_waiting)
        self.assertEqual(len(held), 3)

    def test_tombstone_on_every_disk(self) -> None:
        """A needle stays deleted whichever of the disks is lost."""
        self.store.erasure.mount(7, "", (3, 9))
        self.store.erasure.settle()
        self.store.erasure.tombstone(7, 3)
        for directory in (self.first, self.second):
            (location,) = (each for each in self.store.locations if each.directory == directory)
            self.assertEqual(location.ec_volumes[SEVEN].delete_count, 1)
        self.assertTrue(self.store.erasure.is_deleted(7, 3))
        self.assertFalse(self.store.erasure.is_deleted(7, 4))

    def test_shared_journal(self) -> None:
        """Disks that share an index write a deletion once, and both know of it."""
        self.store.erasure.mount(7, "", (3, 9))
        self.store.erasure.tombstone(7, 3)
        self.assertEqual((self.first / "7.ecj").read_bytes(), (3).to_bytes(8, "big"))
        self.assertEqual([volume.delete_count for _, volume in self.store.erasure.holders(7)], [1, 1])


class GenerationTests(unittest.SynchronousTestCase):
    """Shards of different encodings meet on one server."""

    def setUp(self) -> None:
        """The first disk has two shards of an old encoding, the second all of a new one."""
        self.second, self.encoded = encoded_directory(self)
        self.first = new_directory(self)
        copy(self.second, self.first, (*shard_names((0, 1)), ".ecx", ".vif"))
        set_info(self.second, encode_time_ns=5)
        self.store = new_store(self, at(self.first), at(self.second))

    def test_shard_of_one_encoding(self) -> None:
        """Who asks for one encoding gets its shard although the other's comes first."""
        new = self.store.erasure.shard(7, 0, encode_time_ns=5)
        old = self.store.erasure.shard(7, 0, encode_time_ns=1)
        assert new is not None and old is not None
        self.assertEqual((Path(new.path).parent, Path(old.path).parent), (self.second, self.first))
        self.assertIs(self.store.erasure.shard(7, 0), old)
        self.assertIsNone(self.store.erasure.shard(7, 0, encode_time_ns=6))

    def test_youngest_index(self) -> None:
        """What an old encoding left does not keep anybody from reading the volume."""
        volume = self.store.erasure.find(7)
        assert volume is not None
        self.assertEqual(volume.encode_time_ns, 5)
        found = {key: read_needle(self.store.erasure, volume, key) for key in self.encoded.held}
        self.assertEqual(found, self.encoded.held)

    def test_old_deletions(self) -> None:
        """What was deleted from the old encoding may have been written again before the new one."""
        self.store.locations[0].ec_volumes[SEVEN].tombstone(3)
        self.assertFalse(self.store.erasure.is_deleted(7, 3))
        self.store.locations[1].ec_volumes[SEVEN].tombstone(4)
        self.assertTrue(self.store.erasure.is_deleted(7, 4))

    def test_unmount_older(self) -> None:
        """Only the old ones go."""
        self.store.erasure.unmount(7, ALL, encode_time_ns=5)
        self.assertEqual(served(self.store), [[], list(ALL)])

    def test_unload_on_one_disk(self) -> None:
        """A teardown that must not touch newer shards names the disks."""
        self.store.erasure.unload(7, self.store.locations[:1])
        self.assertEqual(served(self.store), [[], list(ALL)])


class RemovingTests(unittest.SynchronousTestCase):
    """Encoded volumes end."""

    def setUp(self) -> None:
        """A store with all shards of volume 7 on one disk."""
        self.directory, self.encoded = encoded_directory(self)
        self.store = new_store(self, at(self.directory))
        self.listener = listening(self.store)

    def test_destroy(self) -> None:
        """Nothing is left of it, and the master hears at once."""
        self.store.erasure.tombstone(7, 3)
        self.store.erasure.destroy(7)
        self.assertEqual(files(self.directory), set())
        self.assertIsNone(self.store.erasure.find(7))
        self.assertEqual(self.listener.heard, [("ShardsRemoved", 7, 0, tuple(ALL))])

    def test_destroy_leaves_the_data(self) -> None:
        """A .dat of the same id keeps the .vif, which is its own too."""
        (self.directory / "7.dat").write_bytes(b"x" * 100)
        self.store.erasure.destroy(7)
        self.assertEqual(files(self.directory), {".dat", ".vif"})

    def test_only_what_is_served(self) -> None:
        """A shard that is not served may be another's."""
        self.store.erasure.unmount(7, (3,))
        self.store.erasure.destroy(7)
        self.assertEqual(files(self.directory), {".ec03"})

    def test_file_that_stays(self) -> None:
        """The volume is served no more, and the caller hears of it."""
        with patch("seaweedvol.ec.volume.os.unlink", side_effect=PermissionError(1, "Operation not permitted")):
            self.assertRaises(PermissionError, self.store.erasure.destroy, 7)
        self.assertIsNone(self.store.erasure.find(7))
        self.assertEqual(len(self.listener.heard), 1)

    def test_collection(self) -> None:
        """A collection goes with its encoded volumes, other volumes stay."""
        self.store.delete_collection("pics")
        self.assertIsNotNone(self.store.erasure.find(7))
        self.store.delete_collection("")
        self.assertEqual(files(self.directory), set())

    def test_ordinary_volume_of_the_same_id(self) -> None:
        """Deleting the .dat that was encoded leaves the shards readable, now and after a restart."""
        elsewhere, _ = encoded_directory(self, keeps_data=True)
        copy(elsewhere, self.directory, (".dat", ".idx"))
        self.store.mount(SEVEN)
        self.store.delete_volume(SEVEN)
        self.assertEqual(files(self.directory), {*shard_names(ALL), ".ecx", ".vif", ".ecsum"})
        self.store.close()
        store = new_store(self, at(self.directory))
        volume = store.erasure.find(7)
        assert volume is not None
        self.assertEqual((volume.encode_time_ns, volume.shard_ids), (1, list(ALL)))

    def test_expired(self) -> None:
        """The report after whose time to live it is says that it is gone, and so it is."""
        self.assertEqual(self.store.report().expired_shards, ())
        self.store.erasure.unload(7)
        set_info(self.directory, expires_at=int(time.time()) - 2)
        self.store.erasure.mount(7, "", (1, 2))
        report = self.store.report()
        self.assertEqual([(each.id, each.shard_bits) for each in report.expired_shards], [(7, 6)])
        self.assertTrue(report.has_no_shards)
        self.assertNotIn(".ecx", files(self.directory))

    def test_replaced_while_it_expires(self) -> None:
        """Another encoding that comes in its place at that moment stays."""
        erasure, is_overdue = self.store.erasure, EcVolume.is_overdue
        erasure.unload(7)
        set_info(self.directory, expires_at=1)
        erasure.mount(7, "", ALL)

        def replacing(volume: EcVolume) -> bool:
            overdue = is_overdue(volume)
            erasure.unload(7)
            set_info(self.directory, expires_at=0)
            erasure.mount(7, "", ALL)
            return overdue

        with patch.object(EcVolume, "is_overdue", replacing):
            self.assertEqual(erasure.remove_overdue(), [])
        self.assertLess({*shard_names(ALL), ".ecx"}, files(self.directory))
        self.assertEqual(erasure.shard_ids(7), list(ALL))

    def test_not_expired_yet(self) -> None:
        """It is reported, with the time at which it goes."""
        self.store.erasure.unload(7)
        later = int(time.time()) + 1000
        set_info(self.directory, expires_at=later)
        self.store.erasure.mount(7, "", (1,))
        self.assertFalse(self.store.report().has_no_shards)
        self.assertEqual([report.expires_at for report in self.store.shard_reports()], [later])


class ReopeningTests(unittest.SynchronousTestCase):
    """Shards whose files are replaced while they are served."""

    def setUp(self) -> None:
        """One shard of volume 7, served."""
        self.directory, _ = encoded_directory(self)
        for name in shard_names(range(1, 14)):
            (self.directory / f"7{name}").unlink()
        self.store = new_store(self, at(self.directory))
        self.path = self.directory / "7.ec00"

    def put(self, data: bytes) -> None:
        """Another file in its place."""
        (self.directory / "new").write_bytes(data)
        os.replace(self.directory / "new", self.path)

    def test_reopened(self) -> None:
        """The new bytes are read, by whoever has found the volume before too; who is reading ends with the old."""
        erasure = self.store.erasure
        volume = erasure.find(7)
        assert volume is not None
        reading, old = volume.shards[0], volume.shards[0].read_at(8, 0)
        listener = listening(self.store)
        self.put(b"new bytes")
        erasure.reopen(7, (0, 1))
        self.assertEqual((volume.shards[0].read_at(99, 0), volume.shard_length), (b"new bytes", 9))
        self.assertEqual(reading.read_at(8, 0), old)
        self.assertIs(erasure.find(7), volume)
        self.assertEqual(listener.heard, [("ShardsAdded", 7, 0, (0,))])

    def test_nothing_there(self) -> None:
        """What cannot be read is no reason to let go of what can."""
        erasure = self.store.erasure
        self.put(b"")
        erasure.reopen(7, (0,))
        self.path.unlink()
        erasure.reopen(7, (0,))
        shard = erasure.shard(7, 0)
        assert shard is not None
        self.assertEqual(len(shard.read_at(8, 0)), 8)

    def test_not_served(self) -> None:
        """What is not served is not served afterwards either."""
        self.store.erasure.unmount(7, (0,))
        self.store.erasure.reopen(7, (0,))
        self.assertEqual(served(self.store), [[]])


def _run(work: Callable[[], object]) -> bool:
    """Run it in a thread of its own; whether it still runs after a while."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(5)
    return thread.is_alive()
