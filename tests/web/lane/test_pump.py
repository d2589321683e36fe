"""Bodies that go from a file to a socket: verified, at the client's pace, and never waiting for a disk."""

from __future__ import annotations

import errno
import os
import random
import socket
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.errors import ChecksumMismatch, Corrupt
from seaweedvol.storage.format.checksum import crc32c, legacy_mask
from seaweedvol.web.lane import pump
from seaweedvol.web.lane.outgoing import ColdPages
from seaweedvol.web.lane.pump import BACKLOG, LEAST, PAGE_LENGTH, SHARE, FilePump, PinnedFile
from seaweedvol.web.threads import inline

START = 4099
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
NOISE = random.Random(4).randbytes(5 * SHARE // 2)


class PageCache:
    """What a file system has at hand, in place of ``preadv``.

    :ivar lacks: whether a byte is on the disk only.
    :ivar refusal: the error for what is not at hand.
    :ivar asked: offsets and lengths of all looks.
    """

    def __init__(self) -> None:
        self.lacks: Callable[[int], bool] = lambda at: False
        self.refusal = errno.EAGAIN
        self.asked: list[tuple[int, int]] = []
        self._preadv = os.preadv

    def preadv(self, descriptor: int, buffers: Any, offset: int, flags: int = 0) -> int:
        """As the kernel does it, but never what is lacking."""
        assert flags == os.RWF_NOWAIT
        view, = buffers
        self.asked.append((offset, len(view)))
        step = 4096
        there = next((at for at in range(offset, offset + len(view), step) if self.lacks(at)), None)
        if there == offset:
            raise OSError(self.refusal, os.strerror(self.refusal))
        return self._preadv(descriptor, (view if there is None else view[:there - offset],), offset)


class Threads:
    """Where slow reads go.

    :ivar reads: how many there were.
    :ivar after: called when one is done.
    """

    def __init__(self) -> None:
        self.reads = 0
        self.after: Callable[[], object] = lambda: None

    def __call__(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Awaitable[Any]:
        async def run() -> Any:
            outcome = await inline(work, *args, **kwargs)
            self.after()
            return outcome

        self.reads += 1
        return run()


class WatchedFile:
    """A pinned file that counts the bytes it was asked for in a thread."""

    def __init__(self, pinned: PinnedFile) -> None:
        self._pinned = pinned
        self.number = pinned.number
        self.reads: list[tuple[int, int]] = []

    def read_at(self, length: int, offset: int) -> bytes:
        """See PinnedFile."""
        self.reads.append((offset, length))
        return self._pinned.read_at(length, offset)

    def read_now(self, view: memoryview, offset: int) -> int:
        """See PinnedFile."""
        return self._pinned.read_now(view, offset)


def finish(work: Awaitable[None]) -> None:
    """Run a coroutine that waits for nothing."""
    try:
        next(iter(work.__await__()))
    except StopIteration:
        return
    raise AssertionError("it waits")


class PumpTests(SynchronousTestCase):
    """A file with a body in it, and a client."""

    def setUp(self) -> None:
        self.path = self.mktemp()
        with open(self.path, "wb") as file:
            file.write(bytes(START) + NOISE + b"footer")
        self.threads = Threads()
        self.file = WatchedFile(DiskFile(self.path, writable=False).pinned_descriptor())
        ours, self.theirs = socket.socketpair()
        self.addCleanup(self.theirs.close)
        self.addCleanup(ours.close)
        ours.setblocking(False)
        self.ours = ours
        self.theirs.setblocking(False)
        self.cache = PageCache()
        self.patch(os, "preadv", self.cache.preadv)
        self.received = bytearray()

    def pump(self, length: int, checksum: int | None = None, *, head: bytes = HEAD, start: int = START) -> FilePump:
        """One for the first bytes of the body."""
        return FilePump(head, self.file, start, length, checksum, self.threads)

    def verified(self, length: int) -> FilePump:
        """One that knows the checksum."""
        return self.pump(length, crc32c(NOISE[:length]))

    def receive(self, limit: int = 1 << 30) -> None:
        """The client takes what has come for it."""
        while limit:
            try:
                data = self.theirs.recv(min(limit, 1 << 20))
            except BlockingIOError:
                return
            self.received += data
            limit -= len(data)

    def send(self, outgoing: FilePump) -> int:
        """Send until all has left to a client that reads at once; how often the pump was called."""
        calls = 1
        while not outgoing.send_to(self.ours.fileno()):
            self.receive()
            calls += 1
        self.receive()
        return calls

    def send_warming(self, outgoing: FilePump) -> int:
        """As :meth:`send`, with what is not at hand read in a thread; how often that was."""
        warmed = 0
        for _ in range(10_000):
            try:
                is_over = outgoing.send_to(self.ours.fileno())
            except ColdPages:
                warmed += 1
                finish(outgoing.warm())
                continue
            self.receive()
            if is_over:
                return warmed
        raise AssertionError("no end")

    def fill(self) -> None:
        """Have the socket take nothing more."""
        try:
            while True:
                self.ours.send(bytes(4096))
        except BlockingIOError:
            pass

    def spoil(self, at: int) -> None:
        """Change one byte of the body on disk."""
        with open(self.path, "r+b") as file:
            file.seek(START + at)
            file.write(bytes([NOISE[at] ^ 1]))

    def assert_received(self, length: int, start: int = 0) -> None:
        """The head has come, and that much of the body."""
        self.assertTrue(bytes(self.received) == HEAD + NOISE[start:start + length], len(self.received))


class SendingTests(PumpTests):
    """What arrives."""

    def test_bodies(self) -> None:
        """Bodies of any length arrive whole after their heads."""
        for length in 0, 1, 4096, PAGE_LENGTH + 1, SHARE - 1, SHARE, SHARE + 1, len(NOISE):
            self.received.clear()
            self.send(self.verified(length))
            self.assert_received(length)

    def test_no_head(self) -> None:
        """A head that somebody else has sent is left out."""
        self.send(self.pump(5000, crc32c(NOISE[:5000]), head=b""))
        self.assertTrue(self.received == NOISE[:5000])

    def test_range(self) -> None:
        """A range arrives without a checksum."""
        self.send(self.pump(SHARE + 77, start=START + 1001))
        self.assert_received(SHARE + 77, 1001)

    def test_looked_at(self) -> None:
        """What the caller has just read is not read once more, as far as it leaves at once."""
        outgoing = FilePump(HEAD, self.file, START, len(NOISE), None, self.threads, is_looked_at=True)
        self.assertFalse(outgoing.send_to(self.ours.fileno()))
        self.assertEqual(self.cache.asked, [])
        self.receive()
        sent = len(self.received) - len(HEAD)
        self.send(outgoing)
        self.assert_received(len(NOISE))
        self.assertEqual(self.cache.asked[0][0], START + sent)

    def test_always_verified(self) -> None:
        """A body with a checksum is verified whoever has looked at it."""
        outgoing = FilePump(HEAD, self.file, START, 10, 0, self.threads, is_looked_at=True)
        self.assertRaises(ChecksumMismatch, outgoing.send_to, self.ours.fileno())

    def test_legacy_checksum(self) -> None:
        """A checksum that is stored masked is right too."""
        self.send(self.pump(70_000, legacy_mask(crc32c(NOISE[:70_000]))))
        self.assert_received(70_000)

    def test_share(self) -> None:
        """One call sends no more than a fair share, though the client took more."""
        self.patch(pump, "SHARE", 64 << 10)
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        outgoing = self.verified(1 << 20)
        self.assertFalse(outgoing.send_to(self.ours.fileno()))
        self.receive()
        self.assertLessEqual(len(self.received), len(HEAD) + (64 << 10))

    def test_file_closed(self) -> None:
        """A pump sends on though its file was closed, and lets go of it in the end."""
        file = DiskFile(self.path, writable=False)
        outgoing = FilePump(HEAD, file.pinned_descriptor(), START, len(NOISE), crc32c(NOISE), self.threads)
        number = file.pinned_descriptor().number
        file.close()
        self.send(outgoing)
        self.assert_received(len(NOISE))
        del outgoing
        self.assertRaises(OSError, os.fstat, number)

    def test_descriptor_stays_open(self) -> None:
        """The socket stays its owner's, also when the head does not fit into it."""
        self.fill()
        self.assertFalse(self.verified(10).send_to(self.ours.fileno()))
        os.fstat(self.ours.fileno())

    def test_broken_socket(self) -> None:
        """An error of the socket comes out."""
        self.theirs.close()
        self.assertRaises(OSError, self.verified(10).send_to, self.ours.fileno())
        os.fstat(self.ours.fileno())


class PaceTests(PumpTests):
    """Clients that do not read as fast as they might."""

    def test_full_socket(self) -> None:
        """A pump that finds the socket full says so, and begins when there is room."""
        self.fill()
        outgoing = self.verified(9000)
        for _ in range(3):
            self.assertFalse(outgoing.send_to(self.ours.fileno()))
        self.receive()
        self.received.clear()
        self.send(outgoing)
        self.assert_received(9000)

    def test_any_pace(self) -> None:
        """The body arrives whole at whatever pace it is taken, verified all the way."""
        for seed in range(5):
            dice = random.Random(seed)
            self.received.clear()
            outgoing = self.verified(len(NOISE))
            while not outgoing.send_to(self.ours.fileno()):
                self.receive(dice.choice((1, 5000, 100_000, 1 << 20)))
            self.receive()
            self.assert_received(len(NOISE))

    def test_head_in_pieces(self) -> None:
        """A head that the socket takes in part is gone on with."""
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        head = HEAD * 4000
        outgoing = self.pump(9000, crc32c(NOISE[:9000]), head=head)
        self.assertGreater(self.send(outgoing), 2)
        self.assertTrue(self.received == head + NOISE[:9000])

    def test_looks_again(self) -> None:
        """What had no room in the socket is looked at again before it leaves: it may have gone from memory."""
        outgoing = self.verified(SHARE)
        self.assertFalse(outgoing.send_to(self.ours.fileno()))
        self.receive()
        self.cache.lacks = lambda at: True
        self.assertRaises(ColdPages, outgoing.send_to, self.ours.fileno())
        self.cache.lacks = lambda at: False
        self.send(outgoing)
        self.assert_received(SHARE)

    def test_looks_at_less(self) -> None:
        """For a client that takes little at a time little is looked at; for one that takes more again, more."""
        outgoing = self.verified(len(NOISE))
        for _ in range(4):
            self.assertFalse(outgoing.send_to(self.ours.fileno()))
            self.receive(8192)
        self.assertEqual([length for _, length in self.cache.asked[1:]][-2:], [LEAST, LEAST])

    def test_grows(self) -> None:
        """The look grows back to a share when everything looked at is taken."""
        self.patch(pump, "LEAST", 4096)
        self.fill()
        outgoing = self.verified(300_000)
        self.assertFalse(outgoing.send_to(self.ours.fileno()))
        self.receive()
        self.received.clear()
        self.send(outgoing)
        self.assert_received(300_000)
        lengths = [length for _, length in self.cache.asked[1:]]
        self.assertEqual(lengths[:3], [4096, 8192, 16384])

    def test_memory(self) -> None:
        """Many clients that stopped reading cost nothing of their bodies."""
        outgoings = []
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(200):
            ours, theirs = socket.socketpair()
            self.addCleanup(ours.close)
            self.addCleanup(theirs.close)
            ours.setblocking(False)
            outgoing = self.pump(len(NOISE), 0)
            self.assertFalse(outgoing.send_to(ours.fileno()))
            self.assertFalse(outgoing.send_to(ours.fileno()))
            outgoings.append(outgoing)
        self.assertLess(tracemalloc.get_traced_memory()[0] - before, 200 * 4000)

    def test_backlog(self) -> None:
        """The kernel keeps a bounded part of a long body for a client that stopped reading; short bodies go at once."""
        with socket.create_server(("127.0.0.1", 0)) as port:
            theirs = socket.create_connection(port.getsockname())
            ours = port.accept()[0]
        ours.setblocking(False)
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        for length, is_bound in (SHARE, False), (SHARE + 1, True):
            self.verified(length).send_to(ours.fileno())
            found = ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
            self.assertEqual(found == BACKLOG, is_bound)


class DamageTests(PumpTests):
    """Bytes that are not what they were."""

    def test_small(self) -> None:
        """Nothing leaves of a body up to a share that is damaged, nor does the head."""
        self.spoil(SHARE - 1)
        self.assertRaises(ChecksumMismatch, self.verified(SHARE).send_to, self.ours.fileno())
        self.receive()
        self.assertEqual(self.received, b"")

    def test_large(self) -> None:
        """The last bytes of a longer body that is damaged never leave, however often the pump is asked."""
        self.spoil(5)
        outgoing = self.verified(len(NOISE))
        self.assertRaises(ChecksumMismatch, self.send, outgoing)
        self.assertRaises(ChecksumMismatch, outgoing.send_to, self.ours.fileno())
        self.receive()
        self.assertLess(len(self.received), len(HEAD) + len(NOISE))

    def test_withheld_from_slow(self) -> None:
        """A client that takes a damaged body bit by bit does not get its end either."""
        self.spoil(len(NOISE) - 1)
        outgoing = self.verified(len(NOISE))
        with self.assertRaises(ChecksumMismatch):
            while not outgoing.send_to(self.ours.fileno()):
                self.receive(7000)
        self.receive()
        self.assertLess(len(self.received), len(HEAD) + len(NOISE))

    def test_damaged_while_read(self) -> None:
        """Bytes are verified as they are when they leave."""
        outgoing = self.verified(SHARE)
        self.assertFalse(outgoing.send_to(self.ours.fileno()))
        self.receive()
        self.spoil(SHARE - 1)
        self.assertRaises(ChecksumMismatch, self.send, outgoing)

    def test_cut_short(self) -> None:
        """Where the file ends before the body, the client gets what there is, and then the error comes out."""
        os.truncate(self.path, START + 10_000)
        self.assertRaises(Corrupt, self.send_warming, self.verified(SHARE))
        self.receive()
        self.assert_received(10_000)

    def test_cut_while_sent(self) -> None:
        """A file that is cut between look and leave breaks the body off."""
        self.patch(os, "sendfile", lambda *args: 0)
        self.assertRaises(Corrupt, self.verified(SHARE).send_to, self.ours.fileno())

    def test_unreadable(self) -> None:
        """An error of the device comes out."""
        self.cache.lacks = lambda at: True
        self.cache.refusal = errno.EIO
        error = self.assertRaises(OSError, self.verified(10).send_to, self.ours.fileno())
        self.assertEqual(error.errno, errno.EIO)
