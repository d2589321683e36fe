"""The calls that stream whole volumes: ReadAllNeedles, VolumeIncrementalCopy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import streaming
from seaweedvol.server.errors import Refused
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.format.checksum import legacy_mask
from seaweedvol.storage.format.needle import Needle
from seaweedvol.storage.ids import VolumeId

#: Needles that are sent together: so many at most, of so many bytes at least.
BURST: Final = 128
BURST_LENGTH: Final = 256 << 10


def read_all(
        server: VolumeServer, request: pb.ReadAllNeedlesRequest) -> Iterator[list[pb.ReadAllNeedlesResponse] | None]:
    """ReadAllNeedles, in bursts."""
    burst: list[pb.ReadAllNeedlesResponse] = []
    length = 0
    try:
        for found in streaming.all_needles(server.store, map(VolumeId, request.volume_ids)):
            if found is None:
                yield None
                continue
            burst.append(_response(*found))
            length += len(found[1].data)
            if len(burst) == BURST or length >= BURST_LENGTH:
                yield burst
                burst, length = [], 0
    except (Refused, StorageError, OSError):
        # What was found before goes out before the refusal.
        yield burst
        raise
    yield burst


def _response(volume_id: VolumeId, needle: Needle) -> pb.ReadAllNeedlesResponse:
    """The checksum goes out in its old, masked form, as from Go."""
    return pb.ReadAllNeedlesResponse(
        volume_id=volume_id, needle_id=needle.key, cookie=needle.cookie, needle_blob=needle.data,
        needle_blob_compressed=needle.is_compressed, last_modified=needle.last_modified,
        crc=legacy_mask(needle.checksum), name=needle.name, mime=needle.mime)


def incremental_copy(
        server: VolumeServer, request: pb.VolumeIncrementalCopyRequest) -> Iterator[pb.VolumeIncrementalCopyResponse]:
    """VolumeIncrementalCopy."""
    for block in streaming.blocks_after(server.store, VolumeId(request.volume_id), request.since_ns):
        yield pb.VolumeIncrementalCopyResponse(file_content=block)
