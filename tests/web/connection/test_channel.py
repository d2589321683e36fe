"""A connection: how requests follow each other on it, and how it waits for what they bring."""

from __future__ import annotations

from twisted.internet.error import ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.connection.channel import HIGH_WATER
from seaweedvol.web.connection.ending import LINGER_SECONDS
from seaweedvol.web.connection.exchange import DRAIN_LIMIT
from tests.conformance.exchange import get, post
from tests.web.serving import Client, HeldThreads, fid, make_world

OLD = "HTTP/1.0"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def head(method: str, path: str, *lines: str, version: str = "HTTP/1.1") -> bytes:
    """A request without its body."""
    return "\r\n".join([f"{method} {path} {version}", "Host: here", *lines, "", ""]).encode("ascii")


# The express lane leaves requests with such a query alone.
GENERAL = "?general=road"


class ChannelTests(SynchronousTestCase):
    """A server with one needle."""

    def setUp(self) -> None:
        self.threads = HeldThreads(is_open=True)
        self.world = make_world(self, in_thread=self.threads)
        self.world.allocate()
        self.path = self.world.put(1, b"stored before")
        self.client = self.world.client()

    def talk(self, data: bytes, client: Client | None = None) -> list[int]:
        """Send bytes; the statuses so far."""
        client = client or self.client
        client.write(data)
        return client.statuses

    def in_flight(self) -> int:
        """Bytes that the server counts as coming in."""
        return self.world.server.upload_limit.in_flight


class KeepAliveTests(ChannelTests):
    """When another request may follow."""

    def test_one_after_the_other(self) -> None:
        """A connection serves requests until the client ends it."""
        for _ in range(3):
            self.client.send(get(self.path))
        self.assertEqual([answer.body for answer in self.client.answers()], [b"stored before"] * 3)
        self.assertFalse(self.client.is_closed)
        self.client.half_close()
        self.assertTrue(self.client.is_closed)

    def test_pipelined(self) -> None:
        """Requests sent at once are answered in their order, also when one of them has to wait."""
        self.threads.is_open = False
        put = post(fid(2), b"two", method="PUT")
        self.client.send(put, get(fid(2)), get("/healthz"), get(self.path, method="HEAD"))
        self.assertEqual(self.client.statuses, [])
        self.threads.open()
        self.assertEqual(self.client.statuses, [201, 200, 503, 200])
        self.assertEqual(self.client.answers()[1].body, b"two")

    def test_pipelined_without_end(self) -> None:
        """However many requests wait, answering them takes no deeper stack."""
        self.client.send(*[get("/healthz")] * 3000)
        self.assertEqual(self.client.statuses, [503] * 3000)

    def test_asked_to_close(self) -> None:
        """``Connection: close`` is obeyed and said; what follows the request is not answered."""
        answer, = self.client.send(get(self.path, ("Connection", "close")), get(self.path))
        self.assertEqual(answer.header("Connection"), "close")
        self.assertTrue(self.client.is_closed)

    def test_old_clients(self) -> None:
        """HTTP/1.0 ends with the answer, unless the client asked to go on and the answer has a length."""
        self.talk(head("GET", self.path, version=OLD))
        self.assertTrue(self.client.is_closed)
        kept = self.world.client()
        self.talk(head("GET", self.path, "Connection: keep-alive", version=OLD), kept)
        self.assertEqual(kept.answers()[0].header("Connection"), "keep-alive")
        self.assertFalse(kept.is_closed)

    def test_line_end_after_post(self) -> None:
        """The line end that old clients send after the body of a POST belongs to nothing."""
        self.client.send(post("/1,", b"x"))
        self.talk(b"\r\n" + head("GET", self.path))
        self.assertEqual(self.client.statuses, [400, 200])

    def test_line_end_after_post_in_pieces(self) -> None:
        """It may come byte by byte."""
        self.client.send(post("/1,", b"x"))
        for byte in (b"\r", b"\n"):
            self.talk(byte)
        self.talk(head("GET", self.path))
        self.assertEqual(self.client.statuses, [400, 200])

    def test_refused_head(self) -> None:
        """A head that makes no sense is refused after the answers before it, and ends the connection."""
        self.talk(head("GET", self.path) + b"nonsense\r\n\r\n" + head("GET", self.path))
        self.assertEqual(self.client.statuses, [200, 400])
        self.assertTrue(self.client.is_closed)

    def test_endless_head(self) -> None:
        """A head beyond one megabyte is refused, and the client gets time to read that."""
        self.talk(b"GET / HTTP/1.1\r\nX: " + b"y" * (1 << 20) + b"y" * 5000)
        self.assertEqual(self.client.statuses, [431])
        self.assertFalse(self.client.wire.disconnecting)
        self.world.clock.advance(LINGER_SECONDS)
        self.assertTrue(self.client.wire.disconnecting)

    def test_half_closed(self) -> None:
        """A client that ends its side still gets its answer, but half a request is no request."""
        self.threads.is_open = False
        self.client.send(get(self.path))
        self.client.half_close()
        self.threads.open()
        self.assertEqual(self.client.statuses, [200])
        self.assertTrue(self.client.is_closed)
        half = self.world.client()
        self.talk(b"GET / HTTP/1.1\r\nHost", half)
        half.half_close()
        self.assertEqual(half.statuses, [400])

    def test_failure_of_ours(self) -> None:
        """What fails here is logged, and the client learns only that it did."""
        self.patch(type(self.world.server.needles), "holds", lambda *_: 1 // 0)
        self.client.send(get(self.path + GENERAL), get(self.path))
        self.assertEqual(self.client.received,
                         b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.assertTrue(self.client.is_closed)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class BodyTests(ChannelTests):
    """What becomes of bodies, wanted or not."""

    def test_continue(self) -> None:
        """Who waits for ``100 Continue`` gets it when the body is wanted."""
        self.talk(head("PUT", fid(2), "Expect: 100-continue", "Content-Length: 3"))
        self.assertEqual(self.client.received, CONTINUE)
        self.assertEqual(self.talk(b"two"), [100, 201])
        self.assertFalse(self.client.is_closed)

    def test_no_continue(self) -> None:
        """Who is refused is not asked for the body, and the connection ends, as nobody knows what comes next."""
        self.world.server.guard.update(["10.0.0.1"], b"", 0, b"", 0)
        self.talk(head("PUT", fid(2), "Expect: 100-continue", "Content-Length: 3"))
        self.assertEqual(self.client.statuses, [401])
        self.assertEqual(self.client.answers()[0].header("Connection"), "close")
        self.assertTrue(self.client.is_closed)

    def test_refused_early(self) -> None:
        """The answer to a refused upload waits for a short body, and then the connection can be used again."""
        self.world.server.guard.update(["10.0.0.1"], b"", 0, b"", 0)
        self.talk(head("PUT", fid(2), "Content-Length: 1000") + b"x" * 999)
        self.assertEqual(self.client.received, b"")
        self.assertEqual(self.talk(b"x" + head("GET", self.path)), [401, 200])

    def test_refused_with_long_body(self) -> None:
        """Nobody reads a long body for nothing: the answer comes at once, then the end, with time to read the answer.
        """
        self.world.server.guard.update(["10.0.0.1"], b"", 0, b"", 0)
        self.talk(head("PUT", fid(2), f"Content-Length: {DRAIN_LIMIT}") + b"x")
        self.assertEqual(self.client.statuses, [401])
        self.assertEqual(self.client.answers()[0].header("Connection"), "close")
        self.assertEqual((self.client.wire.is_half_closed, self.client.wire.disconnecting), (True, False))
        self.talk(b"x" * 1000)
        self.world.clock.advance(LINGER_SECONDS)
        self.assertTrue(self.client.wire.disconnecting)
        self.assertEqual(self.in_flight(), 0)

    def test_unwanted_body_without_end(self) -> None:
        """A chunked body that nobody wants is dropped for a while only."""
        self.talk(head("GET", self.path, "Transfer-Encoding: chunked"))
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        for _ in range(8):
            self.talk(chunk)
            self.assertEqual(self.client.received, b"")
        self.talk(chunk)
        self.assertEqual(self.client.statuses, [200])
        self.assertTrue(self.client.is_closed)

    def test_body_of_get(self) -> None:
        """A read may have a body, which means nothing."""
        self.talk(head("GET", self.path, "Content-Length: 4") + b"body" + head("GET", self.path))
        self.assertEqual(self.client.statuses, [200, 200])

    def test_byte_by_byte(self) -> None:
        """An upload may come in single bytes."""
        for byte in head("PUT", fid(2), "Transfer-Encoding: chunked") + b"2\r\ntw\r\n1;x\r\no\r\n0\r\nA: b\r\n\r\n":
            self.client.write(bytes([byte]))
        self.assertEqual(self.client.statuses, [201])
        self.assertEqual(self.world.ask("GET", fid(2)).body, b"two")

    def test_waits_in_the_kernel(self) -> None:
        """While a body is not being used, the client is kept from sending more than a bounded part of it."""
        self.world.server.upload_limit.limit = 10
        self.world.server.upload_limit.add(11)
        size = 4 * HIGH_WATER
        self.talk(head("PUT", fid(2), f"Content-Length: {size}") + b"x" * HIGH_WATER)
        self.assertEqual(self.client.wire.producerState, "producing")
        self.talk(b"x")
        self.assertEqual(self.client.wire.producerState, "paused")
        self.world.server.upload_limit.release(11)
        self.assertEqual(self.client.wire.producerState, "producing")
        self.assertEqual(self.talk(b"x" * (size - HIGH_WATER - 1)), [201])
        self.assertEqual(len(self.world.ask("GET", fid(2)).body), size)

    def test_long_head_behind(self) -> None:
        """A head that began to come meanwhile, and is longer than that, is taken in to its end."""
        self.world.server.upload_limit.limit = 10
        self.world.server.upload_limit.add(11)
        self.talk(head("PUT", fid(2), "Content-Length: 1") + b"x")
        self.talk(head("GET", fid(2), "X: " + "x" * (HIGH_WATER + 1))[:-4])
        self.assertEqual(self.client.wire.producerState, "paused")
        self.world.server.upload_limit.release(11)
        self.assertEqual((self.client.statuses, self.client.wire.producerState), ([201], "producing"))
        self.assertEqual(self.talk(b"\r\n\r\n"), [201, 200])

    def test_gone_within_body(self) -> None:
        """A client that goes away in the middle of its upload leaves nothing behind."""
        self.talk(head("PUT", fid(2), "Content-Length: 1000") + b"x" * 999)
        self.assertEqual(self.in_flight(), 1000)
        self.client.leave(ConnectionLost)
        self.assertEqual(self.in_flight(), 0)
        self.assertEqual(self.world.ask("GET", fid(2)).status, 404)
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_cut_short(self) -> None:
        """A client that ends its side within the body is told, and nothing is stored."""
        self.talk(head("PUT", fid(2), "Content-Length: 1000") + b"x" * 999)
        self.client.half_close()
        self.assertEqual([answer.body for answer in self.client.answers()], [b'{"error":"unexpected EOF"}'])
        self.assertTrue(self.client.is_closed)
        self.assertEqual(self.world.ask("GET", fid(2)).status, 404)
