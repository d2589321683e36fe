"""The HTTP services: one site for the full surface, one for the read-only port when there is one.

:func:`make_sites` wires this package to a :class:`~seaweedvol.server.server.VolumeServer`; nothing else is needed from
outside. Knows ports and connections; must not know needles.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IReactorTime, IStreamServerEndpoint

from seaweedvol.metrics.instruments import WRITE_TO_DISK
from seaweedvol.web.connection.render import Renderer
from seaweedvol.web.connection.side import Take
from seaweedvol.web.connection.site import Site, SiteService
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
