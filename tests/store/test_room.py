"""Tests for seaweedvol.store.room: when a disk is full, when it is not any more, and what is kept for deletions."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.store.diskspace import DiskHealth, MinFree
from seaweedvol.store.room import ALERT_SECONDS, FILL_RATE, LOOK_SECONDS, RESERVE_NAME, Room
from tests.store.making import new_directory

BLOCK = 4096
#: Blocks of the file system; a hundredth of it is one.
ALL = 6400
RULE = MinFree(amount=64 * BLOCK)
FULL = OSError(errno.ENOSPC, "No space left on device")


class RoomTests(SynchronousTestCase):
    """A file system of 25 MiB, of which 64 blocks must be free."""

    def setUp(self) -> None:
        self.directory = new_directory(self)
        self.path = self.directory / RESERVE_NAME
        self.now = 1000.0
        self.free = 1000
        self.room = self.make()

    def make(self, wanted: int = 1 << 20) -> Room:
        """The room of the directory."""
        return Room(self.directory, wanted, health=DiskHealth(self.directory, statvfs=self.statvfs),
                    seconds=lambda: self.now)

    def statvfs(self, path: str) -> Any:
        """The file system, which has no room for what the reserve takes."""
        held = self.path.stat().st_blocks * 512 // BLOCK if self.path.exists() else 0
        return SimpleNamespace(f_blocks=ALL, f_bsize=BLOCK, f_bavail=self.free - held)

    def is_low(self) -> bool:
        """After a look."""
        return self.room.look(RULE).is_low

    def test_reserve_is_filled(self) -> None:
        """With blocks, and no more than a hundredth of the file system; later looks leave it alone."""
        self.assertFalse(self.is_low())
        found = self.path.stat()
        self.assertEqual((found.st_size, found.st_blocks * 512), (64 * BLOCK, 64 * BLOCK))
        self.assertEqual(self.room.held, 64 * BLOCK)
        self.assertFalse(self.is_low())
        self.assertEqual(self.path.stat().st_ino, found.st_ino)

    def test_reserve_of_an_earlier_server(self) -> None:
        """It is as good as a new one; one that is too large, or not wanted at all, goes."""
        self.room.look(RULE)
        inode = self.path.stat().st_ino
        self.room = self.make()
        self.free = 100
        self.assertTrue(self.is_low())
        self.assertEqual((self.room.held, self.path.stat().st_ino), (64 * BLOCK, inode))
        self.room = self.make(wanted=0)
        self.room.look(RULE)
        self.assertEqual((self.room.held, self.path.exists()), (0, False))

    def test_no_room_for_it(self) -> None:
        """Room for the reserve comes before room for writes; without any rule too."""
        self.free = 64 + 63
        self.assertTrue(self.is_low())
        self.assertEqual(self.room.reason, "disk free 252.00 KiB >= required 256.00 KiB besides a reserve of 256.00 KiB"
                         .replace("252.00 KiB >=", "252.00 KiB <"))
        self.assertFalse(self.path.exists())
        self.free = 63
        self.assertTrue(self.room.look(MinFree(amount=0)).is_low)
        self.free = 64 + 64
        self.assertFalse(self.is_low())
        self.assertTrue(self.path.exists())

    def test_given_up_and_filled_again(self) -> None:
        """What asks for less than there is gets it; then it is missing until there is room, and so is room for writes.
        """
        self.free = 200
        self.assertFalse(self.is_low())
        self.assertFalse(self.room.give_way(64 * BLOCK + 1))
        self.assertTrue(self.path.exists())
        self.assertTrue(self.room.give_way(1))
        self.assertFalse(self.room.give_way(1))
        self.assertFalse(self.path.exists())
        self.free = 100
        self.assertTrue(self.is_low())
        self.free = 128
        self.assertFalse(self.is_low())
        self.assertTrue(self.path.exists())

    def test_no_file_can_be_made(self) -> None:
        """On a file system that is read-only, say, room is counted all the same."""
        self.patch(os, "posix_fallocate", self.refuse)
        self.assertFalse(self.is_low())
        self.assertFalse(self.path.exists())
        self.free = 127
        self.assertTrue(self.is_low())

    def refuse(self, *arguments: Any) -> None:
        """What a file system says that can do no such thing."""
        raise OSError(errno.EROFS, "Read-only file system")

    def test_failed_write(self) -> None:
        """It ends the writing at once; for a second, if the disk has room after all."""
        self.assertFalse(self.is_low())
        seen = self.room.note_error(3, FULL)
        assert seen is not None
        self.assertEqual((seen.is_low, seen.reason), (True, "a write failed: No space left on device"))
        self.assertTrue(self.is_low())
        self.assertEqual(self.room.reason, "a write failed: No space left on device")
        self.now += 1
        self.assertFalse(self.is_low())

    def test_quota(self) -> None:
        """A disk that has room and takes nothing is tried less and less often; after a while without errors, as soon
        as any.
        """
        self.is_low()
        waits = []
        for _ in range(8):
            self.room.note_error(3, OSError(errno.EDQUOT, "Disk quota exceeded"))
            began = self.now
            while self.is_low():
                self.now += ALERT_SECONDS
            waits.append(self.now - began)
        self.assertEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60])
        # Whoever makes room need not wait so long.
        self.room.note_error(3, FULL)
        self.assertTrue(self.is_low())
        self.free += 63
        self.assertTrue(self.is_low())
        self.free += 1
        self.assertFalse(self.is_low())
        self.now += 100
        self.room.note_error(3, FULL)
        self.now += 1
        self.assertFalse(self.is_low())

    def test_patience(self) -> None:
        """The less room there is, the sooner the next look; a second when there is none, a minute when there is plenty,
        and when the disk does not answer.
        """
        self.room = Room(self.directory, 0, health=DiskHealth(self.directory, statvfs=lambda path: self.large()))
        for gigabytes, seconds in ((10_000, LOOK_SECONDS), (40, 40 * 10**9 / FILL_RATE), (1, ALERT_SECONDS)):
            self.free = gigabytes * 10**9
            self.room.look(MinFree(percent=0))
            self.assertAlmostEqual(self.room.patience, seconds, delta=0.01)
        self.free = 0
        self.room.look(MinFree(amount=1))
        self.assertEqual(self.room.patience, ALERT_SECONDS)
        self.free = -1
        self.room.look(MinFree(amount=1))
        self.assertEqual(self.room.patience, LOOK_SECONDS)
        self.room.note_error(3, FULL)
        self.assertEqual(self.room.patience, ALERT_SECONDS)

    def large(self) -> Any:
        """A large file system, or one that does not answer."""
        if self.free < 0:
            raise OSError(errno.EIO, "Input/output error")
        return SimpleNamespace(f_blocks=10**13, f_bsize=1, f_bavail=self.free)

    def test_io_errors(self) -> None:
        """They are counted, and told at most once a second; there is room all the same."""
        with self.assertLogs("seaweedvol.store.room", "ERROR") as logged:
            for _ in range(5):
                self.assertIsNone(self.room.note_error(7, OSError(errno.EIO, "Input/output error")))
            self.now += 1
            self.assertIsNone(self.room.note_error(8, OSError(errno.EIO, "Input/output error")))
            self.assertIsNone(self.room.note_error(8, OSError(errno.ENOMEM, "no")))
        self.assertEqual(self.room.io_errors, 6)
        self.assertEqual([line.partition(f"{self.directory}: ")[2] for line in logged.output], [
            "I/O error 1, under volume 7: [Errno 5] Input/output error",
            "I/O error 6, under volume 8: [Errno 5] Input/output error"])
        self.assertFalse(self.is_low())
