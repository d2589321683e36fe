"""A connection that tells of requests which took long. In use only where that is asked for: others pay nothing.

A request takes from its head's arrival until the last byte of its answer has been handed on. One that the express lane
answers at once is not slow, and not looked at; one that it has to hold is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.interfaces import IReactorTime

from seaweedvol.server.slowness import SlowLog
from seaweedvol.web.connection.channel import Channel
from seaweedvol.web.connection.exchange import Exchange
from seaweedvol.web.connection.side import LaneSide
from seaweedvol.web.lane.outgoing import Outgoing
from seaweedvol.web.message.reply import REQUEST_ID
from seaweedvol.web.message.tokens import loggable

if TYPE_CHECKING:
    from seaweedvol.web.connection.site import Site

_ID: Final = re.compile(rb"\r\n" + REQUEST_ID.encode() + rb": ([^\r\n]*)\r\n", re.IGNORECASE)
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})")


class SlowChannel(Channel):
    """As :class:`Channel`, with a watch."""

    def __init__(self, site: Site, clock: IReactorTime, idle_seconds: float, slow: SlowLog) -> None:
        super().__init__(site, clock, idle_seconds)
        self._slow = slow
        self._offered = b""
        self._began = 0.0
        self._is_gathering = False
        self._held = b""
        self._answer = "no answer"
        take = self._take
        if take is not None:
            self._take = lambda data, channel: self._timed(take, data, channel)

    # --- the express lane ----------------------------------------------------------------------------------------

    def _timed(self, take: Callable[[bytes, LaneSide], int], data: bytes, channel: LaneSide) -> int:
        self._offered = data
        if not self._is_gathering:
            self._began = self._clock.seconds()
        self._is_gathering = False
        return take(data, channel)

    def gather(self, data: bytes, missing: int, over: Callable[[], None]) -> None:
        """As the base; the rest of the request is on its way."""
        self._is_gathering = True
        super().gather(data, missing, over)

    def hold(self, method: str) -> None:
        """As the base; now it may take long."""
        self._held = self._offered.partition(b"\r\n")[0]
        super().hold(method)

    def reply_held(self, answer: bytes, *, closes: bool = False) -> None:
        """As the base; this was it."""
        if answer and self._held:
            self._tell_held(answer)
        super().reply_held(answer, closes=closes)

    def send_held(self, outgoing: Outgoing, done: Callable[[], None], *, closes: bool = False) -> None:
        """As the base; when all has left, this was it."""
        def over() -> None:
            self._tell_held(b"")
            done()

        super().send_held(outgoing, over, closes=closes)

    def give_back(self, data: bytes) -> None:
        """As the base; the general road goes on, from when it came."""
        self._held = b""
        super().give_back(data)

    def _tell_held(self, answer: bytes) -> None:
        line, self._held = self._held, b""
        method, _, rest = line.partition(b" ")
        status = _STATUS.match(answer)
        found = _ID.search(answer)
        what = f"{method.decode('latin-1')} {loggable(rest.rpartition(b' ')[0])}"
        self._slow.note(what, self._clock.seconds() - self._began,
                        status[1].decode() if status else "sent", self.peer_host,
                        found[1].decode("latin-1") if found else "")

    # --- the general road ----------------------------------------------------------------------------------------

    def _begin(self) -> bool:
        self._began = self._clock.seconds()
        self._answer = "no answer"
        return super()._begin()

    def write(self, data: bytes) -> None:
        """As the base."""
        self._look_at(data)
        super().write(data)

    async def write_and_wait(self, data: bytes) -> None:
        """As the base."""
        self._look_at(data)
        await super().write_and_wait(data)

    def exchange_done(self, exchange: Any) -> None:
        """As the base; this was it."""
        if isinstance(exchange, Exchange):
            request = exchange.head
            self._slow.note(f"{request.method} {loggable(request.raw_target)}",
                            self._clock.seconds() - self._began, self._answer, self.peer_host, exchange.request_id)
        super().exchange_done(exchange)

    def _look_at(self, data: bytes) -> None:
        status = _STATUS.match(data)
        if status is not None and status[1] != b"100":
            self._answer = status[1].decode()
