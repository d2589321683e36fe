"""The calls about erasure-coded volumes, but ScrubEcVolume.

Those that take long are generators, which are closed when the caller goes.
"""

from __future__ import annotations

from collections.abc import Iterator

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import ecdecoding, ecmounting, ecremoving, erasure, shardcopying, shardreading, staging
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.ids import VolumeId


def generate(
    server: VolumeServer, request: pb.VolumeEcShardsGenerateRequest,
) -> Iterator[pb.VolumeEcShardsGenerateResponse | None]:
    """VolumeEcShardsGenerate."""
    yield from erasure.generate(server, VolumeId(request.volume_id), request.collection)
    yield pb.VolumeEcShardsGenerateResponse()


def rebuild(
    server: VolumeServer, request: pb.VolumeEcShardsRebuildRequest,
) -> Iterator[pb.VolumeEcShardsRebuildResponse | None]:
    """VolumeEcShardsRebuild."""
    made = yield from erasure.rebuild(
        server, VolumeId(request.volume_id), request.collection, ignores_sidecar=request.unsafe_ignore_sidecar)
    yield pb.VolumeEcShardsRebuildResponse(rebuilt_shard_ids=made)


def copy(server: VolumeServer, request: pb.VolumeEcShardsCopyRequest) -> Iterator[pb.VolumeEcShardsCopyResponse | None]:
    """VolumeEcShardsCopy."""
    rate = request.io_byte_per_second if request.io_byte_per_second > 0 else server.settings.maintenance_rate
    yield from shardcopying.copy_shards(server, shardcopying.ShardCopy(
        volume_id=VolumeId(request.volume_id), collection=request.collection, source=request.source_data_node,
        shard_ids=request.shard_ids, disk_id=request.disk_id, has_index=request.copy_ecx_file,
        has_journal=request.copy_ecj_file, has_info=request.copy_vif_file, has_sidecar=request.copy_ecsum_file,
        rate=rate))
    yield pb.VolumeEcShardsCopyResponse()


def delete(server: VolumeServer, request: pb.VolumeEcShardsDeleteRequest) -> pb.VolumeEcShardsDeleteResponse:
    """VolumeEcShardsDelete."""
    volume_id = VolumeId(request.volume_id)
    if request.full_teardown:
        ecremoving.tear_down(server.store, volume_id, request.collection, request.encode_ts_ns)
    else:
        ecremoving.delete_shards(server.store, volume_id, request.collection, request.shard_ids)
    return pb.VolumeEcShardsDeleteResponse(full_teardown_done=request.full_teardown)


def mount(
    server: VolumeServer, request: pb.VolumeEcShardsMountRequest,
) -> Iterator[pb.VolumeEcShardsMountResponse | None]:
    """VolumeEcShardsMount."""
    volume_id = VolumeId(request.volume_id)
    if request.recover_missing_index:
        yield from ecmounting.recover_indexes(server, volume_id)
    ecmounting.mount(server.store, volume_id, request.collection, request.shard_ids, request.source_disk_type)
    yield pb.VolumeEcShardsMountResponse()


def unmount(server: VolumeServer, request: pb.VolumeEcShardsUnmountRequest) -> pb.VolumeEcShardsUnmountResponse:
    """VolumeEcShardsUnmount."""
    ecmounting.unmount(server.store, VolumeId(request.volume_id), request.shard_ids, request.encode_ts_ns)
    return pb.VolumeEcShardsUnmountResponse()


def read(server: VolumeServer, request: pb.VolumeEcShardReadRequest) -> Iterator[pb.VolumeEcShardReadResponse]:
    """VolumeEcShardRead."""
    wanted = shardreading.ShardRequest(
        volume_id=VolumeId(request.volume_id), shard_id=request.shard_id, offset=request.offset, length=request.size,
        key=request.file_key, encode_time_ns=request.encode_ts_ns)
    for piece in shardreading.read_shard(server.store, wanted):
        yield pb.VolumeEcShardReadResponse(
            data=piece.data, is_deleted=piece.is_deleted, encode_ts_ns=piece.encode_time_ns)


def delete_needle(server: VolumeServer, request: pb.VolumeEcBlobDeleteRequest) -> pb.VolumeEcBlobDeleteResponse:
    """VolumeEcBlobDelete; collection and version do not matter, as in Go."""
    shardreading.delete_needle(server.store, VolumeId(request.volume_id), request.file_key)
    return pb.VolumeEcBlobDeleteResponse()


def decode(
    server: VolumeServer, request: pb.VolumeEcShardsToVolumeRequest,
) -> Iterator[pb.VolumeEcShardsToVolumeResponse | None]:
    """VolumeEcShardsToVolume."""
    volume_id = VolumeId(request.volume_id)
    if request.from_staged:
        staging.adopt(server.store, volume_id, request.collection, request.disk_type)
    else:
        yield from ecdecoding.decode(server, volume_id, request.collection)
    yield pb.VolumeEcShardsToVolumeResponse()


def ask(server: VolumeServer, request: pb.VolumeEcShardsInfoRequest) -> pb.VolumeEcShardsInfoResponse:
    """VolumeEcShardsInfo."""
    found = ecmounting.ask(server.store, VolumeId(request.volume_id))
    response = pb.VolumeEcShardsInfoResponse(
        volume_size=found.length, file_count=found.file_count, file_deleted_count=found.deleted_count)
    for shard in found.shards:
        response.ec_shard_infos.add(
            shard_id=shard.id, size=shard.length, collection=found.collection, volume_id=request.volume_id)
    return response
