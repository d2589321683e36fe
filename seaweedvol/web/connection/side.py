"""A connection as the express lane sees it: requests offered as bytes, answers given at once, later, or not at all.

The half of :class:`~seaweedvol.web.connection.channel.Channel` that the lane uses. A request that the lane has taken
and not yet answered stands where an exchange would stand, so all that a connection does about exchanges holds for it
too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from seaweedvol.web.lane.outgoing import NOTHING, Outgoing

if TYPE_CHECKING:
    from seaweedvol.web.connection.site import Site

_UPLOADS: Final = (b"POST", b"PUT")

Take = Callable[[bytes, "LaneSide"], int]
"""Offers bytes to the express lane: how many of them it took, whole requests only; 0 for none."""


def _nothing() -> None:
    pass


class _Held:
    """Stands for an exchange while a request of the express lane waits for its answer."""

    class body:  # noqa: N801 (as an instance of it is called elsewhere)
        is_complete = True

    def cancel(self) -> None:
        """Nobody waits for the client any more than for the answer."""


HELD: Final[Any] = _Held()


class _Watched:
    """An outgoing that tells when it goes on."""

    __slots__ = ("_outgoing", "_tell", "warm")

    def __init__(self, outgoing: Outgoing, tell: Callable[[], None]) -> None:
        self._outgoing = outgoing
        self._tell = tell
        self.warm = outgoing.warm

    def send_to(self, descriptor: int) -> bool:
        """See Outgoing."""
        self._tell()
        return self._outgoing.send_to(descriptor)


class LaneSide(ABC):
    """What a channel keeps for the lane.

    :param take: None for a port without a lane.
    """

    site: Site
    unread: bytearray
    input_error: str | None
    is_lost: bool
    peer_host: str
    _wire: Any
    _exchange: Any
    _is_closing: bool
    _served: int
    _last_active: float
    _last_method: str

    def __init__(self, take: Take | None, seconds: Callable[[], float]) -> None:
        self._take = take
        self._seconds = seconds
        # Whether the transport is one of the lane's.
        self._is_on_lane = False
        # Whether the answer that is held waits for the client to read.
        self._is_sending = False
        # Whether the request that comes next has not been offered yet.
        self._is_untried = True
        # A request that is not all there, in pieces, and how much of it is not.
        self._pieces: list[bytes] = []
        self._missing = 0
        self._gathering_over: Callable[[], None] = _nothing

    @abstractmethod
    def _advance(self) -> None:
        """Go on with what waits in ``unread``."""

    @abstractmethod
    def _close(self) -> None:
        """Close."""

    @abstractmethod
    def close_when_idle(self) -> None:
        """Close, unless the client has asked for something else."""

    @abstractmethod
    def _note_activity(self) -> None:
        """The client is there."""

    # --- the express lane calls these ----------------------------------------------------------------------------

    def reply_now(self, answer: bytes, method: str, *, closes: bool = False) -> None:
        """Send the whole answer to the request that was just taken."""
        self._last_active = self._seconds()
        self._served += 1
        self._last_method = method
        wire = self._wire
        wire.write(answer)
        if closes:
            self._close()
        elif self._is_on_lane and not wire.is_clear:
            # The client is slow to read: it gets no further answers before it has this one.
            self._exchange = HELD
            self._is_sending = True
            limit, size = self.site.download_limit, len(answer) if method == "GET" else 0
            limit.add(size)

            def sent(error: Exception | None) -> None:
                limit.release(size)
                self._sent(error)

            wire.write_from(NOTHING, sent)

    def gather(self, data: bytes, missing: int, over: Callable[[], None]) -> None:
        """Keep ``data``, the beginning of a request, until ``missing`` more bytes have come, and then offer it again.

        :param over: called before that, and also when it does not come to it.
        """
        self._note_activity()
        self._pieces.append(data)
        self._missing = missing
        self._gathering_over = over

    def hold(self, method: str) -> None:
        """The answer to the request that was just taken comes later, by :meth:`reply_held` or :meth:`give_back`."""
        self._exchange = HELD
        self._last_method = method

    def reply_held(self, answer: bytes, *, closes: bool = False) -> None:
        """Send the answer to the request that is held."""
        self._exchange = None
        if self.is_lost or self._is_closing:
            return
        if closes or self.site.is_stopping and answer:
            if answer:
                self._wire.write(answer if closes else _closing(answer))
            self._close()
            return
        if self.site.is_stopping:
            # The answer has left already, and did not say so.
            self.close_when_idle()
            return
        if answer:
            self.reply_now(answer, self._last_method)
        if (self.unread or self.input_error is not None) and self._exchange is None:
            self._advance()

    def send_held(self, outgoing: Outgoing, done: Callable[[], None], *, closes: bool = False) -> None:
        """Let the answer to the request that is held send itself; ``done`` is called when it has, or cannot."""
        def over(error: Exception | None) -> None:
            self._is_sending = False
            done()
            if error is None:
                self._served += 1
                self.reply_held(b"", closes=closes)

        self._is_sending = True
        self._wire.write_from(_Watched(outgoing, self._note_activity), over)

    @property
    def can_send_files(self) -> bool:
        """Whether :meth:`send_held` works on this transport."""
        return self._is_on_lane and getattr(self._wire, "sends_files", True)

    @property
    def held_method(self) -> str:
        """Of the request that the lane has taken and is not done with; "" for none."""
        return self._last_method if self._exchange is HELD else ""

    def give_back(self, data: bytes) -> None:
        """Serve the request that is held on the general road. ``data`` are its bytes."""
        self._exchange = None
        if self.is_lost or self._is_closing:
            return
        self.unread[:0] = data
        self._is_untried = False
        # The request before it was none of which blank lines may be left.
        self._last_method = ""
        self._advance()

    def _sent(self, error: Exception | None) -> None:
        self._is_sending = False
        if error is None:
            self.reply_held(b"")

    def _gathered(self, data: bytes) -> bytes | None:
        """The request that has been gathered; None while it is not all there."""
        self._pieces.append(data)
        self._missing -= len(data)
        if self._missing > 0:
            self._note_activity()
            return None
        return self._all_gathered()

    def _all_gathered(self) -> bytes:
        pieces, self._pieces, self._missing = self._pieces, [], 0
        self._gathering_over()
        return b"".join(pieces)

    def _spill(self) -> None:
        """What was gathered will not be complete, or shall not wait: the general road takes it."""
        if self._missing:
            self._is_untried = False
            self.unread += self._all_gathered()
            self._advance()

    def _offer(self) -> bool:
        """Offer the express lane what waits; whether it took a request."""
        assert self._take is not None
        self._is_untried = False
        # What the lane gives back before it returns is put there again, in front of the rest.
        offered, self.unread = self.unread, bytearray()
        taken = self._take(_first_of(offered), self)
        self._is_untried = taken > 0 and not self.unread
        del offered[:taken]
        if self.unread:
            self.unread += offered
        else:
            self.unread = offered
        return taken > 0


def _closing(answer: bytes) -> bytes:
    """The same answer, telling that the connection closes."""
    line, end, rest = answer.partition(b"\r\n")
    return b"%b%bConnection: close\r\n%b" % (line, end, rest)


def _first_of(unread: bytearray) -> bytes:
    """What the lane must see of the first request: of one that is no upload its head, since there may be thousands
    behind it, and looking at all of them for each would take seconds.
    """
    end = 0 if unread.startswith(_UPLOADS) else unread.find(b"\r\n\r\n") + 4
    return bytes(unread[:end] if end >= 4 else unread)
