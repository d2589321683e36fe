"""A network in memory for ``cluster.replicapool``: sockets that a test fills, empties and breaks."""

from __future__ import annotations

import errno
import os
import select
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any

from twisted.internet import defer, task

from seaweedvol.cluster.replicaconnection import Address
from seaweedvol.cluster.replicapool import Pool
from seaweedvol.cluster.watching import Watched

WRITTEN = (b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 36\r\n\r\n'
           b'{"name":"a.txt","size":5,"eTag":"0"}')


class MemorySocket:
    """One end of a connection.

    :ivar sent: what was sent.
    :ivar room: how many bytes it still takes, None for all; more than that would block.
    :ivar input: what there is to receive; b"" is the end, an error is raised.
    :ivar code: what connecting comes to, an errno; 0 for success.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.address: Any = None
        self.sent = bytearray()
        self.room: int | None = None
        self.input: deque[bytes | OSError] = deque()
        self.code = 0
        self.is_broken = False
        self.is_closed = False

    def fileno(self) -> int:
        """The number."""
        return self.number

    def setsockopt(self, *_: int) -> None:
        """Taken note of by nobody."""

    def getsockopt(self, *_: int) -> int:
        """The pending error."""
        return self.code

    def getsockname(self) -> tuple[str, int]:
        """This end."""
        return "here", 50000

    def connect_ex(self, address: Any) -> int:
        """Begin to connect, or fail."""
        self.address = address
        return self.code or errno.EINPROGRESS

    def send(self, data: bytes | memoryview) -> int:
        """Take as much as there is room for."""
        if self.is_broken:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        if self.room == 0:
            raise BlockingIOError()
        taken = bytes(data[:self.room])
        if self.room is not None:
            self.room -= len(taken)
        self.sent += taken
        return len(taken)

    def recv(self, length: int) -> bytes:
        """What there is."""
        if not self.input:
            raise BlockingIOError()
        first = self.input.popleft()
        if isinstance(first, OSError):
            raise first
        if len(first) > length:
            self.input.appendleft(first[length:])
        return first[:length]

    def close(self) -> None:
        """The end."""
        self.is_closed = True


class MemorySockets:
    """All sockets of a test, in the order they were opened, and what tells of them.

    :ivar names: addresses by host name; others do not exist. Fires at once.
    :ivar refusals: errors of the sockets that are opened next.
    :ivar code: what connecting comes to at once, an errno; 0 when that shows later.
    """

    def __init__(self, clock: task.Clock) -> None:
        self.opened: list[MemorySocket] = []
        self.names: dict[str, Sequence[Address]] = {}
        self.lookups: list[defer.Deferred[Sequence[Address]]] = []
        self.refusals: deque[OSError] = deque()
        self.code = 0
        self._watched: dict[int, tuple[Watched, int]] = {}
        self.pool = Pool(clock, open_socket=self._open, watcher=self, resolve=self._resolve)

    def _open(self, family: int, kind: int) -> MemorySocket:
        assert kind & socket.SOCK_NONBLOCK
        if self.refusals:
            raise self.refusals.popleft()
        self.opened.append(MemorySocket(len(self.opened) + 10))
        self.opened[-1].code = self.code
        return self.opened[-1]

    def _resolve(self, host: str, port: int) -> defer.Deferred[Sequence[Address]]:
        asked: defer.Deferred[Sequence[Address]] = defer.Deferred()
        self.lookups.append(asked)
        if host in self.names:
            asked.callback(self.names[host])
        return asked

    def watch(self, number: int, watched: Watched, events: int) -> None:
        """See Watching."""
        assert number not in self._watched, "watched already"
        self._watched[number] = watched, events

    def change(self, number: int, events: int) -> None:
        """See Watching."""
        self._watched[number] = self._watched[number][0], events

    def forget(self, number: int) -> None:
        """See Watching."""
        assert not self.opened[number - 10].is_closed, "forgotten too late"
        self._watched.pop(number, None)

    @property
    def watched(self) -> list[int]:
        """Which of the opened sockets are."""
        return sorted(number - 10 for number in self._watched)

    def connect(self, index: int, code: int = 0) -> None:
        """A connection comes about, or not."""
        self.opened[index].code = code
        self._tell(index, select.EPOLLOUT | (select.EPOLLERR | select.EPOLLHUP if code else 0))

    def make_room(self, index: int, room: int | None) -> None:
        """The socket takes more again."""
        self.opened[index].room = room
        self._tell(index, select.EPOLLOUT)

    def receive(self, index: int, *pieces: bytes | OSError) -> None:
        """Something arrives: data, the end (b""), an error."""
        for piece in pieces:
            self.opened[index].input.append(piece)
            self._tell(index, select.EPOLLIN | (select.EPOLLERR if isinstance(piece, OSError) else 0))

    def _tell(self, index: int, event: int) -> None:
        watched, wanted = self._watched[index + 10]
        event &= wanted | select.EPOLLERR | select.EPOLLHUP
        if event:
            watched.on_event(event)
