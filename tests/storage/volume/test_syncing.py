"""Group commit, and what is left when a sync fails."""

from __future__ import annotations

import errno
import threading

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import MemoryFile
from seaweedvol.storage.errors import NeedleDeleted, NeedleNotFound
from seaweedvol.storage.volume.core import Files
from seaweedvol.storage.volume.syncing import GroupSync, Put
from seaweedvol.storage.volume.volume import Volume
from tests.storage.volume.building import COOKIE, VolumeTestCase, draft, fail_with
from tests.together import run_together


class GroupSyncTests(SynchronousTestCase):
    """GroupSync with a sync that waits until it is told."""

    def test_those_who_wait_share_a_sync(self) -> None:
        """While one batch is synced, all that come join the next: two syncs for any number of appends."""
        lock, started, go_on = threading.Lock(), threading.Event(), threading.Event()
        syncs: list[int] = []

        def sync() -> None:
            syncs.append(1)
            started.set()
            go_on.wait(10)

        group = GroupSync(lock, sync, lambda puts: None)
        joined: list[object] = []
        arrivals = threading.Semaphore(0)

        def append(offset: int) -> None:
            with lock:
                batch = group.join(Put(1, offset, offset + 8, 16, None))
                joined.append(batch)
            arrivals.release()
            group.wait(batch)

        first = threading.Thread(target=append, args=(8,))
        first.start()
        started.wait(10)
        others = [threading.Thread(target=append, args=(16 * number,)) for number in range(1, 10)]
        for thread in others:
            thread.start()
        for _ in range(10):
            self.assertTrue(arrivals.acquire(timeout=10))
        go_on.set()
        for thread in (first, *others):
            thread.join()
        self.assertEqual((len(syncs), len(set(map(id, joined)))), (2, 2))
        self.assertFalse(group.is_pending(8))


class FailedSyncTests(VolumeTestCase):
    """Volume.append with fsync, when the device says no."""

    def setUp(self) -> None:
        """A volume with one needle."""
        super().setUp()
        self.volume.append(draft(1, b"one"))

    def files(self) -> tuple[bytes, bytes]:
        """Both files."""
        return self.ground.path(".dat").read_bytes(), self.ground.path(".idx").read_bytes()

    def append_unsynced(self, key: int, data: bytes) -> None:
        """An append whose sync fails."""
        with failpoints.armed("data.sync", fail_with(errno.EIO)):
            error = self.assertRaises(OSError, self.volume.append, draft(key, data), fsync=True)
        self.assertEqual(error.errno, errno.EIO)

    def test_synced(self) -> None:
        """With fsync there is one sync after the write, without there is none, unchanged data are synced too."""
        names: list[str] = []
        with failpoints.observed(names.append):
            self.volume.append(draft(2, b"two"))
            self.assertNotIn("data.sync", names)
            self.volume.append(draft(3, b"three"), fsync=True)
            self.assertEqual(names[-6:], [
                "data.write", "data.written", "index.write", "index.written", "data.sync", "data.synced",
            ])
            self.assertTrue(self.volume.append(draft(2, b"two"), fsync=True).is_unchanged)
            self.assertEqual(names[-2:], ["data.sync", "data.synced"])

    def test_a_new_needle_is_taken_back(self) -> None:
        """The files and the answer are as before, and the key can be written under any cookie."""
        before = self.files()
        self.append_unsynced(2, b"two")
        self.assertEqual(self.files(), before)
        self.assertRaises(NeedleNotFound, self.volume.read, 2)
        self.volume.append(draft(2, b"two", cookie=99), fsync=True)
        self.assertEqual(self.volume.read(2).data, b"two")

    def test_an_overwritten_needle_comes_back(self) -> None:
        """What was there before is there again, live or deleted."""
        before = self.files()
        self.append_unsynced(1, b"other")
        self.assertEqual((self.files(), self.volume.read(1).data), (before, b"one"))
        self.volume.delete(1, COOKIE)
        before = self.files()
        self.append_unsynced(1, b"other")
        self.assertEqual(self.files(), before)
        self.assertRaises(NeedleDeleted, self.volume.read, 1)

    def test_later_writes_stay(self) -> None:
        """An acknowledged write after the one that failed is not cut off with it, and a restart finds the same."""
        for key, state in ((1, b"one"), (5, None)):
            volume = self.volume

            def fail(key: int = key, volume: Volume = volume) -> None:
                failpoints.disarm("data.sync")
                volume.append(draft(10 + key, b"acknowledged"))
                raise OSError(errno.EIO, "no")

            with failpoints.armed("data.sync", fail):
                self.assertRaises(OSError, volume.append, draft(key, b"unsynced"), fsync=True)
            for _ in range(2):
                self.assertEqual(volume.read(10 + key).data, b"acknowledged")
                if state is None:
                    self.assertRaises(NeedleNotFound, volume.read, key)
                else:
                    self.assertEqual(volume.read(key).data, state)
                volume.close()
                volume = self.volume = self.ground.load()
        self.assertEqual(self.ground.reports, [])

    def test_a_later_delete_stays(self) -> None:
        """A needle that was deleted while its overwrite was being synced in vain does not come back."""

        def fail() -> None:
            self.assertGreater(self.volume.delete(1, COOKIE), 0)
            raise OSError(errno.EIO, "no")

        with failpoints.armed("data.sync", fail):
            self.assertRaises(OSError, self.volume.append, draft(1, b"unsynced"), fsync=True)
        for _ in range(2):
            self.assertRaises(NeedleDeleted, self.volume.read, 1)
            self.volume.close()
            self.volume = self.ground.load()

    def test_two_failed_batches(self) -> None:
        """The second takes back its own row, not the one with which the first restored what it had overwritten."""
        others: list[threading.Thread] = []

        def fail() -> None:
            if not others:
                others.append(threading.Thread(
                    target=self.assertRaises, args=(OSError, self.volume.append, draft(2, b"two")),
                    kwargs={"fsync": True},
                ))
                others[0].start()
                while self.volume.locate(2) is None:
                    pass
            raise OSError(errno.EIO, "no")

        with failpoints.armed("data.sync", fail):
            self.assertRaises(OSError, self.volume.append, draft(1, b"unsynced"), fsync=True)
            others[0].join()
        for _ in range(2):
            self.assertEqual(self.volume.read(1).data, b"one")
            self.assertRaises(NeedleNotFound, self.volume.read, 2)
            self.volume.close()
            self.volume = self.ground.load()
        self.assertEqual(self.ground.reports, [])

    def test_unsynced_data_are_no_reason_to_write_nothing(self) -> None:
        """The same data, written without fsync while a sync is under way that fails, are there afterwards."""

        def fail() -> None:
            failpoints.disarm("data.sync")
            self.assertFalse(self.volume.append(draft(2, b"two")).is_unchanged)
            raise OSError(errno.EIO, "no")

        with failpoints.armed("data.sync", fail):
            self.assertRaises(OSError, self.volume.append, draft(2, b"two"), fsync=True)
        self.assertEqual(self.volume.read(2).data, b"two")

    def test_taking_back_may_fail_too(self) -> None:
        """A disk that refuses everything gets a report and an error for the client, no endless wait."""
        files = self.volume._core.files
        assert files is not None

        def fail() -> None:
            failpoints.arm("data.sync", fail_with(errno.EIO))
            self.volume.append(draft(9, b"later"))
            failpoints.arm("index.write", fail_with(errno.EIO))
            raise OSError(errno.EIO, "no")

        failpoints.arm("data.sync", fail)
        self.addCleanup(failpoints.disarm)
        self.assertRaises(OSError, self.volume.append, draft(2, b"two"), fsync=True)
        self.assertIn("stays unsynced", self.ground.reports[-1])
        failpoints.disarm()
        self.assertEqual(self.volume.read(9).data, b"later")

    def test_a_volume_closed_meanwhile(self) -> None:
        """Closing between the write and its sync does not bring a failed write back."""
        core = self.volume._core

        def close() -> None:
            core.files = None
            raise OSError(errno.EIO, "no")

        files = core.files
        with failpoints.armed("data.sync", close):
            self.assertRaises(OSError, self.volume.append, draft(2, b"two"), fsync=True)
        core.files = files

    def test_one_sync_for_many(self) -> None:
        """Many threads with fsync need fewer syncs than writes."""
        files = self.volume._core.files
        assert files is not None
        file = MemoryFile(self.ground.path(".dat").read_bytes())
        self.volume._core.files = Files(file, files.needles)
        run_together(lambda key: self.volume.append(draft(key), fsync=True), range(100, 150))
        self.assertLessEqual(file.synced, 50)
        self.assertEqual(self.volume.counts.file_count, 51)
