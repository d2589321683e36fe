"""Volume servers and masters for the tests, without network."""

from __future__ import annotations

from pathlib import Path

from seaweedvol.master.allocation import CallFailed
from seaweedvol.master.master import Master
from seaweedvol.master.members import Layout, Node
from seaweedvol.master.topology import Topology
from seaweedvol.pb.master_pb2 import Heartbeat, VolumeInformationMessage
from seaweedvol.security.guard import Guard
from seaweedvol.storage.format.placement import parse_placement
from seaweedvol.storage.format.ttl import EMPTY_TTL

LIMIT_MB = 1
PLAIN = Layout("", parse_placement(""), EMPTY_TTL, "")


def volume(volume_id: int, *, size: int = 8, collection: str = "", read_only: bool = False, placement: str = "000",
           disk_type: str = "", disk_id: int = 0, files: int = 0) -> VolumeInformationMessage:
    """One volume as a beat names it."""
    return VolumeInformationMessage(
        id=volume_id, size=size, collection=collection, read_only=read_only, version=3, file_count=files,
        replica_placement=parse_placement(placement).to_byte(), disk_type=disk_type, disk_id=disk_id)


def beat(*volumes: VolumeInformationMessage, port: int = 8080, slots: int = 8, rack: str = "", center: str = "",
         uuid: str = "", key: int = 0) -> Heartbeat:
    """A full beat of a server."""
    return Heartbeat(ip="10.0.0.1", port=port, grpc_port=port + 10000, public_url=f"pub:{port}", max_file_key=key,
                     max_volume_counts={"": slots}, volumes=volumes, has_no_volumes=not volumes, rack=rack,
                     data_center=center, location_uuids=[uuid or f"uuid-{port}"])


def joined(topology: Topology, message: Heartbeat) -> Node:
    """A server that has sent this beat."""
    node = topology.join(message)
    topology.apply(node, message)
    return node


class FakeServers:
    """Volume servers that do as they are told, unless they are to refuse."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int, Layout]] = []
        self.deleted: list[tuple[str, int]] = []
        self.dropped: list[tuple[str, str]] = []
        self.refusing: set[str] = set()

    def _check(self, node: Node) -> None:
        if node.url in self.refusing:
            raise CallFailed("rpc error: code = Unavailable desc = refused")

    def allocate(self, node: Node, volume_id: int, layout: Layout) -> None:
        """Remember."""
        self._check(node)
        self.made.append((node.url, volume_id, layout))

    def delete(self, node: Node, volume_id: int) -> None:
        """Remember."""
        self._check(node)
        self.deleted.append((node.url, volume_id))

    def delete_collection(self, node: Node, collection: str) -> None:
        """Remember."""
        self._check(node)
        self.dropped.append((node.url, collection))

    def ping(self, node: Node) -> int:
        """A time."""
        self._check(node)
        return 77


class World:
    """A master with servers that are none."""

    def __init__(self, directory: str, *, guard: Guard | None = None, replication: str = "000") -> None:
        self.servers, self.now = FakeServers(), 0.0
        self.master = Master(address="127.0.0.1:9333.777", directory=Path(directory), volume_size_limit_mb=LIMIT_MB,
                             replication=replication, guard=guard or Guard(), servers=self.servers,
                             clock=lambda: self.now)

    def join(self, message: Heartbeat) -> Node:
        """A server comes."""
        return joined(self.master.topology, message)
