"""One client connection: heads in, exchanges one after the other, bytes out at the client's pace.

Keeps Go's connection rules: answers to heads it refuses, keep-alive, pipelining, half-closed clients, the idle timeout.
Each request is offered to the express lane first (:mod:`side`), as the bytes that came; what the lane leaves goes to
the application when its head is there, before its body. How it ends is :mod:`ending`'s. Knows no routes and no needles;
works on any Twisted transport.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.interfaces import IHalfCloseableProtocol, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from seaweedvol.web.connection.ending import Ending, closing
from seaweedvol.web.connection.exchange import ClientGone, Exchange, Signal
from seaweedvol.web.connection.outflow import Outflow
from seaweedvol.web.message.heads import HeadReader, Refusal

if TYPE_CHECKING:
    from seaweedvol.web.connection.site import Site

# Input beyond this waits in the kernel until what is there has been used.
HIGH_WATER: Final = 512 << 10


@implementer(IHalfCloseableProtocol)
class Channel(Ending, Protocol):
    """The protocol of both HTTP ports.

    :ivar unread: input that nobody has used yet.
    :ivar input_arrived: fires when there is more of it, or none will come.
    :ivar input_error: None while input may come; then why not: "" for an orderly end, else Go's words.
    """

    _wire: Any

    def __init__(self, site: Site, clock: IReactorTime, idle_seconds: float) -> None:
        self.site = site
        self.unread = bytearray()
        self.input_arrived = Signal()
        self.input_error: str | None = None
        self.is_lost = False
        self.peer_host = ""
        self._exchange: Exchange | None = None
        self._reader = HeadReader()
        self._is_closing = False
        self._is_paused = False
        self._served = 0
        self._last_method = ""
        self._is_advancing = False
        Ending.__init__(self, site.take, clock, idle_seconds)

    # --- Twisted calls these -------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """A client has connected."""
        self._wire = self.transport
        self._outflow = Outflow(self._wire)
        self._is_on_lane = hasattr(self._wire, "write_from")
        peer = self._wire.getPeer()
        self.peer_host = getattr(peer, "host", "")
        set_no_delay: Callable[[int], None] | None = getattr(self._wire, "setTcpNoDelay", None)
        if set_no_delay is not None:
            set_no_delay(1)
        set_keep_alive: Callable[[int], None] | None = getattr(self._wire, "setTcpKeepAlive", None)
        if set_keep_alive is not None:
            set_keep_alive(1)
        self._note_activity()
        self.site.connected(self)

    def dataReceived(self, data: bytes) -> None:
        """The client has sent something."""
        if self._exchange is None and self._take is not None and not self.unread and self._is_untried:
            if self._missing:
                whole = self._gathered(data)
                if whole is None:
                    return
                data = whole
            taken = self._take(data, self)
            if taken == len(data):
                return
            # More requests may follow the one that was taken; what was not taken is not offered again.
            self._is_untried = taken > 0
            data = data[taken:]
        if self._is_closing:
            return
        self._note_activity()
        self.unread += data
        if self._exchange is None:
            self._advance()
        else:
            self.input_arrived.fire()
        self._pause_if_full()

    def readConnectionLost(self) -> None:
        """The client will send nothing more, but may still read."""
        self._spill()
        self._end_input("")
        if self._exchange is None and not self._is_closing:
            self._advance()

    def writeConnectionLost(self) -> None:
        """We have closed our side; the rest of the input is waited for or not, see :class:`Ending`."""

    def connectionLost(self, reason: Failure = Failure(ConnectionError())) -> None:
        """The connection is gone altogether."""
        self._spill()
        self.is_lost = True
        self._is_closing = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._end_input("read tcp: connection reset by peer")
        self._outflow.stopProducing()
        self.site.disconnected(self)

    # --- the exchange calls these --------------------------------------------------------------------------------

    def getPeer(self) -> Any:
        """The other end."""
        return self._wire.getPeer()

    def getHost(self) -> Any:
        """This end."""
        return self._wire.getHost()

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._note_activity()
        if not self.is_lost:
            self._wire.write(data)

    async def write_and_wait(self, data: bytes) -> None:
        """Send bytes and wait until they have left for the kernel.

        :raises ClientGone: when the connection is lost before.
        """
        if self.is_lost:
            raise ClientGone()
        self._note_activity()
        await self._outflow.write(data)
        self._note_activity()

    def input_was_taken(self) -> None:
        """Some of :attr:`unread` has been used."""
        if self._is_paused and len(self.unread) < HIGH_WATER // 2:
            self._is_paused = False
            self._wire.resumeProducing()

    def exchange_done(self, exchange: Exchange) -> None:
        """The exchange has been answered: close, or go on with the next request."""
        self._exchange = None
        self._served += 1
        self._outflow.release()
        self._note_activity()
        if self.is_lost or self._is_closing:
            return
        if not exchange.body.is_spent:
            self._linger()
        elif exchange.closes:
            self._close()
        elif self.site.is_stopping and not self.unread:
            # The head of this answer was out before anybody knew that it would be the last.
            self.close_when_idle()
        else:
            self._advance()

    @property
    def is_idle(self) -> bool:
        """Whether no exchange is under way."""
        return self._exchange is None

    # --- the conversation ----------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Begin exchanges while there are heads. Exchanges that end at once come back here without recursion."""
        if self._is_advancing:
            return
        self._is_advancing = True
        try:
            while self._exchange is None and not self._is_closing and self._begin():
                pass
        finally:
            self._is_advancing = False
        if self._exchange is None and not self._is_closing:
            # All that is left is part of a head, which is taken in as it comes.
            self._resume()
        elif not self._is_closing:
            self.input_was_taken()

    def _begin(self) -> bool:
        if self._is_untried and self._take is not None and self.unread and self._offer():
            return True
        if self._last_method == "POST" and self.unread:
            if len(self.unread) < 4 and self.input_error is None:
                return False
            self._skip_line_ends()
        try:
            head = self._reader.feed(self.unread)
        except Refusal as refusal:
            self._refuse(refusal)
            return False
        if head is None:
            if self.input_error is not None:
                self._end_without_head()
            return False
        self._reader = HeadReader()
        self._is_untried = True
        self._last_method = head.method
        if self.site.is_leaving:
            head = closing(head)
        exchange = self._exchange = Exchange(self, head, is_public=self.site.is_public)
        if self.input_error is not None and exchange.body.is_complete:
            exchange.cancel()
        self.site.serve(exchange)
        return True

    def _skip_line_ends(self) -> None:
        """Old clients send a line end after the body of a POST; Go looks at the next four bytes."""
        start = bytes(self.unread[:4])
        del self.unread[:len(start) - len(start.lstrip(b"\r\n"))]
        self._last_method = ""

    def _pause_if_full(self) -> None:
        # A head has a limit of its own, and is taken in as it comes.
        is_full = self._exchange is not None and len(self.unread) > HIGH_WATER
        if is_full and not self._is_paused and not self._is_closing:
            self._is_paused = True
            self._wire.pauseProducing()

    def _resume(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._wire.resumeProducing()
