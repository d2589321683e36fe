"""Sockets that one reactor descriptor stands for: an epoll within the reactor's.

Whatever became ready since the last turn is served by one call of the reactor, which costs it as much as one socket of
its own would. Knows sockets as numbers with somebody to tell. Must not know what they carry.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

READABLE: Final = select.EPOLLIN
WRITABLE: Final = select.EPOLLOUT

_EVENTS_A_ROUND: Final = 128
_log = Logger()


class Watched(Protocol):
    """Whoever owns a socket. More than this module asks for, so that the lane of the HTTP ports can stand in for it."""

    @property
    def accepts(self) -> bool:
        """Whether sockets are born here."""

    def on_event(self, event: int) -> None:
        """The bits of epoll: what was asked for has come, or the socket is broken."""

    def read_ended(self) -> None:
        """The other end will send nothing more."""

    def connectionLost(self, reason: Failure) -> None:
        """It is over: close."""


class Watching(Protocol):
    """Whoever tells. ``Watcher`` does, and so does ``web.lane.Lane``."""

    def watch(self, number: int, watched: Watched, events: int) -> None:
        """Tell ``watched`` of ``events`` of the descriptor ``number``, and of errors."""

    def change(self, number: int, events: int) -> None:
        """Tell of other events from now on."""

    def forget(self, number: int) -> None:
        """Tell of nothing any more; before the descriptor is closed."""


@implementer(IReadDescriptor)
class Watcher:
    """The sockets; is in the reactor as long as there are any.

    :ivar after_round: called after each round in which something was ready.
    """

    def __init__(self, reactor: IReactorFDSet) -> None:
        self._reactor = reactor
        self._epoll: select.epoll | None = None
        self._watched: dict[int, Watched] = {}
        self.after_round: list[Callable[[], None]] = []

    def watch(self, number: int, watched: Watched, events: int) -> None:
        """See Watching."""
        if self._epoll is None:
            self._epoll = select.epoll()
            self._reactor.addReader(self)
        self._epoll.register(number, events)
        self._watched[number] = watched

    def change(self, number: int, events: int) -> None:
        """See Watching."""
        if self._epoll is not None:
            self._epoll.modify(number, events)

    def forget(self, number: int) -> None:
        """See Watching."""
        if self._watched.pop(number, None) is None or self._epoll is None:
            return
        self._epoll.unregister(number)
        if not self._watched:
            self._reactor.removeReader(self)
            self._epoll.close()
            self._epoll = None

    def doRead(self) -> None:
        """One round."""
        if self._epoll is None:
            return
        all_watched = self._watched
        # By owner, not by number: one that is closed in this round may give its number to a new socket.
        happened = [(number, all_watched[number], event) for number, event in self._epoll.poll(0, _EVENTS_A_ROUND)]
        for number, watched, event in happened:
            if all_watched.get(number) is watched:
                try:
                    watched.on_event(event)
                except Exception:
                    reason = Failure()
                    _log.failure("connection failed", reason)
                    _drop(watched, reason)
        for call in self.after_round:
            call()

    def fileno(self) -> int:
        """See IReadDescriptor."""
        return -1 if self._epoll is None else self._epoll.fileno()

    def connectionLost(self, reason: object) -> None:
        """See IReadDescriptor; the reactor stops."""

    def logPrefix(self) -> str:
        """See IReadDescriptor."""
        return "replicas"


def _drop(watched: Watched, reason: Failure) -> None:
    """Out of here no exception may come: the reactor would take the watcher out, and no replica be heard again."""
    try:
        watched.connectionLost(reason)
    except Exception:
        _log.failure("cannot drop a connection")
