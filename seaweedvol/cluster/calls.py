"""Outgoing gRPC: one long-lived channel for each server, errors in Go's words, answers on the reactor's thread.

Knows grpcio and Twisted, no message of ours. Limits and keep-alives as in SeaweedFS ``pb/grpc_client_server.go``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import grpc
from twisted.internet import defer
from twisted.internet.threads import deferToThread

from seaweedvol.config.address import ServerAddress
from seaweedvol.pb.master_pb2_grpc import SeaweedStub
from seaweedvol.pb.volume_server_pb2_grpc import VolumeServerStub
from seaweedvol.server.interfaces import RemoteCallFailed
from seaweedvol.tls.kept import Kept

if TYPE_CHECKING:
    from seaweedvol.security.refusals import Refusals
    from seaweedvol.tls.credentials import Credentials, GrpcMaterial

_T = TypeVar("_T")

MESSAGE_LIMIT: Final = 1 << 30
CHANNEL_OPTIONS: Final = (
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # grpcio backs off up to two minutes; a restarted master must not wait that long for its servers.
    ("grpc.initial_reconnect_backoff_ms", 200),
    # It is also how long connecting may take, and in another data centre that is more than a moment. Go gives 20 s.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 3_000),
    # Each channel its own connection: a broken one never hides behind another's backoff.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
    # As much may be on its way in one stream: copies of volumes come in blocks of 2 MiB.
    ("grpc.http2.lookahead_bytes", 16 << 20),
)

_SPELLINGS: Final = {"OK": "OK", "CANCELLED": "Canceled"}


class FromThread(Protocol):
    """What is needed of a reactor to come back to its thread."""

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> None:
        """Run ``callable`` soon on the reactor's thread."""
        ...


def go_text(error: BaseException) -> str:
    """An error of a gRPC call as a Go client prints it; any other error as its own text."""
    code, details = getattr(error, "code", None), getattr(error, "details", None)
    if not callable(code) or not callable(details):
        return str(error)
    name = code().name
    spelled = _SPELLINGS.get(name) or "".join(part.capitalize() for part in name.split("_"))
    return f"rpc error: code = {spelled} desc = {details() or ''}"


def failure_of(error: Any) -> RemoteCallFailed:
    """A gRPC call's error, for whom gRPC is nothing to know of."""
    return RemoteCallFailed(go_text(error), code=error.code().name, details=error.details() or "")


def open_channel(target: str) -> grpc.Channel:
    """A new plain-text channel to ``host:port``."""
    return grpc.insecure_channel(target, options=list(CHANNEL_OPTIONS))


def master_calls(channel: grpc.Channel) -> Any:
    """The calls of a master, as generated (which is untyped)."""
    return SeaweedStub(channel)


def volume_server_calls(channel: grpc.Channel) -> Any:
    """The calls of a volume server, as generated (which is untyped)."""
    return VolumeServerStub(channel)


class Channels:
    """The channels of this process, opened when first needed and kept until a call fails for want of a connection.

    Any thread.
    """

    def __init__(self, open_one: Callable[[str], grpc.Channel] = open_channel,
                 seconds: Callable[[], float] = time.monotonic) -> None:
        self._open = open_one
        self._kept = Kept(seconds)

    def to(self, target: str) -> grpc.Channel:
        """The channel to ``host:port``."""
        return self._kept.to(target, lambda: self._open(target))

    def master(self, address: str) -> Any:
        """The calls of a master at ``host:port`` or ``host:port.grpcPort``."""
        return master_calls(self.to(ServerAddress(address).grpc))

    def volume_server(self, address: str) -> Any:
        """The calls of a volume server at such an address."""
        return volume_server_calls(self.to(ServerAddress(address).grpc))

    def open(self, target: str) -> grpc.Channel:
        """A channel of one's own, to be closed."""
        return self._open(target)

    def soon(self, target: str) -> defer.Deferred[grpc.Channel]:
        """The channel to ``host:port``, for the reactor's thread, which must not wait for it."""
        return defer.succeed(self.to(target))

    def close(self) -> None:
        """Close all; calls under way fail."""
        self._kept.close()


class SecureCalls(Channels):
    """Channels with TLS. A new server is first asked for its certificate: not in the reactor's thread.

    :param material: what they are made with now.
    :param in_thread: runs a blocking function elsewhere.
    """

    def __init__(self, material: Callable[[], GrpcMaterial], refusals: Refusals,
                 in_thread: Callable[..., defer.Deferred[Any]] = deferToThread) -> None:
        from seaweedvol.tls.calls import SecureChannels

        super().__init__()
        self._in_thread = in_thread
        self._secure = SecureChannels(material, CHANNEL_OPTIONS, refusals)
        self.renew = self._secure.renew

    def to(self, target: str) -> grpc.Channel:
        """See Channels; *blocking*."""
        return self._secure.to(target)

    def soon(self, target: str) -> defer.Deferred[grpc.Channel]:
        """See Channels."""
        found = self._secure.at_hand(target)
        return self._in_thread(self._secure.to, target) if found is None else defer.succeed(found)

    def open(self, target: str) -> grpc.Channel:
        """*Blocking.* A channel of one's own."""
        return self._secure.open(target)

    def close(self) -> None:
        """See Channels."""
        self._secure.close()


def grpc_of(secured: Credentials) -> GrpcMaterial:
    """What our calls are made with now."""
    found = secured.in_use.grpc
    assert found is not None
    return found


def as_deferred(future: grpc.Future[_T], reactor: FromThread) -> defer.Deferred[_T]:
    """The outcome of a call begun with ``.future(...)``, delivered on the reactor's thread; cancelling cancels it."""

    def cancel(_: object) -> None:
        future.cancel()

    outcome: defer.Deferred[_T] = defer.Deferred(cancel)

    def deliver() -> None:
        if outcome.called:
            return
        error = future.exception() if not future.cancelled() else defer.CancelledError()
        if error is not None:
            outcome.errback(error)
        else:
            outcome.callback(future.result())

    future.add_done_callback(lambda _: reactor.callFromThread(deliver))
    return outcome
