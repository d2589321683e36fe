"""Requests beyond the limits wait for room, for their time to run out, or for their client to give up."""

from __future__ import annotations

from twisted.internet.error import ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.interfaces import Location
from tests.conformance.exchange import get, post
from tests.web.serving import FakeResponse, HeldThreads, fid, make_world

LIMIT = 100


class WaitingTests(SynchronousTestCase):
    """A server with one needle, and a limit of 100 bytes in each direction, which is exceeded."""

    def setUp(self) -> None:
        self.threads = HeldThreads(is_open=True)
        self.world = make_world(
            self, "-inflightUploadDataTimeout=5s", "-inflightDownloadDataTimeout=7s", in_thread=self.threads,
            idle_seconds=0)
        self.world.allocate()
        self.path = self.world.put(1, b"stored before")
        self.up, self.down = self.world.server.upload_limit, self.world.server.download_limit
        self.up.limit = self.down.limit = LIMIT
        self.up.add(LIMIT + 1)
        self.down.add(LIMIT + 1)
        self.client = self.world.client()

    def check_nothing_waits(self) -> None:
        """Neither alarms nor counts are left over."""
        self.assertEqual(self.world.clock.getDelayedCalls(), [])
        self.assertEqual((self.up.in_flight, self.down.in_flight), (LIMIT + 1, LIMIT + 1))


class UploadTests(WaitingTests):
    """POST and PUT."""

    def test_gets_in(self) -> None:
        """An upload waits until enough bytes are through, then goes on as if nothing had been."""
        self.client.send(post(fid(2), b"two", method="PUT"))
        self.assertEqual(self.client.statuses, [])
        self.up.add(50)
        self.up.release(50)
        self.assertEqual(self.client.statuses, [])
        self.up.release(1)
        self.assertEqual(self.client.statuses, [201])
        self.up.add(1)
        self.check_nothing_waits()

    def test_one_goes_over(self) -> None:
        """At the limit one more request is let in, whatever its size."""
        self.up.release(1)
        self.client.send(post(fid(2), b"x" * 1000, method="PUT"))
        self.assertEqual(self.client.statuses, [201])

    def test_counts_until_stored(self) -> None:
        """An upload counts with its declared length from its head until its answer."""
        self.up.release(LIMIT + 1)
        self.threads.is_open = False
        self.client.write(b"PUT /1,02ffffffff HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\n")
        self.assertEqual(self.up.in_flight, 300)
        self.client.write(b"x" * 300)
        self.assertEqual(self.up.in_flight, 300)
        self.threads.open()
        self.assertEqual((self.client.statuses, self.up.in_flight), ([201], 0))

    def test_waits_in_vain(self) -> None:
        """After five seconds it is refused; the connection goes on."""
        self.client.send(post(fid(2), b"two", method="PUT"))
        self.world.clock.advance(4.9)
        self.assertEqual(self.client.statuses, [])
        self.up.add(20)
        self.up.release(20)
        self.world.clock.advance(0.2)
        answer, = self.client.answers()
        self.assertEqual((answer.status, answer.body),
                         (429, b'{"error":"reject because inflight upload data 101 \\u003e 100, and wait timeout"}'))
        self.assertFalse(self.client.is_closed)
        self.check_nothing_waits()

    def test_replicas_do_not_wait(self) -> None:
        """What another server repeats here was admitted there."""
        self.client.send(post(fid(2) + "?type=replicate", b"two", method="PUT"))
        self.assertEqual(self.client.statuses, [201])

    def test_client_gone(self) -> None:
        """A client that goes away waits no longer."""
        self.client.send(post(fid(2), b"two", method="PUT"))
        self.client.leave(ConnectionLost)
        self.check_nothing_waits()
        self.up.release(LIMIT)
        self.assertEqual(self.world.server.store.get(1).locate(2), None)

    def test_client_gives_up(self) -> None:
        """A client that ends its side is taken for gone once it has sent everything, here with an empty body."""
        self.client.send(post(fid(2), b"", method="PUT"))
        self.client.half_close()
        self.assertEqual([(answer.status, answer.body) for answer in self.client.answers()],
                         [(499, b'{"error":"context canceled"}')])
        self.check_nothing_waits()

    def test_everybody_is_woken(self) -> None:
        """When there is room again, all who wait are let in."""
        clients = [self.world.client() for _ in range(5)]
        for number, client in enumerate(clients):
            client.send(post(fid(10 + number), b"data", method="PUT"))
        self.up.release(LIMIT + 1)
        self.assertEqual([client.statuses for client in clients], [[201]] * 5)
        self.assertEqual(self.up.in_flight, 0)


class DownloadTests(WaitingTests):
    """GET and HEAD."""

    def test_gets_in(self) -> None:
        """A read waits until enough bytes are through."""
        self.client.send(get(self.path))
        self.assertEqual(self.client.statuses, [])
        self.down.release(1)
        self.assertEqual(self.client.answers()[0].body, b"stored before")
        self.down.add(1)
        self.check_nothing_waits()

    def test_waits_in_vain(self) -> None:
        """After seven seconds it is refused."""
        self.client.send(get(self.path))
        self.world.clock.advance(7.1)
        answer, = self.client.answers()
        self.assertEqual(answer.status, 429)
        self.assertEqual(answer.body, b'{"error":"request /1,015eaf00d5 because inflight download data 101 '
                                      b'\\u003e 100, and wait timeout"}')
        self.check_nothing_waits()

    def test_client_gone(self) -> None:
        """A client that goes away waits no longer, and one that ends its side neither."""
        self.client.send(get(self.path))
        self.client.leave(ConnectionLost)
        other = self.world.client()
        other.send(get(self.path))
        other.half_close()
        self.assertEqual(other.statuses, [499])
        self.check_nothing_waits()

    def test_another_server(self) -> None:
        """When another server has the volume too, it answers instead; unless it is that one that asks."""
        self.world.allocate(5, replication="001")
        self.world.locations.holders[5] = [Location("127.0.0.1:8080", ""), Location("b:2", "")]
        self.world.agent.answers["http://b:2/5,025eaf00d5?proxied=true"] = FakeResponse(200, b"from b")
        self.assertEqual(self.world.ask("GET", "/5,025eaf00d5").body, b"from b")
        self.client.send(get("/5,025eaf00d5?proxied=true"))
        self.assertEqual(self.client.statuses, [])
        self.down.release(LIMIT + 1)
        self.assertEqual(self.client.statuses, [404])

    def test_malformed_volume(self) -> None:
        """What cannot be read anyway does not wait."""
        self.assertEqual(self.world.ask("GET", "/x,015eaf00d5").status, 400)

    def test_administration(self) -> None:
        """The state of the server can always be asked for."""
        self.assertEqual(self.world.ask("GET", "/status").status, 200)
