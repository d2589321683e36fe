"""The lane without a reactor and without a network: connections are pairs of sockets, turns are taken by hand."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from seaweedvol.web.lane.lane import Lane
from seaweedvol.web.lane.transport import LaneTransport

HERE = IPv4Address("TCP", "127.0.0.1", 8080)
THERE = IPv4Address("TCP", "127.0.0.1", 4711)


class Listener(Protocol):
    """A protocol that remembers.

    :ivar log: what it was told, other than bytes.
    :ivar on_data: called with bytes that come in.
    """

    def __init__(self, on_data: Callable[[bytes], object] = lambda data: None) -> None:
        self.received = b""
        self.log: list[str] = []
        self.on_data = on_data

    def connectionMade(self) -> None:
        """See IProtocol."""
        self.log.append("made")

    def dataReceived(self, data: bytes) -> None:
        """See IProtocol."""
        self.received += data
        self.on_data(data)

    def connectionLost(self, reason: Failure = Failure(ConnectionError())) -> None:
        """See IProtocol."""
        self.log.append(type(reason.value).__name__)


@implementer(IHalfCloseableProtocol)
class HalfListener(Listener):
    """A protocol that is told of each half of a connection."""

    def readConnectionLost(self) -> None:
        """See IHalfCloseableProtocol."""
        self.log.append("read lost")

    def writeConnectionLost(self) -> None:
        """See IHalfCloseableProtocol."""
        self.log.append("write lost")


class Pulled:
    """A pull producer that writes these pieces, one each time it is asked; more than once it may be asked in vain."""

    def __init__(self, transport: Any, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.asked = 0
        self.is_stopped = False
        self._transport = transport

    def resumeProducing(self) -> None:
        """See IPullProducer."""
        self.asked += 1
        if self.pieces:
            self._transport.write(self.pieces.pop(0))

    def stopProducing(self) -> None:
        """See IProducer."""
        self.is_stopped = True


class Pushing:
    """A push producer that remembers what it was told."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def resumeProducing(self) -> None:
        """See IPushProducer."""
        self.log.append("resume")

    def pauseProducing(self) -> None:
        """See IPushProducer."""
        self.log.append("pause")

    def stopProducing(self) -> None:
        """See IProducer."""
        self.log.append("stop")


class Script:
    """An outgoing that does as it is told: sends bytes, raises exceptions; returns True when nothing is left.

    :ivar warming: fired by the test when the pages are there.
    """

    def __init__(self, connection: socket.socket, *steps: bytes | Exception) -> None:
        self.steps = list(steps)
        self.warming: Deferred[None] = Deferred()
        self.sent = 0
        self._connection = connection

    def send_to(self, descriptor: int) -> bool:
        """See Outgoing."""
        assert descriptor == self._connection.fileno()
        if not self.steps:
            return True
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        try:
            sent = self._connection.send(step)
        except BlockingIOError:
            sent = 0
        self.sent += sent
        if sent < len(step):
            self.steps.insert(0, step[sent:])
        return not self.steps

    def warm(self) -> Awaitable[None]:
        """See Outgoing."""
        return self.warming


class World:
    """A lane, and connections on it."""

    def __init__(self, test: SynchronousTestCase) -> None:
        self.reactor = MemoryReactorClock()
        self.lane = Lane(self.reactor)
        self.lane.start()
        self._test = test
        test.addCleanup(self.lane.stop)

    def turn(self, rounds: int = 12) -> None:
        """Let the reactor turn for a while."""
        for _ in range(rounds):
            self.reactor.advance(0)
            if self.lane.is_running:
                self.lane.doRead()

    def connect(self, protocol: Listener | None = None) -> Connection:
        """A new connection."""
        here, there = socket.socketpair()
        for end in (here, there):
            end.setblocking(False)
        self._test.addCleanup(there.close)
        protocol = protocol or Listener()
        transport = LaneTransport(self.lane, self.reactor, here, protocol, THERE, lambda address: HERE)
        connection = Connection(self, protocol, transport, there)
        transport.start()
        return connection


class Connection:
    """Both ends of a connection.

    :ivar there: the client's socket.
    """

    def __init__(self, world: World, protocol: Listener, transport: LaneTransport, there: socket.socket) -> None:
        self.protocol = protocol
        self.transport = transport
        self.there = there
        self._world = world

    def read(self) -> bytes:
        """All that the client can read, while the server turns. A reset is an end like any other."""
        return b"".join(iter(self._read_once, b""))

    def _read_once(self) -> bytes:
        self._world.turn()
        data = b""
        try:
            while piece := self.there.recv(1 << 20):
                data += piece
        except (BlockingIOError, ConnectionResetError):
            pass
        return data

    @property
    def is_ended(self) -> bool:
        """Whether the client sees the end."""
        try:
            return self.there.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    def fill(self) -> bytes:
        """Write more than the socket takes; what was written."""
        data = bytes(range(256)) * 4096
        self.transport.write(data)
        assert not self.transport.is_clear
        return data
