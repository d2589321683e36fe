"""The calls that look into what is stored: ScrubVolume, ScrubEcVolume, Query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import ecscrubbing, scrubbing
from seaweedvol.server.errors import Kind, Refused
from seaweedvol.server.server import VolumeServer

if TYPE_CHECKING:
    from seaweedvol.server.querying import Question


def scrub_volume(server: VolumeServer, request: pb.ScrubVolumeRequest) -> pb.ScrubVolumeResponse:
    """ScrubVolume."""
    found = scrubbing.scrub(
        server, request.volume_ids, request.mode, mark_broken=request.mark_broken_volumes_readonly)
    return pb.ScrubVolumeResponse(
        total_volumes=found.volumes, total_files=found.files,
        broken_volume_ids=[volume.id for volume in found.broken], details=found.details)


def scrub_ec_volume(
    server: VolumeServer, request: pb.ScrubEcVolumeRequest,
) -> Iterator[pb.ScrubEcVolumeResponse | None]:
    """ScrubEcVolume."""
    found = yield from ecscrubbing.scrub(
        server, request.volume_ids, request.mode, checks_deleted=request.force_deleted_needles_check)
    response = pb.ScrubEcVolumeResponse(
        total_volumes=found.volumes, total_files=found.files, broken_volume_ids=found.broken_ids, details=found.details)
    for shard in found.shards:
        response.broken_shard_infos.add(
            shard_id=shard.id, size=shard.length, collection=shard.collection, volume_id=shard.volume_id)
    yield response


def query(server: VolumeServer, request: pb.QueryRequest) -> Iterator[pb.QueriedStripe]:
    """Query."""
    from seaweedvol.server import querying

    for records in querying.query(server, request.from_file_ids, lambda: _question(request)):
        yield pb.QueriedStripe(records=records)


def _question(request: pb.QueryRequest) -> Question | None:
    """Go falls over what is refused here, and does not get up."""
    from seaweedvol.server import querying

    if not request.HasField("input_serialization"):
        raise Refused("query without input serialization", Kind.INVALID)
    if not request.input_serialization.HasField("json_input"):
        return None
    if not request.HasField("filter"):
        raise Refused("query without filter", Kind.INVALID)
    asked = request.filter
    return querying.make_question(request.selections, asked.field, asked.operand, asked.value)
