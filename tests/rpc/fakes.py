"""A gRPC call as a handler sees it, and a server that holds no volumes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, cast

import attrs
import grpc
from google.protobuf.message_factory import GetMessageClass

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.rpc import servicer
from seaweedvol.server.server import Life, VolumeServer
from seaweedvol.server.slowness import SlowLog


class Aborted(Exception):
    """What ``context.abort`` raises; grpcio raises a bare Exception."""


@attrs.define
class FakeContext:
    """The part of grpc.ServicerContext that the door uses."""

    address: str = "ipv4:127.0.0.1:4711"
    metadata: tuple[tuple[str, str | bytes], ...] = ()
    trailing: dict[str, str] = attrs.field(factory=dict)
    code: grpc.StatusCode = grpc.StatusCode.OK
    details: str = ""
    is_listening: bool = True

    def peer(self) -> str:
        """Who calls."""
        return self.address

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """What the client sent along."""
        return self.metadata

    def set_trailing_metadata(self, pairs: Iterable[tuple[str, str]]) -> None:
        """What the client gets with the status."""
        self.trailing = dict(pairs)

    def is_active(self) -> bool:
        """Whether the client still listens."""
        return self.is_listening

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """End the call with an error."""
        self.code, self.details = code, details
        raise Aborted(code, details)


@attrs.define
class FakeGuard:
    """A white list."""

    allowed: frozenset[str] = frozenset({"127.0.0.1"})

    def allows_peer(self, host: str, asks: str = "") -> bool:
        """Whether the host is in the list."""
        return host in self.allowed


@attrs.define
class FakeState:
    """Server state in memory."""

    value: pb.VolumeServerState = attrs.field(factory=pb.VolumeServerState)

    @property
    def is_maintenance(self) -> bool:
        """Whether changes are refused."""
        return self.value.maintenance


@attrs.define
class FakeIdentity:
    """A name."""

    server_id: str = "here:8080"


@attrs.define
class FakeStore:
    """No volumes, but a state and a name."""

    state: FakeState = attrs.field(factory=FakeState)
    identity: FakeIdentity = attrs.field(factory=FakeIdentity)


@attrs.define
class FakeServer:
    """What the gates look at."""

    guard: FakeGuard = attrs.field(factory=FakeGuard)
    store: FakeStore = attrs.field(factory=FakeStore)
    life: Life = attrs.field(factory=Life)
    slow: SlowLog | None = None

    def as_server(self) -> VolumeServer:
        """The same, under the type that the door asks for."""
        return cast(VolumeServer, self)


def call(server: VolumeServer, name: str, request: Any, context: FakeContext | None = None) -> Any:
    """One call through the door, as grpcio would make it; responses of a stream come as a list.

    :raises Aborted: with code and details.
    """
    handler = servicer.service_handler(server).service(_Details(f"/volume_server_pb.VolumeServer/{name}"))
    assert handler is not None
    context = context or FakeContext()
    if handler.unary_unary is not None:
        return handler.unary_unary(request, cast(grpc.ServicerContext, context))
    if handler.unary_stream is not None:
        responses: Iterator[Any] = handler.unary_stream(request, cast(grpc.ServicerContext, context))
        made = GetMessageClass(servicer.SERVICE.methods_by_name[name].output_type).FromString
        return [made(response) if isinstance(response, bytes) else response for response in responses]
    assert handler.stream_unary is not None
    return handler.stream_unary(iter(request), cast(grpc.ServicerContext, context))


class _Details(grpc.HandlerCallDetails):
    def __init__(self, method: str) -> None:
        self.method = method
        self.invocation_metadata = ()
