"""The sending half of a connection of the lane.

Bytes leave within :meth:`LaneSending.write` when the socket takes them; only the rest waits. Knows producers, and
senders that send themselves (:class:`~seaweedvol.web.lane.outgoing.Outgoing`); must not know who reads.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from select import EPOLLOUT
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.logger import Logger
from twisted.python.failure import Failure

from seaweedvol.web.lane.outgoing import ColdPages, Outgoing

# A push producer pauses when more than this waits (Twisted: the same).
HIGH_WATER: Final = 64 << 10
# Pieces handed to the kernel at once.
PIECES: Final = 64
# How often a pull producer is asked in a row before others have their turn.
ASKS: Final = 8

LOST: Final = Failure(ConnectionLost())

_log = Logger()


class Errand:
    """An outgoing in the queue, and who wants to know of its end."""

    __slots__ = ("outgoing", "done")

    def __init__(self, outgoing: Outgoing, done: Callable[[Exception | None], None]) -> None:
        self.outgoing = outgoing
        self.done = done


class LaneSending(ABC):
    """What waits to be sent, and who may write more.

    :ivar connected: from the beginning until ``connectionLost``.
    :ivar disconnecting: after ``loseConnection``.
    :ivar disconnected: from ``connectionLost`` on.
    :ivar is_clear: whether ``write`` may send at once: connected, nothing waits, and our side is not closed.
    :ivar producer: who writes when told to.
    """

    __slots__ = (
        "connected", "disconnecting", "disconnected", "producer", "is_clear", "_socket", "_number", "_send",
        "_is_dying", "_is_half_closing", "_is_half_closed", "_is_sending", "_is_warming", "_queue", "_waiting",
        "_is_streaming", "_is_paused", "_is_asking", "_asks_again")

    def __init__(self, connection: socket.socket) -> None:
        self.connected = False
        self.disconnecting = False
        self.disconnected = False
        self.producer: Any = None
        self._socket = connection
        self._number = connection.fileno()
        self._send = connection.send
        self.is_clear = False
        # Whether connectionLost is due in the next turn whatever happens.
        self._is_dying = False
        self._is_half_closing = False
        self._is_half_closed = False
        self._is_sending = False
        self._is_warming = False
        self._queue: deque[memoryview | Errand] = deque()
        self._waiting = 0
        self._is_streaming = False
        self._is_paused = False
        self._is_asking = False
        self._asks_again = False

    # --- the receiving half has these ----------------------------------------------------------------------------

    @abstractmethod
    def abortConnection(self) -> None:
        """Drop what waits and reset the connection; the protocol hears of it in the next turn."""

    @abstractmethod
    def loseConnection(self) -> None:
        """Close, when all has been sent and the producer has gone."""

    @abstractmethod
    def _die(self, reason: Failure) -> None:
        """Do nothing more, and be lost in the next turn: never within a call of the protocol's."""

    @abstractmethod
    def _want(self, event: int) -> None:
        """Have ``event`` told from now on."""

    @abstractmethod
    def _want_not(self, event: int) -> None:
        """Have it told no more."""

    # --- writing -------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send ``data``, what the socket takes of it at once and the rest as soon as it can."""
        if self.is_clear:
            try:
                sent = self._send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._die(LOST)
                return
            if sent == len(data):
                if self.producer is not None and data:
                    self._ask()
                return
            self.is_clear = False
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
        self._queue.append(Errand(outgoing, done))
        if self.is_clear and not self.disconnecting and not self._is_half_closing:
            self.is_clear = False
            if self._drain():
                self.is_clear = True
                self._ask()
        elif not self._is_sending:
            self._wait_for_room()

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
            self._wait_for_room()

    def stopConsuming(self) -> None:
        """See Twisted's FileDescriptor."""
        self.unregisterProducer()
        self.loseConnection()

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
                if not self._asks_again or not self.is_clear:
                    return
            self._want(EPOLLOUT)
        except BaseException:
            reason = Failure()
            _log.failure("a producer failed", reason)
            self._die(reason)
        finally:
            self._is_asking = False

    # --- the queue -----------------------------------------------------------------------------------------------

    def _wait_with(self, data: memoryview) -> None:
        self._queue.append(data)
        self._waiting += len(data)
        if not self._is_sending:
            self._wait_for_room()
        if self._is_streaming and self.producer is not None and not self._is_paused and self._waiting > HIGH_WATER:
            self._is_paused = True
            self.producer.pauseProducing()

    def _wait_for_room(self) -> None:
        """Have it told that the socket takes bytes, unless the bytes themselves are waited for."""
        if not self._is_warming:
            self._want(EPOLLOUT)

    def _drain(self) -> bool:
        """Send what waits; whether nothing is left. What is written meanwhile is sent too."""
        queue = self._queue
        self._is_sending = True
        try:
            while queue:
                first = queue[0]
                if not (self._send_itself(first) if isinstance(first, Errand) else self._send_pieces()):
                    self._wait_for_room()
                    return False
        finally:
            self._is_sending = False
        return self.connected and not self._is_dying

    def _send_pieces(self) -> bool:
        """Send the bytes at the head of the queue; whether the socket took all that it was offered."""
        pieces: list[memoryview] = []
        for piece in islice(self._queue, PIECES):
            if isinstance(piece, Errand):
                break
            pieces.append(piece)
        try:
            sent = self._socket.sendmsg(pieces)
        except BlockingIOError:
            return False
        except OSError:
            self._die(LOST)
            return False
        self._waiting -= sent
        for piece in pieces:
            if sent < len(piece):
                self._queue[0] = piece[sent:]
                return False
            sent -= len(piece)
            self._queue.popleft()
        return True

    def _send_itself(self, errand: Errand) -> bool:
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

    async def _warm(self, errand: Errand) -> None:
        """Wait until the bytes of an outgoing are there."""
        try:
            await errand.outgoing.warm()
        except Exception as error:
            self._is_warming = False
            if errand in self._queue:
                self._break_off(errand, error)
        else:
            self._is_warming = False
            self._wait_for_room()

    def _break_off(self, errand: Errand, error: Exception) -> None:
        """Part of an outgoing may have left: the client must see that the rest will not come."""
        self._queue.popleft()
        self.abortConnection()
        self._tell(errand.done, error)

    def _forget_waiting(self, error: Exception) -> None:
        """Nothing will be sent any more: tell everybody who counts on it."""
        queue = list(self._queue)
        self._queue.clear()
        for waiting in queue:
            if isinstance(waiting, Errand):
                self._tell(waiting.done, error)
        producer, self.producer = self.producer, None
        if producer is not None:
            self._tell(producer.stopProducing)

    def _tell(self, call: Callable[..., object], *args: object) -> None:
        """Call somebody whose failure must not keep others from being told."""
        try:
            call(*args)
        except BaseException:
            _log.failure("{call} failed", call=call)
