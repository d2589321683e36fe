"""A connection of the lane: what Twisted's own TCP transport offers a protocol, sent and received without detours.

Bytes leave within :meth:`LaneTransport.write` when the socket takes them; only the rest waits. Knows sockets,
producers, and senders that send themselves (:class:`~seaweedvol.web.outgoing.Outgoing`); must not know HTTP.
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT
from typing import Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IConsumer, IHalfCloseableProtocol, IProtocol, IPushProducer, ISystemHandle, ITCPTransport)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from seaweedvol.web.lane import RECEIVE_LENGTH, Lane
from seaweedvol.web.outgoing import ColdPages, Outgoing

# A push producer pauses when more than this waits (Twisted: the same).
HIGH_WATER: Final = 64 << 10
# Pieces handed to the kernel at once.
PIECES: Final = 64
# How often a pull producer is asked in a row before others have their turn.
ASKS: Final = 8

_RESET: Final = struct.pack("ii", 1, 0)
_DONE: Final = Failure(ConnectionDone())
_LOST: Final = Failure(ConnectionLost())

# What Twisted calls the end of a connection.
Address = IPv4Address | IPv6Address

_log = Logger()


class _Errand:
    """An outgoing in the queue, and who wants to know of its end."""

    __slots__ = ("outgoing", "done")

    def __init__(self, outgoing: Outgoing, done: Callable[[Exception | None], None]) -> None:
        self.outgoing = outgoing
        self.done = done


@implementer(ITCPTransport, IConsumer, IPushProducer, ISystemHandle)
class LaneTransport:
    """One connection, as :class:`twisted.internet.tcp.Server` is one.

    It differs from that in this: bytes may leave and a pull producer may be asked within ``write``, and a connection
    that is reset is noticed while reading is paused too.

    :ivar protocol: who is told; fixed.
    :ivar connected: until ``connectionLost``.
    :ivar disconnecting: after ``loseConnection``.
    :ivar disconnected: from ``connectionLost`` on.
    :ivar producer: who writes when told to.
    """

    __slots__ = (
        "protocol", "connected", "disconnecting", "disconnected", "producer", "accepts", "_lane", "_reactor",
        "_socket", "_number", "_send", "_reader", "_events", "_is_watched", "_is_clear", "_is_dying", "_is_read_ended",
        "_is_half_closing", "_is_half_closed", "_is_sending", "_is_warming", "_queue", "_waiting", "_is_streaming",
        "_is_paused", "_is_asking", "_asks_again", "_peer", "_host", "__weakref__")

    def __init__(self, lane: Lane, reactor: Any, connection: socket.socket, protocol: IProtocol,
                 peer: Address, address_of: Callable[[Any], Address]) -> None:
        """Take over ``connection``, which does not block. :meth:`start` begins to serve it.

        :param peer: the other end.
        :param address_of: what Twisted calls an address of the socket's family.
        """
        self.protocol = protocol
        self.connected = False
        self.disconnecting = False
        self.disconnected = False
        self.producer: Any = None
        self.accepts = False
        self._lane = lane
        self._reactor = reactor
        self._socket = connection
        self._number = connection.fileno()
        self._send = connection.send
        self._reader = (connection.recv, protocol.dataReceived, self)
        self._events = 0
        self._is_watched = False
        # Whether write() may send at once: connected, nothing waits, and our side is not closed.
        self._is_clear = False
        # Whether connectionLost is due in the next turn whatever happens.
        self._is_dying = False
        self._is_read_ended = False
        self._is_half_closing = False
        self._is_half_closed = False
        self._is_sending = False
        self._is_warming = False
        self._queue: deque[bytes | memoryview | _Errand] = deque()
        self._waiting = 0
        self._is_streaming = False
        self._is_paused = False
        self._is_asking = False
        self._asks_again = False
        self._peer = peer
        self._host: Address | Callable[[Any], Address] = address_of

    def start(self) -> None:
        """Tell the protocol that it is connected, and read."""
        self.connected = True
        self._is_clear = True
        self._events = EPOLLIN
        self._lane.watch(self._number, self, EPOLLIN)
        self._is_watched = True
        self._lane.readers[self._number] = self._reader
        self.protocol.makeConnection(self)

    # --- ITransport ----------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send ``data``, what the socket takes of it at once and the rest as soon as it can."""
        if self._is_clear:
            try:
                sent = self._send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._die(_LOST)
                return
            if sent == len(data):
                if self.producer is not None and data:
                    self._ask()
                return
            self._is_clear = False
            self._wait_with(memoryview(data)[sent:])
        elif data and not (self._is_half_closed or self._is_dying or self.disconnected):
            self._wait_with(memoryview(data))

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """See ITransport."""
        self.write(b"".join(data))

    def write_from(self, outgoing: Outgoing, done: Callable[[Exception | None], None]) -> None:
        """Let ``outgoing`` send itself after what waits; what is written later is sent after it.

        :param done: called with None when all of it has left, else with what went wrong; perhaps before this returns.
        """
        if not self.connected or self._is_half_closed or self._is_dying:
            done(ConnectionLost())
            return
        self._queue.append(_Errand(outgoing, done))
        if self._is_clear and not self.disconnecting and not self._is_half_closing:
            self._is_clear = False
            if self._drain():
                self._is_clear = True
                self._ask()
        elif not self._is_sending:
            self._want(EPOLLOUT)

    def loseConnection(self) -> None:
        """Close, when all has been sent and the producer has gone."""
        if not self.connected or self.disconnecting or self._is_dying:
            return
        if self._is_half_closed:
            self.connectionLost(_DONE)
            return
        self.disconnecting = True
        self._lane.readers.pop(self._number, None)
        self._set_events(EPOLLOUT)

    def abortConnection(self) -> None:
        """Drop what waits and reset the connection; the protocol hears of it in the next turn."""
        self._die(Failure(ConnectionAborted()))

    def loseWriteConnection(self) -> None:
        """Close our side, when all has been sent; reading goes on."""
        if self.connected and not self._is_half_closing and not self._is_dying:
            self._is_half_closing = True
            self._want(EPOLLOUT)

    def getPeer(self) -> Address:
        """The other end."""
        return self._peer

    def getHost(self) -> Address:
        """This end."""
        if callable(self._host):
            self._host = self._host(self._socket.getsockname())
        return self._host

    def getHandle(self) -> socket.socket:
        """The socket."""
        return self._socket

    def getTcpNoDelay(self) -> bool:
        """See ITCPTransport."""
        return bool(self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    def setTcpNoDelay(self, enabled: bool) -> None:
        """See ITCPTransport."""
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, enabled)

    def getTcpKeepAlive(self) -> bool:
        """See ITCPTransport."""
        return bool(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """See ITCPTransport."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, enabled)

    # --- IPushProducer: this end of the connection as a source ---------------------------------------------------

    def pauseProducing(self) -> None:
        """Read no more for now."""
        self._stop_reading()

    def resumeProducing(self) -> None:
        """Read again."""
        if self.connected and not (self.disconnecting or self._is_read_ended or self._is_dying):
            self._lane.readers[self._number] = self._reader
            self._want(EPOLLIN)

    def stopProducing(self) -> None:
        """See IProducer."""
        self.loseConnection()

    # --- IConsumer -----------------------------------------------------------------------------------------------

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let ``producer`` write: a push producer pauses while too much waits, a pull producer is asked whenever
        nothing waits.

        :raises RuntimeError: when there is one already.
        """
        if self.producer is not None:
            raise RuntimeError(f"cannot register {producer}: {self.producer} has not been unregistered")
        if self.disconnected:
            producer.stopProducing()
            return
        self.producer = producer
        self._is_streaming = bool(streaming)
        self._is_paused = False
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """The producer has no more to write."""
        self.producer = None
        if self.connected and (self.disconnecting or self._is_half_closing) and not self._is_half_closed:
            self._want(EPOLLOUT)

    def stopConsuming(self) -> None:
        """See Twisted's FileDescriptor."""
        self.unregisterProducer()
        self.loseConnection()

    # --- the lane calls these ------------------------------------------------------------------------------------

    def on_event(self, event: int) -> None:
        """Anything else than just bytes to read."""
        if self._is_dying:
            return
        if self._events & EPOLLIN and event & (EPOLLIN | EPOLLHUP | EPOLLERR):
            self._read()
        if self._events & EPOLLOUT and event & (EPOLLOUT | EPOLLHUP | EPOLLERR):
            if self._drain():
                self._emptied()
        elif event & (EPOLLHUP | EPOLLERR) and self._is_watched and not self._events:
            self._look_after_hangup()

    def read_ended(self) -> None:
        """The other end will send nothing more."""
        self._is_read_ended = True
        self._stop_reading()
        half_closeable = IHalfCloseableProtocol(self.protocol, None)
        if half_closeable is None:
            self.connectionLost(_DONE)
        else:
            half_closeable.readConnectionLost()

    def connectionLost(self, reason: Failure) -> None:
        """Close, and tell everybody."""
        if self.disconnected:
            return
        self.disconnected = True
        self.connected = self._is_clear = False
        self._lane.forget(self._number)
        self._is_watched = False
        self._events = 0
        self._close(is_orderly=reason.check(ConnectionAborted) is None)
        queue = list(self._queue)
        self._queue.clear()
        for waiting in queue:
            if isinstance(waiting, _Errand):
                self._tell(waiting.done, reason.value)
        producer, self.producer = self.producer, None
        if producer is not None:
            self._tell(producer.stopProducing)
        self.protocol.connectionLost(reason)

    # --- reading -------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            data = self._socket.recv(RECEIVE_LENGTH)
        except BlockingIOError:
            return
        except OSError:
            self.connectionLost(_LOST)
            return
        if data:
            self.protocol.dataReceived(data)
        else:
            self.read_ended()

    def _stop_reading(self) -> None:
        self._lane.readers.pop(self._number, None)
        self._want_not(EPOLLIN)

    def _look_after_hangup(self) -> None:
        """Nobody reads or writes, and the socket says that it is broken, or closed on both sides."""
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.connectionLost(_LOST)
        else:
            # It would say so again and again. There may be bytes left to be read.
            self._lane.ignore(self._number)
            self._is_watched = False

    # --- sending -------------------------------------------------------------------------------------------------

    def _wait_with(self, data: memoryview) -> None:
        self._queue.append(data)
        self._waiting += len(data)
        if not self._is_sending:
            self._want(EPOLLOUT)
        if self._is_streaming and self.producer is not None and not self._is_paused and self._waiting > HIGH_WATER:
            self._is_paused = True
            self.producer.pauseProducing()

    def _drain(self) -> bool:
        """Send what waits; whether nothing is left. What is written meanwhile is sent too."""
        queue = self._queue
        self._is_sending = True
        try:
            while queue:
                first = queue[0]
                if not (self._send_itself(first) if isinstance(first, _Errand) else self._send_pieces()):
                    if not self._is_warming:
                        self._want(EPOLLOUT)
                    return False
        finally:
            self._is_sending = False
        return not self._is_dying and self.connected

    def _send_pieces(self) -> bool:
        """Send the bytes at the head of the queue; whether the socket took all that it was offered."""
        pieces: list[Any] = []
        for piece in islice(self._queue, PIECES):
            if isinstance(piece, _Errand):
                break
            pieces.append(piece)
        try:
            sent = self._socket.sendmsg(pieces)
        except BlockingIOError:
            return False
        except OSError:
            self._die(_LOST)
            return False
        self._waiting -= sent
        for piece in pieces:
            if sent < len(piece):
                self._queue[0] = piece[sent:]
                return False
            sent -= len(piece)
            self._queue.popleft()
        return True

    def _send_itself(self, errand: _Errand) -> bool:
        """Let the outgoing at the head of the queue send; whether it is over."""
        try:
            is_over = errand.outgoing.send_to(self._number)
        except ColdPages:
            self._is_warming = True
            self._want_not(EPOLLOUT)
            Deferred.fromCoroutine(self._warm(errand))
            return False
        except Exception as error:
            self._break_off(errand, error)
            return False
        if is_over:
            self._queue.popleft()
            self._tell(errand.done, None)
        return is_over and not self._is_dying

    async def _warm(self, errand: _Errand) -> None:
        """Wait until the bytes of an outgoing are there."""
        try:
            await errand.outgoing.warm()
        except Exception as error:
            self._is_warming = False
            if not self.disconnected:
                self._break_off(errand, error)
            return
        self._is_warming = False
        if not self.disconnected:
            self._want(EPOLLOUT)

    def _break_off(self, errand: _Errand, error: Exception) -> None:
        """Part of an outgoing may have left: the client must see that the rest will not come."""
        self._queue.popleft()
        self.abortConnection()
        self._tell(errand.done, error)

    def _emptied(self) -> None:
        """All that waited has left, and the socket takes more."""
        self._want_not(EPOLLOUT)
        self._is_clear = not self._is_half_closed
        if self.producer is not None and (self._is_paused or not self._is_streaming):
            self._ask()
        elif self.disconnecting:
            self.connectionLost(_DONE)
        elif self._is_half_closing and not self._is_half_closed:
            self._half_close()

    def _half_close(self) -> None:
        self._is_half_closed = True
        self._is_clear = False
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        half_closeable = IHalfCloseableProtocol(self.protocol, None)
        if half_closeable is not None:
            half_closeable.writeConnectionLost()

    def _ask(self) -> None:
        """Nothing waits: let the producer write. It may write without end, so others must have their turn too."""
        if self._is_asking:
            self._asks_again = True
            return
        self._is_asking = True
        try:
            for _ in range(ASKS):
                self._asks_again = False
                producer = self.producer
                if producer is None or self._is_streaming and not self._is_paused:
                    return
                self._is_paused = False
                producer.resumeProducing()
                if not self._asks_again or not self._is_clear:
                    return
            self._want(EPOLLOUT)
        except BaseException:
            reason = Failure()
            _log.failure("a producer failed", reason)
            self._die(reason)
        finally:
            self._is_asking = False

    # --- the end -------------------------------------------------------------------------------------------------

    def _die(self, reason: Failure) -> None:
        """Do nothing more, and be lost in the next turn: never within a call of the protocol's."""
        if self.disconnected or self._is_dying:
            return
        self._is_dying = True
        self._is_clear = False
        self._lane.ignore(self._number)
        self._is_watched = False
        self._events = 0
        self._reactor.callLater(0, self.connectionLost, reason)

    def _close(self, *, is_orderly: bool) -> None:
        try:
            if is_orderly:
                self._socket.shutdown(socket.SHUT_RDWR)
            else:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        except OSError:
            pass
        self._socket.close()

    def _tell(self, call: Callable[..., object], *args: object) -> None:
        """Call somebody whose failure must not keep others from being told."""
        try:
            call(*args)
        except BaseException:
            _log.failure("{call} failed", call=call)

    # --- events --------------------------------------------------------------------------------------------------

    def _want(self, event: int) -> None:
        self._set_events(self._events | event)

    def _want_not(self, event: int) -> None:
        self._set_events(self._events & ~event)

    def _set_events(self, events: int) -> None:
        if self.disconnected or self._is_dying:
            return
        if not self._is_watched:
            if events:
                self._lane.watch(self._number, self, events)
                self._is_watched = True
        elif events != self._events:
            self._lane.change(self._number, events)
        self._events = events
