"""The calls that stream whole volumes: ReadAllNeedles, VolumeIncrementalCopy."""

from __future__ import annotations

from collections.abc import Iterator

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import streaming
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.format.checksum import legacy_mask
from seaweedvol.storage.ids import VolumeId


def read_all(server: VolumeServer, request: pb.ReadAllNeedlesRequest) -> Iterator[pb.ReadAllNeedlesResponse | None]:
    """ReadAllNeedles; the checksum goes out in its old, masked form, as from Go."""
    for found in streaming.all_needles(server.store, map(VolumeId, request.volume_ids)):
        if found is None:
            yield None
            continue
        volume_id, needle = found
        yield pb.ReadAllNeedlesResponse(
            volume_id=volume_id, needle_id=needle.key, cookie=needle.cookie, needle_blob=needle.data,
            needle_blob_compressed=needle.is_compressed, last_modified=needle.last_modified,
            crc=legacy_mask(needle.checksum), name=needle.name, mime=needle.mime)


def incremental_copy(
        server: VolumeServer, request: pb.VolumeIncrementalCopyRequest) -> Iterator[pb.VolumeIncrementalCopyResponse]:
    """VolumeIncrementalCopy."""
    for block in streaming.blocks_after(server.store, VolumeId(request.volume_id), request.since_ns):
        yield pb.VolumeIncrementalCopyResponse(file_content=block)
