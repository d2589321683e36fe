"""Connections to other volume servers, on sockets that lie in memory."""

from __future__ import annotations

import errno
import socket

from twisted.internet import task
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.peeranswer import PeerAnswer
from seaweedvol.cluster.replicaconnection import ANSWER_SECONDS, CONNECT_SECONDS, Call
from seaweedvol.cluster.replicapool import IDLE_SECONDS, KEPT_CONNECTIONS
from tests.cluster.memorysockets import WRITTEN, MemorySockets

URL = "127.0.0.1:8080"
RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


class Asked(Call):
    """A request whose outcome is remembered."""

    def __init__(self, request: bytes = b"request") -> None:
        super().__init__(request)
        self.answer: PeerAnswer | None = None
        self.reason = ""
        self.in_body = False

    def answered(self, answer: PeerAnswer) -> None:
        """See Call."""
        assert self.answer is None and not self.reason
        self.answer = answer

    def failed(self, reason: str, in_body: bool) -> None:
        """See Call."""
        assert self.answer is None and not self.reason
        self.reason, self.in_body = reason, in_body


class PoolTestCase(SynchronousTestCase):
    """A pool without a network."""

    def setUp(self) -> None:
        """An empty one."""
        self.clock = task.Clock()
        self.net = MemorySockets(self.clock)
        self.addCleanup(self.assert_left_nothing)

    def assert_left_nothing(self) -> None:
        """After the end of the pool nothing is open, watched or waited for."""
        self.net.pool.close()
        self.assertTrue(all(one.is_closed for one in self.net.opened))
        self.assertEqual((self.net.watched, self.clock.getDelayedCalls()), ([], []))

    def ask(self, url: str = URL, request: bytes = b"request") -> Asked:
        """Send."""
        call = Asked(request)
        self.net.pool.send(url, call)
        return call

    def ask_kept(self) -> Asked:
        """Send over a connection that had an answer before."""
        self.ask()
        self.net.connect(0)
        self.net.receive(0, WRITTEN)
        return self.ask()


class ConnectingTests(PoolTestCase):
    """How connections come about, or not."""

    def test_request_goes_out_when_connected(self) -> None:
        """Not before; the answer comes back."""
        call = self.ask()
        self.assertEqual((self.net.opened[0].address, self.net.opened[0].sent), (("127.0.0.1", 8080), b""))
        self.net.connect(0)
        self.assertEqual(self.net.opened[0].sent, b"request")
        self.net.receive(0, WRITTEN[:20], WRITTEN[20:])
        self.assertEqual(call.answer, PeerAnswer(201, WRITTEN[-36:], True))

    def test_refusal_is_told_at_once(self) -> None:
        """In the words of Go."""
        for code, text in ((errno.ECONNREFUSED, "connect: connection refused"),
                           (errno.EHOSTUNREACH, "connect: no route to host")):
            call = self.ask()
            self.net.connect(-1 + len(self.net.opened), code)
            self.assertEqual(call.reason, f"dial tcp {URL}: {text}")

    def test_no_socket_to_be_had(self) -> None:
        """Is an error of the call."""
        self.net.refusals.append(OSError(errno.EMFILE, ""))
        self.assertEqual(self.ask().reason, f"dial tcp {URL}: socket: too many open files")

    def test_refusal_before_connect_returns(self) -> None:
        """On this machine a refusal can come at once."""
        self.net.code = errno.ECONNREFUSED
        self.assertEqual(self.ask().reason, f"dial tcp {URL}: connect: connection refused")

    def test_time_to_connect_is_limited(self) -> None:
        """Looking the name up counts."""
        call, named = self.ask(), self.ask("slow.example:80")
        self.clock.advance(CONNECT_SECONDS - 1)
        self.assertEqual(call.reason + named.reason, "")
        self.clock.advance(1)
        self.assertEqual(call.reason, f"dial tcp {URL}: i/o timeout")
        self.assertEqual(named.reason, "dial tcp slow.example:80: i/o timeout")
        self.net.lookups[0].callback([(socket.AF_INET, ("10.0.0.1", 80))])
        self.assertEqual(len(self.net.opened), 1)

    def test_addresses_of_a_name_are_tried_in_turn(self) -> None:
        """The last refusal is the one that counts."""
        self.net.names["peer"] = [(socket.AF_INET6, ("::1", 8080, 0, 0)), (socket.AF_INET, ("127.0.0.1", 8080))]
        good, bad = self.ask("peer:8080"), self.ask("peer:8080")
        for index in (0, 1, 3):
            self.net.connect(index, errno.ECONNREFUSED)
        self.net.connect(2)
        self.net.receive(2, WRITTEN)
        self.assertIsNotNone(good.answer)
        self.assertEqual(self.net.opened[2].address, ("127.0.0.1", 8080))
        self.assertEqual(bad.reason, "dial tcp peer:8080: connect: connection refused")

    def test_names_and_addresses_that_are_none(self) -> None:
        """Fail without a socket."""
        call = self.ask("nobody.example:8080")
        self.net.lookups[0].errback(socket.gaierror(-2, "Name or service not known"))
        self.assertEqual(call.reason, "dial tcp: lookup nobody.example: no such host")
        for url in ("nobody", "", "host:x", "host:0", "127.0.0.1:99999"):
            self.assertIn("port in address", self.ask(url).reason)
        self.assertEqual(self.net.opened, [])

    def test_ipv6_address_needs_no_lookup(self) -> None:
        """Brackets are for writing only."""
        self.ask("[::1]:8080")
        self.assertEqual(self.net.opened[0].address, ("::1", 8080))


class KeepingTests(PoolTestCase):
    """Which connections are used again."""

    def test_kept_connection_is_used_again(self) -> None:
        """The request leaves at once, on the same socket."""
        call = self.ask_kept()
        self.assertEqual((len(self.net.opened), self.net.opened[0].sent), (1, b"requestrequest"))
        self.net.receive(0, WRITTEN)
        self.assertIsNotNone(call.answer)

    def test_requests_at_once_take_a_connection_each(self) -> None:
        """The one that was used last is used next."""
        self.ask(), self.ask()
        for index in (0, 1):
            self.net.connect(index)
        for index in (1, 0):
            self.net.receive(index, WRITTEN)
        self.ask()
        self.assertEqual([one.sent.count(b"request") for one in self.net.opened], [2, 1])

    def test_peers_do_not_share(self) -> None:
        """A connection leads to one server."""
        self.ask_kept()
        self.ask("127.0.0.1:8081")
        self.assertEqual(self.net.opened[1].address, ("127.0.0.1", 8081))

    def test_answers_that_end_a_connection(self) -> None:
        """The peer closes, or sends more than was asked for."""
        close = WRITTEN.replace(b"Content-Type:", b"Connection: close\r\nX:")
        for index, answer in enumerate((close, WRITTEN + b"?")):
            call = self.ask()
            self.net.connect(index)
            self.net.receive(index, answer)
            self.assertIsNotNone(call.answer)
            self.assertTrue(self.net.opened[index].is_closed)

    def test_what_comes_unasked_ends_an_idle_connection(self) -> None:
        """Data, the end, an error: the next request takes a new one."""
        unasked: tuple[bytes | OSError, ...] = (b"?", b"", RESET)
        for index, input in enumerate(unasked):
            self.ask()
            self.net.connect(index)
            self.net.receive(index, WRITTEN, input)
            self.assertTrue(self.net.opened[index].is_closed)

    def test_idle_connections_age(self) -> None:
        """One that is used stays, one that is not goes."""
        self.ask_kept()
        self.ask()
        self.net.connect(1)
        self.net.receive(1, WRITTEN)
        self.net.receive(0, WRITTEN)
        self.clock.advance(IDLE_SECONDS / 2)
        self.ask()
        self.net.receive(0, WRITTEN)
        self.clock.advance(IDLE_SECONDS / 2)
        self.assertEqual([one.is_closed for one in self.net.opened], [False, True])
        self.clock.advance(IDLE_SECONDS / 2)
        self.assertEqual([one.is_closed for one in self.net.opened], [True, True])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_more_are_kept_than_enough(self) -> None:
        """A crowd does not stay."""
        for index in range(KEPT_CONNECTIONS + 3):
            self.ask()
            self.net.connect(index)
        for index in range(KEPT_CONNECTIONS + 3):
            self.net.receive(index, WRITTEN)
        self.assertEqual(sum(one.is_closed for one in self.net.opened), 3)


class SendingTests(PoolTestCase):
    """Requests that do not fit the socket at once."""

    def test_rest_follows_when_there_is_room(self) -> None:
        """Every byte once, in order."""
        self.ask_kept()
        self.net.receive(0, WRITTEN)
        self.net.opened[0].sent.clear()
        self.net.opened[0].room = 4
        call = self.ask(request=b"0123456789")
        self.net.make_room(0, 3)
        self.assertEqual(self.net.opened[0].sent, b"0123456")
        self.net.make_room(0, 0)
        self.net.make_room(0, None)
        self.assertEqual(self.net.opened[0].sent, b"0123456789")
        self.net.receive(0, WRITTEN)
        self.assertIsNotNone(call.answer)
        self.assertFalse(self.net.opened[0].is_closed)

    def test_answer_before_all_is_sent(self) -> None:
        """Counts, and ends the connection."""
        call = self.ask(request=b"0123456789")
        self.net.opened[0].room = 4
        self.net.connect(0)
        self.net.receive(0, WRITTEN)
        self.assertIsNotNone(call.answer)
        self.assertTrue(self.net.opened[0].is_closed)

    def test_answer_of_a_peer_that_reads_no_more(self) -> None:
        """Is there although the rest could not be sent."""
        call = self.ask(request=b"0123456789")
        self.net.opened[0].room = 4
        self.net.connect(0)
        self.net.opened[0].is_broken = True
        self.net.make_room(0, None)
        self.net.receive(0, WRITTEN)
        self.assertIsNotNone(call.answer)

    def test_time_counts_from_the_last_byte_taken(self) -> None:
        """A slow peer is not a silent one."""
        call = self.ask(request=b"0123456789")
        self.net.opened[0].room = 4
        self.net.connect(0)
        self.clock.advance(ANSWER_SECONDS - 1)
        self.net.make_room(0, None)
        self.clock.advance(ANSWER_SECONDS - 1)
        self.assertEqual(call.reason, "")
        self.clock.advance(1)
        self.assertEqual(call.reason, "net/http: timeout awaiting response headers")


class EndingTests(PoolTestCase):
    """Connections that end with a request under way."""

    def test_lost_before_the_answer_is_tried_once_more(self) -> None:
        """Over a new connection, whatever else is kept; the second loss is final, and told in Go's words."""
        for first, second, text in ((b"", b"", "EOF"),
                                    (RESET, RESET, f"read tcp here:50000->{URL}: read: connection reset by peer")):
            call = self.ask()
            index = len(self.net.opened) - 1
            self.net.connect(index)
            self.net.receive(index, first)
            self.assertEqual((call.reason, len(self.net.opened)), ("", index + 2))
            self.net.connect(index + 1)
            self.assertEqual(self.net.opened[index + 1].sent, b"request")
            self.net.receive(index + 1, second)
            self.assertEqual(call.reason, text)

    def test_stale_connection_costs_a_second_try(self) -> None:
        """Also when it shows while sending."""
        self.ask_kept()
        self.net.receive(0, WRITTEN)
        self.net.opened[0].is_broken = True
        call = self.ask()
        self.net.receive(0, RESET)
        self.net.connect(1)
        self.net.receive(1, WRITTEN)
        self.assertIsNotNone(call.answer)

    def test_lost_within_the_answer_is_final(self) -> None:
        """The peer has seen the request."""
        cases: tuple[tuple[bytes, bytes | OSError, bool, str], ...] = (
            (WRITTEN[:-5], b"", True, "unexpected EOF"),
            (WRITTEN[:20], b"", False, "net/http: HTTP/1.x transport connection broken: unexpected EOF"),
            (WRITTEN[:-5], RESET, True, f"read tcp here:50000->{URL}: read: connection reset by peer"))
        for index, (begin, end, in_body, text) in enumerate(cases):
            call = self.ask()
            self.net.connect(index)
            self.net.receive(index, begin, end)
            self.assertEqual((call.reason, call.in_body), (text, in_body))

    def test_nonsense_ends_the_connection(self) -> None:
        """It is told, and the connection is not used again."""
        call = self.ask_kept()
        self.net.receive(0, b"SSH-2.0\r\n")
        self.assertIn('malformed HTTP response "SSH-2.0"', call.reason)
        self.assertTrue(self.net.opened[0].is_closed)

    def test_cancel_closes_and_says_nothing(self) -> None:
        """While a name is looked up, while connecting, while waiting; a second time does nothing."""
        looked, connecting, waiting = self.ask("slow.example:80"), self.ask(), self.ask()
        self.net.connect(1)
        for call in (looked, connecting, waiting, waiting):
            call.cancel()
        self.net.lookups[0].callback([(socket.AF_INET, ("10.0.0.1", 80))])
        self.assertTrue(all(one.is_closed for one in self.net.opened))
        self.assertEqual([call.reason for call in (looked, connecting, waiting)], ["", "", ""])
        self.assertEqual(len(self.net.opened), 2)

    def test_cancel_after_the_answer_does_nothing(self) -> None:
        """The connection belongs to others by then."""
        first = Asked()
        self.net.pool.send(URL, first)
        self.net.connect(0)
        self.net.receive(0, WRITTEN)
        first.cancel()
        self.assertFalse(self.net.opened[0].is_closed)
