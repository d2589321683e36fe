"""The HTTP services: one site for the full surface, one for the read-only port when there is one.

:func:`make_sites` wires this package to a :class:`~seaweedvol.server.server.VolumeServer`; nothing else is needed from
outside. Knows ports and connections; must not know needles.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred, succeed
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTime, IStreamServerEndpoint
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from seaweedvol.logs.asking import on_behalf_of
from seaweedvol.metrics.instruments import WRITE_TO_DISK
from seaweedvol.server.limits import ByteLimit
from seaweedvol.server.slowness import SlowLog
from seaweedvol.web.connection.channel import Channel
from seaweedvol.web.connection.exchange import Exchange
from seaweedvol.web.connection.render import Renderer
from seaweedvol.web.connection.side import Take
from seaweedvol.web.connection.slowchannel import SlowChannel
from seaweedvol.web.express.batches import Batches
from seaweedvol.web.express.changereplies import ChangeReplies
from seaweedvol.web.express.changes import ExpressChanges
from seaweedvol.web.express.large import ExpressLarge
from seaweedvol.web.express.reads import Express, make_formats
from seaweedvol.web.general.app import VolumeApp
from seaweedvol.web.general.chunks import Chunks
from seaweedvol.web.general.deleting import Deleting
from seaweedvol.web.general.elsewhere import Elsewhere
from seaweedvol.web.general.reading import Reading
from seaweedvol.web.general.upstream import new_agent
from seaweedvol.web.general.writing import Writing
from seaweedvol.web.lane.lane import Lane
from seaweedvol.web.lane.listening import LaneEndpoint
from seaweedvol.web.poolservice import PoolService
from seaweedvol.web.threads import FAR_POOL_SIZE, InThread, new_pool, pooled
from seaweedvol.web.uploads.parsing import UploadRules

if TYPE_CHECKING:
    from OpenSSL import SSL
    from twisted.web.iweb import IAgent

    from seaweedvol.profiling.pages import Pages
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.tls.credentials import Credentials
    from seaweedvol.web.lane.tls import TlsFactory

# How long requests may go on when the server stops (Go: 30 s).
STOP_SECONDS: Final = 30.0


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

    def __init__(self, app: VolumeApp, clock: IReactorTime, *, is_public: bool, idle_seconds: float,
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


def make_app(server: VolumeServer, clock: IReactorTime, *, in_thread: InThread, agent: IAgent,
             in_far_thread: InThread | None = None, now: Callable[[], float] = time.time,
             rules: UploadRules | None = None, scheme: str = "http", profiles: Pages | None = None) -> VolumeApp:
    """The application, without ports.

    :param in_thread: where blocking work is done.
    :param in_far_thread: where other servers are waited for; None: there too.
    :param agent: how other servers are asked.
    :param scheme: of their addresses.
    :param now: seconds since 1970.
    :param profiles: what is below ``/debug/pprof/``.
    """
    in_far_thread = in_far_thread or in_thread
    elsewhere = Elsewhere(server, agent, scheme=scheme)
    chunks = Chunks(server.locations, agent, in_thread, scheme=scheme)
    return VolumeApp(
        server, Renderer(in_thread, now), Reading(server, elsewhere, chunks, in_thread, in_far_thread, clock),
        Writing(server, rules or rules_of(server), in_thread, clock, now), Deleting(server, in_thread, in_far_thread),
        in_thread, profiles=profiles)


def rules_of(server: VolumeServer) -> UploadRules:
    """What the settings say of uploads."""
    http = server.settings.http
    return UploadRules(size_limit=http.file_size_limit, upright=_upright() if http.fix_orientation else None)


def make_takes(server: VolumeServer, in_thread: InThread, batches: Batches,
               now: Callable[[], float] = time.time, rules: UploadRules | None = None) -> tuple[Take, Take]:
    """The express lanes of the full and of the read-only port."""
    def now_ns() -> int:
        return int(now() * 1e9)

    clock_ns = time.time_ns if now is time.time else now_ns
    formats = make_formats(server)
    large = ExpressLarge(formats, server.download_limit, in_thread, server.tally, now_ns=clock_ns)
    changes = ExpressChanges(server, rules or rules_of(server), batches, ChangeReplies(server, clock_ns), now)
    return (Express(server, formats, changes, large=large, now_ns=clock_ns).take,
            Express(server, formats, large=large, now_ns=clock_ns).take)


def _upright() -> Callable[[bytes], bytes]:
    # Heavy to import, and off unless asked for.
    from seaweedvol.images.orientation import upright
    return upright


def _over_tls(site: Site, secured: Credentials | None) -> TlsFactory | None:
    """TLS before the site, if it is to be spoken. As in Go, a public port of its own has none."""
    if secured is None or secured.settings.https is None:
        return None
    from seaweedvol.web.lane.tls import TlsFactory

    def context() -> SSL.Context:
        found = secured.in_use.https
        assert found is not None
        return found

    return TlsFactory(site, context, secured.refusals)


def _profiles(reactor: Any) -> Pages:
    from seaweedvol.profiling.pages import Pages

    return Pages(reactor.callFromThread)


def make_sites(server: VolumeServer, reactor: Any, *, agent: IAgent | None = None,
               endpoint_at: Callable[[str, int], IStreamServerEndpoint] | None = None,
               secured: Credentials | None = None) -> PoolService:
    """The HTTP side of ``server`` as a service: child ``http.admin``, and ``http.public`` when it has its own port.

    Starting it listens; each child is a :class:`SiteService` whose ``site`` says ``is_stopping``.

    :param endpoint_at: where to listen, by host and port; the lane unless said otherwise.
    :param secured: for TLS.
    """
    pool, far_pool = new_pool(), new_pool("shards", FAR_POOL_SIZE)
    lane = Lane(reactor, server.tally, server.tally.seconds)
    in_thread = pooled(reactor, pool)
    batches = Batches(in_thread, lambda: lane.is_in_round, note_seconds=server.tally.note_batch)
    lane.after_round += [batches.flush, server.tally.end_round]
    rules = rules_of(server)
    full, reading = make_takes(server, in_thread, batches, rules=rules)
    app = make_app(server, reactor, in_thread=in_thread, in_far_thread=pooled(reactor, far_pool),
                   agent=agent or new_agent(reactor, secured), rules=rules,
                   scheme="http" if secured is None else secured.settings.scheme,
                   profiles=_profiles(reactor) if server.settings.profiling.is_on_port else None)
    http = server.settings.http
    service = PoolService((pool, far_pool), lane)
    service.rules.append(rules)
    ports = [("http.admin", http.port, False)]
    if http.has_public_port:
        ports.append(("http.public", http.public_port, True))
    for name, port, is_public in ports:
        site = Site(app, reactor, is_public=is_public, idle_seconds=http.idle_timeout,
                    take=reading if is_public else full, download_limit=server.download_limit,
                    slow=server.slow)
        endpoint = endpoint_at(http.bind_ip, port) if endpoint_at else LaneEndpoint(lane, reactor, http.bind_ip, port)
        child = SiteService(endpoint, site, reactor, None if is_public else _over_tls(site, secured))
        child.setName(name)
        child.setServiceParent(service)
    server.instruments.before_reading.append(lambda: _bring(server, service))
    return service


def _bring(server: VolumeServer, service: PoolService) -> None:
    """Tell what the lane has counted, and what it has under way: as in Go, on the full port only."""
    server.tally.pour(server.instruments)
    held: Counter[str] = Counter()
    for child in service:
        if not child.site.is_public:
            held += child.site.held
    writes = held["POST"] + held["PUT"]
    held += Counter({WRITE_TO_DISK: writes})
    server.instruments.held = held
