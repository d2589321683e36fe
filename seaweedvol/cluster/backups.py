"""What ``backup`` asks of a cluster: where a volume is, what it is like, and what was appended to it.

Blocking, for programs without a reactor. Knows no file. As SeaweedFS ``backup.go`` and ``volume_backup.go`` ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs
import grpc

from seaweedvol.cluster.calls import Channels, failure_of
from seaweedvol.pb import master_pb2, volume_server_pb2 as pb

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
        calls = self._channels.master(master)
        request = master_pb2.LookupVolumeRequest(volume_or_file_ids=[str(volume_id)])
        try:
            answer = calls.LookupVolume(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            raise failure_of(error) from None
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
            found = self._channels.volume_server(address).VolumeSyncStatus(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            raise failure_of(error) from None
        return SyncStatus(found.tail_offset, found.compact_revision, found.ttl, found.replication, found.version)

    def appended_after(self, address: str, volume_id: int, since_ns: int) -> Iterator[bytes]:
        """*Blocking.* The .dat from the first record on that was appended after a moment (ns since 1970), in pieces.

        :raises RemoteCallFailed: when it cannot be had, perhaps after some pieces.
        """
        request = pb.VolumeIncrementalCopyRequest(volume_id=volume_id, since_ns=since_ns)
        call = self._channels.volume_server(address).VolumeIncrementalCopy(request)
        try:
            for answer in call:
                yield answer.file_content
        except grpc.RpcError as error:
            raise failure_of(error) from None
        finally:
            call.cancel()
