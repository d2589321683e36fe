"""A disk that is full: writes end with the reason, deletions and vacuums go on, and nothing is damaged."""

from __future__ import annotations

import errno

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import NeedleDeleted, VolumeReadOnly
from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.batching import Put, Removal
from seaweedvol.storage.volume.readonly import ReadOnlyReason
from seaweedvol.store.room import RESERVE_NAME
from tests.storage.volume.building import COOKIE, draft
from tests.store.making import new_store, put_volume, new_directory

HERE, BESIDE, ELSEWHERE = VolumeId(7), VolumeId(8), VolumeId(9)
REASON = "disk space is low (a write failed: no more)"


class FullDiskTests(SynchronousTestCase):
    """Two disks: one that is full of two volumes and the reserve, and another one."""

    def setUp(self) -> None:
        self.store = new_store(self, count=2, reserve=1 << 16)
        self.first, self.second = self.store.locations
        for location, volume_id in ((self.first, HERE), (self.first, BESIDE), (self.second, ELSEWHERE)):
            put_volume(location.directory, volume_id, needles=3)
        self.store.load_new_volumes()
        self.here, self.beside, self.elsewhere = map(self.store.get, (HERE, BESIDE, ELSEWHERE))
        self.reserve = self.first.directory / RESERVE_NAME
        self.assertTrue(self.reserve.exists())
        self.later = 10.0**6
        self.patch(self.first.room, "_seconds", lambda: self.later)
        self.addCleanup(failpoints.disarm)

    def fill(self, *points: str) -> None:
        """No write gets any room as long as the reserve is there."""
        for point in points or ("data.write",):
            failpoints.arm(point, self.refuse)

    def refuse(self) -> None:
        """One write."""
        if self.reserve.exists():
            raise OSError(errno.ENOSPC, "no more")

    def check_closed(self) -> None:
        """Writes are refused on the full disk with the reason, on the other one they go on."""
        for volume in (self.here, self.beside):
            self.assertEqual(volume.read_only_reasons, {ReadOnlyReason.LOW_DISK})
            error = self.assertRaises(VolumeReadOnly, volume.append, draft(100))
            self.assertEqual(str(error), f"volume {volume.id} is read only: {REASON}")
            self.assertEqual((volume.reason_text(), volume.no_write_or_delete), (REASON, False))
        self.assertFalse(self.first.has_free_slot)
        failpoints.disarm()
        self.elsewhere.append(draft(100))

    def check_needles(self) -> None:
        """All that was stored is there."""
        for volume in (self.here, self.beside, self.elsewhere):
            for key in range(1, 4):
                self.assertEqual(volume.read(key).data, b"needle %d" % key)

    def resume(self) -> None:
        """There is room again, and a second later somebody looks."""
        failpoints.disarm()
        self.later += 1000
        self.first.check_space()
        self.assertTrue(self.reserve.exists())
        for volume in (self.here, self.beside):
            self.assertEqual(volume.read_only_reasons, set())
            volume.append(draft(101, b"after"))
            self.assertEqual(volume.read(101).data, b"after")

    def test_writes(self) -> None:
        """The first write that fails ends the writing on its disk, at whatever file it failed; later it resumes."""
        for point in ("data.write", "data.written", "index.write", "index.written"):
            length = self.here.data_length, self.here.index_length
            self.fill(point)
            self.assertRaises(OSError, self.here.append, draft(50, b"x" * 1000))
            self.assertEqual((self.here.data_length, self.here.index_length), length)
            self.check_closed()
            self.check_needles()
            self.resume()
            self.here.delete(101, COOKIE)
            self.beside.delete(101, COOKIE)

    def test_batches(self) -> None:
        """The same with many at once: each of them is tried alone then, of which the first ends the writing."""
        self.fill()
        body = b"many"
        puts = [Put(key, COOKIE, body, crc32c(body), b"\0", 0) for key in range(50, 60)]
        self.here.apply(puts)
        self.assertEqual({(each.is_taken, type(each.error)) for each in puts}, {(True, OSError)})
        self.assertFalse(self.here.is_read_only)
        self.assertRaises(OSError, self.here.append, draft(50, body))
        self.check_closed()
        again = Put(50, COOKIE, body, crc32c(body), b"\0", 0)
        self.here.apply([again])
        self.assertFalse(again.is_taken)
        self.check_needles()
        self.resume()

    def test_deletions(self) -> None:
        """One that finds no room gets what is kept for it, in either file; only then it is written."""
        for key, point in ((1, "data.write"), (2, "index.write")):
            self.fill(point)
            self.assertGreater(self.here.delete(key, 0x1234), 0)
            self.assertRaises(NeedleDeleted, self.here.read, key)
            self.assertFalse(self.reserve.exists())
            self.assertEqual(self.here.read_only_reasons, {ReadOnlyReason.LOW_DISK})
            self.resume()
        self.assertEqual(self.here.read(3).data, b"needle 3")

    def test_deletions_of_a_batch(self) -> None:
        """They are left for who makes them one by one."""
        self.fill()
        removal = Removal(1, 0x1234)
        self.here.apply([removal])
        self.assertTrue(removal.is_taken)
        self.assertIsInstance(removal.error, OSError)
        self.assertEqual(self.here.read(1).data, b"needle 1")
        self.assertGreater(self.here.delete(1, 0x1234), 0)

    def test_no_reserve(self) -> None:
        """Without one a deletion fails, and changes nothing."""
        self.first.room.give_way(1)
        failpoints.arm("data.write", self.refuse_always)
        self.assertRaises(OSError, self.here.delete, 1, 0x1234)
        self.assertEqual(self.here.read(1).data, b"needle 1")

    def refuse_always(self) -> None:
        """One write."""
        raise OSError(errno.ENOSPC, "no more")

    def test_vacuum(self) -> None:
        """One that finds no room leaves the volume as it was; there is none for writes meanwhile."""
        self.here.delete(1, 0x1234)
        failpoints.arm("compacted.write", self.refuse_always)
        self.assertRaises(OSError, list, self.here.compact())
        self.assertEqual(self.here.read_only_reasons, {ReadOnlyReason.LOW_DISK})
        failpoints.disarm()
        list(self.here.compact())
        self.assertTrue(self.here.commit_compaction())
        self.assertEqual(self.here.read(2).data, b"needle 2")

    def test_log(self) -> None:
        """One line when it begins, and one when it ends."""
        with self.assertLogs("seaweedvol.store.location", "WARNING") as logged:
            self.fill()
            self.assertRaises(OSError, self.here.append, draft(50))
            self.assertRaises(VolumeReadOnly, self.here.append, draft(50))
            self.resume()
        said = [line.partition(f"{self.first.directory}: ")[2] for line in logged.output]
        self.assertEqual(said[0], "a write failed: no more: 2 volumes take deletions only")
        self.assertTrue(said[1].endswith(": 2 volumes take writes again"), said)
        self.assertEqual(len(said), 2)

    def test_volume_that_comes(self) -> None:
        """One that is mounted on the full disk takes no writes either."""
        self.fill()
        self.assertRaises(OSError, self.here.append, draft(50))
        put = new_directory(self)
        failpoints.disarm()
        put_volume(put, 10)
        for path in put.iterdir():
            path.rename(self.first.directory / path.name)
        self.assertEqual(self.store.mount(VolumeId(10)).reason_text(), REASON)
