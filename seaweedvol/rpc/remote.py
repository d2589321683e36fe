"""The calls about object stores: VolumeTierMoveDatToRemote, VolumeTierMoveDatFromRemote, FetchAndWriteNeedle."""

from __future__ import annotations

from collections.abc import Iterator

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import fetching, tiering
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.ids import Cookie, NeedleId, VolumeId


def to_remote(
    server: VolumeServer, request: pb.VolumeTierMoveDatToRemoteRequest,
) -> Iterator[pb.VolumeTierMoveDatToRemoteResponse]:
    """VolumeTierMoveDatToRemote."""
    for step in tiering.to_remote(
            server, VolumeId(request.volume_id), request.collection, request.destination_backend_name,
            keep_local=request.keep_local_dat_file):
        yield pb.VolumeTierMoveDatToRemoteResponse(
            processed=step.processed, processedPercentage=step.percentage)


def from_remote(
    server: VolumeServer, request: pb.VolumeTierMoveDatFromRemoteRequest,
) -> Iterator[pb.VolumeTierMoveDatFromRemoteResponse]:
    """VolumeTierMoveDatFromRemote."""
    for step in tiering.from_remote(
            server, VolumeId(request.volume_id), request.collection, keep_remote=request.keep_remote_dat_file):
        yield pb.VolumeTierMoveDatFromRemoteResponse(
            processed=step.processed, processedPercentage=step.percentage)


def fetch(server: VolumeServer, request: pb.FetchAndWriteNeedleRequest) -> pb.FetchAndWriteNeedleResponse:
    """FetchAndWriteNeedle."""
    return pb.FetchAndWriteNeedleResponse(e_tag=fetching.fetch(server, fetching.Wanted(
        volume_id=VolumeId(request.volume_id), key=NeedleId(request.needle_id), cookie=Cookie(request.cookie),
        offset=request.offset, size=request.size, conf=request.remote_conf, place=request.remote_location,
        replicas=[replica.url for replica in request.replicas], token=request.auth,
        at_once=request.download_concurrency)))
