"""The short road: what it sends, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from hypothesis import given, settings, strategies as st
from twisted.internet import defer, task
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import URI, Agent, HTTPConnectionPool
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from seaweedvol.cluster import multipart, replicaroad
from seaweedvol.cluster.peeranswer import PeerAnswer
from seaweedvol.cluster.replicaconnection import Call
from seaweedvol.cluster.replicaroad import Going, ReplicaRoad
from seaweedvol.cluster.replicate import Replicator
from seaweedvol.server.interfaces import Location, RemoteCallFailed
from seaweedvol.storage.format.needle import FLAG_COMPRESSED, FLAG_MANIFEST
from seaweedvol.storage.format.ttl import Ttl, parse_ttl
from tests.cluster.test_replicate import Data, Written, at_once

ONE, TWO = Location("one:8080", "one:8080"), Location("two:8080", "two:8080")
WELL = PeerAnswer(201, b'{"name":"a.txt","size":5,"eTag":"0"}', True)


class ScriptedNetwork:
    """A network whose calls the test answers.

    :ivar refuses: the reason for which calls fail at once.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, Call]] = []
        self.refuses = ""
        self.cancelled: list[str] = []

    def send(self, url: str, call: Call) -> None:
        """See Network."""
        self.calls.append((url, call))
        if self.refuses:
            call.failed(self.refuses, False)
        else:
            call.connection = Cancelling(self.cancelled, url)  # type: ignore[assignment]

    def answer(self, index: int, answer: PeerAnswer = WELL) -> None:
        """The call has its answer."""
        call = self.calls[index][1]
        call.connection = None
        call.answered(answer)


@attrs.frozen
class Cancelling:
    """A connection that can only be closed."""

    closed: list[str]
    url: str

    def close(self) -> None:
        """Remember."""
        self.closed.append(self.url)


class TellingTests(SynchronousTestCase):
    """What callers hear."""

    def setUp(self) -> None:
        """A road to nowhere."""
        self.network = ScriptedNetwork()
        self.errors: list[int] = []
        self.road = ReplicaRoad(self.network, self.errors.append)
        self.told: list[str | None] = []

    def write(self, *locations: Location, pairs: bytes = b"") -> Going:
        """Begin to write."""
        return self.road.write_now(
            b"/3,01", locations, self.told.append, data=b"hello", name=b"a.txt", pairs=pairs)

    def test_done_when_all_have_it(self) -> None:
        """Not before."""
        self.write(ONE, TWO)
        self.road.delete_now(b"/3,01", [ONE, TWO], self.told.append)
        self.network.answer(1)
        self.network.answer(2, PeerAnswer(404, b"", True))
        self.assertEqual(self.told, [])
        self.network.answer(0, PeerAnswer(204, b"", True))
        self.network.answer(3, PeerAnswer(202, b"{}", True))
        self.assertEqual((self.told, self.network.cancelled), ([None, None], []))

    def test_first_failure_counts(self) -> None:
        """It is told at once, the others are cancelled; what they say later is not told."""
        self.write(ONE, TWO)
        self.network.answer(1, PeerAnswer(500, b'{"error":"disk full"}', True))
        text = "[two:8080]: unmarshalled error http://two:8080/3,01?ttl=&type=replicate: disk full"
        self.assertEqual((self.told, self.network.cancelled), ([text], ["one:8080"]))
        self.network.answer(0)
        self.assertEqual(self.told, [text])

    def test_errors_counted(self) -> None:
        """An upload that fails is noted with the status of its answer, or 0; one that succeeds, or a delete, is not."""
        self.write(ONE)
        self.network.answer(0, PeerAnswer(500, b'{"error":"disk full"}', True))
        self.write(ONE)
        self.network.answer(1)
        self.road.delete_now(b"/3,01", [ONE], self.told.append)
        self.network.answer(2, PeerAnswer(500, b"", True))
        self.network.refuses = "connection refused"
        self.write(ONE)
        self.assertEqual(self.errors, [500, 0])

    def test_failure_at_once(self) -> None:
        """Is told before the call returns; the next location is not asked."""
        self.network.refuses = "dial tcp one:8080: connect: connection refused"
        self.write(ONE, TWO)
        url = "http://one:8080/3,01?ttl=&type=replicate"
        self.assertEqual(self.told, [
            f'[one:8080]: upload a.txt 5 bytes to {url}: Post "{url}": {self.network.refuses}'])
        self.assertEqual(len(self.network.calls), 1)

    def test_failures_of_a_connection(self) -> None:
        """Each method and phase has its words."""
        url = "http://one:8080/3,01?ttl=&type=replicate"
        self.write(ONE)
        self.network.calls[0][1].failed("unexpected EOF", True)
        for in_body in (False, True):
            self.road.delete_now(b"/3,01", [ONE], self.told.append)
            self.network.calls[-1][1].failed("EOF", in_body)
        self.assertEqual(self.told, [
            f"[one:8080]: read response body {url}: unexpected EOF",
            '[one:8080]: Delete "http://one:8080/3,01?type=replicate": EOF', "[one:8080]: EOF"])

    def test_cancelled_is_not_told(self) -> None:
        """All connections are closed; a second time does nothing."""
        going = self.write(ONE, TWO)
        self.network.answer(0)
        going.cancel()
        self.network.calls[1][1].connection = None
        going.cancel()
        self.assertEqual((self.told, self.network.cancelled), ([], ["two:8080"]))

    def test_nowhere_is_done(self) -> None:
        """No locations, nothing to wait for."""
        self.write()
        self.assertEqual(self.told, [None])

    def test_pair_that_no_header_can_have(self) -> None:
        """Fails the write as Go does; nothing is sent."""
        self.write(ONE, pairs=b'{"a b":"x"}')
        url = "http://one:8080/3,01?ttl=&type=replicate"
        self.assertEqual(self.told, [f'[one:8080]: upload a.txt 5 bytes to {url}: Post "{url}": '
                                     'net/http: invalid header field name "Seaweed-a b"'])
        self.assertEqual(self.network.calls, [])

    def test_boundary_is_never_in_the_data(self) -> None:
        """Data that hold the boundary of others are sent with another."""
        self.write(ONE)
        first = boundary_of(self.network.calls[0][1].request)
        self.road.write_now(b"/3,01", [ONE], self.told.append, data=b"--" + first)
        second = boundary_of(self.network.calls[1][1].request)
        self.assertNotEqual(first, second)
        self.write(ONE)
        self.assertEqual(boundary_of(self.network.calls[2][1].request), second)


def boundary_of(request: bytes) -> bytes:
    """The boundary that a request names."""
    return request.partition(b"boundary=")[2].partition(b"\r\n")[0]


@implementer(IAgentEndpointFactory)
class Wires:
    """Where Twisted's client connects to: transports in memory."""

    def __init__(self) -> None:
        self.sent: list[StringTransport] = []

    def endpointForURI(self, uri: URI) -> Wires:
        """See IAgentEndpointFactory."""
        return self

    def connect(self, factory: Factory) -> defer.Deferred[IProtocol]:
        """See IStreamClientEndpoint."""
        protocol = factory.buildProtocol(IPv4Address("TCP", "one", 8080))
        assert protocol is not None
        self.sent.append(StringTransport())
        protocol.makeConnection(self.sent[-1])
        return defer.succeed(protocol)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
# Twisted's client drops a semicolon at the end.
PATHS = TEXTS.map("/{}".format).filter(lambda path: not path.endswith(";"))
NAMES = st.one_of(st.binary(max_size=6), st.sampled_from((b"a.txt", b'a "b"', b"\xc3\xa4.png", b"")))


class SameBytesTests(SynchronousTestCase):
    """Both roads send the very same."""

    def both(self, act: Callable[[Replicator], defer.Deferred[None]]) -> tuple[bytes, bytes]:
        """What the long road sends and what the short one does; the failure of both when nothing is sent."""
        wires, network, reactor = Wires(), ScriptedNetwork(), MemoryReactorClock()
        agent = Agent.usingEndpointFactory(reactor, wires, pool=HTTPConnectionPool(reactor))
        self.patch(replicaroad.secrets, "token_hex", lambda count: "b" * 2 * count)  # type: ignore[attr-defined]
        failures: list[BaseException | None] = []
        for road in (None, ReplicaRoad(network)):
            outcome = act(Replicator(agent, task.Clock(), at_once, road))
            if outcome.called:
                failures.append(self.failureResultOf(outcome, RemoteCallFailed).value)
        if failures:
            self.assertEqual((wires.sent, network.calls), ([], []))
            return str(failures[0]).encode(), str(failures[1]).encode()
        return wires.sent[0].value(), network.calls[0][1].request

    @settings(max_examples=150, deadline=None)
    @given(data=st.binary(max_size=20), name=NAMES, mime=st.sampled_from((b"", b"text/css", b"x;y=\xff")),
           flags=st.sampled_from((0, FLAG_COMPRESSED, FLAG_MANIFEST, FLAG_COMPRESSED | FLAG_MANIFEST)),
           last_modified=st.sampled_from((0, 7, 1 << 39)), ttl=st.sampled_from((None, Ttl(), parse_ttl("3m"))),
           pairs=st.sampled_from(
               (b"", b"{", b'{"Owner":"\xc3\xa4","n":"1\\r\\n2"}', b'{"a b":"c"}', b'{"\\ud800":"c"}')),
           fsync=st.booleans(), token=st.one_of(st.sampled_from(("", "a.b-c_d")), TEXTS),
           md5=st.sampled_from(("", "bWQ1==")), path=st.one_of(st.just("/3,01"), PATHS))
    def test_writes(self, data: bytes, name: bytes, mime: bytes, flags: int, last_modified: int, ttl: Ttl | None,
                    pairs: bytes, fsync: bool, token: str, md5: str, path: str) -> None:
        """Whatever the needle is like."""
        draft = Written(body=Data((data,)), flags=flags, name=name, mime=mime, pairs=pairs,
                        last_modified=last_modified, ttl=ttl)
        long, short = self.both(lambda replicator: defer.Deferred.fromCoroutine(replicator.write(
            path=path, draft=draft, locations=[ONE], fsync=fsync, token=token, content_md5=md5)))
        self.assertEqual(short, long)

    @settings(max_examples=50, deadline=None)
    @given(token=TEXTS, path=PATHS)
    def test_deletes(self, token: str, path: str) -> None:
        """With any token and path."""
        long, short = self.both(lambda replicator: defer.Deferred.fromCoroutine(replicator.delete(
            path=path, locations=[ONE], token=token)))
        self.assertEqual(short, long)

    def test_boundary_comes_from_one_place(self) -> None:
        """What makes the patch above reach both."""
        self.assertIs(multipart.secrets, replicaroad.secrets)  # type: ignore[attr-defined]
