"""A connection of the lane: what Twisted's own TCP transport offers a protocol, without its detours.

This half knows when to read, when to close, and the socket's address and options; sending is
:mod:`~seaweedvol.web.lane.sending`'s. Must not know HTTP.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT
from typing import Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IConsumer, IHalfCloseableProtocol, IProtocol, IPushProducer, ISystemHandle, ITCPTransport)
from twisted.python.failure import Failure
from zope.interface import implementer

from seaweedvol.web.lane.lane import RECEIVE_LENGTH, Lane
from seaweedvol.web.lane.sending import LOST, LaneSending

# What Twisted calls the end of a connection.
Address = IPv4Address | IPv6Address

_RESET: Final = struct.pack("ii", 1, 0)
_DONE: Final = Failure(ConnectionDone())


@implementer(ITCPTransport, IConsumer, IPushProducer, ISystemHandle)
class LaneTransport(LaneSending):
    """One connection, as :class:`twisted.internet.tcp.Server` is one.

    It differs from that in this: bytes may leave and a pull producer may be asked within ``write``, and a connection
    that is reset is noticed while reading is paused too.

    :ivar protocol: who is told; fixed.
    """

    __slots__ = ("protocol", "accepts", "_lane", "_reactor", "_reader", "_events", "_is_watched", "_is_read_ended",
                 "_peer", "_host", "__weakref__")

    def __init__(self, lane: Lane, reactor: Any, connection: socket.socket, protocol: IProtocol,
                 peer: Address, address_of: Callable[[Any], Address]) -> None:
        """Take over ``connection``, which does not block. :meth:`start` begins to serve it.

        :param peer: the other end.
        :param address_of: what Twisted calls an address of the socket's family.
        """
        super().__init__(connection)
        self.protocol = protocol
        self.accepts = False
        self._lane = lane
        self._reactor = reactor
        self._reader = (connection.recv, protocol.dataReceived, self)
        self._events = 0
        self._is_watched = False
        self._is_read_ended = False
        self._peer: Address = peer
        self._host: Address | Callable[[Any], Address] = address_of

    def start(self) -> None:
        """Tell the protocol that it is connected, and read."""
        self.connected = True
        self.is_clear = True
        self._events = EPOLLIN
        self._lane.watch(self._number, self, EPOLLIN)
        self._is_watched = True
        self._lane.readers[self._number] = self._reader
        self.protocol.makeConnection(self)

    # --- ITransport ----------------------------------------------------------------------------------------------

    def loseConnection(self) -> None:
        """Close, when all has been sent and the producer has gone."""
        if not self.connected or self.disconnecting or self._is_dying:
            return
        if self._is_half_closed:
            self.connectionLost(_DONE)
            return
        self.disconnecting = True
        self._lane.readers.pop(self._number, None)
        self._set_events(0 if self._is_warming else EPOLLOUT)

    def abortConnection(self) -> None:
        """Drop what waits and reset the connection; the protocol hears of it in the next turn."""
        self._die(Failure(ConnectionAborted()))

    def loseWriteConnection(self) -> None:
        """Close our side, when all has been sent; reading goes on."""
        if self.connected and not self._is_half_closing and not self._is_dying:
            self._is_half_closing = True
            self._wait_for_room()

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
        self.connected = self.is_clear = False
        self._lane.forget(self._number)
        self._is_watched = False
        self._events = 0
        self._close(is_orderly=reason.check(ConnectionAborted) is None)
        error = reason.value
        self._forget_waiting(error if isinstance(error, Exception) else ConnectionLost())
        self.protocol.connectionLost(reason)

    # --- reading -------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            data = self._socket.recv(RECEIVE_LENGTH)
        except BlockingIOError:
            return
        except OSError:
            self.connectionLost(LOST)
            return
        if data:
            self.protocol.dataReceived(data)
        else:
            self.read_ended()

    def read_now(self) -> None:
        """Take in what the kernel has already, before its time comes."""
        if self.connected and self._events & EPOLLIN and not self._is_dying:
            self._read()

    def _stop_reading(self) -> None:
        self._lane.readers.pop(self._number, None)
        self._want_not(EPOLLIN)

    def _look_after_hangup(self) -> None:
        """Nobody reads or writes, and the socket says that it is broken, or closed on both sides."""
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.connectionLost(LOST)
        else:
            # It would say so again and again. There may be bytes left to be read.
            self._lane.ignore(self._number)
            self._is_watched = False

    # --- after sending ------------------------------------------------------------------------------------------------

    def _emptied(self) -> None:
        """All that waited has left, and the socket takes more."""
        self._want_not(EPOLLOUT)
        self.is_clear = not self._is_half_closed
        if self.producer is not None and (self._is_paused or not self._is_streaming):
            self._ask()
        elif self.disconnecting:
            self.connectionLost(_DONE)
        elif self._is_half_closing and not self._is_half_closed:
            self._half_close()

    def _half_close(self) -> None:
        self._is_half_closed = True
        self.is_clear = False
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        half_closeable = IHalfCloseableProtocol(self.protocol, None)
        if half_closeable is not None:
            half_closeable.writeConnectionLost()

    # --- the end -------------------------------------------------------------------------------------------------

    def _die(self, reason: Failure) -> None:
        """Do nothing more, and be lost in the next turn: never within a call of the protocol's."""
        if self.disconnected or self._is_dying:
            return
        self._is_dying = True
        self.is_clear = False
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
