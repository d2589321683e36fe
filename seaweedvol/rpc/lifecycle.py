"""The calls about whole volumes: allocate, mount, unmount, delete, configure, mark."""

from __future__ import annotations

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server.server import VolumeServer
from seaweedvol.server.volumes import NewVolume
from seaweedvol.storage.ids import VolumeId, go_quote


def allocate(server: VolumeServer, request: pb.AllocateVolumeRequest) -> pb.AllocateVolumeResponse:
    """AllocateVolume; ``memory_map_max_size_mb`` means nothing outside Windows. Of the version Go looks at one byte."""
    server.volumes.allocate(NewVolume(
        volume_id=VolumeId(request.volume_id), collection=request.collection, replication=request.replication,
        ttl=request.ttl, disk_type=request.disk_type, version=request.version & 0xFF, preallocate=request.preallocate,
    ))
    return pb.AllocateVolumeResponse()


def mount(server: VolumeServer, request: pb.VolumeMountRequest) -> pb.VolumeMountResponse:
    """VolumeMount."""
    server.volumes.mount(VolumeId(request.volume_id))
    return pb.VolumeMountResponse()


def unmount(server: VolumeServer, request: pb.VolumeUnmountRequest) -> pb.VolumeUnmountResponse:
    """VolumeUnmount."""
    server.volumes.unmount(VolumeId(request.volume_id))
    return pb.VolumeUnmountResponse()


def delete(server: VolumeServer, request: pb.VolumeDeleteRequest) -> pb.VolumeDeleteResponse:
    """VolumeDelete."""
    server.volumes.delete(
        VolumeId(request.volume_id), only_empty=request.only_empty, keep_remote=request.keep_remote_data)
    return pb.VolumeDeleteResponse()


def delete_collection(server: VolumeServer, request: pb.DeleteCollectionRequest) -> pb.DeleteCollectionResponse:
    """DeleteCollection."""
    server.volumes.delete_collection(request.collection)
    return pb.DeleteCollectionResponse()


def configure(server: VolumeServer, request: pb.VolumeConfigureRequest) -> pb.VolumeConfigureResponse:
    """VolumeConfigure: the call succeeds, what went wrong is in the response."""
    error = server.volumes.configure(VolumeId(request.volume_id), request.replication, _words_of(request))
    return pb.VolumeConfigureResponse(error=error)


def _words_of(request: pb.VolumeConfigureRequest) -> str:
    """The request as Go prints it in a message: fields at their defaults are left out."""
    volume_id = f"volume_id:{request.volume_id}" if request.volume_id else ""
    replication = f"replication:{go_quote(request.replication)}" if request.replication else ""
    return " ".join(filter(None, (volume_id, replication)))


def consolidate_index(
        server: VolumeServer, request: pb.VolumeConsolidateIndexRequest) -> pb.VolumeConsolidateIndexResponse:
    """VolumeConsolidateIndex."""
    server.volumes.consolidate_index(VolumeId(request.volume_id))
    return pb.VolumeConsolidateIndexResponse()


def mark_readonly(server: VolumeServer, request: pb.VolumeMarkReadonlyRequest) -> pb.VolumeMarkReadonlyResponse:
    """VolumeMarkReadonly."""
    server.volumes.mark_readonly(
        VolumeId(request.volume_id), persist=request.persist, can_delete=request.can_delete)
    return pb.VolumeMarkReadonlyResponse()


def mark_writable(server: VolumeServer, request: pb.VolumeMarkWritableRequest) -> pb.VolumeMarkWritableResponse:
    """VolumeMarkWritable."""
    server.volumes.mark_writable(VolumeId(request.volume_id))
    return pb.VolumeMarkWritableResponse()
