"""The calls that hand out or take away needles and files: CopyFile, BatchDelete."""

from __future__ import annotations

from collections.abc import Iterator

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import copying, deleting
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.ids import VolumeId


def copy_file(server: VolumeServer, request: pb.CopyFileRequest) -> Iterator[pb.CopyFileResponse]:
    """CopyFile."""
    wanted = copying.CopyRequest(
        volume_id=VolumeId(request.volume_id), extension=request.ext, stop_offset=request.stop_offset,
        compaction_revision=request.compaction_revision, collection=request.collection,
        is_ec_volume=request.is_ec_volume, ignore_missing=request.ignore_source_file_not_found,
    )
    for chunk in copying.copy_file(server.store, wanted):
        yield pb.CopyFileResponse(file_content=chunk.content, modified_ts_ns=chunk.modified_ns)


def batch_delete(server: VolumeServer, request: pb.BatchDeleteRequest) -> pb.BatchDeleteResponse:
    """BatchDelete."""
    response = pb.BatchDeleteResponse()
    for result in deleting.batch_delete(
            server.store, request.file_ids, skip_cookie_check=request.skip_cookie_check):
        response.results.add(file_id=result.file_id, status=result.status, error=result.error, size=result.size)
    return response
