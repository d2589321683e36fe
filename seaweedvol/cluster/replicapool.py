"""Kept connections to other volume servers, and the one clock that watches over all of them.

As many connections to a peer as requests are under way to it; the one that was used last is used next, so that what is
not needed any more ages and is closed. Must not know what is asked.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from math import inf
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from seaweedvol.cluster.replicaconnection import Address, Call, Connection, Owner, Sockets
from seaweedvol.cluster.watching import Watcher, Watching
from seaweedvol.config.address import without_brackets

# Less than the 30 seconds after which a volume server that was not told otherwise closes a silent connection.
IDLE_SECONDS: Final = 20.0
KEPT_CONNECTIONS: Final = 64

Resolve = Callable[[str, int], Deferred[Sequence[Address]]]
"""Looks a host name up; fails when it has no address."""
Connect = Callable[[Sockets, Owner, Call], Connection]


class Pool:
    """All connections.

    :param reactor: a Twisted reactor with descriptors, time and (for host names) threads.
    :param connect: makes connections.
    :ivar open_socket: makes sockets, as ``socket.socket`` does.
    :ivar watcher: tells new connections when they are ready; may be set to another.
    """

    def __init__(self, reactor: Any, *, open_socket: Callable[[int, int], Any] = socket.socket,
                 watcher: Watching | None = None, resolve: Resolve | None = None,
                 connect: Connect = Connection) -> None:
        self.connect = connect
        self._reactor = reactor
        self._seconds: Callable[[], float] = reactor.seconds
        self.open_socket = open_socket
        self.watcher: Watching = watcher or Watcher(reactor)
        self.resolve: Resolve = resolve or self._look_up
        self._peers: dict[str, Peer] = {}
        self._open: set[Connection] = set()
        self._alarm: IDelayedCall | None = None
        self._alarm_at = inf

    def send(self, url: str, call: Call) -> None:
        """Send to the peer at ``url`` (``host:port``). The call may have failed before this returns."""
        peer = self._peers.get(url)
        if peer is None:
            peer = self._peers[url] = Peer(self, url)
        idle = peer.idle
        if idle:
            idle.pop().send(call)
        else:
            peer.dial(call)

    def close(self) -> None:
        """Close all connections; calls under way hear nothing more."""
        for connection in list(self._open):
            connection.close()
        self._set_alarm(inf)

    # --- for connections -----------------------------------------------------------------------------------------

    def deadline_in(self, seconds: float) -> float:
        """That long from now, and see to it that somebody looks then."""
        deadline = self._seconds() + seconds
        if deadline < self._alarm_at:
            self._set_alarm(deadline)
        return deadline

    def opened(self, connection: Connection) -> None:
        """There is one more."""
        self._open.add(connection)

    def closed(self, connection: Connection) -> None:
        """There is one less."""
        self._open.discard(connection)
        if not self._open:
            self._set_alarm(inf)

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = None if at == inf else self._reactor.callLater(max(0.0, at - self._seconds()), self._ring)

    def _ring(self) -> None:
        """Deadlines only ever move away, so one look when the first of them would have been over is enough."""
        now = self._seconds()
        for connection in [one for one in self._open if one.deadline <= now]:
            connection.expire()
        self._set_alarm(min((one.deadline for one in self._open), default=inf))

    def _look_up(self, host: str, port: int) -> Deferred[Sequence[Address]]:
        asked: Deferred[Any] = deferToThreadPool(
            self._reactor, self._reactor.getThreadPool(), socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
        return asked.addCallback(lambda found: [(family, address) for family, _, _, _, address in found])


class Peer:
    """One server.

    :ivar idle: connections that wait for a call.
    """

    def __init__(self, pool: Pool, url: str) -> None:
        self._pool, self.url = pool, url
        host, _, port = url.rpartition(":")
        self._host, self._port = without_brackets(host), int(port) if port.isdecimal() else -1
        self._addresses = _literal(self._host, self._port)
        self.idle: list[Connection] = []

    def dial(self, call: Call) -> None:
        """Send the call over a new connection."""
        connection = self._pool.connect(self._pool, self, call)
        self._pool.opened(connection)
        if self._addresses:
            connection.dial(self._addresses)
        elif not self._host or not 0 < self._port < 65536:
            connection.fail(f"dial tcp: address {self.url}: missing or invalid port in address")
        else:
            self._pool.resolve(self._host, self._port).addCallbacks(
                connection.dial, self._unknown, errbackArgs=(connection,))

    def _unknown(self, _failure: Failure, connection: Connection) -> None:
        connection.fail(f"dial tcp: lookup {self._host}: no such host")

    # --- for connections -----------------------------------------------------------------------------------------

    def keep(self, connection: Connection) -> None:
        """It waits for the next call."""
        if len(self.idle) < KEPT_CONNECTIONS:
            connection.deadline = self._pool.deadline_in(IDLE_SECONDS)
            self.idle.append(connection)
        else:
            connection.close()

    def gone(self, connection: Connection) -> None:
        """It is closed."""
        if connection in self.idle:
            self.idle.remove(connection)
        self._pool.closed(connection)

    def send_again(self, call: Call) -> None:
        """What was kept is not trusted a second time."""
        self.dial(call)


def _literal(host: str, port: int) -> list[Address]:
    """The one address of a host that is written as an address."""
    try:
        version = ip_address(host).version
    except ValueError:
        return []
    return [(socket.AF_INET if version == 4 else socket.AF_INET6, (host, port))] if 0 < port < 65536 else []
