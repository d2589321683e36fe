"""Ports whose connections are the lane's.

Knows addresses, and what to do when the process has no room for another connection; must not know HTTP.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from select import EPOLLIN
from typing import Any, Final

from twisted.internet.abstract import isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError, ConnectionLost
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from seaweedvol.web.lane.lane import Lane
from seaweedvol.web.lane.transport import Address, LaneTransport

BACKLOG: Final = 1024
# Connections taken in at once.
ACCEPTS: Final = 64
# How long none is taken in when there is no room for one.
FULL_SECONDS: Final = 0.1

# Known to every Linux, and allowed to everybody.
_UNPACED: Final = b"reno"
_FULL: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def ipv4_address(address: Any) -> Address:
    """A socket's address in Twisted's words."""
    return IPv4Address("TCP", *address[:2])


def ipv6_address(address: Any) -> Address:
    """A socket's address in Twisted's words; the scope of a link-local one is part of the host."""
    host, port, flow, scope = address
    if scope:
        host = socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    return IPv6Address("TCP", host, port, flow, scope)


@implementer(IListeningPort)
class LanePort:
    """A listening socket on the lane."""

    accepts = True
    _log = Logger()

    def __init__(self, lane: Lane, reactor: Any, host: str, port: int, factory: IProtocolFactory) -> None:
        self._lane = lane
        self._reactor = reactor
        self._factory: Any = factory
        self._family = socket.AF_INET6 if isIPv6Address(host) else socket.AF_INET
        self._address_of: Callable[[Any], Address] = ipv6_address if isIPv6Address(host) else ipv4_address
        self._wanted = (host, port)
        self._socket: socket.socket | None = None
        self._number = -1
        self._resting: Any = None
        self._is_stopping = False
        self._host: Address | None = None

    def startListening(self) -> None:
        """Bind, and accept connections.

        :raises CannotListenError: when the address cannot be had.
        :raises RuntimeError: when the lane is not running.
        """
        if not self._lane.is_running:
            raise RuntimeError("the lane is not running")
        host, port = self._wanted
        opened: socket.socket | None = None
        try:
            opened = socket.socket(self._family, socket.SOCK_STREAM)
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(self._bound_to())
            opened.listen(BACKLOG)
        except OSError as error:
            if opened is not None:
                opened.close()
            raise CannotListenError(host, port, error)
        self._socket, self._number = opened, opened.fileno()
        self._is_stopping = False
        self._host = self._address_of(opened.getsockname())
        self._log.info("{factory} starting on {port}", factory=type(self._factory).__name__,
                       port=opened.getsockname()[1])
        self._factory.doStart()
        self._lane.watch(self._number, self, EPOLLIN)

    def _bound_to(self) -> Any:
        if self._family == socket.AF_INET:
            return self._wanted
        return socket.getaddrinfo(*self._wanted, 0, 0, 0, socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)[0][4]

    def stopListening(self) -> Deferred[None]:
        """Accept no more. Fires when the port is closed."""
        if self._socket is None:
            return succeed(None)
        self._rest_no_more()
        self._is_stopping = True
        self._lane.ignore(self._number)
        return deferLater(self._reactor, 0, self.connectionLost, Failure(ConnectionLost()))

    def getHost(self) -> Address:
        """Where connections are accepted.

        :raises RuntimeError: before that was so.
        """
        if self._host is None:
            raise RuntimeError("not listening")
        return self._host

    # --- the lane calls these ------------------------------------------------------------------------------------

    def on_event(self, event: int) -> None:
        """Take connections in."""
        if not self._is_stopping:
            self._accept()

    def _accept(self) -> None:
        for _ in range(ACCEPTS):
            if self._resting is not None or self._socket is None:
                return
            try:
                connection, address = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _FULL:
                    self._rest(error)
                    return
                # This one went away while it waited.
                continue
            self._begin(connection, address)

    def read_ended(self) -> None:
        """Nobody reads from a port."""

    def connectionLost(self, reason: Failure) -> None:
        """Close."""
        if self._socket is None:
            return
        self._rest_no_more()
        if self._is_stopping and self._lane.is_running:
            # Whom the kernel has let in counts as connected, up to the last moment.
            for _ in range(BACKLOG // ACCEPTS):
                self._accept()
        opened, self._socket = self._socket, None
        self._lane.forget(self._number)
        opened.close()
        self._log.info("{factory} port {port} closed", factory=type(self._factory).__name__, port=self._wanted[1])
        self._factory.doStop()

    # --- connections ---------------------------------------------------------------------------------------------

    def _begin(self, connection: socket.socket, address: Any) -> None:
        """Serve a connection; whatever goes wrong costs only that one."""
        transport: LaneTransport | None = None
        try:
            connection.setblocking(False)
            _spare_pacing(connection, address)
            peer = self._address_of(address)
            protocol = self._factory.buildProtocol(peer)
            if protocol is None:
                connection.close()
                return
            transport = LaneTransport(self._lane, self._reactor, connection, protocol, peer, self._address_of)
            transport.start()
        except BaseException:
            reason = Failure()
            self._log.failure("cannot serve a connection", reason)
            if transport is None:
                connection.close()
            else:
                transport.connectionLost(reason)

    def _rest(self, error: OSError) -> None:
        """There is no room: the waiting connections would be reported again and again."""
        self._log.warn("cannot accept connections for a moment: {error}", error=error)
        self._lane.ignore(self._number)
        self._resting = self._reactor.callLater(FULL_SECONDS, self._wake)

    def _wake(self) -> None:
        self._resting = None
        self._lane.watch(self._number, self, EPOLLIN)

    def _rest_no_more(self) -> None:
        resting, self._resting = self._resting, None
        if resting is not None:
            resting.cancel()


def _spare_pacing(connection: socket.socket, address: Any) -> None:
    """Free a connection that never leaves the machine, as from a filer beside us, from what is meant for networks.

    Where the operator has chosen a congestion control that paces (bbr), each reply of a mebibyte cost a tenth more CPU
    time there, for timers that keep apart what nothing could lose.
    """
    try:
        if connection.getsockname()[0] == address[0]:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, _UNPACED)
    except OSError:
        # Some kernels have none to choose.
        pass


@implementer(IStreamServerEndpoint)
class LaneEndpoint:
    """Where to listen with the lane. The lane is to be running by then."""

    def __init__(self, lane: Lane, reactor: Any, host: str, port: int) -> None:
        """:param host: an IPv4 address or a name of one, an IPv6 address with or without brackets, "" for all of IPv4.
        """
        self._lane = lane
        self._reactor = reactor
        self._host = host.strip("[]")
        self._port = port

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Fires at once, with the port; fails with CannotListenError when it cannot be had."""
        port = LanePort(self._lane, self._reactor, self._host, self._port, protocolFactory)
        try:
            port.startListening()
        except Exception:
            return fail(Failure())
        return succeed(port)
