"""Waiting until fewer bytes are under way: for room, for the time limit, or for the client to give up."""

from __future__ import annotations

import enum
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from seaweedvol.server.limits import ByteLimit
from seaweedvol.web.connection.exchange import Exchange


class Waited(enum.Enum):
    """How a wait ended."""

    ADMITTED = "admitted"
    IN_VAIN = "in vain"
    CANCELLED = "cancelled"


def _unnoted() -> None:
    pass


async def room_in(limit: ByteLimit, exchange: Exchange, clock: IReactorTime, timeout: float,
                  note_wait: Callable[[], None] = _unnoted) -> tuple[Waited, int]:
    """Wait while ``limit`` is exceeded, at most ``timeout`` seconds.

    :param note_wait: called before each look at the clock.
    :returns: how it ended, and the bytes that were under way when it was last looked at.
    """
    deadline = clock.seconds() + timeout
    seen = limit.in_flight
    while limit.is_over:
        note_wait()
        seen = limit.in_flight
        if exchange.is_cancelled:
            return Waited.CANCELLED, seen
        left = deadline - clock.seconds()
        if left <= 0:
            return Waited.IN_VAIN, seen
        await _something_happens(limit, exchange, clock, left)
    return Waited.ADMITTED, seen


async def _something_happens(limit: ByteLimit, exchange: Exchange, clock: IReactorTime, seconds: float) -> None:
    turn: Deferred[None] = Deferred()

    def go(_: object = None) -> None:
        if not turn.called:
            turn.callback(None)

    # A release may come from another thread; the wait goes on in this one.
    hop: Callable[[Callable[[], None]], None] = getattr(clock, "callFromThread", _at_once)
    forget = limit.wait(lambda: hop(go))
    alarm = clock.callLater(seconds, go)
    gone = exchange.cancelled.wait()
    gone.addCallbacks(go, lambda failure: None)
    try:
        await turn
    finally:
        forget()
        if alarm.active():
            alarm.cancel()
        gone.cancel()


def _at_once(work: Callable[[], None]) -> None:
    work()
