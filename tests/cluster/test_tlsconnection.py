"""Connections to other volume servers over TLS, on sockets that lie in memory."""

from __future__ import annotations

from OpenSSL import SSL

from seaweedvol.cluster.replicaconnection import CONNECT_SECONDS
from seaweedvol.cluster.tlsconnection import tls_connections
from seaweedvol.tls.contexts import client_connection
from tests.cluster.memorysockets import WRITTEN
from tests.cluster.test_replicapool import PoolTestCase
from tests.tls.memory import CA, OTHER, End, client_end, server_end
from tests.tls.pki import Signed


class TlsConnectionTests(PoolTestCase):
    """Requests through a pool."""

    def setUp(self) -> None:
        super().setUp()
        self.client = client_end(CA.sign("client"))
        self.net.pool.connect = tls_connections(self.new_tls)
        self.taken: dict[int, int] = {}

    def new_tls(self, url: str) -> SSL.Connection:
        """One end for ``host:port``."""
        return client_connection(self.client, url.rpartition(":")[0])

    def talk(self, index: int, peer: End, *, turns: int = 6) -> None:
        """Carry bytes between a socket and the peer until both are silent."""
        for _ in range(turns):
            sent = self.net.opened[index].sent
            new = bytes(sent[self.taken.get(index, 0):])
            self.taken[index] = len(sent)
            answer = peer.take(new)
            if answer and index in self.net.watched:
                self.net.receive(index, answer)

    def server(self, signed: Signed | None = None) -> End:
        """The peer."""
        return End.server(server_end(signed))

    def test_request_and_answer(self) -> None:
        """The request goes out encrypted, after the handshake; its answer comes back; the connection is kept."""
        call, peer = self.ask(), self.server()
        self.net.connect(0)
        self.assertNotIn(b"request", self.net.opened[0].sent)
        self.talk(0, peer)
        self.assertEqual(peer.received, b"request")
        self.net.receive(0, peer.say(WRITTEN))
        assert call.answer is not None
        self.assertEqual(call.answer.status, 201)
        again = self.ask(request=b"another")
        self.talk(0, peer)
        self.assertEqual((peer.received, len(self.net.opened)), (b"requestanother", 1))
        self.net.receive(0, peer.say(WRITTEN))
        self.assertIsNotNone(again.answer)

    def test_no_room(self) -> None:
        """A request that the socket does not take at once goes out as it does, whole and in order."""
        data = bytes(range(256)) * 3000
        call, peer = self.ask(request=data), self.server()
        self.net.connect(0)
        self.net.opened[0].room = 2000
        self.talk(0, peer)
        for _ in range(1000):
            if peer.received == data:
                break
            self.net.make_room(0, 5000)
            self.talk(0, peer, turns=1)
        self.assertTrue(peer.received == data)
        self.net.opened[0].room = None
        self.net.receive(0, peer.say(WRITTEN))
        self.assertIsNotNone(call.answer)

    def test_unknown_server(self) -> None:
        """A server that another CA has signed gets no request."""
        call, peer = self.ask(), self.server(OTHER.sign("server", ("127.0.0.1",)))
        self.net.connect(0)
        self.talk(0, peer)
        self.assertIn('is from an unknown CA, "CN=Another CA"', call.reason)
        self.assertEqual(peer.received, b"")

    def test_another_host(self) -> None:
        """Nor does one whose certificate is for another host."""
        call, peer = self.ask(), self.server(CA.sign("127.0.0.1", ("127.0.0.2",)))
        self.net.connect(0)
        self.talk(0, peer)
        self.assertIn('its certificate is for "127.0.0.2", not for 127.0.0.1', call.reason)

    def test_refused_by_the_server(self) -> None:
        """When our certificate is not taken, that comes out after the request; it is tried once more, and told."""
        self.client = client_end()
        call = self.ask()
        for index in range(2):
            peer = self.server()
            self.net.connect(index)
            self.talk(index, peer)
            self.assertEqual(peer.reason, "it has shown no certificate")
        self.assertIn("it wants a certificate of ours", call.reason)

    def test_no_tls_there(self) -> None:
        """Who speaks no TLS, hangs up or says nothing is not spoken to."""
        for answer, reason in ((b"HTTP/1.1 400 Bad Request\r\n\r\n", "tls: "), (b"", "connection reset by peer")):
            call = self.ask()
            index = len(self.net.opened) - 1
            self.net.connect(index)
            self.net.receive(index, answer)
            self.assertIn(reason, call.reason.lower())
        call = self.ask()
        self.net.connect(len(self.net.opened) - 1)
        self.clock.advance(CONNECT_SECONDS + 1)
        self.assertIn("i/o timeout", call.reason)

    def test_goodbye_of_the_server(self) -> None:
        """A kept connection that the server closes in order is not used again."""
        self.ask()
        peer = self.server()
        self.net.connect(0)
        self.talk(0, peer)
        self.net.receive(0, peer.say(WRITTEN))
        self.net.receive(0, peer.goodbye())
        call, second = self.ask(), self.server()
        self.net.connect(1)
        self.talk(1, second)
        self.net.receive(1, second.say(WRITTEN))
        self.assertIsNotNone(call.answer)

    def test_goodbye_of_ours(self) -> None:
        """A connection is closed in order."""
        self.ask()
        peer = self.server()
        self.net.connect(0)
        self.talk(0, peer)
        self.net.receive(0, peer.say(WRITTEN))
        self.net.pool.close()
        sent = self.net.opened[0].sent
        peer.take(bytes(sent[self.taken[0]:]))
        self.assertTrue(peer.is_over)
