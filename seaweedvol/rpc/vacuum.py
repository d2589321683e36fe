"""The four calls of a vacuum, in the order in which masters make them."""

from __future__ import annotations

from collections.abc import Iterator

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import vacuuming
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.ids import VolumeId


def check(server: VolumeServer, request: pb.VacuumVolumeCheckRequest) -> pb.VacuumVolumeCheckResponse:
    """VacuumVolumeCheck."""
    return pb.VacuumVolumeCheckResponse(garbage_ratio=vacuuming.check(server.store, VolumeId(request.volume_id)))


def compact(
    server: VolumeServer, request: pb.VacuumVolumeCompactRequest,
) -> Iterator[pb.VacuumVolumeCompactResponse | None]:
    """VacuumVolumeCompact; a caller who goes away breaks it off."""
    for progress in vacuuming.compact(server, VolumeId(request.volume_id), request.preallocate):
        if progress is None:
            yield None
        else:
            yield pb.VacuumVolumeCompactResponse(processed_bytes=progress.offset, load_avg_1m=progress.load)


def commit(server: VolumeServer, request: pb.VacuumVolumeCommitRequest) -> pb.VacuumVolumeCommitResponse:
    """VacuumVolumeCommit."""
    try:
        done = vacuuming.commit(server.store, VolumeId(request.volume_id))
    except (StorageError, OSError) as error:
        server.chronicle.note_vacuum(request.volume_id, f"failed, {error}", is_good=False)
        raise
    server.chronicle.note_vacuum(request.volume_id, "done")
    return pb.VacuumVolumeCommitResponse(is_read_only=done.is_read_only, volume_size=done.length)


def clean_up(server: VolumeServer, request: pb.VacuumVolumeCleanupRequest) -> pb.VacuumVolumeCleanupResponse:
    """VacuumVolumeCleanup."""
    vacuuming.clean_up(server.store, VolumeId(request.volume_id))
    return pb.VacuumVolumeCleanupResponse()
