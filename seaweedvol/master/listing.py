"""What the master knows, as people and ``weed shell`` read it: JSON values and messages made of the topology. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from seaweedvol.master.members import HDD, Layout, Node, disk_kind
from seaweedvol.master.topology import Topology
from seaweedvol.pb.master_pb2 import (
    DataCenterInfo,
    DataNodeInfo,
    DiskInfo,
    RackInfo,
    TopologyInfo,
    VolumeInformationMessage,
    VolumeListRequest,
    VolumeListResponse,
    VolumeListStreamResponse,
)
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.ttl import Ttl

_MOST_IDS_SHOWN = 100


def grouped(nodes: Iterable[Node], key: Callable[[Node], str]) -> Iterator[tuple[str, list[Node]]]:
    """Servers by data center or rack, in the order of the names."""
    groups: dict[str, list[Node]] = {}
    for node in nodes:
        groups.setdefault(key(node), []).append(node)
    yield from sorted(groups.items())


# --- JSON ----------------------------------------------------------------------------------------------------------

def directory_status(topology: Topology) -> dict[str, Any]:
    """The value of ``Topology`` in ``/dir/status``."""
    nodes = topology.nodes()
    most = sum(sum(node.max_counts.values()) for node in nodes)
    return {
        "Max": most,
        "Free": sum(sum(node.free_slots(kind) for kind in node.disk_types()) for node in nodes),
        "DataCenters": [
            {"Id": center, "Racks": [
                {"Id": rack, "DataNodes": [_node_status(node) for node in here]}
                for rack, here in grouped(there, lambda node: node.rack)]}
            for center, there in grouped(nodes, lambda node: node.data_center)] or None,
        "Layouts": [_layout_status(layout, ids) for layout, ids in topology.layouts().items()] or None,
    }


def _node_status(node: Node) -> dict[str, Any]:
    by_kind: dict[str, list[int]] = {}
    for volume in node.volumes.values():
        by_kind.setdefault(disk_kind(volume.disk_type), []).append(volume.id)
    return {
        "Url": node.url, "PublicUrl": node.public_url, "Volumes": len(node.volumes),
        "EcShards": sum(shard.ec_index_bits.bit_count() for shard in node.shards.values()),
        "Max": sum(node.max_counts.values()),
        "VolumeIds": "".join(" " + readable(ids) for _, ids in sorted(by_kind.items())),
    }


def _layout_status(layout: Layout, ids: list[int]) -> dict[str, Any]:
    return {"replication": str(layout.placement), "ttl": str(layout.ttl), "writables": ids or None,
            "collection": layout.collection, "diskType": layout.disk_type or HDD}


def readable(ids: Iterable[int]) -> str:
    """Numbers with runs drawn together: ``1-3 5``; no more than a hundred."""
    numbers = sorted(ids)
    runs: list[list[int]] = []
    for number in numbers[:_MOST_IDS_SHOWN]:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    text = " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return text + (" ..." if len(numbers) > _MOST_IDS_SHOWN else "")


def volume_status(topology: Topology) -> dict[str, Any]:
    """The value of ``Volumes`` in ``/vol/status``."""
    status = directory_status(topology)
    return {
        "DataCenters": {
            center: {rack: {node.node_id: [_volume_fields(one) for one in node.volumes.values()] for node in here}
                     for rack, here in grouped(there, lambda node: node.rack)}
            for center, there in grouped(topology.nodes(), lambda node: node.data_center)},
        "Free": status["Free"], "Max": status["Max"],
    }


def _volume_fields(volume: VolumeInformationMessage) -> dict[str, Any]:
    placement, ttl = ReplicaPlacement.from_byte(volume.replica_placement & 0xFF), Ttl.from_uint32(volume.ttl)
    copies = {"node": placement.same_rack, "rack": placement.diff_rack, "dc": placement.diff_dc}
    return {
        "Collection": volume.collection, "DiskType": volume.disk_type,
        "RemoteStorageName": volume.remote_storage_name,
        "ReplicaPlacement": {name: count for name, count in copies.items() if count},
        "Ttl": {"Count": ttl.count, "Unit": ttl.unit}, "Size": volume.size,
        "DeletedByteCount": volume.deleted_byte_count, "ModifiedAtSecond": volume.modified_at_second,
        "Id": volume.id, "DiskId": volume.disk_id, "CompactRevision": volume.compact_revision,
        "FileCount": volume.file_count, "DeleteCount": volume.delete_count, "Version": volume.version,
        "ReadOnly": volume.read_only,
    }


# --- sums ----------------------------------------------------------------------------------------------------------

@attrs.frozen
class Totals:
    """Sums over volumes; ``size`` counts every copy, the rest each volume once."""

    volumes: int = 0
    files: int = 0
    deletes: int = 0
    deleted_bytes: int = 0
    size: int = 0
    logical_size: int = 0


def totals(topology: Topology, collection: str | None) -> Totals:
    """The sums of one collection, or of all for None."""
    once: dict[int, VolumeInformationMessage] = {}
    size = 0
    for _, volume in topology.all_volumes():
        if collection in (None, volume.collection):
            size += volume.size
            once.setdefault(volume.id, volume)
    return Totals(
        volumes=len(once), size=size, files=sum(volume.file_count for volume in once.values()),
        deletes=sum(volume.delete_count for volume in once.values()),
        deleted_bytes=sum(volume.deleted_byte_count for volume in once.values()),
        logical_size=sum(volume.size for volume in once.values()))


# --- messages ------------------------------------------------------------------------------------------------------

def topology_info(topology: Topology, request: VolumeListRequest) -> TopologyInfo:
    """The answer to ``VolumeList``, with the volumes that the request selects."""
    nodes = topology.nodes()
    info = TopologyInfo(id="topo")
    _add_disks(info.diskInfos, nodes, None)
    for center, there in grouped(nodes, lambda node: node.data_center):
        center_info = DataCenterInfo(id=center)
        _add_disks(center_info.diskInfos, there, None)
        for rack, here in grouped(there, lambda node: node.rack):
            rack_info = RackInfo(id=rack)
            _add_disks(rack_info.diskInfos, here, None)
            rack_info.data_node_infos.extend(_node_info(node, request) for node in here)
            center_info.rack_infos.append(rack_info)
        info.data_center_infos.append(center_info)
    return info


def _node_info(node: Node, request: VolumeListRequest) -> DataNodeInfo:
    info = DataNodeInfo(id=node.node_id, grpc_port=node.grpc_port, address=node.url)
    _add_disks(info.diskInfos, [node], request)
    return info


def _add_disks(target: Any, nodes: list[Node], listed: VolumeListRequest | None) -> None:
    """One entry for each disk type; with the volumes themselves when ``listed`` says which."""
    for kind in sorted({kind for node in nodes for kind in node.disk_types()}):
        info: DiskInfo = target[kind]
        info.type = kind if listed is not None else ""
        for node in nodes:
            mine = [volume for volume in node.volumes.values() if disk_kind(volume.disk_type) == kind]
            info.volume_count += len(mine)
            info.max_volume_count += node.max_counts.get(kind, 0)
            info.free_volume_count += node.free_slots(kind)
            info.active_volume_count += sum(not volume.read_only for volume in mine)
            info.disk_total_bytes += node.disk_total.get(kind, 0)
            info.disk_free_bytes += node.disk_free.get(kind, 0)
            if listed is not None:
                _list_volumes(info, node, kind, mine, listed)


def _list_volumes(info: DiskInfo, node: Node, kind: str, mine: list[VolumeInformationMessage],
                  listed: VolumeListRequest) -> None:
    info.volume_infos.extend(volume for volume in mine if _is_selected(volume.id, volume.collection, listed))
    info.ec_shard_infos.extend(shard for shard in node.shards.values() if disk_kind(shard.disk_type) == kind
                               and _is_selected(shard.id, shard.collection, listed))
    shards = (shard for shard in node.shards.values() if disk_kind(shard.disk_type) == kind)
    info.disk_id = min((each.disk_id for each in mine or shards), default=0)
    for tag in node.disk_tags:
        if disk_kind(tag.type) == kind:
            info.max_volume_count_by_disk[tag.disk_id] = tag.max_volume_count
            if tag.disk_id == info.disk_id:
                info.tags.extend(tag.tags)


def _is_selected(volume_id: int, collection: str, request: VolumeListRequest) -> bool:
    if request.volume_id and volume_id != request.volume_id:
        return False
    if request.collection:
        return collection == request.collection
    return not (request.default_collection_only and collection)


def streamed(listed: VolumeListResponse) -> Iterator[VolumeListStreamResponse]:
    """A listing in parts: first all but the volumes, then those of one disk type after the other."""
    skeleton = VolumeListResponse()
    skeleton.CopyFrom(listed)
    for _, disk in _disks(skeleton):
        del disk.volume_infos[:]
        del disk.ec_shard_infos[:]
    yield VolumeListStreamResponse(header=skeleton)
    for place, disk in _disks(listed):
        if disk.volume_infos or disk.ec_shard_infos:
            center, rack, node, kind = place
            yield VolumeListStreamResponse(
                data_center=center, rack=rack, data_node=node, disk_type=kind,
                volume_infos=disk.volume_infos, ec_shard_infos=disk.ec_shard_infos)


def _disks(listed: VolumeListResponse) -> Iterator[tuple[tuple[str, str, str, str], DiskInfo]]:
    for center in listed.topology_info.data_center_infos:
        for rack in center.rack_infos:
            for node in rack.data_node_infos:
                for kind, disk in node.diskInfos.items():
                    yield (center.id, rack.id, node.id, kind), disk
