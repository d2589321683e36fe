"""Following a volume: what is sent, for how long, and what arrives."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.errors import Refused
from seaweedvol.server.interfaces import RemoteCallFailed, TailPiece
from seaweedvol.server.tailing import PIECE_LENGTH, TICK, TailRequest, receive_tail, send_tail
from seaweedvol.storage.errors import ChecksumMismatch, Corrupt, NeedleNotFound, VolumeReadOnly
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.store import Store
from tests.server.building import COOKIE, VOLUME, new_volume, put, store_for
from tests.server.fakes import FakeSources


class TailCase(SynchronousTestCase):
    """A store with an empty volume."""

    def setUp(self) -> None:
        self.store = self.new_store()
        self.ticks = 0
        self.at_tick: dict[int, Callable[[], object]] = {}

    def new_store(self) -> Store:
        """Another one."""
        store = store_for(self)
        new_volume(store)
        return store

    def sleep(self, seconds: float) -> None:
        """What would be waited; what is to happen meanwhile happens."""
        self.assertEqual(seconds, TICK)
        self.ticks += 1
        self.at_tick.get(self.ticks, lambda: None)()

    def tail(self, since_ns: int = 0, idle_ticks: int = 1, volume_id: int = VOLUME) -> Iterator[TailPiece]:
        """What is sent."""
        return send_tail(self.store, TailRequest(VolumeId(volume_id), since_ns, idle_ticks), sleep=self.sleep)


class SendTests(TailCase):
    """The sender."""

    def test_nothing(self) -> None:
        """One empty piece for each look, until there were as many as the idle timeout says."""
        for ticks in (1, 3):
            self.ticks = 0
            self.assertEqual(list(self.tail(idle_ticks=ticks)), [TailPiece(is_last=True, version=3)] * ticks)
            self.assertEqual(self.ticks, ticks)

    def test_news(self) -> None:
        """What comes while somebody follows starts the idle timeout anew."""
        put(self.store, 1, b"one")
        self.at_tick = {2: lambda: put(self.store, 2, b"two"), 3: lambda: self.store.get(VOLUME).delete(1, COOKIE)}
        found = [int.from_bytes(piece.header[4:12], "big") for piece in self.tail(idle_ticks=2)]
        self.assertEqual(found, [1, 0, 2, 1, 0, 0])

    def test_since(self) -> None:
        """What the follower has already is not sent."""
        put(self.store, 1, b"one")
        since = self.store.get(VOLUME).last_append_at_ns
        put(self.store, 2, b"two")
        pieces = list(self.tail(since))
        self.assertEqual([piece.header[11:12] for piece in pieces], [b"\2", b""])
        self.assertIn(b"two", pieces[0].body)

    def test_large(self) -> None:
        """A large record comes in pieces that fit in a Go client's messages; the last one says so."""
        put(self.store, 1, os.urandom(PIECE_LENGTH * 2))
        pieces = list(self.tail())[:-1]
        self.assertEqual([(len(piece.body) == PIECE_LENGTH, piece.is_last) for piece in pieces],
                         [(True, False), (True, False), (False, True)])
        self.assertEqual(len({piece.header for piece in pieces}), 1)

    def test_no_end(self) -> None:
        """Without an idle timeout it goes on until nobody listens."""
        tail = self.tail(idle_ticks=0)
        for _ in range(20):
            next(tail)
        tail.close()  # type: ignore[attr-defined]

    def test_stop(self) -> None:
        """A server that stops in ten seconds ends at once what cannot have ended by then, with an error: the end of a
        tail means that all has come. What can is left to end."""
        for idle_ticks, is_ended_early in ((0, True), (7, True), (5, False)):
            self.ticks = 0
            request = TailRequest(VolumeId(VOLUME), 0, idle_ticks)
            tail = send_tail(self.store, request, sleep=self.sleep,
                             is_in_time=lambda seconds: self.ticks < 2 or self.ticks * TICK + seconds <= 10)
            if is_ended_early:
                words = str(self.assertRaises(Refused, list, tail))
                self.assertEqual((self.ticks, words), (2, "streamFollow: this server is stopping"))
            else:
                self.assertEqual(len(list(tail)), idle_ticks)

    def test_refusals(self) -> None:
        """A volume that is not here, and one that goes away."""
        self.assertEqual(str(self.assertRaises(Refused, list, self.tail(volume_id=9))), "not found volume id 9")
        self.at_tick = {1: lambda: self.store.unmount(VOLUME)}
        words = str(self.assertRaises(Refused, list, self.tail(idle_ticks=5)))
        self.assertEqual(words, "streamFollow: fail to locate by appendAtNs 0: volume 7 is closed")


class ReceiveTests(TailCase):
    """The receiver."""

    def setUp(self) -> None:
        super().setUp()
        self.target = self.new_store()
        self.sources = FakeSources(self.store, self.sleep)

    def receive(self, **changes: int) -> None:
        """All of the other server's volume, until it has nothing more."""
        wanted = TailRequest(VolumeId(changes.get("volume_id", VOLUME)), changes.get("since_ns", 0), 1, "there:8080")
        for step in receive_tail(self.target, self.sources, wanted):
            self.assertIsNone(step)

    def test_everything(self) -> None:
        """Needles with all that belongs to them, large and empty ones, and deletions."""
        put(self.store, 1, b"one", flags=8, last_modified=1700000000)
        put(self.store, 2, os.urandom(PIECE_LENGTH * 2))
        put(self.store, 3, b"three")
        self.store.get(VOLUME).delete(3, COOKIE)
        self.receive()
        ours, theirs = self.target.get(VOLUME), self.store.get(VOLUME)
        self.assertEqual(ours.data_length, theirs.data_length)
        for key in (1, 2):
            mine, other = ours.read(key), theirs.read(key)
            self.assertEqual((mine.data, mine.cookie, mine.last_modified, mine.flags),
                             (other.data, other.cookie, other.last_modified, other.flags))
        self.assertRaises(NeedleNotFound, ours.read, 3)
        self.assertEqual(ours.data_path.read_bytes()[-32:-12], theirs.data_path.read_bytes()[-32:-12])
        length = ours.data_length
        self.receive()
        # What is there already is not written again; what was deleted is, and is deleted again, as by Go.
        self.assertEqual(ours.data_length - length, 2 * 40 - 8)

    def test_no_volume(self) -> None:
        """Here; there."""
        self.assertEqual(str(self.assertRaises(Refused, self.receive, volume_id=9)), "receiver not found volume id 9")
        self.store.unmount(VOLUME)
        self.assertRaises(Refused, self.receive)

    def test_status_of_the_other(self) -> None:
        """What the other server answered is what our client gets."""
        self.sources.failure = RemoteCallFailed("rpc error: x", code="UNAVAILABLE", details="gone")
        error = self.assertRaises(RemoteCallFailed, self.receive)
        self.assertEqual((str(error), error.code), ("gone", "UNAVAILABLE"))

    def test_read_only(self) -> None:
        """A volume that takes no writes takes none of these."""
        put(self.store, 1, b"one")
        self.target.mark_read_only(VOLUME)
        self.assertEqual(str(self.assertRaises(VolumeReadOnly, self.receive)), "volume 7 is read only")

    def test_damaged(self) -> None:
        """A damaged needle ends it: it must not look as if everything had come."""
        put(self.store, 1, b"one")
        path = self.store.get(VOLUME).data_path
        content = path.read_bytes()
        path.write_bytes(content.replace(b"one", b"One"))
        self.assertRaises(ChecksumMismatch, self.receive)

    def test_cut_short(self) -> None:
        """So does a stream that ends within one, and a layout of the future."""
        put(self.store, 1, os.urandom(PIECE_LENGTH))
        self.sources.most_pieces = 1
        self.assertRaises(Corrupt, self.receive)
        self.sources.pieces = [TailPiece(bytes(16), bytes(16), True, 4)]
        self.assertEqual(str(self.assertRaises(Corrupt, self.receive)), "unsupported version 4!")
