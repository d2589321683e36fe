"""Ports of the lane, on the loopback interface; turns are taken by hand."""

from __future__ import annotations

import errno
import socket
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
from twisted.internet.protocol import ServerFactory
from twisted.trial import unittest
from zope.interface.verify import verifyObject

from seaweedvol.web.lane.listening import ACCEPTS, FULL_SECONDS, LaneEndpoint, LanePort, ipv6_address
from tests.conformance.exchange import Request
from tests.web.lanes import Listener
from tests.web.lanes import World as LaneWorld
from tests.web.serving import make_world


class Factory(ServerFactory):
    """Makes listeners; for some clients something else happens.

    :ivar oddities: what happens instead of a listener, one for each client.
    """

    noisy = False

    def __init__(self) -> None:
        self.made: list[Listener] = []
        self.peers: list[Any] = []
        self.oddities: list[Listener | Exception | None] = []
        self.life: list[str] = []

    def startFactory(self) -> None:
        """See ServerFactory."""
        self.life.append("start")

    def stopFactory(self) -> None:
        """See ServerFactory."""
        self.life.append("stop")

    def buildProtocol(self, addr: Any) -> Any:
        """See IProtocolFactory."""
        self.peers.append(addr)
        if self.oddities:
            odd = self.oddities.pop(0)
            if isinstance(odd, Exception):
                raise odd
            return odd
        self.made.append(Listener())
        return self.made[-1]


class Unborn(Listener):
    """Fails when it is connected."""

    def connectionMade(self) -> None:
        """See IProtocol."""
        raise ZeroDivisionError


class Full:
    """A listening socket with no room for connections."""

    def accept(self) -> Any:
        """See socket."""
        raise OSError(errno.EMFILE, "too many open files")


def _control(connection: socket.socket) -> bytes:
    """The congestion control of a socket."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0")


class ListeningTests(unittest.SynchronousTestCase):
    """Where connections come from."""

    def setUp(self) -> None:
        self.world = LaneWorld(self)
        self.factory = Factory()

    def listen(self, host: str = "127.0.0.1", port: int = 0, factory: Any = None) -> LanePort:
        """Listen."""
        endpoint = LaneEndpoint(self.world.lane, self.world.reactor, host, port)
        verifyObject(IStreamServerEndpoint, endpoint)
        found = self.successResultOf(endpoint.listen(factory or self.factory))
        assert isinstance(found, LanePort)
        return found

    def connect(self, port: LanePort) -> socket.socket:
        """A client."""
        address = port.getHost()
        client = socket.create_connection((address.host, address.port), 5)
        self.addCleanup(client.close)
        return client

    def test_connection(self) -> None:
        """A client talks to a protocol of the factory's."""
        port = self.listen()
        verifyObject(IListeningPort, port)
        client = self.connect(port)
        self.world.turn()
        client.send(b"hello")
        self.world.turn()
        protocol, = self.factory.made
        transport: Any = protocol.transport
        self.assertEqual(protocol.received, b"hello")
        self.assertEqual(self.factory.peers, [IPv4Address("TCP", *client.getsockname())])
        self.assertEqual(transport.getPeer(), self.factory.peers[0])
        self.assertEqual(transport.getHost(), port.getHost())
        transport.write(b"answer")
        self.assertEqual(client.recv(100), b"answer")
        for get, change in ((transport.getTcpNoDelay, transport.setTcpNoDelay),
                            (transport.getTcpKeepAlive, transport.setTcpKeepAlive)):
            change(True)
            self.assertTrue(get())

    def test_pacing(self) -> None:
        """Who is on the same machine is not paced, whatever the operator has chosen for networks; others are."""
        port = self.listen()
        address = port.getHost().host, port.getHost().port
        unset = socket.socket()
        self.addCleanup(unset.close)
        usual = _control(unset)
        for source, expected in (("127.0.0.1", b"reno"), ("127.0.0.2", usual)):
            client = socket.create_connection(address, 5, (source, 0))
            self.addCleanup(client.close)
            self.world.turn()
            transport: Any = self.factory.made[-1].transport
            self.assertEqual(_control(transport.getHandle()), expected)

    def test_abort_resets(self) -> None:
        """A client of a connection that is broken off sees that."""
        client = self.connect(self.listen())
        self.world.turn()
        transport: Any = self.factory.made[0].transport
        transport.abortConnection()
        self.world.turn()
        self.assertRaises(ConnectionResetError, client.recv, 1)

    def test_version_6(self) -> None:
        """Brackets are allowed around an address."""
        port = self.listen("[::1]")
        client = self.connect(port)
        self.world.turn()
        self.assertEqual(self.factory.peers, [IPv6Address("TCP", *client.getsockname())])
        transport: Any = self.factory.made[0].transport
        self.assertEqual(transport.getHost(), port.getHost())

    def test_scope(self) -> None:
        """The scope of a link-local address is part of its host."""
        (number, name), *_ = socket.if_nameindex()
        self.assertEqual(ipv6_address(("fe80::1", 80, 0, number)), IPv6Address("TCP", f"fe80::1%{name}", 80, 0, number))

    def test_port_is_taken(self) -> None:
        """A port that somebody else has cannot be listened on."""
        port = self.listen()
        taken = LaneEndpoint(self.world.lane, self.world.reactor, "127.0.0.1", port.getHost().port)
        self.failureResultOf(taken.listen(self.factory), CannotListenError)

    def test_lane_does_not_run(self) -> None:
        """Nothing is opened for a lane that does not run."""
        self.world.lane.stop()
        endpoint = LaneEndpoint(self.world.lane, self.world.reactor, "127.0.0.1", 0)
        self.failureResultOf(endpoint.listen(self.factory), RuntimeError)
        self.assertEqual(self.factory.life, [])

    def test_stop(self) -> None:
        """A closed port takes nobody in; connections stay; the port is free."""
        port = self.listen()
        client = self.connect(port)
        self.world.turn()
        stopping = port.stopListening()
        self.assertNoResult(stopping)
        self.world.turn()
        self.successResultOf(stopping)
        self.assertRaises(ConnectionRefusedError, self.connect, port)
        client.send(b"hello")
        self.world.turn()
        self.assertEqual(self.factory.made[0].received, b"hello")
        self.assertEqual(self.factory.life, ["start", "stop"])
        self.successResultOf(port.stopListening())
        self.listen(port=port.getHost().port)

    def test_lane_stops(self) -> None:
        """With the lane, its ports close."""
        port = self.listen()
        self.world.lane.stop()
        self.assertRaises(ConnectionRefusedError, self.connect, port)
        self.assertEqual(self.factory.life, ["start", "stop"])

    def test_no_room(self) -> None:
        """When there is no room for a connection, the port rests a while, and goes on then."""
        port = self.listen()
        listening = port._socket
        port._socket = Full()  # type: ignore[assignment]
        client = self.connect(port)
        self.world.turn()
        port._socket = listening
        client.send(b"hello")
        self.world.turn()
        self.assertEqual(self.factory.made, [])
        self.world.reactor.advance(FULL_SECONDS)
        self.world.turn()
        self.assertEqual(self.factory.made[0].received, b"hello")

    def test_stop_while_resting(self) -> None:
        """A port that rests can be closed."""
        port = self.listen()
        listening = port._socket
        port._socket = Full()  # type: ignore[assignment]
        self.connect(port)
        self.world.turn()
        port._socket = listening
        stopping = port.stopListening()
        self.world.turn()
        self.successResultOf(stopping)
        self.assertEqual(self.world.reactor.getDelayedCalls(), [])

    def test_odd_births(self) -> None:
        """A connection that cannot be served, or that the factory does not want, costs nobody else."""
        port = self.listen()
        self.factory.oddities = [None, ZeroDivisionError(), Unborn()]
        clients = [self.connect(port) for _ in range(4)]
        self.world.turn()
        for client in clients[:3]:
            self.assertEqual(client.recv(1), b"")
        clients[3].send(b"hello")
        self.world.turn()
        self.assertEqual(self.factory.made[0].received, b"hello")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_many_at_once(self) -> None:
        """No more than a few are taken in at once, and all of them in the end."""
        port = self.listen()
        clients = [self.connect(port) for _ in range(ACCEPTS + 3)]
        counts: list[int] = []
        self.world.lane.after_round.append(lambda: counts.append(len(self.factory.made)))
        self.world.turn()
        self.assertEqual(counts[:2], [ACCEPTS, len(clients)])


class ServingTests(unittest.SynchronousTestCase):
    """The HTTP site on the lane."""

    def test_round_trip(self) -> None:
        """What is stored is served, in pieces as large as the client takes, on one connection."""
        world, lane = make_world(self), LaneWorld(self)
        world.allocate(1)
        path = world.put(1, bytes(range(256)) * 20_000)
        port: Any = self.successResultOf(
            LaneEndpoint(lane.lane, lane.reactor, "127.0.0.1", 0).listen(world.site))
        client = socket.create_connection(("127.0.0.1", port.getHost().port), 5)
        self.addCleanup(client.close)
        client.sendall(Request("GET", path).encode() + Request("GET", "/nothing", (("Connection", "close"),)).encode())
        client.settimeout(0.0)
        received = b""
        for _ in range(2000):
            lane.turn(1)
            try:
                piece = client.recv(1 << 16)
            except BlockingIOError:
                continue
            if not piece:
                break
            received += piece
        self.assertIn(bytes(range(256)) * 20_000 + b"HTTP/1.1 ", received)
        self.assertTrue(received.startswith(b"HTTP/1.1 200 OK\r\n"))
