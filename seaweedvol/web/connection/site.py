"""One port of HTTP: its connections, and how it opens and closes.

Knows connections, and that somebody answers; must not know routes or needles, nor who else listens.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred, succeed
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTime, IStreamServerEndpoint
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from seaweedvol.logs.asking import on_behalf_of
from seaweedvol.server.limits import ByteLimit
from seaweedvol.server.slowness import SlowLog
from seaweedvol.web.connection.channel import Channel
from seaweedvol.web.connection.exchange import Exchange
from seaweedvol.web.connection.side import Take
from seaweedvol.web.connection.slowchannel import SlowChannel

if TYPE_CHECKING:
    from twisted.web.resource import IResource

    from seaweedvol.web.lane.tls import TlsFactory

# How long requests may go on when the server stops (Go: 30 s).
STOP_SECONDS: Final = 30.0


class Application(Protocol):
    """Who answers requests: :class:`~seaweedvol.web.general.app.VolumeApp`."""

    def resource(self) -> IResource:
        """Its routes."""

    def new_id(self) -> str:
        """An id for a request that brings none."""

    async def unrouted(self, exchange: Exchange) -> bool:
        """Answer what routes do not count for; whether that was so."""


class Site(ServerFactory):
    """One port: makes a :class:`Channel` for each connection, and hands its requests to the application.

    :ivar is_public: whether this is the read-only port.
    :ivar is_leaving: whether replies tell clients to come back on another connection.
    :ivar is_stopping: whether connections close after the request that is under way.
    :ivar take: the express lane, None for none.
    :param slow: tells of slow requests.
    :ivar download_limit: counts what the lane has answered and clients have not taken yet.
    """

    noisy = False
    _log = Logger()

    def __init__(self, app: Application, clock: IReactorTime, *, is_public: bool, idle_seconds: float,
                 take: Take | None = None, download_limit: ByteLimit | None = None,
                 slow: SlowLog | None = None) -> None:
        self.is_public = is_public
        self.take = take
        self.download_limit = download_limit or ByteLimit(0)
        self.is_leaving = False
        self.is_stopping = False
        self._app = app
        self._resource = app.resource()
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._slow = slow
        self._channels: set[Channel] = set()
        self._emptied: list[Deferred[None]] = []

    def buildProtocol(self, addr: IAddress | None) -> Channel:
        """A connection has come in."""
        channel = (Channel(self, self._clock, self._idle_seconds) if self._slow is None
                   else SlowChannel(self, self._clock, self._idle_seconds, self._slow))
        channel.factory = self
        return channel

    def connected(self, channel: Channel) -> None:
        """``channel`` is open."""
        self._channels.add(channel)
        if self.is_stopping:
            channel.close_when_idle()

    def disconnected(self, channel: Channel) -> None:
        """``channel`` is closed."""
        self._channels.discard(channel)
        if not self._channels:
            emptied, self._emptied = self._emptied, []
            for waiter in emptied:
                waiter.callback(None)

    def serve(self, exchange: Exchange) -> None:
        """Answer one request."""
        exchange.request_id = self._app.new_id()
        with on_behalf_of(exchange.request_id):
            self._answer(exchange)

    def _answer(self, exchange: Exchange) -> None:
        ensureDeferred(self._serve(exchange)).addErrback(exchange.processingFailed).addErrback(lambda failure: None)

    async def _serve(self, exchange: Exchange) -> None:
        if await self._app.unrouted(exchange):
            exchange.finish()
        else:
            # Klein finishes the exchange.
            self._resource.render(exchange)

    @property
    def held(self) -> Counter[str]:
        """Requests that the lane is not done with, by method."""
        methods = Counter(channel.held_method for channel in self._channels)
        del methods[""]
        return methods

    def say_goodbye(self) -> None:
        """Serve on, but have each connection closed with its next reply, which says so: no client is cut off."""
        self.is_leaving = True
        self.take = None
        for channel in list(self._channels):
            channel.leave()

    def drain(self) -> Deferred[None]:
        """Close idle connections and the others after their request; fires when none is left."""
        self.is_stopping = True
        self.say_goodbye()
        for channel in list(self._channels):
            channel.close_when_idle()
        if not self._channels:
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        self._emptied.append(waiter)
        return waiter

    def abort(self) -> None:
        """Close what is still open."""
        for channel in list(self._channels):
            channel.abort()


class SiteService(Service):
    """A site on its port; stopping it waits for requests that are under way.

    :param factory: makes the connections' protocols, if not the site itself: TLS before it.
    """

    def __init__(self, endpoint: IStreamServerEndpoint, site: Site, clock: IReactorTime,
                 factory: ServerFactory | TlsFactory | None = None) -> None:
        self.site = site
        self._factory = factory or site
        self._endpoint = endpoint
        self._clock = clock
        self._port: IListeningPort | None = None

    def startService(self) -> None:
        """Listen.

        :raises CannotListenError: when the port is taken.
        """
        if self._port is not None:
            return
        found: list[Any] = []
        self._endpoint.listen(self._factory).addBoth(found.append)
        if isinstance(found[0], Failure):
            found[0].raiseException()
        self._port = found[0]
        super().startService()

    def stopService(self) -> Deferred[Any]:
        """Stop listening, then let requests end, for a while."""
        super().stopService()
        port, self._port = self._port, None
        self.site.say_goodbye()
        closing = succeed(None) if port is None else maybeDeferred(port.stopListening)
        # Whoever is let in until the port is closed is served.
        drained: Deferred[Any] = closing.addBoth(lambda result: self.site.drain())
        alarm = self._clock.callLater(STOP_SECONDS, self.site.abort)

        def over(result: object) -> object:
            if alarm.active():
                alarm.cancel()
            return result

        return drained.addBoth(over)
