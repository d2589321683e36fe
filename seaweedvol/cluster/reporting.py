"""Heartbeat messages made of store reports, and the memory of what the master was told.

As ``CollectHeartbeat`` in ``weed/storage/store.go`` and ``store_volume_report.go`` of SeaweedFS 4.44. Knows the wire
messages; must not know streams or threads (the caller serialises the calls of one :class:`Telling`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

from seaweedvol.pb.master_pb2 import (
    DiskTag,
    Heartbeat,
    VolumeEcShardInformationMessage,
    VolumeInformationMessage,
    VolumeShortInformationMessage,
)
from seaweedvol.store.report import StoreReport, VolumeReport
from seaweedvol.store.shardreport import ShardReport


class Sender(Protocol):
    """How this server names itself to the master; the store's identity is one."""

    @property
    def ip(self) -> str:
        """What other servers reach it by; the master joins it with ``port`` to the URL of its volumes."""

    @property
    def port(self) -> int:
        """The port of the full HTTP surface."""

    @property
    def grpc_port(self) -> int:
        """The port of the gRPC surface."""

    @property
    def public_url(self) -> str:
        """``host:port`` for clients."""

    @property
    def server_id(self) -> str:
        """A stable name."""

    @property
    def data_center(self) -> str:
        """Where it stands; "" when nobody said."""

    @property
    def rack(self) -> str:
        """Where in the data center."""


def frame(sender: Sender) -> Heartbeat:
    """The names that every delta beat carries, and nothing else."""
    return Heartbeat(ip=sender.ip, port=sender.port, data_center=sender.data_center, rack=sender.rack)


def volume_message(report: VolumeReport) -> VolumeInformationMessage:
    """One volume as a full report names it."""
    return VolumeInformationMessage(
        id=report.id, size=report.size, collection=report.collection, file_count=report.file_count,
        delete_count=report.delete_count, deleted_byte_count=report.deleted_bytes, read_only=report.read_only,
        replica_placement=report.placement_byte, version=report.version, ttl=report.ttl_uint32,
        compact_revision=report.compact_revision, modified_at_second=int(report.modified_at),
        remote_storage_name=report.remote_storage_name, remote_storage_key=report.remote_storage_key,
        disk_type=report.disk_type, disk_id=report.disk_id)


def short_message(report: VolumeReport) -> VolumeShortInformationMessage:
    """One volume as a delta beat names it."""
    return VolumeShortInformationMessage(
        id=report.id, collection=report.collection, replica_placement=report.placement_byte, version=report.version,
        ttl=report.ttl_uint32, disk_type=report.disk_type, disk_id=report.disk_id)


def shard_message(report: ShardReport) -> VolumeEcShardInformationMessage:
    """Shards as any beat names them."""
    return VolumeEcShardInformationMessage(
        id=report.id, collection=report.collection, ec_index_bits=report.shard_bits, shard_sizes=report.lengths,
        disk_type=report.disk_type, expire_at_sec=report.expires_at, disk_id=report.disk_id,
        file_count=report.file_count, delete_count=report.delete_count, encode_ts_ns=report.encode_time_ns)


def announcement(sender: Sender, reports: Iterable[VolumeReport | ShardReport], is_deletion: bool) -> Heartbeat:
    """A beat that names new or deleted volumes or shards only."""
    beat = frame(sender)
    volumes, shards = (
        (beat.deleted_volumes, beat.deleted_ec_shards) if is_deletion else (beat.new_volumes, beat.new_ec_shards))
    for report in reports:
        if isinstance(report, ShardReport):
            shards.append(shard_message(report))
        else:
            volumes.append(short_message(report))
    return beat


def shard_beat(reports: Sequence[ShardReport]) -> Heartbeat:
    """The beat of all shards of encoded volumes."""
    return Heartbeat(ec_shards=map(shard_message, reports), has_no_ec_shards=not reports)


def goodbye(sender: Sender) -> Heartbeat:
    """The beat after which the master forgets all volumes of this server."""
    beat = frame(sender)
    beat.public_url = sender.public_url
    beat.has_no_volumes = True
    return beat


class Telling:
    """What the master on the other end knows, so that beats can carry what changed only.

    ``accept_deltas`` and ``require_full_list`` may come from another thread than ``volume_beat``.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._lock = threading.Lock()
        self._are_deltas_accepted = False
        self._is_full_needed = True
        self._told: dict[tuple[int, int], VolumeReport] = {}

    def accept_deltas(self) -> None:
        """The master compares digests and will ask when it misses something."""
        with self._lock:
            self._are_deltas_accepted = True

    def require_full_list(self) -> None:
        """The next beat must carry all volumes."""
        with self._lock:
            self._is_full_needed = True

    def volume_beat(self, report: StoreReport) -> Heartbeat:
        """The beat for what the store holds now: everything, or what changed since the last one."""
        with self._lock:
            is_full = self._is_full_needed or not self._are_deltas_accepted
            self._is_full_needed = False
        held = {(volume.disk_id, volume.id): volume for volume in report.volumes}
        beat = self._base(report)
        if is_full:
            beat.volumes.extend(map(volume_message, report.volumes))
            beat.has_no_volumes = not held
        else:
            changed = (volume for key, volume in held.items() if self._told.get(key) != volume)
            beat.changed_volumes.extend(map(volume_message, changed))
            beat.deleted_volumes.extend(map(short_message, self._departed(held)))
        self._told = held
        return beat

    def _departed(self, held: dict[tuple[int, int], VolumeReport]) -> list[VolumeReport]:
        """Volumes no disk has any more; one that only changed disks is still here."""
        still_here = {volume_id for _, volume_id in held}
        return [volume for key, volume in self._told.items() if key not in held and volume.id not in still_here]

    def _base(self, report: StoreReport) -> Heartbeat:
        sender = self._sender
        return Heartbeat(
            ip=sender.ip, port=sender.port, grpc_port=sender.grpc_port, public_url=sender.public_url,
            id=sender.server_id, data_center=sender.data_center, rack=sender.rack,
            max_file_key=report.max_file_key, max_volume_counts=dict(report.max_counts),
            disk_total_bytes=dict(report.disk_total), disk_free_bytes=dict(report.disk_free),
            location_uuids=report.uuids, volume_digest=report.digest,
            has_no_ec_shards=report.has_no_shards, deleted_ec_shards=map(shard_message, report.expired_shards),
            disk_tags=[
                DiskTag(disk_id=tag.disk_id, tags=tag.tags, type=tag.disk_type, max_volume_count=tag.max_count)
                for tag in report.disk_tags
            ])
