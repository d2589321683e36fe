"""What ``backup`` asks of a cluster: where a volume is, what it is like, and what was appended to it.

Blocking, for programs without a reactor. Knows no file. As SeaweedFS ``backup.go`` and ``volume_backup.go`` ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs
import grpc

from seaweedvol.cluster.calls import Channels, go_text, master_calls, volume_server_calls
from seaweedvol.config.address import ServerAddress
from seaweedvol.pb import master_pb2, volume_server_pb2 as pb
from seaweedvol.server.interfaces import RemoteCallFailed

CALL_SECONDS: Final = 60.0


@attrs.frozen
class SyncStatus:
    """What a volume server says of a volume; ``length`` is that of its .dat in bytes."""

    length: int
    compaction_revision: int
    ttl: str
    replication: str
    version: int


class BackupSources:
    """The servers of a cluster; addresses are ``host:port`` or ``host:port.grpcPort``."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    def lookup(self, master: str, volume_id: int) -> list[str]:
        """*Blocking.* The servers that have a volume.

        :raises RemoteCallFailed: when the master does not answer that.
        """
        calls = master_calls(self._channels.to(ServerAddress(master).grpc))
        request = master_pb2.LookupVolumeRequest(volume_or_file_ids=[str(volume_id)])
        try:
            answer = calls.LookupVolume(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            raise _failure(error) from None
        return [
            f"{place.url}.{place.grpc_port}" if place.grpc_port else place.url
            for found in answer.volume_id_locations for place in found.locations
        ]

    def sync_status(self, address: str, volume_id: int) -> SyncStatus:
        """*Blocking.* What the volume is like there.

        :raises RemoteCallFailed: when it is not there, or the server does not answer.
        """
        request = pb.VolumeSyncStatusRequest(volume_id=volume_id)
        try:
            found = self._calls(address).VolumeSyncStatus(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            raise _failure(error) from None
        return SyncStatus(found.tail_offset, found.compact_revision, found.ttl, found.replication, found.version)

    def appended_after(self, address: str, volume_id: int, since_ns: int) -> Iterator[bytes]:
        """*Blocking.* The .dat from the first record on that was appended after a moment (ns since 1970), in pieces.

        :raises RemoteCallFailed: when it cannot be had, perhaps after some pieces.
        """
        request = pb.VolumeIncrementalCopyRequest(volume_id=volume_id, since_ns=since_ns)
        call = self._calls(address).VolumeIncrementalCopy(request)
        try:
            for answer in call:
                yield answer.file_content
        except grpc.RpcError as error:
            raise _failure(error) from None
        finally:
            call.cancel()

    def _calls(self, address: str) -> Any:
        return volume_server_calls(self._channels.to(ServerAddress(address).grpc))


def _failure(error: grpc.RpcError) -> RemoteCallFailed:
    return RemoteCallFailed(go_text(error), code=error.code().name, details=error.details() or "")
