"""The calls about single needles as records: ReadNeedleBlob, ReadNeedleMeta, WriteNeedleBlob."""

from __future__ import annotations

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import blobs
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.format.checksum import legacy_mask
from seaweedvol.storage.ids import VolumeId


def read_blob(server: VolumeServer, request: pb.ReadNeedleBlobRequest) -> pb.ReadNeedleBlobResponse:
    """ReadNeedleBlob."""
    blob = blobs.read_blob(server.store, VolumeId(request.volume_id), request.offset, request.size)
    return pb.ReadNeedleBlobResponse(needle_blob=blob)


def read_meta(server: VolumeServer, request: pb.ReadNeedleMetaRequest) -> pb.ReadNeedleMetaResponse:
    """ReadNeedleMeta; the checksum goes out in its old, masked form, as from Go."""
    needle = blobs.read_meta(server.store, VolumeId(request.volume_id), request.offset, request.size)
    return pb.ReadNeedleMetaResponse(
        cookie=needle.cookie, last_modified=needle.last_modified, crc=legacy_mask(needle.checksum),
        ttl=str(needle.ttl) if needle.has_ttl and needle.ttl else "", append_at_ns=needle.append_at_ns)


def write_blob(server: VolumeServer, request: pb.WriteNeedleBlobRequest) -> pb.WriteNeedleBlobResponse:
    """WriteNeedleBlob."""
    blobs.write_blob(
        server.store, VolumeId(request.volume_id), request.needle_id, request.needle_blob, request.size)
    return pb.WriteNeedleBlobResponse()
