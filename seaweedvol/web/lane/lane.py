"""The lane: all connections of the HTTP ports behind one descriptor of the reactor.

An epoll of its own holds them; the reactor sees only that epoll. One turn of the reactor then serves a batch of
connections, at the price of one event. Knows descriptors and when they are ready; must not know HTTP.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

# Events of one round; between turns everything else in the process gets its time.
BATCH: Final = 128
# Rounds of one turn: a turn of the reactor costs several times what a round costs.
ROUNDS: Final = 4
# Takes in an upload of 64 KiB, head and all, at once. The length costs nothing when little has come, but from 128 KiB
# on malloc asks the kernel each time. Receiving into one buffer and copying out of it is slower at every length.
RECEIVE_LENGTH: Final = 80 << 10

_log = Logger()


class Watched(Protocol):
    """What the lane tells about a descriptor. Errors out of these calls cost only the one that made them."""

    @property
    def accepts(self) -> bool:
        """Whether descriptors are born here: served last in a round, so that no event of a round can be meant for an
        older descriptor with the number of a new one."""

    def on_event(self, event: int) -> None:
        """``event``, the bits of epoll, has come."""

    def read_ended(self) -> None:
        """The other end will send nothing more."""

    def connectionLost(self, reason: Failure) -> None:
        """It is over: close."""


class Timed(Protocol):
    """Wants to know when rounds begin."""

    began: float


class _Untimed:
    began = 0.0


# How bytes are taken from a connection, where they go, and whose they are.
Reader = tuple[Callable[[int], bytes], Callable[[bytes], object], Watched]


@implementer(IReadDescriptor)
class Lane:
    """One reactor descriptor for many connections. For the reactor's thread only.

    :ivar readers: connections to be read, by descriptor. A connection is here exactly while it wants EPOLLIN.
    :ivar after_round: called after each batch of events, when all the requests that came with it are known.
    :ivar is_in_round: whether ``after_round`` is about to be called.
    :param timed: told when a round's events are known, by ``seconds``.
    """

    def __init__(self, reactor: Any, timed: Timed | None = None,
                 seconds: Callable[[], float] = time.perf_counter) -> None:
        self._timed = timed or _Untimed()
        self._seconds = seconds
        self.readers: dict[int, Reader] = {}
        self.after_round: list[Callable[[], None]] = []
        self.is_in_round = False
        self._reactor = reactor
        self._watched: dict[int, Watched] = {}
        self._epoll: select.epoll | None = None

    @property
    def is_running(self) -> bool:
        """Whether the lane has been started, and not been stopped."""
        return self._epoll is not None

    def start(self) -> None:
        """Begin to serve. Does nothing when that is so already."""
        if self._epoll is None:
            self._epoll = select.epoll()
            self._reactor.addReader(self)

    def stop(self) -> None:
        """Drop all connections, and serve no more."""
        if self._epoll is not None:
            self._reactor.removeReader(self)
            self.connectionLost(Failure(ConnectionLost()))

    # --- connections call these ----------------------------------------------------------------------------------

    def watch(self, number: int, watched: Watched, events: int) -> None:
        """Tell ``watched`` of ``events`` of the descriptor ``number``, and of errors.

        :raises RuntimeError: when the lane is not running.
        """
        if self._epoll is None:
            raise RuntimeError("the lane is not running")
        self._epoll.register(number, events)
        self._watched[number] = watched

    def change(self, number: int, events: int) -> None:
        """Tell of other events from now on."""
        if self._epoll is not None:
            self._epoll.modify(number, events)

    def ignore(self, number: int) -> None:
        """Tell of nothing but the end of the lane, until :meth:`watch` is called again."""
        self.readers.pop(number, None)
        if self._epoll is not None:
            try:
                self._epoll.unregister(number)
            except FileNotFoundError:
                # It is being ignored.
                pass

    def forget(self, number: int) -> None:
        """Tell of nothing any more. To be called before the descriptor is closed."""
        self.ignore(number)
        self._watched.pop(number, None)

    # --- the reactor calls these ---------------------------------------------------------------------------------

    def fileno(self) -> int:
        """See IFileDescriptor."""
        return -1 if self._epoll is None else self._epoll.fileno()

    def logPrefix(self) -> str:
        """See ILoggingContext."""
        return "lane"

    def connectionLost(self, reason: Failure) -> None:
        """The reactor stops."""
        for watched in list(self._watched.values()):
            self._drop(watched, reason)
        epoll, self._epoll = self._epoll, None
        if epoll is not None:
            epoll.close()

    def doRead(self) -> None:
        """Serve whoever is ready. Everything that is done for each request is written out here: calls cost."""
        readers, length, readable = self.readers, RECEIVE_LENGTH, select.EPOLLIN
        timed, seconds = self._timed, self._seconds
        for _ in range(ROUNDS):
            if self._epoll is None:
                return
            events = self._epoll.poll(0, BATCH)
            if not events:
                return
            self.is_in_round = True
            timed.began = seconds()
            others = None
            for number, event in events:
                if event != readable or number not in readers:
                    others = self._serve_other(number, event, others)
                    continue
                receive, deliver, watched = readers[number]
                try:
                    data = receive(length)
                except BlockingIOError:
                    continue
                except OSError:
                    self._drop(watched, Failure(ConnectionLost()))
                    continue
                try:
                    if data:
                        deliver(data)
                    else:
                        watched.read_ended()
                except BaseException:
                    self._fail(watched)
            if others is not None:
                self._serve_accepting(others)
            self.is_in_round = False
            for call in self.after_round:
                try:
                    call()
                except BaseException:
                    _log.failure("cannot finish a round")

    def _serve_other(self, number: int, event: int, accepting: list[Watched] | None) -> list[Watched] | None:
        """Serve an event that is not just bytes to read; those to be served last are kept for then."""
        watched = self._watched.get(number)
        if watched is None:
            return accepting
        if watched.accepts:
            return [watched] if accepting is None else [*accepting, watched]
        try:
            watched.on_event(event)
        except BaseException:
            self._fail(watched)
        return accepting

    def _serve_accepting(self, accepting: list[Watched]) -> None:
        for watched in accepting:
            try:
                watched.on_event(select.EPOLLIN)
            except BaseException:
                # A port stays open whatever comes out of one connection's birth.
                _log.failure("cannot accept a connection")

    def _fail(self, watched: Watched) -> None:
        """Log the exception that is under way, and drop whose it is."""
        reason = Failure()
        _log.failure("connection failed", reason)
        self._drop(watched, reason)

    def _drop(self, watched: Watched, reason: Failure) -> None:
        try:
            watched.connectionLost(reason)
        except BaseException:
            _log.failure("cannot drop a connection")
