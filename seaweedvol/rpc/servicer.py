"""Which function answers which call of the VolumeServer service.

A call without an entry is refused as not implemented, after its gates, by the door.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import grpc

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.rpc import blobs, checks, door, erasure, lifecycle, questions, remote, streams, tails, transfers, vacuum
from seaweedvol.server import leaving
from seaweedvol.server.server import VolumeServer

SERVICE: Final = pb.DESCRIPTOR.services_by_name["VolumeServer"]


def _leave(server: VolumeServer, request: pb.VolumeServerLeaveRequest) -> pb.VolumeServerLeaveResponse:
    leaving.leave(server)
    return pb.VolumeServerLeaveResponse()


CALLS: Final[Mapping[str, door.Work]] = MappingProxyType({
    "AllocateVolume": lifecycle.allocate,
    "BatchDelete": transfers.batch_delete,
    "CopyFile": transfers.copy_file,
    "DeleteCollection": lifecycle.delete_collection,
    "FetchAndWriteNeedle": remote.fetch,
    "GetState": questions.get_state,
    "Ping": questions.ping,
    "Query": checks.query,
    "ReadAllNeedles": streams.read_all,
    "ReadNeedleBlob": blobs.read_blob,
    "ReadNeedleMeta": blobs.read_meta,
    "ReadVolumeFileStatus": questions.file_status,
    "ReceiveFile": transfers.receive_file,
    "ScrubEcVolume": checks.scrub_ec_volume,
    "ScrubVolume": checks.scrub_volume,
    "SetState": questions.set_state,
    "VacuumVolumeCheck": vacuum.check,
    "VacuumVolumeCleanup": vacuum.clean_up,
    "VacuumVolumeCommit": vacuum.commit,
    "VacuumVolumeCompact": vacuum.compact,
    "VolumeConfigure": lifecycle.configure,
    "VolumeConsolidateIndex": lifecycle.consolidate_index,
    "VolumeCopy": transfers.copy_volume,
    "VolumeDelete": lifecycle.delete,
    "VolumeEcBlobDelete": erasure.delete_needle,
    "VolumeEcShardRead": erasure.read,
    "VolumeEcShardsCopy": erasure.copy,
    "VolumeEcShardsDelete": erasure.delete,
    "VolumeEcShardsGenerate": erasure.generate,
    "VolumeEcShardsInfo": erasure.ask,
    "VolumeEcShardsMount": erasure.mount,
    "VolumeEcShardsRebuild": erasure.rebuild,
    "VolumeEcShardsToVolume": erasure.decode,
    "VolumeEcShardsUnmount": erasure.unmount,
    "VolumeIncrementalCopy": streams.incremental_copy,
    "VolumeMarkReadonly": lifecycle.mark_readonly,
    "VolumeMarkWritable": lifecycle.mark_writable,
    "VolumeMount": lifecycle.mount,
    "VolumeNeedleStatus": questions.needle_status,
    "VolumeServerLeave": _leave,
    "VolumeServerStatus": questions.server_status,
    "VolumeStatus": questions.volume_status,
    "VolumeSyncStatus": questions.sync_status,
    "VolumeTierMoveDatFromRemote": remote.from_remote,
    "VolumeTierMoveDatToRemote": remote.to_remote,
    "VolumeTailReceiver": tails.receive,
    "VolumeTailSender": tails.send,
    "VolumeUnmount": lifecycle.unmount,
    "WriteNeedleBlob": blobs.write_blob,
})


def service_handler(server: VolumeServer) -> grpc.GenericRpcHandler:
    """The whole service, for ``grpc.Server.add_generic_rpc_handlers``."""
    return door.service_handler(SERVICE, server, CALLS)
