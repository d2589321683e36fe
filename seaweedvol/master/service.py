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
from twisted.application.service import Service
from twisted.internet import defer
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.http import Request
from twisted.web.server import Request as ServerRequest
from twisted.web.server import Site

from seaweedvol.config.address import join_host_port
from seaweedvol.config.binding import why_not_bound
from seaweedvol.config.model import EmbeddedMasterSettings
from seaweedvol.master.allocation import VolumeServers
from seaweedvol.master.master import Master
from seaweedvol.master.rpc import MasterServicer
from seaweedvol.master.web import MasterPages
from seaweedvol.pb.master_pb2_grpc import add_SeaweedServicer_to_server
from seaweedvol.security.guard import Guard

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


def open_rpc(master: Master, target: str) -> grpc.Server:
    """The gRPC surface of a master on ``host:port``, serving.

    :raises CannotListen: when the port is taken.
    """
    server = grpc.server(ThreadPoolExecutor(RPC_THREADS, thread_name_prefix="master-rpc"), options=_RPC_OPTIONS)
    add_SeaweedServicer_to_server(MasterServicer(master), server)
    try:
        server.add_insecure_port(target)
    except RuntimeError:
        host, _, port = target.rpartition(":")
        reason = why_not_bound(host.strip("[]"), int(port))
        raise CannotListen(f"the embedded master cannot listen for gRPC on {target}: {reason}") from None
    server.start()
    return server


class EmbeddedMaster(Service):
    """The master of one machine.

    :param guard: the volume server's own: white list and signing keys are the same.
    :param reactor: listens.
    :param open_surface: opens the gRPC surface.
    """

    name = "master"
    _log = Logger()

    def __init__(self, settings: EmbeddedMasterSettings, guard: Guard, reactor: Any,
                 open_surface: Callable[[Master, str], grpc.Server] = open_rpc) -> None:
        self._settings, self._reactor, self._open_rpc = settings, reactor, open_surface
        self._servers = VolumeServers()
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
        self._rpc = self._open_rpc(self.master, join_host_port(settings.ip, settings.grpc_port))
        pages = MasterPages(self.master, self._run, Agent(self._reactor, pool=self._pool))
        site = _QuietSite(pages.app.resource(), requestFactory=_Request)
        self._listening = self._reactor.listenTCP(settings.port, site, interface=settings.ip)
        self._log.info(
            "embedded master on {ip}:{port} (gRPC {grpc_port}): for one machine, without a second one to take over; "
            "a cluster uses SeaweedFS's own masters", ip=settings.ip, port=settings.port, grpc_port=settings.grpc_port)
        if not _is_loopback(settings.ip):
            self._log.warn("the embedded master can be reached from other machines")

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
