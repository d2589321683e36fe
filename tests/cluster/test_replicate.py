"""Writes and deletes on other servers, over HTTP connections that lie in memory: what holds on both roads."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import attrs
from treq.testing import RequestTraversalAgent
from twisted.internet import defer, task
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionLost, ConnectionRefusedError, TimeoutError
from twisted.internet.interfaces import IProtocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseNeverReceived
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from seaweedvol.cluster.formbody import FormBody
from seaweedvol.cluster.replicaconnection import ANSWER_SECONDS, CONNECT_SECONDS
from seaweedvol.cluster.replicaroad import ROAD_BYTES, ReplicaRoad
from seaweedvol.cluster.replicate import Replicator
from seaweedvol.server.interfaces import Location, RemoteCallFailed
from seaweedvol.storage.format.needle import FLAG_COMPRESSED, FLAG_MANIFEST
from seaweedvol.storage.format.ttl import Ttl, parse_ttl
from tests.cluster.memorysockets import MemorySockets

HERE, THERE = Location("one:8080", "one:8080"), Location("two:8080", "two:8080")


@attrs.frozen
class Data:
    """A body in pieces."""

    pieces: tuple[bytes, ...] = (b"hel", b"lo")

    @property
    def length(self) -> int:
        """Bytes."""
        return sum(map(len, self.pieces))

    def chunks(self) -> Iterator[bytes]:
        """The pieces."""
        return iter(self.pieces)


@attrs.frozen
class Written:
    """A needle that was written here."""

    body: Data = Data()
    flags: int = 0
    name: bytes = b"a.txt"
    mime: bytes = b"text/css"
    pairs: bytes = b""
    last_modified: int = 0
    ttl: Ttl | None = None


@attrs.frozen
class Seen:
    """One request as a replica saw it."""

    method: bytes
    uri: bytes
    headers: Headers
    body: bytes


class Replica(Resource):
    """Another volume server: remembers requests, answers as told."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Seen] = []
        self.status, self.answer = 201, b'{"name":"a.txt","size":5,"eTag":"x"}'

    def render(self, request: Request) -> bytes:
        """Remember and answer."""
        assert request.content is not None
        self.seen.append(Seen(request.method, request.uri, request.requestHeaders, request.content.read()))
        request.setResponseCode(self.status)
        return self.answer


def at_once(function: Callable[..., Any], *args: Any) -> defer.Deferred[Any]:
    """A thread that is none."""
    return defer.maybeDeferred(function, *args)


class LongRoad:
    """Twisted's client."""

    def __init__(self, replica: Replica) -> None:
        self._agent = RequestTraversalAgent(replica)
        self.replicator = Replicator(self._agent, task.Clock(), at_once)

    def flush(self) -> None:
        """Let everything arrive."""
        self._agent.flush()


class ShortRoad:
    """Connections of our own."""

    def __init__(self, replica: Replica) -> None:
        self._sockets = MemorySockets(task.Clock())
        # Its timers must not be the real reactor's.
        self._site = Site(replica, reactor=task.Clock())
        self._servers: list[tuple[IProtocol, StringTransport]] = []
        for host in ("one", "two"):
            self._sockets.names[host] = [(socket.AF_INET, (host, 8080))]
        self.replicator = Replicator(
            ScriptedAgent(), task.Clock(), at_once, ReplicaRoad(self._sockets.pool))  # type: ignore[arg-type]

    def flush(self) -> None:
        """Let everything arrive."""
        for index, one in enumerate(self._sockets.opened):
            if index == len(self._servers):
                self._serve()
                self._sockets.connect(index)
            server, transport = self._servers[index]
            server.dataReceived(bytes(one.sent))
            one.sent.clear()
            answer = transport.value()
            transport.clear()
            self._sockets.receive(index, *([answer] if answer else []))

    def _serve(self) -> None:
        server, transport = self._site.buildProtocol(IPv4Address("TCP", "here", 1)), StringTransport()
        assert server is not None
        server.makeConnection(transport)
        self._servers.append((server, transport))


class ReplicatorTests(SynchronousTestCase):
    """What replicas get to see, and what becomes of their answers: over Twisted's client."""

    def road_to(self, replica: Replica) -> LongRoad | ShortRoad:
        """The road that is tested, with the replica behind every address."""
        return LongRoad(replica)

    def setUp(self) -> None:
        """A replica behind every address."""
        self.replica = Replica()
        self.road = self.road_to(self.replica)
        self.replicator = self.road.replicator

    def run_all(self, work: Coroutine[Any, Any, None]) -> defer.Deferred[None]:
        """Start the work and let the network in memory settle."""
        outcome = defer.Deferred.fromCoroutine(work)
        self.road.flush()
        return outcome

    def write(self, draft: Written, *locations: Location, fsync: bool = False, token: str = "",
              md5: str = "") -> defer.Deferred[None]:
        """Replicate a draft."""
        return self.run_all(self.replicator.write(
            path="/3,01637037d6", draft=draft, locations=locations or (HERE,), fsync=fsync, token=token,
            content_md5=md5))

    def refusal(self, outcome: defer.Deferred[None]) -> str:
        """The text of the failure."""
        return str(self.failureResultOf(outcome, RemoteCallFailed).value)

    def test_every_location_gets_the_needle(self) -> None:
        """One form for each server, with the data whole."""
        self.successResultOf(self.write(Written(), HERE, THERE))
        self.assertEqual(len(self.replica.seen), 2)
        self.assertEqual({one.headers.getRawHeaders("host", [""])[0] for one in self.replica.seen},
                         {"one:8080", "two:8080"})
        for one in self.replica.seen:
            self.assertEqual((one.method, one.uri), (b"POST", b"/3,01637037d6?ttl=&type=replicate"))
            head, _, rest = one.body.partition(b"\r\n\r\n")
            self.assertTrue(rest.startswith(b"hello\r\n--"), rest)
            self.assertIn(b"Content-Type: text/css\r\n", head)

    def test_query_and_headers_carry_the_rest(self) -> None:
        """Manifest, fsync, time, TTL, pairs, token and checksum all arrive."""
        draft = Written(flags=FLAG_MANIFEST | FLAG_COMPRESSED, last_modified=77, ttl=parse_ttl("3m"),
                        pairs=b'{"Owner":"\xc3\xa4","N":"1"}')
        self.successResultOf(self.write(draft, fsync=True, token="T", md5="bWQ1"))
        seen = self.replica.seen[0]
        self.assertEqual(seen.uri, b"/3,01637037d6?cm=true&fsync=true&ts=77&ttl=3m&type=replicate")
        self.assertEqual(seen.headers.getRawHeaders("authorization"), ["BEARER T"])
        self.assertEqual(seen.headers.getRawHeaders(b"seaweed-owner"), [b"\xc3\xa4"])
        self.assertEqual(seen.headers.getRawHeaders("seaweed-n"), ["1"])
        self.assertIn(b"Content-Encoding: gzip\r\nContent-Md5: bWQ1\r\n", seen.body)

    def test_no_content_is_success(self) -> None:
        """A replica that had the needle already says 204 and no more."""
        self.replica.status, self.replica.answer = 204, b""
        self.successResultOf(self.write(Written()))

    def test_refusals_name_host_and_reason(self) -> None:
        """Each way to fail has Go's words, with the host before them."""
        url = "http://one:8080/3,01637037d6?ttl=&type=replicate"
        for status, answer, text in (
                (500, b'{"error":"disk full"}', f"[one:8080]: unmarshalled error {url}: disk full"),
                (201, b"", f"[one:8080]: unmarshal {url}: unexpected end of JSON input"),
                (500, b"{}", f"[one:8080]: unmarshalled error {url}: status 500")):
            self.replica.status, self.replica.answer = status, answer
            self.assertEqual(self.refusal(self.write(Written())), text)

    def test_damaged_pairs_do_not_stop_the_write(self) -> None:
        """Pairs that cannot be read are left out, as in Go."""
        for pairs in (b"{", b"[1]", b'{"a":1}'):
            self.successResultOf(self.write(Written(pairs=pairs)))

    def test_odd_paths_survive(self) -> None:
        """A decoded path is escaped again, bytes that are no text included."""
        self.replica.status = 202
        self.successResultOf(self.run_all(self.replicator.delete(
            path="/3/01637037d6/a b\udcff", locations=[HERE], token="")))
        self.assertEqual(self.replica.seen[0].uri, b"/3/01637037d6/a%20b%FF?type=replicate")

    def test_delete_counts_missing_as_deleted(self) -> None:
        """200, 202, 204 and 404 are all well; the token goes along."""
        for status in (200, 202, 204, 404):
            self.replica.status = status
            self.successResultOf(self.run_all(self.replicator.delete(path="/3,01", locations=[HERE], token="T")))
        self.assertEqual(self.replica.seen[0].method, b"DELETE")
        self.assertEqual(self.replica.seen[0].headers.getRawHeaders("authorization"), ["BEARER T"])

    def test_delete_refusals(self) -> None:
        """The error of the answer, or the answer itself."""
        for answer, text in ((b'{"error":"no"}', "[one:8080]: no"), (b"odd", "[one:8080]: odd")):
            self.replica.status, self.replica.answer = 500, answer
            outcome = self.run_all(self.replicator.delete(path="/3,01", locations=[HERE], token=""))
            self.assertEqual(self.refusal(outcome), text)


class ScriptedAgent:
    """An agent whose requests the test answers."""

    def __init__(self) -> None:
        self.asked: list[defer.Deferred[Any]] = []
        self.bodies: list[FormBody | None] = []
        self.cancelled = 0

    def request(self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: Any = None) -> Any:
        """Remember."""
        def cancel(_: object) -> None:
            self.cancelled += 1
        self.bodies.append(bodyProducer)
        self.asked.append(defer.Deferred(cancel))
        return self.asked[-1]


class ShortRoadReplicatorTests(ReplicatorTests):
    """The same over connections of our own."""

    def road_to(self, replica: Replica) -> LongRoad | ShortRoad:
        """See above."""
        return ShortRoad(replica)


class ShortRoadTests(SynchronousTestCase):
    """Which needles take it."""

    def test_large_needles_take_the_long_road(self) -> None:
        """What is not in memory is streamed."""
        agent, sockets = ScriptedAgent(), MemorySockets(task.Clock())
        replicator = Replicator(agent, task.Clock(), at_once, ReplicaRoad(sockets.pool))  # type: ignore[arg-type]
        here = Location("127.0.0.1:1", "")
        for length in (ROAD_BYTES, ROAD_BYTES + 1):
            outcome = defer.Deferred.fromCoroutine(replicator.write(
                path="/3,01", draft=Written(Data((bytes(length),))), locations=[here], fsync=False, token="",
                content_md5=""))
            self.assertNoResult(outcome)
        self.assertEqual((len(agent.asked), len(sockets.opened)), (1, 1))
        sockets.pool.close()


class LongTroubles:
    """Requests through Twisted's client, each of which can come to a bad end."""

    def __init__(self, clock: task.Clock) -> None:
        self._agent = ScriptedAgent()
        self.replicator = Replicator(self._agent, clock, at_once)  # type: ignore[arg-type]

    @property
    def attempts(self) -> int:
        """How many requests there were."""
        return len(self._agent.asked)

    @property
    def given_up(self) -> int:
        """How many of them were cancelled."""
        return self._agent.cancelled

    def refuse(self, index: int) -> None:
        """The connection is refused."""
        self._agent.asked[index].errback(ConnectionRefusedError())

    def accept(self, index: int) -> None:
        """The request is taken."""
        body = self._agent.bodies[index]
        assert body is not None
        body.sent.callback(None)

    def hang(self, index: int, clock: task.Clock) -> None:
        """The connection does not come about for too long."""
        self._agent.asked[index].errback(TimeoutError())

    def lose(self, index: int) -> None:
        """The connection ends before an answer."""
        self._agent.asked[index].errback(ResponseNeverReceived([Failure(ConnectionLost())]))


class ShortTroubles:
    """The same over connections of our own."""

    def __init__(self, clock: task.Clock) -> None:
        self._sockets = MemorySockets(clock)
        for host in ("one", "two"):
            self._sockets.names[host] = [(socket.AF_INET, (host, 8080))]
        self.replicator = Replicator(
            ScriptedAgent(), clock, at_once, ReplicaRoad(self._sockets.pool))  # type: ignore[arg-type]

    @property
    def attempts(self) -> int:
        """How many connections there were."""
        return len(self._sockets.opened)

    @property
    def given_up(self) -> int:
        """How many were closed before anything happened on them."""
        return sum(one.is_closed and not one.code for one in self._sockets.opened)

    def refuse(self, index: int) -> None:
        """See above."""
        self._sockets.connect(index, errno.ECONNREFUSED)

    def accept(self, index: int) -> None:
        """See above."""
        self._sockets.connect(index)

    def hang(self, index: int, clock: task.Clock) -> None:
        """See above."""
        for other in range(self.attempts):
            if other != index:
                self._sockets.connect(other)
        clock.advance(CONNECT_SECONDS)

    def lose(self, index: int) -> None:
        """See above."""
        self._sockets.connect(index)
        self._sockets.receive(index, b"")


class ConnectionTests(SynchronousTestCase):
    """What becomes of connections that fail: over Twisted's client."""

    def troubles(self, clock: task.Clock) -> LongTroubles | ShortTroubles:
        """The road that is tested."""
        return LongTroubles(clock)

    def setUp(self) -> None:
        """A write to two replicas, on a network that is the test."""
        self.clock = task.Clock()
        self.network = self.troubles(self.clock)
        self.outcome = defer.Deferred.fromCoroutine(self.network.replicator.write(
            path="/3,01", draft=Written(), locations=[HERE, THERE], fsync=False, token="", content_md5=""))

    def refusal(self) -> str:
        """The text of the failure."""
        return str(self.failureResultOf(self.outcome, RemoteCallFailed).value)

    def test_first_failure_ends_the_rest(self) -> None:
        """A refused connection fails the write at once and the other request is given up."""
        self.network.refuse(0)
        url = "http://one:8080/3,01?ttl=&type=replicate"
        self.assertEqual(self.refusal(), f'[one:8080]: upload a.txt 5 bytes to {url}: Post "{url}": '
                         "dial tcp one:8080: connect: connection refused")
        self.assertEqual(self.network.given_up, 1)

    def test_timeout_to_connect(self) -> None:
        """A peer that does not take the connection is named."""
        self.network.hang(1, self.clock)
        url = "http://two:8080/3,01?ttl=&type=replicate"
        self.assertEqual(self.refusal(), f'[two:8080]: upload a.txt 5 bytes to {url}: Post "{url}": '
                         "dial tcp two:8080: i/o timeout")

    def test_lost_connection_is_tried_once_more(self) -> None:
        """A connection that the peer closes unanswered costs a second try, a second loss is final."""
        self.network.lose(0)
        self.assertEqual(self.network.attempts, 3)
        self.assertNoResult(self.outcome)
        self.network.lose(2)
        self.assertIn("EOF", self.refusal())

    def test_silent_peer_is_given_up(self) -> None:
        """Thirty seconds after all was sent there must be an answer."""
        self.network.accept(0)
        self.network.accept(1)
        self.clock.advance(ANSWER_SECONDS - 1)
        self.assertNoResult(self.outcome)
        self.clock.advance(1)
        self.assertIn("timeout awaiting response headers", self.refusal())

    def test_cancelled_write_gives_up_all(self) -> None:
        """Nobody waits: the connections are closed."""
        self.outcome.cancel()
        self.failureResultOf(self.outcome, defer.CancelledError)
        self.assertEqual(self.network.given_up, 2)


class ShortRoadConnectionTests(ConnectionTests):
    """The same over connections of our own."""

    def troubles(self, clock: task.Clock) -> LongTroubles | ShortTroubles:
        """See above."""
        return ShortTroubles(clock)


class SlowBodyTests(SynchronousTestCase):
    """A body that takes its time, over Twisted's client."""

    def test_time_counts_from_the_end_of_the_request(self) -> None:
        """However long sending takes; a second try sends a body of its own."""
        agent, clock = ScriptedAgent(), task.Clock()
        replicator = Replicator(agent, clock, at_once)  # type: ignore[arg-type]
        outcome = defer.Deferred.fromCoroutine(replicator.write(
            path="/3,01", draft=Written(), locations=[HERE], fsync=False, token="", content_md5=""))
        clock.advance(100)
        self.assertEqual(agent.cancelled, 0, "the body is not sent yet")
        agent.asked[0].errback(ResponseNeverReceived([Failure(ConnectionLost())]))
        self.assertIsNot(agent.bodies[1], agent.bodies[0])
        self.assertNoResult(outcome)
