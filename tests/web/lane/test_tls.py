"""TLS between a transport and a protocol, in memory."""

from __future__ import annotations

import pathlib
from typing import Any

from OpenSSL import SSL
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from seaweedvol.config.tls import HttpsClient, HttpsListener, TlsRules, TlsSettings
from seaweedvol.security.refusals import Refusals
from seaweedvol.tls.credentials import Credentials
from seaweedvol.web.general.httpspolicy import HttpsPolicy
from seaweedvol.web.general.upstream import new_agent
from seaweedvol.web.lane.outgoing import NOTHING
from seaweedvol.web.lane.tls import TlsFactory, TlsSide
from tests.tls.memory import CA, OTHER, End, client_end, server_end
from tests.tls.pki import HERE, Signed
from tests.web.lanes import HalfListener


class Wire(StringTransport):
    """A transport of the lane's kind."""

    def __init__(self) -> None:
        super().__init__()
        self.is_clear = True
        self.errands: list[Any] = []
        self.options: list[tuple[str, bool]] = []

    def write_from(self, outgoing: Any, done: Any) -> None:
        """Remember."""
        self.errands.append((outgoing, done))

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Remember."""
        self.options.append(("no delay", enabled))

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Remember."""
        self.options.append(("keep alive", enabled))


class TlsSideCase(SynchronousTestCase):
    """A server's end on a transport, and a client's."""

    def setUp(self) -> None:
        self.lines: list[str] = []
        self.begin(server_end(), client_end(CA.sign("client")))

    def begin(self, server: SSL.Context, client: SSL.Context) -> None:
        """A new connection."""
        self.inner, self.wire = HalfListener(), Wire()
        made: Any = _Made(self.inner)
        factory = TlsFactory(made, lambda: server, Refusals(self.lines.append))
        side = factory.buildProtocol(None)
        assert side is not None
        self.side: TlsSide = side
        self.side.makeConnection(self.wire)
        self.client = End.client(client)

    def talk(self, data: bytes = b"") -> None:
        """Carry bytes both ways until all are silent."""
        for _ in range(6):
            data += self.client.take(b"")
            if data:
                self.side.dataReceived(data)
            answer = self.wire.value()
            self.wire.clear()
            data = self.client.take(answer)
            if not data and not answer:
                return


class _Made:
    """A factory of one protocol."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.log: list[str] = []

    def buildProtocol(self, addr: Any) -> Any:
        """That one."""
        return self.inner

    def doStart(self) -> None:
        """Remember."""
        self.log.append("start")

    def doStop(self) -> None:
        """Remember."""
        self.log.append("stop")


class TlsSideTests(TlsSideCase):
    """Tests for :class:`TlsSide`."""

    def test_both_ways(self) -> None:
        """What the client says is heard, what the protocol writes is read, and none of it is on the wire."""
        self.talk()
        self.assertEqual(self.inner.log, ["made"])
        self.side.dataReceived(self.client.say(b"a question"))
        self.assertEqual(self.inner.received, b"a question")
        answer = bytes(range(256)) * 1000
        self.side.write(answer)
        self.assertNotIn(answer[:256], self.wire.value())
        self.talk()
        self.assertTrue(self.client.received == answer)
        self.side.writeSequence([b"a", b"b"])
        self.talk()
        self.assertEqual(self.client.received[-2:], b"ab")

    def test_asked_within_write(self) -> None:
        """A transport may ask for more while it is written to; bytes stay in order."""
        self.talk()
        first, second = b"1" * 200_000, b"2" * 200_000
        write, todo = self.wire.write, [second]

        def asking(data: bytes) -> None:
            write(data)
            if todo:
                self.side.write(todo.pop())

        self.patch(self.wire, "write", asking)
        self.side.write(first)
        self.talk()
        self.assertTrue(self.client.received == first + second)

    def test_byte_by_byte(self) -> None:
        """However small the pieces are."""
        data = self.client.take(b"")
        for _ in range(6):
            for byte in data:
                self.side.dataReceived(bytes([byte]))
            answer = self.wire.value()
            self.wire.clear()
            data = self.client.take(answer)
        for byte in self.client.say(b"slowly"):
            self.side.dataReceived(bytes([byte]))
        self.assertEqual(self.inner.received, b"slowly")

    def test_refusals(self) -> None:
        """Who shows no certificate, another CA's or an expired one is refused, heard of nowhere but in the log."""
        shown: tuple[tuple[Signed | None, str], ...] = (
            (None, "it has shown no certificate"), (OTHER.sign("x"), 'from an unknown CA, "CN=Another CA"'),
            (CA.sign("x", days=-1), '"CN=x" has expired on'), (CA.sign("x", starts_in=1), "is not valid before"),
            (CA.sign("x", usage="server"), "is not made for this end"))
        for signed, reason in shown:
            self.begin(server_end(), client_end(signed))
            self.talk()
            self.side.write(b"secret")
            self.assertTrue(self.wire.disconnecting)
            self.assertEqual((self.inner.received, self.client.received), (b"", b""))
            self.assertIn(reason, self.lines[-1])

    def test_plain_http(self) -> None:
        """Who speaks plain HTTP is told so in plain HTTP, as Go tells it."""
        self.side.dataReceived(b"GET / HTTP/1.1\r\n\r\n")
        self.assertTrue(self.wire.value().endswith(
            b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"))
        self.assertTrue(self.wire.disconnecting)

    def test_noise(self) -> None:
        """Noise is refused, and what follows it is not looked at."""
        for _ in range(3):
            self.side.dataReceived(b"\0noise" * 100)
        self.assertTrue(self.wire.disconnecting)
        self.assertEqual(len(self.lines), 1)

    def test_versions(self) -> None:
        """A client that knows only older versions than are allowed is refused."""
        client = client_end(CA.sign("x"))
        client.set_max_proto_version(SSL.TLS1_2_VERSION)
        self.begin(server_end(rules=TlsRules("TLS 1.3")), client)
        self.talk()
        self.assertIn("no version of TLS that is allowed here", self.lines[0])

    def test_client_closes_its_half(self) -> None:
        """A goodbye within TLS closes the client's half only; without one, nobody knows what was missing."""
        self.talk()
        self.side.dataReceived(self.client.goodbye())
        self.assertEqual(self.inner.log, ["made", "read lost"])
        self.side.write(b"still here")
        self.client.take(self.wire.value())
        self.assertEqual((self.client.received, self.wire.disconnecting), (b"still here", False))
        self.begin(server_end(), client_end(CA.sign("client")))
        self.talk()
        self.side.readConnectionLost()
        self.assertEqual((self.inner.log, self.wire.disconnected), (["made"], True))

    def test_we_close(self) -> None:
        """Our goodbye goes out before the end; nothing is written after it."""
        self.talk()
        self.side.loseConnection()
        self.side.write(b"too late")
        self.side.loseConnection()
        self.client.take(self.wire.value())
        self.assertEqual((self.client.is_over, self.client.received, self.wire.disconnecting), (True, b"", True))

    def test_we_close_our_half(self) -> None:
        """After our goodbye the client is listened to for a while."""
        self.talk()
        self.side.loseWriteConnection()
        self.assertFalse(self.wire.disconnecting)
        self.side.dataReceived(self.client.say(b"more"))
        self.assertEqual(self.inner.received, b"more")
        self.side.loseConnection()
        self.assertTrue(self.wire.disconnecting)

    def test_early_end(self) -> None:
        """A connection can be closed before the handshake is done, by either end."""
        self.side.loseConnection()
        self.assertEqual((self.wire.value(), self.wire.disconnecting), (b"", True))
        self.begin(server_end(), client_end(CA.sign("client")))
        self.side.abortConnection()
        self.assertTrue(self.wire.disconnected)
        self.side.connectionLost()
        self.assertEqual(self.inner.log[-1], "ConnectionError")

    def test_as_a_transport(self) -> None:
        """Waiting, pausing and options are the transport's; bytes that send themselves it does not take."""
        self.talk()
        self.assertTrue(self.side.is_clear)
        self.wire.is_clear = False
        self.assertFalse(self.side.is_clear or self.side.sends_files)
        self.side.write_from(NOTHING, print)
        self.assertEqual(self.wire.errands, [(NOTHING, print)])
        self.side.pauseProducing()
        self.assertEqual(self.wire.producerState, "paused")
        self.side.resumeProducing()
        self.assertEqual(self.wire.producerState, "producing")
        self.side.setTcpNoDelay(True)
        self.side.setTcpKeepAlive(True)
        self.assertEqual(self.wire.options, [("no delay", True), ("keep alive", True)])
        self.side.read_now()
        looks: list[str] = []
        self.wire.read_now = lambda: looks.append("look")  # type: ignore[attr-defined]
        self.side.read_now()
        self.assertEqual(looks, ["look"])
        self.side.registerProducer(self.inner, False)
        self.side.unregisterProducer()
        self.assertEqual(self.side.getPeer(), self.wire.getPeer())
        self.assertEqual(self.side.getHost(), self.wire.getHost())

    def test_factory(self) -> None:
        """The other factory is told of ports; without a protocol of its there is no connection."""
        made = _Made(None)
        factory = TlsFactory(made, server_end, Refusals(self.lines.append))  # type: ignore[arg-type]
        factory.doStart()
        factory.doStop()
        self.assertEqual((made.log, factory.buildProtocol(None)), (["start", "stop"], None))


class PolicyTests(SynchronousTestCase):
    """Tests for :class:`HttpsPolicy`."""

    def setUp(self) -> None:
        self.lines: list[str] = []
        place = pathlib.Path(self.mktemp()).absolute()
        place.mkdir()
        pair, ca = CA.sign("client", HERE).save(place, "own"), CA.save(place)
        settings = TlsSettings(client=HttpsClient(*pair, ca), https=HttpsListener(*pair, ca))
        self.policy = HttpsPolicy(Credentials(settings, Refusals(self.lines.append)))

    def shake(self, client: SSL.Connection, server: SSL.Context) -> tuple[End, End]:
        """Let both ends talk."""
        one, other = End(client), End.server(server)
        data = b""
        for _ in range(6):
            data = other.take(one.take(data))
        return one, other

    def test_servers(self) -> None:
        """A server of the CA, for that host, is taken, and shown our certificate; no other is."""
        for url in ("127.0.0.1:8080", "localhost:8080"):
            one, other = self.shake(self.policy.connection_to(url), server_end())
            self.assertTrue(one.is_shaken and other.is_shaken)
        one, _ = self.shake(self.policy.connection_to("somebody.org:1"), server_end())
        self.assertIn("not for somebody.org", one.reason)
        self.assertIn("somebody.org:1 is not asked: its certificate is for", self.lines[-1])
        one, _ = self.shake(self.policy.connection_to("127.0.0.1:1"), server_end(OTHER.sign("x", HERE)))
        self.assertIn("from an unknown CA", one.reason)

    def test_agent(self) -> None:
        """Twisted's client asks the policy."""
        creator = self.policy.creatorForNetloc(b"[::1]", 8080)
        self.assertIsInstance(creator.clientConnectionForTLS(None), SSL.Connection)  # type: ignore[arg-type]
        from twisted.internet.testing import MemoryReactorClock

        reactor = MemoryReactorClock()
        new_agent(reactor, self.policy._secured).request(b"GET", b"https://127.0.0.1:1/", Headers(), None)
        self.assertEqual(reactor.tcpClients[0][:2], ("127.0.0.1", 1))
