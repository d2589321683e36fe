"""The calls that look into what is stored: ScrubVolume."""

from __future__ import annotations

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import scrubbing
from seaweedvol.server.server import VolumeServer


def scrub_volume(server: VolumeServer, request: pb.ScrubVolumeRequest) -> pb.ScrubVolumeResponse:
    """ScrubVolume."""
    found = scrubbing.scrub(
        server, request.volume_ids, request.mode, mark_broken=request.mark_broken_volumes_readonly)
    return pb.ScrubVolumeResponse(
        total_volumes=found.volumes, total_files=found.files,
        broken_volume_ids=[volume.id for volume in found.broken], details=found.details)
