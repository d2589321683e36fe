"""The calls that the master makes to volume servers. Blocking; any thread but the reactor's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

import grpc

from seaweedvol.master.members import Layout, Node
from seaweedvol.pb.volume_server_pb2 import (
    AllocateVolumeRequest,
    DeleteCollectionRequest,
    PingRequest,
    VolumeDeleteRequest,
)
from seaweedvol.pb.volume_server_pb2_grpc import VolumeServerStub
from seaweedvol.tls.calls import SecureChannels

CALL_SECONDS: Final = 60.0
VOLUME_VERSION: Final = 3
OPTIONS: Final = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1),
                  ("grpc.max_reconnect_backoff_ms", 3_000)]


class CallFailed(Exception):
    """Raised when a volume server refused a call or could not be reached; the text is as a Go client prints it."""


def open_channel(target: str) -> grpc.Channel:
    """A new plain-text channel to ``host:port``."""
    return grpc.insecure_channel(target, options=OPTIONS)


class VolumeServers:
    """Volume servers as the master orders them about.

    :param open_channel: opens the channel to a server.
    :param secure: gives channels with TLS, and keeps them; else those of ``open_channel`` are kept here.
    """

    def __init__(self, open_channel: Callable[[str], grpc.Channel] = open_channel,
                 secure: SecureChannels | None = None) -> None:
        self._open, self._secure = open_channel, secure
        self._lock = threading.Lock()
        self._channels: dict[str, grpc.Channel] = {}

    def allocate(self, node: Node, volume_id: int, layout: Layout) -> None:
        """Make a volume.

        :raises CallFailed: see there.
        """
        self._call(node, lambda stub: stub.AllocateVolume(AllocateVolumeRequest(
            volume_id=volume_id, collection=layout.collection, replication=str(layout.placement),
            ttl=str(layout.ttl), disk_type=layout.disk_type, version=VOLUME_VERSION), timeout=CALL_SECONDS))

    def delete(self, node: Node, volume_id: int) -> None:
        """Remove a volume.

        :raises CallFailed: see there.
        """
        self._call(node, lambda stub: stub.VolumeDelete(VolumeDeleteRequest(volume_id=volume_id), timeout=CALL_SECONDS))

    def delete_collection(self, node: Node, collection: str) -> None:
        """Remove all volumes of a collection.

        :raises CallFailed: see there.
        """
        self._call(node, lambda stub: stub.DeleteCollection(
            DeleteCollectionRequest(collection=collection), timeout=CALL_SECONDS))

    def ping(self, node: Node) -> int:
        """The time there, in ns since 1970.

        :raises CallFailed: see there.
        """
        return int(self._call(node, lambda stub: stub.Ping(PingRequest(), timeout=CALL_SECONDS)).start_time_ns)

    def close(self) -> None:
        """Give the connections up."""
        with self._lock:
            channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            channel.close()
        if self._secure is not None:
            self._secure.close()

    def _channel_to(self, target: str) -> grpc.Channel:
        if self._secure is not None:
            return self._secure.to(target)
        with self._lock:
            channel = self._channels.get(target)
            if channel is None:
                channel = self._channels[target] = self._open(target)
            return channel

    def _call(self, node: Node, do: Callable[[Any], Any]) -> Any:
        channel = self._channel_to(node.grpc_target)
        try:
            return do(VolumeServerStub(channel))
        except grpc.RpcError as error:
            name = "".join(part.capitalize() for part in error.code().name.split("_"))
            raise CallFailed(f"rpc error: code = {name} desc = {error.details()}") from None
