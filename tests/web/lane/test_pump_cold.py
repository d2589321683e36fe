"""Bodies of which the page cache lacks something: read in threads first, and still never sent unverified."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace

from seaweedvol.storage.errors import ChecksumMismatch
from seaweedvol.web.lane.outgoing import ColdPages
from seaweedvol.web.lane.pump import AHEAD, SHARE, FilePump
from tests.web.lane import test_pump
from tests.web.lane.test_pump import HEAD, NOISE, START, finish


class ColdTests(test_pump.PumpTests):
    """Bytes that are on the disk only."""

    def test_warmed(self) -> None:
        """What is not at hand is read in a thread, a share at a time and no more than the body; then it is sent."""
        warm: list[int] = [0]
        self.cache.lacks = lambda at: at >= warm[0]
        self.threads.after = lambda: warm.__setitem__(0, sum(self.file.reads[-1]))
        warmed = self.send_warming(self.verified(len(NOISE)))
        self.assertEqual(warmed, self.threads.reads)
        self.assertGreaterEqual(warmed, 3)
        self.assert_received(len(NOISE))
        self.assertEqual(max(sum(read) for read in self.file.reads), START + len(NOISE))

    def test_nothing_before(self) -> None:
        """Nothing leaves before what is needed is at hand."""
        self.cache.lacks = lambda at: True
        self.assertRaises(ColdPages, self.verified(10).send_to, self.ours.fileno())
        self.receive()
        self.assertEqual(self.received, b"")

    def test_partly_there(self) -> None:
        """What is at hand leaves before the rest is waited for."""
        self.cache.lacks = lambda at: at >= START + 8192
        outgoing = self.verified(SHARE)
        self.assertFalse(outgoing.send_to(self.ours.fileno()))
        self.assertRaises(ColdPages, outgoing.send_to, self.ours.fileno())
        self.receive()
        self.assert_received(8192)

    def test_never_there(self) -> None:
        """Where bytes never come to hand, everything is sent from what the threads read."""
        self.cache.lacks = lambda at: True
        self.send_warming(self.verified(len(NOISE)))
        self.assert_received(len(NOISE))
        # One share more: the first time it was not known yet.
        self.assertLess(sum(length for _, length in self.file.reads), 3 * len(NOISE))

    def test_never_there_damaged(self) -> None:
        """Nor does the end of a damaged body leave then."""
        self.cache.lacks = lambda at: True
        self.spoil(0)
        self.assertRaises(ChecksumMismatch, self.send_warming, self.verified(len(NOISE)))
        self.receive()
        self.assertLess(len(self.received), len(HEAD) + len(NOISE))

    def test_page_not_kept(self) -> None:
        """What was read in a thread is not kept for a client that does not take it."""
        self.cache.lacks = lambda at: True
        self.fill()
        outgoing = self.verified(SHARE)
        for _ in range(2):
            self.assertRaises(ColdPages, outgoing.send_to, self.ours.fileno())
            finish(outgoing.warm())
        self.assertFalse(outgoing.send_to(self.ours.fileno()))
        self.assertRaises(ColdPages, outgoing.send_to, self.ours.fileno())
        self.receive()
        self.received.clear()
        self.send_warming(outgoing)
        self.assert_received(SHARE)

    def test_slow_disk_fails(self) -> None:
        """An error of the slow read comes out of the wait."""
        def fail(length: int, offset: int) -> bytes:
            raise OSError(errno.EIO, "bad sector")

        self.patch(self.file, "read_at", fail)
        self.assertRaises(OSError, finish, self.verified(10).warm())

    def test_disk_is_told(self) -> None:
        """How reading goes counts for the volume, be it in a thread or not; what was at hand says nothing of the disk.
        """
        told: list[int | None] = []
        disk = SimpleNamespace(note_error=lambda error: told.append(error.errno), note_success=lambda: told.append(0))

        def pump() -> FilePump:
            return FilePump(HEAD, self.file, START, 10, None, self.threads, disk=disk)

        self.send(pump())
        self.assertEqual(told, [])
        finish(pump().warm())
        self.assertEqual(told, [0])
        self.cache.lacks, self.cache.refusal = lambda at: True, errno.EIO
        self.assertRaises(OSError, self.send, pump())
        self.assertEqual(told, [0, errno.EIO])

        def fail(length: int, offset: int) -> bytes:
            raise OSError(errno.EIO, "bad sector")

        self.patch(self.file, "read_at", fail)
        self.assertRaises(OSError, finish, pump().warm())
        self.assertEqual(told, [0, errno.EIO, errno.EIO])

    def test_asks_ahead(self) -> None:
        """The kernel is asked for more than is read at once; that it cannot be asked is no error."""
        asked: list[int] = []

        def advise(descriptor: int, offset: int, length: int, advice: int) -> None:
            asked.append(length)
            raise OSError(errno.EINVAL, "no such advice")

        self.patch(os, "posix_fadvise", advise)
        finish(self.verified(10).warm())
        self.assertEqual(asked, [AHEAD])
