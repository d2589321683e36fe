"""The embedded master as a Twisted service: HTTP on its port, gRPC on port + 10000, both on one address.

Knows Twisted and grpcio; builds the parts and ends them. The gRPC surface runs in grpcio's own threads.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import grpc
from OpenSSL import SSL
from twisted.application.service import Service
from twisted.internet import defer
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.threadpool import ThreadPool
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool
from twisted.web.http import Request
from twisted.web.iweb import IPolicyForHTTPS
from twisted.web.server import Request as ServerRequest
from twisted.web.server import Site
from zope.interface import implementer

from seaweedvol.config.address import join_host_port
from seaweedvol.config.binding import why_not_bound
from seaweedvol.config.model import EmbeddedMasterSettings
from seaweedvol.master.allocation import OPTIONS, VolumeServers
from seaweedvol.master.master import Master
from seaweedvol.master.rpc import MasterServicer
from seaweedvol.master.web import MasterPages
from seaweedvol.pb.master_pb2_grpc import add_SeaweedServicer_to_server
from seaweedvol.security.guard import Guard
from seaweedvol.tls.calls import SecureChannels, server_credentials
from seaweedvol.tls.contexts import server_connection
from seaweedvol.tls.credentials import Credentials, GrpcMaterial
from seaweedvol.tls.names import NameGate

# Every heartbeat and every following client holds one; threads are made when needed.
RPC_THREADS: Final = 256
GROW_THREADS: Final = 4
STOP_SECONDS: Final = 1.0
_RPC_OPTIONS: Final = [
    ("grpc.so_reuseport", 0),
    ("grpc.max_send_message_length", 1 << 30),
    ("grpc.max_receive_message_length", 1 << 30),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 20_000),
]


class CannotListen(Exception):
    """Raised when the gRPC port is taken."""


class _Request(ServerRequest):
    """A request whose answers do not name the server, as Go's do not."""

    def write(self, data: bytes) -> None:
        self.responseHeaders.removeHeader(b"server")
        super().write(data)


class _QuietSite(Site):
    """A site that does not log every request: clients ask for a file id for each file they write."""

    noisy = False

    def log(self, request: Request) -> None:
        """Nothing."""


def open_rpc(master: Master, target: str, secured: Credentials | None = None) -> grpc.Server:
    """The gRPC surface of a master on ``host:port``, serving.

    :param secured: for TLS.
    :raises CannotListen: when the port is taken.
    """
    gates: list[grpc.ServerInterceptor] = []
    if secured is not None and secured.settings.master_grpc is not None:
        gates.append(NameGate(lambda: _material(secured).settings, secured.refusals))
    server = grpc.server(ThreadPoolExecutor(RPC_THREADS, thread_name_prefix="master-rpc"), interceptors=gates,
                         options=_RPC_OPTIONS)
    add_SeaweedServicer_to_server(MasterServicer(master), server)
    try:
        if secured is not None and gates:
            server.add_secure_port(target, server_credentials(lambda: _material(secured)))
        else:
            server.add_insecure_port(target)
    except RuntimeError:
        host, _, port = target.rpartition(":")
        reason = why_not_bound(host.strip("[]"), int(port))
        raise CannotListen(f"the embedded master cannot listen for gRPC on {target}: {reason}") from None
    server.start()
    return server


def _material(secured: Credentials) -> GrpcMaterial:
    found = secured.in_use.master_grpc
    assert found is not None
    return found


@implementer(IOpenSSLServerConnectionCreator)
class _Https:
    """Makes the HTTPS port's connections, with the certificates in use."""

    def __init__(self, secured: Credentials) -> None:
        self._secured = secured

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802, N803
        """See IOpenSSLServerConnectionCreator."""
        context = self._secured.in_use.master_https
        assert context is not None
        return server_connection(context, lambda problem: self._tell(tlsProtocol, problem))

    def _tell(self, protocol: Any, problem: str) -> None:
        host = getattr(protocol.getPeer(), "host", "?")
        self._secured.refusals.tell("HTTPS", f"{host} is refused by the embedded master: {problem}")


class EmbeddedMaster(Service):
    """The master of one machine.

    :param guard: the volume server's own: white list and signing keys are the same.
    :param reactor: listens.
    :param open_surface: opens the gRPC surface.
    :param secured: for TLS.
    :param https_policy: for TLS to volume servers.
    """

    name = "master"
    _log = Logger()

    def __init__(self, settings: EmbeddedMasterSettings, guard: Guard, reactor: Any,
                 open_surface: Callable[..., grpc.Server] = open_rpc, secured: Credentials | None = None,
                 https_policy: IPolicyForHTTPS | None = None) -> None:
        self._settings, self._reactor, self._open_rpc = settings, reactor, open_surface
        self._secured, self._https_policy = secured, https_policy
        self._servers = VolumeServers(secure=self._secure_channels())
        self.master = Master(
            address=settings.address.text, directory=Path(settings.directory),
            volume_size_limit_mb=settings.volume_size_limit_mb, replication=settings.replication, guard=guard,
            servers=self._servers)
        self._threads = ThreadPool(0, GROW_THREADS, name="master")
        self._pool = HTTPConnectionPool(reactor)
        self._listening: Any = None
        self._rpc: grpc.Server | None = None

    def startService(self) -> None:
        """Open both ports.

        :raises CannotListen: or Twisted's CannotListenError, when a port is taken.
        """
        super().startService()
        settings = self._settings
        self._threads.start()
        target = join_host_port(settings.ip, settings.grpc_port)
        secured = self._secured
        self._rpc = self._open_rpc(self.master, target, *(() if secured is None else (secured,)))
        agent = Agent(self._reactor, self._https_policy or BrowserLikePolicyForHTTPS(), pool=self._pool)
        pages = MasterPages(self.master, self._run, agent,
                            scheme="http" if secured is None else secured.settings.scheme)
        site: Any = _QuietSite(pages.app.resource(), requestFactory=_Request)
        if secured is not None and secured.settings.master_https is not None:
            site = TLSMemoryBIOFactory(_Https(secured), False, site)
        self._listening = self._reactor.listenTCP(settings.port, site, interface=settings.ip)
        self._log.info(
            "embedded master on {ip}:{port} (gRPC {grpc_port}): for one machine, without a second one to take over; "
            "a cluster uses SeaweedFS's own masters", ip=settings.ip, port=settings.port, grpc_port=settings.grpc_port)
        if not _is_loopback(settings.ip):
            self._log.warn("the embedded master can be reached from other machines")

    def _secure_channels(self) -> SecureChannels | None:
        secured = self._secured
        if secured is None or secured.settings.master_grpc is None:
            return None
        channels = SecureChannels(lambda: _material(secured), OPTIONS, secured.refusals)
        secured.on_change.append(channels.renew)
        return channels

    def stopService(self) -> defer.Deferred[None]:
        """Close both ports; fires when streams have ended too."""
        super().stopService()
        return defer.Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._listening is not None:
            await defer.maybeDeferred(self._listening.stopListening)
        self.master.followers.close()
        if self._rpc is not None:
            await self._run(self._rpc.stop(STOP_SECONDS).wait)
        self._servers.close()
        await self._pool.closeCachedConnections()
        self._threads.stop()

    def _run(self, function: Callable[..., Any], *args: Any) -> defer.Deferred[Any]:
        return deferToThreadPool(self._reactor, self._threads, function, *args)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
