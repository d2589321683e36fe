"""Answers on their way out: at the client's pace, and broken off when they would be wrong."""

from __future__ import annotations

import random

from twisted.internet.error import ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.ids import VolumeId
from seaweedvol.web.connection.render import BUFFERED_LENGTH, PAGE_LENGTH
from tests.conformance.exchange import get
from tests.web.serving import HeldThreads, make_world

LARGE = random.Random(7).randbytes(3 << 20)


class RenderTests(SynchronousTestCase):
    """A server with a needle that does not fit into memory at once, as it thinks."""

    def setUp(self) -> None:
        self.threads = HeldThreads(is_open=True)
        self.world = make_world(self, in_thread=self.threads)
        self.world.allocate()
        self.path = self.world.put(1, LARGE, ("Content-Type", "application/x-noise"))
        self.client = self.world.client()

    def in_flight(self) -> int:
        """Bytes that the server counts as going out."""
        return self.world.server.download_limit.in_flight

    def spoil(self, at: int) -> None:
        """Change a byte of the needle on disk, counted from the beginning of its data."""
        place = self.world.server.store.get(VolumeId(1)).data_path
        with open(place, "r+b") as file:
            start = file.read().index(LARGE[:100])
            file.seek(start + at)
            file.write(bytes([LARGE[at] ^ 1]))

    def shorten(self, length: int) -> None:
        """Cut the file of the volume."""
        with open(self.world.server.store.get(VolumeId(1)).data_path, "r+b") as file:
            file.truncate(length)


class PaceTests(RenderTests):
    """Backpressure, and who counts as under way."""

    def test_whole(self) -> None:
        """A client that reads gets everything, and then nothing counts as under way any more."""
        answer, = self.client.send(get(self.path))
        self.assertEqual(answer.header("Content-Length"), str(len(LARGE)))
        self.assertTrue(answer.body == LARGE)
        self.assertEqual(self.in_flight(), 0)
        self.assertFalse(self.client.is_closed)

    def test_slow_client(self) -> None:
        """A client that does not read holds up a bounded part of its answer, which counts until the last byte left."""
        self.client.wire.takes_bytes = False
        self.client.send(get(self.path))
        ceiling = BUFFERED_LENGTH + PAGE_LENGTH + 1000
        self.assertLess(len(self.client.received), ceiling)
        rounds = 0
        while len(self.client.received) < len(LARGE):
            self.assertGreaterEqual(self.in_flight(), len(LARGE))
            before = len(self.client.received)
            assert self.client.wire.producer is not None
            self.client.wire.producer.resumeProducing()
            self.assertLessEqual(len(self.client.received) - before, PAGE_LENGTH)
            rounds += 1
        self.assertGreater(rounds, 20)
        self.assertGreater(self.in_flight(), 0)
        self.client.take_bytes()
        self.assertEqual(self.in_flight(), 0)
        self.assertTrue(self.client.answers()[0].body == LARGE)
        self.assertEqual(self.client.send(get("/healthz"))[1].status, 503)

    def test_reads_ahead(self) -> None:
        """While a page is on its way the next one is being read, and no more than that."""
        self.threads.is_open = False
        self.client.wire.takes_bytes = False
        self.client.send(get(self.path))
        while not self.client.received:
            self.assertEqual(len(self.threads.waiting), 1)
            self.threads.run()
        self.assertEqual(len(self.threads.waiting), 1)
        self.threads.run()
        self.assertEqual(self.threads.waiting, [])

    def test_client_gone(self) -> None:
        """A client that goes away while its answer is on its way counts no more, and nothing is read for it."""
        self.client.wire.takes_bytes = False
        self.client.send(get(self.path))
        self.client.leave(ConnectionLost)
        self.assertEqual(self.in_flight(), 0)
        self.assertEqual(self.threads.waiting, [])

    def test_client_gone_while_reading(self) -> None:
        """So does one that goes away while the server reads, at whatever point."""
        for point in range(1, 6):
            self.threads.is_open = False
            client = self.world.client()
            client.send(get(self.path))
            for _ in range(point):
                self.threads.run()
            client.leave(ConnectionLost)
            self.threads.open()
            self.assertEqual(self.in_flight(), 0)

    def test_head_only(self) -> None:
        """HEAD tells the length and reads nothing."""
        answer, = self.client.send(get(self.path, method="HEAD"))
        self.assertEqual((answer.status, answer.header("Content-Length")), (200, str(len(LARGE))))
        self.assertEqual(self.in_flight(), 0)

    def test_ranges(self) -> None:
        """Parts come from their places, across pages."""
        answer, = self.client.send(get(self.path, ("Range", "bytes=100000-2000000")))
        self.assertEqual(answer.status, 206)
        self.assertTrue(answer.body == LARGE[100000:2000001])
        answer = self.client.send(get(self.path, ("Range", "bytes=5-9,3000000-3000003")))[1]
        self.assertIn(LARGE[5:10], answer.body)
        self.assertIn(LARGE[3000000:3000004], answer.body)
        self.assertIn(b"Content-Range: bytes 5-9/3145728\r\nContent-Type: application/x-noise\r\n", answer.body)
        self.assertEqual(self.in_flight(), 0)


class DamageTests(RenderTests):
    """What the disk gives back is not what was stored."""

    def test_wrong_checksum(self) -> None:
        """A whole needle is never delivered to its end when its checksum is wrong, and the client can see that."""
        self.spoil(1 << 20)
        answer, = self.client.send(get(self.path))
        self.assertEqual(answer.header("Content-Length"), str(len(LARGE)))
        self.assertLess(len(answer.body), len(LARGE))
        self.assertTrue(self.client.is_aborted)
        self.client.leave()
        self.assertEqual(self.in_flight(), 0)

    def test_wrong_last_byte(self) -> None:
        """Also when only its last byte is wrong."""
        self.spoil(len(LARGE) - 1)
        answer, = self.client.send(get(self.path))
        self.assertLess(len(answer.body), len(LARGE))
        self.assertTrue(self.client.is_aborted)

    def test_range_of_damaged(self) -> None:
        """A part that was asked for by itself cannot be checked, and is delivered."""
        self.spoil(1 << 20)
        answer, = self.client.send(get(self.path, ("Range", "bytes=0-9")))
        self.assertEqual(answer.body, LARGE[:10])
        self.assertFalse(self.client.is_closed)

    def test_file_ends_early(self) -> None:
        """Data that are missing break the answer off."""
        self.threads.is_open = False
        self.client.wire.takes_bytes = False
        self.client.send(get(self.path))
        while not self.client.received:
            self.threads.run()
        self.shorten(1 << 20)
        self.threads.open()
        self.client.take_bytes()
        self.assertTrue(self.client.is_aborted)
        self.client.leave()
        self.assertEqual(self.in_flight(), 0)

    def test_nothing_to_read(self) -> None:
        """When not even the beginning can be read, the answer says so instead, without the headers of the data."""
        self.threads.is_open = False
        self.client.send(get(self.path))
        self.threads.run()
        self.shorten(8)
        self.threads.open()
        answer, = self.client.answers()
        self.assertEqual((answer.status, answer.body), (500, b"needle 1 is cut short at 0\n"))
        self.assertEqual(answer.header("Content-Type"), "text/plain; charset=utf-8")
        self.assertEqual(answer.header("Content-Length"), str(len(answer.body)))
        self.assertFalse(self.client.is_closed)
        self.assertEqual(self.in_flight(), 0)
