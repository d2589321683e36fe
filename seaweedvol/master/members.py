"""What the topology is made of: volume servers, the layouts of their volumes, and where clients want them.

Values, kept as the heartbeat messages that brought them. Must not know how they change.
"""

from __future__ import annotations

from typing import Final

import attrs

from seaweedvol.config.address import GRPC_PORT_DISTANCE, join_host_port
from seaweedvol.master.shards import slots_for
from seaweedvol.pb.master_pb2 import DiskTag, VolumeEcShardInformationMessage, VolumeInformationMessage
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.ttl import Ttl

HDD: Final = "hdd"


def disk_kind(text: str) -> str:
    """A disk type as the master compares it: lower case, "" for hdd."""
    text = text.lower()
    return "" if text == HDD else text


@attrs.frozen
class Layout:
    """Volumes that can stand in for each other when a client asks for one."""

    collection: str
    placement: ReplicaPlacement
    ttl: Ttl
    disk_type: str

    @classmethod
    def of(cls, volume: VolumeInformationMessage) -> Layout:
        """The layout a volume belongs to."""
        return cls(volume.collection, ReplicaPlacement.from_byte(volume.replica_placement & 0xFF),
                   Ttl.from_uint32(volume.ttl), disk_kind(volume.disk_type))


@attrs.define(eq=False)
class Node:
    """One volume server.

    :ivar streams: how many heartbeat streams it has open; more than one for a moment when it reconnects.
    :ivar volumes: by disk id and volume id.
    """

    ip: str
    port: int
    grpc_port: int
    public_url: str
    node_id: str
    data_center: str
    rack: str
    streams: int = 0
    uuids: tuple[str, ...] = ()
    max_counts: dict[str, int] = attrs.Factory(dict)
    disk_total: dict[str, int] = attrs.Factory(dict)
    disk_free: dict[str, int] = attrs.Factory(dict)
    disk_tags: tuple[DiskTag, ...] = ()
    volumes: dict[tuple[int, int], VolumeInformationMessage] = attrs.Factory(dict)
    shards: dict[tuple[int, int], VolumeEcShardInformationMessage] = attrs.Factory(dict)

    @property
    def url(self) -> str:
        """``host:port`` of its HTTP surface."""
        return join_host_port(self.ip, self.port)

    @property
    def grpc_target(self) -> str:
        """``host:port`` of its gRPC surface."""
        return join_host_port(self.ip, self.grpc_port or self.port + GRPC_PORT_DISTANCE)

    def disk_types(self) -> list[str]:
        """Every disk type it has room, volumes or shards of."""
        volumes = {disk_kind(volume.disk_type) for volume in self.volumes.values()}
        shards = {disk_kind(shard.disk_type) for shard in self.shards.values()}
        return sorted(volumes | shards | set(self.max_counts))

    def count(self, disk_type: str) -> int:
        """How many volumes it holds on disks of this type."""
        return sum(disk_kind(volume.disk_type) == disk_type for volume in self.volumes.values())

    def free_slots(self, disk_type: str) -> int:
        """How many more volumes it takes on disks of this type; negative when it holds too many."""
        shards = slots_for(shard for shard in self.shards.values() if disk_kind(shard.disk_type) == disk_type)
        return self.max_counts.get(disk_type, 0) - self.count(disk_type) - shards

    def collections(self) -> set[str]:
        """The collections of its volumes, encoded ones too."""
        return {volume.collection for volume in list(self.volumes.values())} | {
            shard.collection for shard in self.shards.values()}

    def volume_ids(self) -> set[int]:
        """The ids of its ordinary volumes."""
        return {volume_id for _, volume_id in self.volumes}

    def shard_ids(self) -> set[int]:
        """The ids of its erasure coded volumes."""
        return {volume_id for _, volume_id in self.shards}


@attrs.frozen
class Change:
    """What clients that follow a server must be told: volume ids that came and went."""

    new: frozenset[int] = frozenset()
    deleted: frozenset[int] = frozenset()
    new_ec: frozenset[int] = frozenset()
    deleted_ec: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.new or self.deleted or self.new_ec or self.deleted_ec)


@attrs.frozen
class Wish:
    """Where a client wants its volume; empty: anywhere."""

    data_center: str = ""
    rack: str = ""
    data_node: str = ""

    def __bool__(self) -> bool:
        return bool(self.data_center or self.rack or self.data_node)

    def allows(self, node: Node) -> bool:
        """Whether the server is where the client wants it."""
        return (self.data_center in ("", node.data_center) and self.rack in ("", node.rack)
                and self.data_node in ("", node.node_id, node.url))
