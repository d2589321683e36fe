"""The calls that hand out, take in or take away needles and files: CopyFile, ReceiveFile, VolumeCopy,
BatchDelete."""

from __future__ import annotations

from collections.abc import Iterator

import grpc

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import copying, deleting, moving, receiving
from seaweedvol.server.errors import Refused
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.ids import VolumeId


def copy_file(server: VolumeServer, request: pb.CopyFileRequest) -> Iterator[pb.CopyFileResponse | bytes]:
    """CopyFile; blocks come serialized, as putting them into a message would copy them twice more."""
    wanted = copying.CopyRequest(
        volume_id=VolumeId(request.volume_id), extension=request.ext, stop_offset=request.stop_offset,
        compaction_revision=request.compaction_revision, collection=request.collection,
        is_ec_volume=request.is_ec_volume, ignore_missing=request.ignore_source_file_not_found,
    )
    for chunk in copying.copy_file(server.store, wanted):
        rest = pb.CopyFileResponse(modified_ts_ns=chunk.modified_ns)
        yield b"".join((_content_head(len(chunk.content)), chunk.content, rest.SerializeToString())) \
            if chunk.content else rest


def _content_head(length: int) -> bytes:
    """What stands before the content: number and kind of field 1, then the length, seven bits at a time."""
    head = bytearray(b"\x0a")
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head)


def receive_file(server: VolumeServer, requests: Iterator[pb.ReceiveFileRequest]) -> pb.ReceiveFileResponse:
    """ReceiveFile: the call succeeds, what went wrong is in the response, unless the client breaks off."""
    try:
        received = receiving.receive(server.store, map(_part_of, requests))
    except grpc.RpcError as error:
        raise Refused(f"failed to receive stream: {str(error) or 'context canceled'}") from error
    return pb.ReceiveFileResponse(bytes_written=received.length, error=received.error)


def _part_of(request: pb.ReceiveFileRequest) -> receiving.Announced | bytes | None:
    kind = request.WhichOneof("data")
    if kind == "file_content":
        return request.file_content
    if kind is None:
        return None
    info = request.info
    return receiving.Announced(
        VolumeId(info.volume_id), info.ext, info.collection, info.is_ec_volume, info.disk_id, info.disk_type)


def copy_volume(server: VolumeServer, request: pb.VolumeCopyRequest) -> Iterator[pb.VolumeCopyResponse | None]:
    """VolumeCopy; replication, TTL and data center are those of the source, as in Go."""
    rate = request.io_byte_per_second if request.io_byte_per_second > 0 else server.settings.maintenance_rate
    move = moving.Move(
        VolumeId(request.volume_id), request.source_data_node, request.collection, request.disk_type, rate)
    for progress in moving.copy_volume(server.store, server.sources, move):
        yield None if progress is None else pb.VolumeCopyResponse(
            last_append_at_ns=progress.last_append_at_ns, processed_bytes=progress.length)


def batch_delete(server: VolumeServer, request: pb.BatchDeleteRequest) -> pb.BatchDeleteResponse:
    """BatchDelete."""
    response = pb.BatchDeleteResponse()
    for result in deleting.batch_delete(
            server.store, request.file_ids, skip_cookie_check=request.skip_cookie_check,
            encoded=server.needles.encoded):
        response.results.add(file_id=result.file_id, status=result.status, error=result.error, size=result.size)
    return response
