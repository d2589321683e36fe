"""The service as twistd and the console script start it; the only place where objects are wired.

``Options`` and ``makeService`` are twistd's entry; both roads meet in :func:`build_service`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from twisted.application.service import MultiService, Service
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from twisted.python import usage

from seaweedvol.config.errors import ConfigError, in_one_line
from seaweedvol.config.load import load_settings, wanted_page, wanted_switch

if TYPE_CHECKING:
    import ssl

    from seaweedvol.cluster.calls import Channels
    from seaweedvol.cluster.heartbeat import IStream
    from seaweedvol.cluster.replicate import Replicator
    from seaweedvol.tls.credentials import Credentials
    from seaweedvol.cluster.master import MasterClient
    from seaweedvol.config.model import Settings
    from seaweedvol.metrics.instruments import Instruments
    from seaweedvol.running import ServerService
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.storage.backend import IRemoteFiles
    from seaweedvol.storage.needlemap import MapSettings
    from seaweedvol.store.store import Store
    from seaweedvol.tier.backends import Description

#: What a command line that cannot be understood ends with, as Go's flag package does.
EXIT_USAGE: Final = 2
#: What a server that cannot start ends with.
EXIT_FAILED: Final = 1

_log = Logger(namespace="seaweed-volume")


class Options(usage.Options):
    """Go's flags under twistd: ``twistd -n seaweed-volume --config conf/volume.toml -port=8080``.

    The library would read ``-port=8080`` as ``-p ort=8080``, so it never sees the words.
    """

    synopsis = "[options as for seaweed-volume]"
    settings: Settings

    def parseOptions(self, options: list[str] | None = None) -> None:  # noqa: N802
        """Read the words behind the name of the service. Ends the process for help, version and mistakes."""
        argv = sys.argv[1:] if options is None else options
        page = wanted_page(argv)
        if page is not None:
            _end_with_page(page)
        try:
            for name in ("check-config", "print-config"):
                if wanted_switch(argv, name):
                    raise ConfigError(f"--{name} is for the command seaweed-volume")
            self.settings = load_settings(argv, os.environ)
        except ConfigError as error:
            sys.stderr.write(f"seaweed-volume: {error}\n")
            raise SystemExit(EXIT_USAGE) from None


def page_text(page: str) -> str:
    """The text of ``"help"`` or ``"version"``."""
    if page == "version":
        from seaweedvol import REFERENCE_VERSION, __version__

        return f"seaweed-volume {__version__} (as SeaweedFS {REFERENCE_VERSION})\n"
    from seaweedvol.config.usage import help_text

    return help_text()


def _end_with_page(page: str) -> NoReturn:
    sys.stdout.write(page_text(page))
    raise SystemExit(0)


def makeService(options: Options) -> MultiService:  # noqa: N802
    """The service for twistd. Ends the process when it cannot be built."""
    from twisted.internet import reactor

    settings = options.settings
    for notice in settings.notices:
        _log.warn("{notice}", notice=notice)
    if settings.log.is_json or settings.log.directory or settings.log.vmodule or settings.log.backtrace_at:
        _log.warn("the log is twistd's: -log_json, -logdir, -vmodule and -log_backtrace_at have no effect")
    try:
        return build_service(options.settings, reactor)
    except Exception as error:
        # A damaged file of the embedded master: the operator needs the reason, not twistd's stack.
        sys.stderr.write(f"seaweed-volume: {in_one_line(error)}\n")
        raise SystemExit(EXIT_FAILED) from None


def build_service(settings: Settings, reactor: Any) -> ServerService:
    """Everything that runs, wired together and not yet started."""
    from seaweedvol.tls.core import core_variables

    # Before grpcio is imported, which reads them once. It prints past every log; what fails is told by us. Only why a
    # handshake does, it tells nobody else.
    for name, value in core_variables(settings.security.tls).items():
        os.environ.setdefault(name, value)
    from seaweedvol.cluster.heartbeat import HeartbeatService
    from seaweedvol.disks import make_disks
    from seaweedvol.life.notifying import Notifier
    from seaweedvol.life.rotating import Rotation
    from seaweedvol.rpc.service import GrpcService
    from seaweedvol.running import Parts, ServerService
    from seaweedvol.web.sites import make_sites

    secured = build_credentials(settings)
    channels = build_channels(secured)
    master_client = build_master_client(settings, channels)
    server = build_server(settings, reactor, master_client, channels, secured)
    disks = make_disks(server.store, reactor, deferToThread)
    heartbeat = HeartbeatService(
        masters=[master.text for master in settings.masters], sender=server.identity, store=server.store,
        events=server.store.events, life=server.life, clock=reactor,
        exit_process=lambda status, reason: service.give_up(status, reason), dial=_dialer(channels),
        note_loss=server.instruments.note_disconnection)
    master_client.follow(lambda: heartbeat.current_master, heartbeat.leave)
    master = None
    if settings.master_embedded is not None:
        from seaweedvol.master.service import EmbeddedMaster
        from seaweedvol.web.general.httpspolicy import HttpsPolicy

        policy = None if secured is None or secured.settings.client is None else HttpsPolicy(secured)
        master = EmbeddedMaster(settings.master_embedded, server.guard, reactor, secured=secured, https_policy=policy)
    rpc = GrpcService(server, settings.http.bind_ip, settings.grpc.port, secured=secured)
    sites = make_sites(server, reactor, secured=secured)
    rotations = () if secured is None else (Rotation(secured, reactor),)
    parts = Parts(disks, sites, rpc, heartbeat, master, sites.say_goodbye,
                  (*_lookouts(settings, reactor), *_metrics(server, master_client, reactor),
                   *_tls_services(secured), *rotations), channels.close)
    service = ServerService(server, parts, reactor, Notifier(os.environ, reactor))
    service.on_reload.append(sites.reload)
    service.on_reload.extend(rotation.reload for rotation in rotations)
    return service


def _lookouts(settings: Settings, reactor: Any) -> tuple[Service, ...]:
    """What lets operators look into the running program."""
    lookouts: list[Service] = []
    wanted = settings.profiling
    if wanted.debug_port:
        from seaweedvol.web.pages.debugging import DebugService

        lookouts.append(DebugService(reactor, wanted.debug_port))
    if wanted.cpu_file or wanted.memory_file:
        from seaweedvol.life.recording import Recording

        lookouts.append(Recording(wanted))
    return tuple(lookouts)


def _metrics(server: VolumeServer, master: MasterClient, reactor: Any) -> list[Service]:
    """What counts, tells and sends metrics."""
    from seaweedvol import REFERENCE_VERSION, __version__
    from seaweedvol.cluster.pushing import Pusher
    from seaweedvol.config.address import join_host_port
    from seaweedvol.metrics.process import register
    from seaweedvol.server.version import size_limit
    from seaweedvol.web.general.upstream import new_agent
    from seaweedvol.web.pages.metricsport import MetricsPort, Ticker, read

    settings, instruments = server.settings, server.instruments
    register(instruments.registry)
    instruments.note_start(server.started_at, REFERENCE_VERSION, f"seaweedvol/{__version__}",
                           size_limit(settings.offset_width))
    services: list[Service] = [Ticker(instruments, server.history, reactor, server.clock)]
    if settings.metrics.port:
        services.append(MetricsPort(instruments, reactor, deferToThread, settings.metrics.ip, settings.metrics.port))
    http = settings.http
    services.append(Pusher(
        masters=[each.text for each in settings.masters], ask=master.configuration,
        read=lambda: read(instruments, deferToThread), instance=join_host_port(http.ip, http.port),
        agent=new_agent(reactor), clock=reactor, in_thread=deferToThread))
    return services


def build_credentials(settings: Settings) -> Credentials | None:
    """The certificates, if anything is TLS.

    :raises BadCertificate: when they cannot be used.
    """
    tls = settings.security.tls
    if not tls.is_used:
        return None
    from seaweedvol.tls.credentials import Credentials

    return Credentials(tls)


def _tls_services(secured: Credentials | None) -> tuple[Service, ...]:
    """What is there for TLS of gRPC only."""
    if secured is None or secured.settings.grpc is None:
        return ()
    from seaweedvol.rpc.corelog import CoreLog

    return (CoreLog(secured.refusals),)


def build_channels(secured: Credentials | None) -> Channels:
    """Where our gRPC calls go out."""
    from seaweedvol.cluster.calls import Channels, SecureCalls, grpc_of

    if secured is None or secured.settings.grpc is None:
        return Channels()
    calls = SecureCalls(lambda: grpc_of(secured), secured.refusals)
    secured.on_change.append(calls.renew)
    return calls


def _dialer(channels: Channels) -> Callable[..., IStream]:
    """How the heartbeat opens a stream: each has a connection of its own."""
    from seaweedvol.cluster.heartbeat import GrpcStream

    return lambda address, beats: GrpcStream(address, beats, channels.open)


def build_master_client(settings: Settings, channels: Channels) -> MasterClient:
    """Calls to the masters; the heartbeat, once there is one, tells it which of them leads."""
    from seaweedvol.cluster.master import MasterClient

    return MasterClient(
        [each.text for each in settings.masters], settings.http.ip, settings.http.port, channels)


def build_server(settings: Settings, reactor: Any, master: MasterClient, channels: Channels,
                 secured: Credentials | None = None) -> VolumeServer:
    """The parts that answer requests, without the services that bring requests to them."""
    from seaweedvol.cluster.locations import GrpcLookup, Locations
    from seaweedvol.cluster.peers import Peers
    from seaweedvol.cluster.shards import Shards
    from seaweedvol.cluster.sources import Sources
    from seaweedvol.metrics.instruments import Instruments
    from seaweedvol.security.guard import Guard
    from seaweedvol.server.ecneedles import EcNeedles
    from seaweedvol.server.limits import ByteLimit
    from seaweedvol.server.needles import Needles
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.server.slowness import SlowLog
    from seaweedvol.server.volumes import Volumes
    from seaweedvol.tier.backends import Backends

    http, keys = settings.http, settings.security
    tiers = Backends(lambda: descriptions(master))
    store = build_store(settings, tiers)
    shards = Shards(master.leader, channels)
    instruments = Instruments()
    guard = Guard(settings.white_list, keys.write_key, keys.write_expires, keys.read_key, keys.read_expires)
    return VolumeServer(
        settings=settings, identity=store.identity, store=store, guard=guard,
        upload_limit=ByteLimit(http.upload_limit), download_limit=ByteLimit(http.download_limit),
        needles=Needles(store, EcNeedles(store, shards)), volumes=Volumes(store, master), master=master,
        peers=Peers(channels, reactor),
        locations=Locations(GrpcLookup(master.leader, channels, reactor), reactor),
        replicator=build_replicator(reactor, secured, instruments), instruments=instruments,
        client_security=lambda: _standard_client(secured),
        sources=Sources(channels), shards=shards, tiers=tiers, clock=time.time, started_at=time.time(),
        slow=SlowLog(settings.log.slow_seconds) if settings.log.slow_seconds else None)


def build_replicator(reactor: Any, secured: Credentials | None, instruments: Instruments) -> Replicator:
    """What repeats changes on other servers."""
    from seaweedvol.cluster.replicapool import Pool
    from seaweedvol.cluster.replicaroad import ReplicaRoad
    from seaweedvol.cluster.replicate import Replicator
    from seaweedvol.web.general.upstream import new_agent

    agent, note = new_agent(reactor, secured), instruments.note_upload_error
    if secured is None or secured.settings.client is None:
        road = ReplicaRoad(Pool(reactor), note)
        return Replicator(agent, reactor, deferToThread, road, note_error=note)
    from seaweedvol.cluster.tlsconnection import tls_connections
    from seaweedvol.web.general.httpspolicy import HttpsPolicy

    pool = Pool(reactor, connect=tls_connections(HttpsPolicy(secured).connection_to))
    scheme = secured.settings.scheme
    return Replicator(agent, reactor, deferToThread, ReplicaRoad(pool, note, scheme), scheme, note)


def _standard_client(secured: Credentials | None) -> ssl.SSLContext | None:
    client = None if secured is None else secured.in_use.client
    return None if client is None else client.standard


def descriptions(master: MasterClient) -> list[Description]:
    """*Blocking.* The object stores that the masters' configuration names; none while no master answers."""
    from seaweedvol.tier.backends import Description

    return [Description(each.type, each.id, dict(each.properties)) for each in master.storage_backends()]


def build_store(settings: Settings, stores: IRemoteFiles | None = None) -> Store:
    """The directories, not yet opened."""
    from seaweedvol.storage.format.index import OffsetWidth
    from seaweedvol.store.diskspace import MinFree
    from seaweedvol.store.events import StoreEvents
    from seaweedvol.store.identity import Identity
    from seaweedvol.store.location import Location
    from seaweedvol.store.store import Store

    http = settings.http
    identity = Identity(ip=http.ip, port=http.port, grpc_port=settings.grpc.port, public_url=http.public_url,
                        server_id=settings.server_id, data_center=settings.data_center, rack=settings.rack)
    width = OffsetWidth.FOUR if settings.offset_width == 4 else OffsetWidth.FIVE
    locations = [Location(
        directory=Path(each.path), index_directory=Path(settings.index_directory or each.path),
        disk_type=each.disk_type, tags=each.tags, configured_max_count=each.max_count,
        min_free=MinFree(percent=each.min_free.percent, amount=each.min_free.amount), reserve=settings.reserve,
        width=width, maps=_maps(settings), stores=stores)
        for each in settings.directories]
    return Store(locations, identity, StoreEvents())


def _maps(settings: Settings) -> MapSettings:
    """What kind of needle map the volumes of one directory get."""
    from seaweedvol.storage.needlemap.idle import IdleWatch
    from seaweedvol.storage.needlemap.kinds import MapKind, MapSettings

    hours = settings.leveldb_idle_hours
    return MapSettings(MapKind(settings.index_kind), IdleWatch(hours) if hours else None)
