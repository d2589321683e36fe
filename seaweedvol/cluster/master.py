"""Calls to the masters: who leads, what a volume's state is there, whether one lives.

Implements ``server.interfaces.IMasterView``. The calls block and may come from any worker thread. Error texts are those
of SeaweedFS 4.44 (``volume_grpc_admin.go``, ``operation/lookup_raft_leader.go``). Must not know the heartbeat's stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import grpc

from seaweedvol.cluster.calls import Channels, go_text
from seaweedvol.config.address import ServerAddress
from seaweedvol.pb.master_pb2 import (
    GetMasterConfigurationRequest,
    GetMasterConfigurationResponse,
    PingRequest,
    StorageBackend,
    VolumeMarkReadonlyRequest,
)
from seaweedvol.server.interfaces import MarkedVolume, RemoteCallFailed

CONFIGURATION_SECONDS: Final = 5.0
CALL_SECONDS: Final = 30.0
_NOT_LEADER: Final = "Not current leader"


class MasterClient:
    """The masters as seen from this server.

    :param masters: the configured ones, at least one.
    :param own_ip: what the master knows this server by, with ``own_port``.
    """

    def __init__(self, masters: Sequence[str], own_ip: str, own_port: int, channels: Channels) -> None:
        self._masters = tuple(masters)
        self._own_ip, self._own_port = own_ip, own_port
        self._channels = channels
        self._current: Callable[[], str] = lambda: ""
        self._leave: Callable[[], None] = lambda: None

    def follow(self, current: Callable[[], str], leave: Callable[[], None]) -> None:
        """Take the current master from the heartbeat, and hand leaves on to it."""
        self._current, self._leave = current, leave

    # --- IMasterView ---

    def leader(self) -> str:
        """The master that the heartbeat is, or was last, connected to; the first configured one before that."""
        return self._current() or self._masters[0]

    def is_master(self, address: str) -> bool:
        """Whether ``address`` is the current or a configured master."""
        wanted = ServerAddress(address).http
        return bool(wanted) and any(
            wanted == ServerAddress(known).http for known in (self.leader(), *self._masters))

    def ping(self, address: str) -> int:
        """*Blocking.* The time of the master at ``address``, in ns since 1970."""
        try:
            return int(self._channels.master(address).Ping(PingRequest(), timeout=CALL_SECONDS).start_time_ns)
        except grpc.RpcError as error:
            raise RemoteCallFailed(go_text(error)) from None

    def notify_readonly(self, volume: MarkedVolume, is_read_only: bool) -> None:
        """*Blocking.* Mark the volume on the leader, which a follower that we still heartbeat with does not do."""
        master = self.leader()
        try:
            self._mark(master, volume, is_read_only)
        except RemoteCallFailed as refusal:
            if _NOT_LEADER not in str(refusal):
                raise
            try:
                leader = self.find_leader()
            except RemoteCallFailed as error:
                raise RemoteCallFailed(
                    f"heartbeat master {_shown(master)} rejected mark-readonly and leader lookup failed: {error}"
                ) from None
            self._mark(leader, volume, is_read_only)

    def stop_heartbeat(self) -> None:
        """Leave the cluster. Any thread."""
        self._leave()

    # --- beyond ---

    def find_leader(self) -> str:
        """*Blocking.* The address of the leader, asked of the configured masters in turn.

        :raises RemoteCallFailed: when none can tell.
        """
        last = ""
        for master in self._masters:
            try:
                leader = self.configuration(master).leader
            except RemoteCallFailed as error:
                last = str(error)
                continue
            if leader:
                return leader
            last = f"master {_shown(master)} returned empty leader"
        raise RemoteCallFailed(f"lookup raft leader from {len(self._masters)} master peer(s): {last}")

    def storage_backends(self) -> list[StorageBackend]:
        """*Blocking.* The object stores of the first master that answers; none if none does."""
        for master in dict.fromkeys((self.leader(), *self._masters)):
            try:
                return list(self.configuration(master).storage_backends)
            except RemoteCallFailed:
                continue
        return []

    def configuration(self, master: str) -> GetMasterConfigurationResponse:
        """*Blocking.* The settings of one master: metrics gateway, storage backends, leader.

        :raises RemoteCallFailed: when it cannot be asked.
        """
        try:
            answer: GetMasterConfigurationResponse = self._channels.master(master).GetMasterConfiguration(
                GetMasterConfigurationRequest(), timeout=CONFIGURATION_SECONDS)
        except grpc.RpcError as error:
            raise RemoteCallFailed(go_text(error)) from None
        return answer

    def _mark(self, master: str, volume: MarkedVolume, is_read_only: bool) -> None:
        request = VolumeMarkReadonlyRequest(
            ip=self._own_ip, port=self._own_port, volume_id=volume.volume_id, collection=volume.collection,
            replica_placement=volume.placement, ttl=volume.ttl, disk_type=volume.disk_type, is_readonly=is_read_only)
        try:
            self._channels.master(master).VolumeMarkReadonly(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            raise RemoteCallFailed(
                f"grpc VolumeMarkReadonly with master {_shown(master)}: "
                f"set volume {volume.volume_id} to read only on master: {go_text(error)}") from None


def _shown(master: str) -> str:
    """An address as Go prints it: without the gRPC port."""
    return ServerAddress(master).http
