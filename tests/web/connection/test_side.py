"""Connections while the express lane has a request of theirs: gathered, held, sent slowly, ended in the middle."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import VolumeClosed
from seaweedvol.storage.ids import NeedleId, VolumeId
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.web.connection.side import LaneSide
from seaweedvol.web.express.batches import Batches
from seaweedvol.web.sites import make_takes
from tests.conformance.exchange import Request, get, post
from tests.conformance.samples import RANDOM
from tests.web.roads import Road
from tests.web.serving import IDLE_SECONDS, Client, HeldThreads, World, fid, make_world
from tests.web.socketroads import SocketRoads, SocketTalk

UPLOAD = post(fid(1), RANDOM, ("Content-Type", "a/b"), method="PUT").encode()
STRANGER = UPLOAD.replace(b"00d5", b"00d6", 1)
HALF = len(UPLOAD) // 2


class TurnWorld:
    """A server whose batches are made when the test says so.

    :ivar threads: do nothing before they are told to.
    """

    def __init__(self, test: SynchronousTestCase) -> None:
        self.threads = HeldThreads()
        self.world: World = make_world(test, in_thread=self.threads)
        self.world.allocate()
        self.world.allocate(2)
        self.is_in_turn = True
        self.batches = Batches(self.threads, lambda: self.is_in_turn)
        self.world.site.take = make_takes(self.world.server, self.threads, self.batches, lambda: self.world.seconds)[0]
        self.road = Road(self.world, self.world.server.store.locations[0].directory)
        self.road.watch()

    def client(self) -> Client:
        """A new connection."""
        return self.world.client()


class GatheringTests(SynchronousTestCase):
    """Requests that come in pieces."""

    def setUp(self) -> None:
        """A server without turns."""
        self.world = make_world(self)
        self.world.allocate()
        self.road = Road(self.world, self.world.server.store.locations[0].directory)
        self.road.watch()
        self.client = self.world.client()

    def test_whole(self) -> None:
        """A body that comes in pieces is waited for, counted, and then taken."""
        self.client.write(UPLOAD[:HALF])
        self.assertEqual(self.world.server.upload_limit.in_flight, len(RANDOM))
        self.client.write(UPLOAD[HALF:-1])
        self.assertEqual(self.client.received, b"")
        self.client.write(UPLOAD[-1:] + get(fid(1)).encode())
        self.assertEqual(self.client.statuses, [201, 200])
        self.assertEqual((self.world.server.upload_limit.in_flight, self.road.asked), (0, 0))

    def test_half_close(self) -> None:
        """Half a request gets the general road's words when the client ends its side."""
        self.client.write(UPLOAD[:HALF])
        self.client.half_close()
        self.assertEqual((self.client.statuses, self.road.asked), ([400], 1))
        self.assertIn(b"unexpected EOF", self.client.received)
        self.assertEqual(self.world.server.upload_limit.in_flight, 0)
        self.assertTrue(self.client.is_closed)

    def test_idle(self) -> None:
        """A client that sends no more is told so when the idle time is over."""
        self.client.write(UPLOAD[:HALF])
        self.world.clock.advance(IDLE_SECONDS - 1)
        self.assertEqual((self.client.statuses, self.road.asked), ([], 0))
        self.world.clock.advance(2)
        self.assertEqual((self.client.statuses, self.road.asked), ([400], 1))
        self.assertIn(b"i/o timeout", self.client.received)
        self.assertEqual(self.world.server.upload_limit.in_flight, 0)

    def test_patience(self) -> None:
        """A client that sends a little now and then is waited for."""
        for start in range(0, len(UPLOAD), 500):
            self.client.write(UPLOAD[start:start + 500])
            self.world.clock.advance(IDLE_SECONDS - 1)
        self.assertEqual((self.client.statuses, self.road.asked), ([201], 0))

    def test_leaving(self) -> None:
        """Nothing is counted for a client that has left."""
        self.client.write(UPLOAD[:HALF])
        self.client.leave()
        self.assertEqual(self.world.server.upload_limit.in_flight, 0)
        self.assertEqual(self.world.ask("GET", fid(1)).status, 404)

    def test_stopping(self) -> None:
        """A server that stops lets the request come in, answers it and closes."""
        self.client.write(UPLOAD[:HALF])
        drained = self.world.site.drain()
        self.assertNoResult(drained)
        self.client.write(UPLOAD[HALF:])
        self.assertEqual((self.client.statuses, self.client.is_closed), ([201], True))
        self.client.leave()
        self.successResultOf(drained)

    def test_changed_meanwhile(self) -> None:
        """What cannot be taken any more once it is there gets the general road's answer."""
        self.client.write(UPLOAD[:HALF])
        self.world.server.store.mark_read_only(VolumeId(1))
        self.client.write(UPLOAD[HALF:])
        self.assertEqual((self.client.statuses, self.road.asked), ([500], 1))


class HeldTests(SynchronousTestCase):
    """Requests that have been taken and wait for their answer."""

    def setUp(self) -> None:
        """A server with turns."""
        self.turns = TurnWorld(self)
        self.world = self.turns.world

    def test_batch(self) -> None:
        """Requests of several clients are answered together, each client's in order."""
        clients = [self.turns.client() for _ in range(3)]
        for number, client in enumerate(clients, 1):
            path = fid(number)
            requests = post(path, RANDOM, method="PUT"), get(path), Request("DELETE", path)
            client.write(b"".join(request.encode() for request in requests))
        self.assertEqual([client.received for client in clients], [b"", b"", b""])
        while not all(len(client.statuses) == 3 for client in clients):
            self.turns.batches.flush()
        self.assertEqual([client.statuses for client in clients], [[201, 200, 202]] * 3)
        self.assertEqual(self.turns.road.asked, 0)

    def test_later_requests(self) -> None:
        """What a client sends meanwhile waits its turn, whole or not."""
        client = self.turns.client()
        client.write(UPLOAD)
        for piece in (get(fid(1)).encode(), get(fid(2)).encode()[:30], get(fid(2)).encode()[30:]):
            client.write(piece)
        self.assertEqual(client.received, b"")
        self.turns.batches.flush()
        self.assertEqual(client.statuses, [201, 200, 404])

    def test_many_behind(self) -> None:
        """Of thousands of requests in a row the lane is shown one at a time: looking at all for each took seconds."""
        take, offered = self.world.site.take, []
        assert take is not None

        def watched(data: bytes, channel: LaneSide) -> int:
            offered.append(len(data))
            return take(data, channel)

        self.world.site.take = watched
        client = self.turns.client()
        client.write(UPLOAD)
        one = get(fid(1)).encode()
        for _ in range(2):
            client.write(one * 500)
        client.write(UPLOAD + one)
        while len(client.statuses) < 1003:
            self.turns.batches.flush()
            self.turns.threads.run()
        self.assertEqual(client.statuses, [201] + [200] * 1000 + [204, 200])
        self.assertEqual(offered, [len(UPLOAD)] + [len(one)] * 1000 + [len(UPLOAD + one), len(one)])

    def test_closed_meanwhile(self) -> None:
        """An upload whose volume goes away before what it replaces was looked at is the general road's."""
        def gone(volume: Volume, key: int) -> None:
            raise VolumeClosed("volume 1 is closed")

        self.patch(Volume, "locate", gone)
        client = self.turns.client()
        for request in (post(fid(1), RANDOM[::-1], ("Content-Type", "a/b"), method="PUT").encode(), UPLOAD):
            client.write(request)
            self.turns.batches.flush()
        self.turns.threads.open()
        self.assertEqual((client.statuses, self.turns.road.asked), ([201, 201], 1))
        self.assertEqual(self.world.server.upload_limit.in_flight, 0)

    def test_leaving(self) -> None:
        """The upload of a client that left is stored, and nothing is counted for it any more."""
        client = self.turns.client()
        client.write(UPLOAD)
        client.leave()
        self.turns.batches.flush()
        self.assertEqual(self.world.server.upload_limit.in_flight, 0)
        self.assertEqual(self.world.server.needles.read(VolumeId(1), NeedleId(1)).data, RANDOM)

    def test_half_close(self) -> None:
        """A client that sends no more gets its answer before the connection ends."""
        client = self.turns.client()
        client.write(UPLOAD)
        client.half_close()
        self.assertFalse(client.is_closed)
        self.turns.batches.flush()
        self.assertEqual((client.statuses, client.is_closed), ([201], True))

    def test_stopping(self) -> None:
        """So does one of a server that stops, which then serves no more."""
        client = self.turns.client()
        client.write(UPLOAD + get(fid(1)).encode())
        drained = self.world.site.drain()
        self.assertFalse(client.is_closed)
        self.turns.batches.flush()
        self.assertEqual((client.statuses, client.is_closed), ([201], True))
        client.leave()
        self.successResultOf(drained)

    def test_idle(self) -> None:
        """Waiting for the disk is not idleness."""
        client = self.turns.client()
        client.write(UPLOAD)
        for _ in range(3):
            self.world.clock.advance(IDLE_SECONDS + 1)
        self.turns.batches.flush()
        self.assertEqual((client.statuses, client.is_closed, client.is_aborted), ([201], False, False))

    def test_given_back(self) -> None:
        """A key that another client stored in the same turn with another cookie is refused by the general road."""
        one, other = self.turns.client(), self.turns.client()
        one.write(UPLOAD + get(fid(1)).encode())
        other.write(STRANGER + get(fid(1)).encode())
        self.turns.batches.flush()
        self.assertEqual((one.statuses, other.statuses), ([201, 200], []))
        self.turns.threads.open()
        self.assertEqual((other.statuses, self.turns.road.asked), ([500, 200], 1))

    def test_given_back_when_stopping(self) -> None:
        """Then too the client has its answer before the connection ends."""
        one, other = self.turns.client(), self.turns.client()
        one.write(UPLOAD)
        other.write(STRANGER)
        drained = self.world.site.drain()
        self.turns.batches.flush()
        self.turns.threads.open()
        self.assertEqual((one.statuses, other.statuses), ([201], [500]))
        self.assertEqual((one.is_closed, other.is_closed), (True, True))
        one.leave()
        other.leave()
        self.successResultOf(drained)


class SlowReaderTests(SynchronousTestCase):
    """Clients that do not read what they asked for."""

    def setUp(self) -> None:
        """A server on a lane, with a small needle and a large one."""
        self.roads = SocketRoads(self)
        self.world = self.roads.lane.world
        self.roads.send(post(fid(1), RANDOM * 20, ("Content-Type", "a/b"), method="PUT"))
        self.roads.send(post(fid(2), RANDOM * 1000, ("Content-Type", "a/b"), method="PUT"))
        self.roads.lane.asked = 0

    def connect(self) -> SocketTalk:
        """A new connection."""
        talk = self.roads.connect(self.roads.lane, False)
        assert isinstance(talk, SocketTalk)
        self.addCleanup(talk.leave)
        return talk

    def test_small(self) -> None:
        """What is asked for beyond what the socket takes waits, and then comes in order."""
        talk = self.connect()
        for _ in range(40):
            talk.say(get(fid(1)).encode())
        self.assertGreater(talk.requests_waiting(), 10)
        received, is_closed, _ = talk.heard()
        self.assertEqual((received.count(b"HTTP/1.1 200 OK\r\n"), received.count(RANDOM), is_closed), (40, 800, False))
        self.assertEqual(self.roads.lane.asked, 0)

    def test_idle(self) -> None:
        """Who does not read at all is broken off when the idle time is over, and nothing is counted for it."""
        for path, count in ((fid(1), 40), (fid(2), 1)):
            talk = self.connect()
            for _ in range(count):
                talk.say(get(path).encode())
            self.advance(IDLE_SECONDS - 1)
            self.assertTrue(talk.is_open)
            self.advance(IDLE_SECONDS + 1)
            self.assertFalse(talk.is_open)
            self.assertEqual(self.world.server.download_limit.in_flight, 0)

    def test_slow(self) -> None:
        """Who reads a little now and then gets all."""
        talk = self.connect()
        talk.say(get(fid(2)).encode())
        length, rounds = 0, 0
        while piece := talk.sip(400_000):
            length, rounds = length + len(piece), rounds + 1
            self.advance(IDLE_SECONDS / 2)
        self.assertGreater(length, len(RANDOM) * 1000)
        self.assertGreater(rounds, 10)
        self.assertEqual(self.world.server.download_limit.in_flight, 0)

    def test_leaving(self) -> None:
        """Who leaves in the middle is not counted any more."""
        talk = self.connect()
        talk.say(get(fid(2)).encode())
        self.assertGreater(self.world.server.download_limit.in_flight, 0)
        talk.leave()
        self.assertEqual(self.world.server.download_limit.in_flight, 0)

    def test_stopping(self) -> None:
        """A server that stops sends what it began with, and then closes."""
        talk = self.connect()
        talk.say(get(fid(2)).encode() * 2)
        drained = self.world.site.drain()
        self.assertNoResult(drained)
        received, is_closed, _ = talk.heard()
        self.assertEqual((received.count(RANDOM), is_closed), (1000, False))
        # Its head did not say that it was the last one.
        talk.say(get(fid(2)).encode())
        received, is_closed, _ = talk.heard()
        self.assertEqual((received.count(RANDOM), is_closed), (1000, True))
        self.assertIn(b"\r\nConnection: close\r\n", received)
        self.successResultOf(drained)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.world.clock.advance(seconds)
        self.roads.turn()
