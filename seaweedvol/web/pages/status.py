"""``/status``, ``/healthz``, ``/readyz``: how server and volumes are. As ``volume_server_handlers_admin.go``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from seaweedvol.server.state import is_in_maintenance
from seaweedvol.server.status import disk_conditions
from seaweedvol.server.version import version_text
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.web.message.reply import Reply, empty, json_reply
from seaweedvol.web.message.request import Request
from seaweedvol.web.syntax.gojson import Float32, Struct, omit_empty

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer


def health(server: VolumeServer) -> Reply:
    """200 while the server takes part in a cluster, 503 before, after and while it stops."""
    return empty(200 if server.life.is_ready else 503)


def status(server: VolumeServer, request: Request) -> Reply:
    """Disks and volumes as JSON. Blocking: asks the file systems."""
    disks = disks_of(server)
    volumes = _volumes(server)
    told: dict[str, object] = {
        "Version": version_text(server.settings.offset_width),
        "DiskStatuses": list(map(_described, disks)) or None,
        "Volumes": volumes or None,
    }
    not_served = [Struct((("Id", number), ("File", file), ("Reason", reason)))
                  for disk in disks for number, file, reason in disk.not_served]
    if not_served:
        told["NotServed"] = not_served
    if is_in_maintenance(server.store):
        # Go does not tell; who asks it for this finds nothing there, which is "no" in JSON.
        told["Maintenance"] = True
    return json_reply(request, 200, told)


@attrs.frozen
class Disk:
    """The file system of one data directory, in bytes and percent; ``disk_type`` is "" for hdd, ``low_space`` is why
    its volumes take no writes, "" when they do; ``reserve``, ``io_errors`` and
    ``not_served`` as :class:`DiskCondition` has them, the last as id, file and reason.
    """

    directory: str
    total: int
    used: int
    free: int
    percent_free: float
    percent_used: float
    disk_type: str
    error: str
    low_space: str = ""
    reserve: int = 0
    io_errors: int = 0
    not_served: tuple[tuple[int, str, str], ...] = ()


def disks_of(server: VolumeServer) -> list[Disk]:
    """The file system of each data directory. Blocking."""
    return [Disk(one.directory, one.all, one.used, one.free, one.percent_free, one.percent_used, condition.disk_type,
                 one.error, condition.low_space, condition.reserve, condition.io_errors,
                 tuple((each.volume_id, each.file, each.reason) for each in condition.not_served))
            for condition in disk_conditions(server.store) for one in (condition.status,)]


def described_disks(server: VolumeServer) -> list[Struct]:
    """As JSON knows them. Blocking."""
    return [_described(disk) for disk in disks_of(server)]


def _described(disk: Disk) -> Struct:
    return omit_empty(
        ("dir", disk.directory), ("all", disk.total), ("used", disk.used), ("free", disk.free),
        ("percent_free", Float32(disk.percent_free)), ("percent_used", Float32(disk.percent_used)),
        ("disk_type", disk.disk_type), ("error", disk.error),
        # Beyond here Go has nothing.
        ("low_space", disk.low_space), ("io_errors", disk.io_errors))


def _volumes(server: VolumeServer) -> list[Struct]:
    described = []
    for one in server.store.volume_statuses():
        placement, ttl = ReplicaPlacement.from_byte(one.placement_byte), Ttl.from_uint32(one.ttl_uint32)
        described.append(Struct((
            ("Collection", one.collection), ("DiskType", one.disk_type),
            ("RemoteStorageName", one.remote_storage_name),
            ("ReplicaPlacement", omit_empty(
                ("node", placement.same_rack), ("rack", placement.diff_rack), ("dc", placement.diff_dc))),
            ("Ttl", Struct((("Count", ttl.count), ("Unit", ttl.unit)))),
            ("Size", one.size), ("DeletedByteCount", one.deleted_bytes), ("ModifiedAtSecond", one.modified_at),
            ("Id", one.id), ("DiskId", one.disk_id), ("CompactRevision", one.compact_revision),
            ("FileCount", one.file_count), ("DeleteCount", one.delete_count), ("Version", one.version),
            ("ReadOnly", one.read_only), *_troubles(one.read_only_reason, one.io_errors))))
    return described


def _troubles(reason: str, io_errors: int) -> list[tuple[str, object]]:
    """What Go does not tell, if there is something."""
    return [("ReadOnlyReason", reason)] * bool(reason) + [("IoErrors", io_errors)] * bool(io_errors)
