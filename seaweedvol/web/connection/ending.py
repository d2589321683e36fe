"""How a connection ends: at once, when the client has read its answer, when it is idle for long, when the server stops.

The half of :class:`~seaweedvol.web.connection.channel.Channel` that closes it, after Go's rules. Knows no requests but
the one that is under way, and of that only how to break it off.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Final

import attrs
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from seaweedvol.web.connection.exchange import Exchange, Signal
from seaweedvol.web.connection.outflow import Outflow
from seaweedvol.web.connection.side import LaneSide, Take
from seaweedvol.web.message.heads import Head, Refusal

# How long a client may read an answer after which the connection closes while it still sends (Go: the same).
LINGER_SECONDS: Final = 0.5
# When the server stops: a client that was heard of within this time may be about to be heard of again...
BUSY_SECONDS: Final = 1.0
# ...and gets this long for it.
MOMENT_SECONDS: Final = 0.25


def closing(head: Head) -> Head:
    """The same request of a client that asks for the connection to be closed."""
    return attrs.evolve(head, wants_close=True, keeps_1_0=False)


class Ending(LaneSide):
    """What a channel does towards its end.

    :param take: see :class:`LaneSide`.
    :param idle_seconds: how long nothing may happen; 0 for ever.
    """

    input_arrived: Signal
    _outflow: Outflow

    def __init__(self, take: Take | None, clock: IReactorTime, idle_seconds: float) -> None:
        super().__init__(take, clock.seconds)
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._timer: IDelayedCall | None = None
        self._last_active = 0.0

    @abstractmethod
    def _resume(self) -> None:
        """Take input in again."""

    def abort(self) -> None:
        """Break off."""
        self._is_closing = True
        self._take = None
        self._wire.abortConnection()

    def leave(self) -> None:
        """Close after the next reply, and say so in its head if that is not out yet."""
        self._take = None
        self._spill()
        if isinstance(self._exchange, Exchange):
            self._exchange.head = closing(self._exchange.head)

    def close_when_idle(self) -> None:
        """Close after the exchange that is under way; when there is none, now, or a moment later if the client has been
        at work just now: it may have sent the next request already.
        """
        if self._exchange is not None or self._is_closing:
            return
        if self._clock.seconds() - self._last_active < BUSY_SECONDS:
            self._clock.callLater(MOMENT_SECONDS, self._close_idle)
        else:
            self._close_idle()

    def _close_idle(self) -> None:
        """Close, unless a request has begun to come in."""
        look: Callable[[], None] | None = getattr(self._wire, "read_now", None)
        if self._exchange is None and not self._is_closing and not self.unread and look is not None:
            look()
        if self._exchange is None and not self._is_closing and not self.unread:
            self._close()

    # --- closing -------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        self._is_closing = True
        self._take = None
        self.unread.clear()
        self._wire.loseConnection()

    def _linger(self) -> None:
        """Close our side, and the rest a little later: a client that is still sending can read its answer then."""
        self._is_closing = True
        self._take = None
        self.unread.clear()
        self._resume()
        half_close = getattr(self._wire, "loseWriteConnection", None)
        if half_close is None or self.input_error is not None:
            self._wire.loseConnection()
            return
        half_close()
        self._clock.callLater(LINGER_SECONDS, self._end_linger)

    def _end_linger(self) -> None:
        if not self.is_lost:
            self._wire.loseConnection()

    def _refuse(self, refusal: Refusal) -> None:
        self._wire.write(refusal.answer)
        if refusal.lingers:
            self._linger()
        else:
            self._close()

    def _end_without_head(self) -> None:
        """The client is done; Go complains of half a request, unless there is less of it than it waits for."""
        if self.unread and (not self._served or len(self.unread) >= 4) and not self.input_error:
            self._refuse(Refusal(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                 b"Connection: close\r\n\r\n400 Bad Request"))
        else:
            self._close()

    def _end_input(self, error: str) -> None:
        if self.input_error is None:
            self.input_error = error
        self.input_arrived.fire()
        # Go notices a client that went away once it has the whole request.
        if self._exchange is not None and (self.is_lost or self._exchange.body.is_complete):
            self._exchange.cancel()

    # --- idle timeout --------------------------------------------------------------------------------------------

    def _note_activity(self) -> None:
        self._last_active = self._clock.seconds()
        if self._timer is None and self._idle_seconds > 0 and not self.is_lost:
            self._timer = self._clock.callLater(self._idle_seconds, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._timer = None
        left = self._last_active + self._idle_seconds - self._clock.seconds()
        if left > 0:
            self._timer = self._clock.callLater(left, self._look_at_clock)
            return
        exchange = self._exchange
        if self._outflow.is_awaited or self._is_sending or self._is_closing:
            self.abort()
            return
        if exchange is None:
            self._spill()
            exchange = self._exchange
        if exchange is None:
            self._end_without_head()
            return
        if self.input_arrived.is_awaited:
            self._end_input(self._timeout_words())
        elif exchange.body.is_complete:
            # Go's watch for the client's going times out too, and it takes the client for gone.
            exchange.cancel()
        self._note_activity()

    def _timeout_words(self) -> str:
        here, there = self._wire.getHost(), self._wire.getPeer()
        return f"read tcp {here.host}:{here.port}->{there.host}:{there.port}: i/o timeout"
