"""Other volume servers to copy from. Implements ``server.interfaces.ISources``: blocking, for worker threads.

Streams are cancelled when who reads them stops reading. Must not know what becomes of the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import grpc

from seaweedvol.cluster.calls import Channels, failure_of
from seaweedvol.cluster.filecontent import chunk_of
from seaweedvol.config.address import ServerAddress
from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server.copying import CopyChunk, CopyRequest, FileStatus
from seaweedvol.server.interfaces import RemoteCallFailed, TailPiece

CALL_SECONDS: Final = 60.0
_COPY_FILE: Final = "/volume_server_pb.VolumeServer/CopyFile"
#: How grpcio begins, with the status UNKNOWN, when an address is none.
_NO_ADDRESS: Final = "Failed to create channel"


class Sources:
    """Other volume servers, as places to copy from; addresses are ``host:port`` or ``host:port.grpcPort``."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    def file_status(self, address: str, volume_id: int) -> FileStatus:
        """*Blocking.* What the files of a volume there are."""
        found = self._ask(address, "ReadVolumeFileStatus", pb.ReadVolumeFileStatusRequest(volume_id=volume_id))
        return FileStatus(
            data_length=found.dat_file_size, data_modified_at=found.dat_file_timestamp_seconds,
            index_length=found.idx_file_size, index_modified_at=found.idx_file_timestamp_seconds,
            file_count=found.file_count, compaction_revision=found.compaction_revision, collection=found.collection,
            disk_type=found.disk_type, info=found.volume_info, version=found.version)

    def copy_file(self, address: str, request: CopyRequest) -> Iterator[CopyChunk]:
        """*Blocking.* The bytes of one file there."""
        wanted = pb.CopyFileRequest(
            volume_id=request.volume_id, ext=request.extension, stop_offset=request.stop_offset,
            compaction_revision=request.compaction_revision, collection=request.collection,
            is_ec_volume=request.is_ec_volume, ignore_source_file_not_found=request.ignore_missing)
        channel = self._channels.to(ServerAddress(address).grpc)
        method: Any = channel.unary_stream(_COPY_FILE, pb.CopyFileRequest.SerializeToString, None)
        for message in _failing_as_ours(method(wanted)):
            yield chunk_of(message)

    def read_blob(self, address: str, volume_id: int, offset: int, size: int) -> bytes:
        """*Blocking.* One record there."""
        request = pb.ReadNeedleBlobRequest(volume_id=volume_id, offset=offset, size=size)
        blob: bytes = self._ask(address, "ReadNeedleBlob", request).needle_blob
        return blob

    def tail(self, address: str, volume_id: int, since_ns: int, idle_ticks: int) -> Iterator[TailPiece]:
        """*Blocking.* What is appended to a volume there."""
        request = pb.VolumeTailSenderRequest(
            volume_id=volume_id, since_ns=since_ns, idle_timeout_seconds=idle_ticks)
        for found in self._stream(address, "VolumeTailSender", request):
            yield TailPiece(found.needle_header, found.needle_body, found.is_last_chunk, found.version)

    def _ask(self, address: str, name: str, request: object) -> Any:
        try:
            return getattr(self._channels.volume_server(address), name)(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            raise _failure(error) from None

    def _stream(self, address: str, name: str, request: object) -> Iterator[Any]:
        return _failing_as_ours(getattr(self._channels.volume_server(address), name)(request))


def _failing_as_ours(call: Any) -> Iterator[Any]:
    """The responses of a stream, which ends when nobody reads on."""
    try:
        yield from call
    except grpc.RpcError as error:
        raise _failure(error) from None
    finally:
        call.cancel()


def _failure(error: Any) -> RemoteCallFailed:
    details = error.details() or ""
    if details.startswith(_NO_ADDRESS):
        # Go finds out when it connects.
        code = grpc.StatusCode.UNAVAILABLE
        return RemoteCallFailed(f"rpc error: code = Unavailable desc = {details}", code=code.name, details=details)
    return failure_of(error)
