"""One request and the reply to it, as the application sees them on a connection.

Knows how to read the request's body piece by piece, when the client is gone, and how to get bytes out at the client's
pace. Must not know syntax (:mod:`~seaweedvol.web.message`), routes or needles. The connection itself is
:mod:`channel`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import server

from seaweedvol.web.message.bodies import BodyError, ChunkedBody, Framing, LengthBody
from seaweedvol.web.message.heads import Head
from seaweedvol.web.message.request import Headers, Query, Request
from seaweedvol.web.message.tokens import loggable
from seaweedvol.web.syntax.urls import BadEscape, bytes_of, text_of, unescape

if TYPE_CHECKING:
    from seaweedvol.web.connection.channel import Channel

# What Go reads of a body that nobody wanted, so that the connection can be used again.
DRAIN_LIMIT: Final = 256 << 10
READ_LENGTH: Final = 256 << 10


class ClientGone(Exception):
    """Raised when bytes are to be sent to a client that is not there any more."""


class Signal:
    """Lets several waiters go at once. One-shot waits: each wait is for the next :meth:`fire`."""

    def __init__(self) -> None:
        self._waiting: list[Deferred[None]] = []

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    def wait(self) -> Deferred[None]:
        """Fires at the next :meth:`fire`; may be cancelled."""
        waiter: Deferred[None] = Deferred(self._forget)
        self._waiting.append(waiter)
        return waiter

    def _forget(self, waiter: Deferred[None]) -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)

    def fire(self) -> None:
        """Let everybody go who waits now."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)


class Body:
    """The body of one request, read from the connection when asked for."""

    def __init__(self, channel: Channel, head: Head) -> None:
        self._channel = channel
        self._framing: Framing = ChunkedBody() if head.content_length < 0 else LengthBody(head.content_length)
        self._owes_continue = head.expects_continue
        self.error: BodyError | None = None

    @property
    def is_complete(self) -> bool:
        """Whether all of it has been read."""
        return self._framing.is_complete

    @property
    def is_spent(self) -> bool:
        """Whether nothing more can come: all was read, or the client ended the connection within a declared length."""
        return self.is_complete or (self.error is not None and self.remaining > 0 and self._channel.input_error == "")

    @property
    def remaining(self) -> int:
        """Bytes not read yet; -1 when nobody knows."""
        return self._framing.remaining

    async def read(self, limit: int = READ_LENGTH) -> bytes:
        """The next piece, at most ``limit`` bytes; b"" at the end.

        :raises BodyError: when the client sent nonsense or went away; with Go's text.
        """
        if self._owes_continue and not self.is_complete:
            self._owes_continue = False
            self._channel.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while self.error is None:
            try:
                data = self._framing.take(self._channel.unread, limit)
            except BodyError as error:
                self.error = error
                break
            if data or self.is_complete:
                self._channel.input_was_taken()
                return data
            if self._channel.input_error is not None:
                text = self._channel.input_error
                self.error = BodyError(text) if text else self._framing.end_of_input()
                break
            self._channel.input_was_taken()
            await self._channel.input_arrived.wait()
        raise self.error

    async def drain(self, limit: int = DRAIN_LIMIT) -> bool:
        """Read and forget; whether the end came within ``limit`` bytes.

        :raises BodyError: as :meth:`read`.
        """
        dropped = 0
        while not self.is_complete and dropped <= limit:
            dropped += len(await self.read())
        return self.is_complete and dropped <= limit

    def abandon(self) -> None:
        """Do not invite the client to send the rest."""
        self._owes_continue = False


class Exchange(server.Request):
    """A request on a connection. Klein routes it as a Twisted request; everything else uses what is documented here.

    :ivar head: the request as it was sent.
    :ivar request: the request as the use cases read it.
    :ivar body: the request's body.
    :ivar request_id: by which the log and the reply call it.
    :ivar is_cancelled: whether the client has gone, or at least said that it will send nothing more.
    :ivar cancelled: fires when ``is_cancelled`` becomes true.
    """

    _log = Logger()
    request_id = ""

    def __init__(self, channel: Channel, head: Head, *, is_public: bool) -> None:
        server.Request.__init__(self, channel, parsePOSTFormSubmission=False)
        self._connection = channel
        self.head = head
        self.body = Body(channel, head)
        self.is_cancelled = False
        self.cancelled = Signal()
        self.closes = False
        self.is_answered = False
        self.request = Request(
            method=head.method, target=head.raw_target, path=head.target.path, query=Query(head.target.raw_query),
            headers=Headers(head.headers), peer_host=channel.peer_host, is_public=is_public,
            http_version="HTTP/%d.%d" % head.version)
        self.method = head.method.encode("ascii")
        self.uri = head.raw_target
        self.path = head.target.escaped_path.encode("ascii")
        self.prepath = []
        self.postpath = [_route_segment(segment) for segment in self.path[1:].split(b"/")]

    # --- for the application -------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Write bytes of the reply, without waiting."""
        self.is_answered = True
        self._connection.write(data)

    async def send_and_wait(self, data: bytes) -> None:
        """Write bytes of the reply and wait until the kernel has them all.

        :raises ClientGone: when the client went away before.
        """
        self.is_answered = True
        await self._connection.write_and_wait(data)

    def cancel(self) -> None:
        """Note that the client is (half) gone. For the connection to call."""
        if not self.is_cancelled:
            self.is_cancelled = True
            self.cancelled.fire()

    def abort(self) -> None:
        """Break the connection off, so that the client sees that the reply is not whole."""
        self.closes = True
        self._connection.abort()

    # --- for Klein -----------------------------------------------------------------------------------------------

    def getRequestHostname(self) -> bytes:
        """No route depends on the host, and a client may send anything as its name."""
        return b"localhost"

    def isSecure(self) -> bool:
        """No route depends on it."""
        return False

    def finish(self) -> None:
        """The application is done."""
        if self.finished:
            return
        self.finished = 1
        notifications, self.notifications = self.notifications, []
        for waiter in notifications:
            waiter.callback(None)
        self._connection.exchange_done(self)

    def processingFailed(self, reason: Failure) -> Failure:
        """The application failed: nothing of the reason reaches the client."""
        self._log.failure("cannot answer {method} {uri}", reason,
                          method=self.head.method, uri=loggable(self.head.raw_target))
        if self.is_answered:
            self.abort()
        else:
            self.closes = True
            self.send(b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.finish()
        return reason


def _route_segment(segment: bytes) -> bytes:
    """A path segment as routes are matched against it: decoded, but never into further segments.

    A line feed stays escaped too: the router's patterns stop at one, and the path would have no route at all.
    """
    try:
        decoded = unescape(segment)
    except BadEscape:
        decoded = segment
    text = text_of(decoded).replace("/", "%2F").replace("\n", "%0A")
    return bytes_of(text).decode("utf-8", "replace").encode("utf-8")
