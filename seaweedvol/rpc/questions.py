"""The calls that only ask: about volumes, needles, the server, and whether it is alive."""

from __future__ import annotations

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import copying, ping as pinging, state, status
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.ids import NeedleId, VolumeId


def volume_status(server: VolumeServer, request: pb.VolumeStatusRequest) -> pb.VolumeStatusResponse:
    """VolumeStatus."""
    found = status.volume_status(server.store, VolumeId(request.volume_id))
    return pb.VolumeStatusResponse(
        is_read_only=found.is_read_only, volume_size=found.length,
        file_count=found.file_count, file_deleted_count=found.deleted_count)


def sync_status(server: VolumeServer, request: pb.VolumeSyncStatusRequest) -> pb.VolumeSyncStatusResponse:
    """VolumeSyncStatus."""
    found = status.sync_status(server.store, VolumeId(request.volume_id))
    return pb.VolumeSyncStatusResponse(
        volume_id=found.volume_id, collection=found.collection, replication=found.replication, ttl=found.ttl,
        tail_offset=found.data_length, compact_revision=found.compaction_revision,
        idx_file_size=found.index_length, version=found.version)


def file_status(server: VolumeServer, request: pb.ReadVolumeFileStatusRequest) -> pb.ReadVolumeFileStatusResponse:
    """ReadVolumeFileStatus."""
    found = copying.file_status(server.store, VolumeId(request.volume_id))
    return pb.ReadVolumeFileStatusResponse(
        volume_id=request.volume_id,
        idx_file_timestamp_seconds=found.index_modified_at, idx_file_size=found.index_length,
        dat_file_timestamp_seconds=found.data_modified_at, dat_file_size=found.data_length,
        file_count=found.file_count, compaction_revision=found.compaction_revision, collection=found.collection,
        disk_type=found.disk_type, volume_info=found.info, version=found.version)


def needle_status(server: VolumeServer, request: pb.VolumeNeedleStatusRequest) -> pb.VolumeNeedleStatusResponse:
    """VolumeNeedleStatus."""
    found = status.needle_status(
        server.store, VolumeId(request.volume_id), NeedleId(request.needle_id), server.needles.encoded)
    return pb.VolumeNeedleStatusResponse(
        needle_id=found.key, cookie=found.cookie, size=found.size, last_modified=found.last_modified,
        crc=found.checksum, ttl=found.ttl)


def server_status(server: VolumeServer, request: pb.VolumeServerStatusRequest) -> pb.VolumeServerStatusResponse:
    """VolumeServerStatus; as in Go the type of a disk is not filled in here."""
    found = status.server_status(server)
    memory = found.memory
    response = pb.VolumeServerStatusResponse(
        memory_status=pb.MemStatus(
            goroutines=memory.threads, all=memory.total, used=memory.used, free=memory.free,
            self=memory.resident, heap=memory.heap, stack=memory.stack),
        version=found.version, data_center=found.data_center, rack=found.rack)
    for disk in found.disks:
        response.disk_statuses.add(
            dir=disk.directory, all=disk.all, used=disk.used, free=disk.free,
            percent_free=disk.percent_free, percent_used=disk.percent_used, error=disk.error)
    _fill(response.state, state.get_state(server.store))
    return response


def get_state(server: VolumeServer, request: pb.GetStateRequest) -> pb.GetStateResponse:
    """GetState; the message is there even when every field of it is at its default."""
    response = pb.GetStateResponse()
    _fill(response.state, state.get_state(server.store))
    return response


def set_state(server: VolumeServer, request: pb.SetStateRequest) -> pb.SetStateResponse:
    """SetState; a request without a state changes nothing and answers the current one."""
    wanted = request.state if request.HasField("state") else None
    response = pb.SetStateResponse()
    _fill(response.state, state.set_state(server.store, wanted))
    return response


def ping(server: VolumeServer, request: pb.PingRequest) -> pb.PingResponse:
    """Ping."""
    echo = pinging.ping(server.master, request.target_type, request.target)
    return pb.PingResponse(
        start_time_ns=echo.start_time, remote_time_ns=echo.remote_time, stop_time_ns=echo.stop_time)


def _fill(there: pb.VolumeServerState, current: pb.VolumeServerState) -> None:
    """Copy, and make sure that an empty message is on the wire too: clients take its absence for "no state"."""
    there.CopyFrom(current)
    there.SetInParent()
