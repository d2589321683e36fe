"""The gRPC server as a Twisted service: listens at start, drains at stop.

grpcio brings its own threads and event loop; the reactor only waits for its end. grpcio and the generated code are
imported when the service starts, not when the program does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from seaweedvol.config.binding import why_not_bound

if TYPE_CHECKING:
    import grpc

    from seaweedvol.server.server import VolumeServer
    from seaweedvol.tls.credentials import Credentials, GrpcMaterial

#: Each open stream holds a thread, and tails and copies stay open for long.
THREADS: Final = 128
#: How long calls in progress may go on after the stop, in seconds; then their clients are told "cancelled".
GRACE: Final = 30.0

# A call within this time says that others may be on their way.
_BUSY_SECONDS: Final = 1.0
# Until all callers wait; until they know.
_QUIET_SECONDS: Final = 0.15
_NEWS_SECONDS: Final = 0.1

_MESSAGE_LENGTH: Final = 1 << 30
_WINDOW: Final = 16 << 20
#: SeaweedFS's settings (``pb/grpc_client_server.go``), so that its clients meet the limits they were written for.
OPTIONS: Final = (
    ("grpc.max_receive_message_length", _MESSAGE_LENGTH),
    ("grpc.max_send_message_length", _MESSAGE_LENGTH),
    ("grpc.max_concurrent_streams", 1000),
    ("grpc.max_metadata_size", 8 << 20),
    ("grpc.http2.lookahead_bytes", _WINDOW),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 20_000),
    # A second server on the same port must fail, not silently take half of the calls.
    ("grpc.so_reuseport", 0),
)


class GrpcService(Service):
    """Serves the calls of one volume server on one address.

    :param host: a name or address, without brackets; an empty one listens on every address of both families.
    :param secured: for TLS.
    :ivar port: where it listens, 0 before the start.
    """

    log = Logger()

    def __init__(self, server: VolumeServer, host: str, port: int, *, threads: int = THREADS,
                 grace: float = GRACE, secured: Credentials | None = None,
                 sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self._secured = secured if secured is not None and secured.settings.grpc is not None else None
        self._server = server
        self._host, self._wanted_port = host.strip("[]"), port
        self._address = _address(host, port)
        self._threads = threads
        self._grace = grace
        self._grpc: grpc.Server | None = None
        self.port = 0

    def startService(self) -> None:
        """Listen and serve.

        :raises OSError: when the address cannot be bound.
        """
        server = self._make()
        try:
            port = self._bind(server)
        except RuntimeError:
            reason = why_not_bound(self._host, self._wanted_port)
            raise OSError(f"cannot listen for gRPC on {self._address}: {reason}") from None
        server.start()
        self._grpc, self.port = server, port
        super().startService()
        self.log.info("gRPC at {address}", address=self._address)

    def stopService(self) -> Deferred[object] | None:
        """Take no new calls; fires when those in progress have ended, or their grace has."""
        super().stopService()
        server, self._grpc = self._grpc, None
        if server is None:
            return None
        return deferToThread(self._leave, server)

    def _leave(self, server: grpc.Server) -> None:
        """grpcio breaks off whatever reaches it in the moment in which it stops. Who waits for the end of one call
        before the next is therefore kept waiting over that moment, and told of it before the call ends.
        """
        life = self._server.life
        is_busy = time.monotonic() - life.called_at < _BUSY_SECONDS
        if is_busy:
            life.calls_may_end.clear()
            self._sleep(_QUIET_SECONDS)
        life.calls_end_at = time.monotonic() + self._grace
        try:
            ended = server.stop(self._grace)
            if is_busy:
                self._sleep(_NEWS_SECONDS)
        finally:
            life.calls_may_end.set()
        ended.wait(self._grace + 1)

    def _bind(self, server: grpc.Server) -> int:
        if self._secured is None:
            return server.add_insecure_port(self._address)
        from seaweedvol.tls.calls import server_credentials

        return server.add_secure_port(self._address, server_credentials(self._material))

    def _material(self) -> GrpcMaterial:
        assert self._secured is not None
        found = self._secured.in_use.grpc
        assert found is not None
        return found

    def _gates(self) -> list[grpc.ServerInterceptor]:
        if self._secured is None:
            return []
        from seaweedvol.tls.names import NameGate

        return [NameGate(lambda: self._material().settings, self._secured.refusals)]

    def _make(self) -> grpc.Server:
        import grpc
        from grpc_reflection.v1alpha import reflection

        from seaweedvol.rpc import servicer

        pool = ThreadPoolExecutor(max_workers=self._threads, thread_name_prefix="grpc")
        server = grpc.server(pool, interceptors=self._gates(), options=OPTIONS)
        server.add_generic_rpc_handlers((servicer.service_handler(self._server),))
        reflection.enable_server_reflection((servicer.SERVICE.full_name, reflection.SERVICE_NAME), server)
        return server


def _address(host: str, port: int) -> str:
    host = host.strip("[]") or "::"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
