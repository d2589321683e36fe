"""What an operator or the master asks of volumes, needles and the machine: numbers, no side effects."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import attrs

from seaweedvol.metrics.memory import own_memory
from seaweedvol.server.errors import Refused
from seaweedvol.server.finding import find
from seaweedvol.server.version import version_text
from seaweedvol.storage.format.checksum import legacy_mask
from seaweedvol.storage.ids import NeedleId, VolumeId
from seaweedvol.store.diskspace import DiskStatus, disk_status
from seaweedvol.store.volumeloading import NotServed

if TYPE_CHECKING:
    from seaweedvol.server.ecneedles import EcNeedles
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.store.location import Location
    from seaweedvol.store.store import Store


@attrs.frozen
class VolumeStatus:
    """One volume in short; ``length`` is that of the .dat in bytes, ``file_count`` counts deleted needles too."""

    is_read_only: bool
    length: int
    file_count: int
    deleted_count: int


@attrs.frozen
class SyncStatus:
    """Where a backup of a volume would have to continue; texts as in the superblock."""

    volume_id: VolumeId
    collection: str
    replication: str
    ttl: str
    data_length: int
    index_length: int
    compaction_revision: int
    version: int


@attrs.frozen
class NeedleStatus:
    """A stored needle without its data.

    :ivar size: the Size of the record's header, not the length of the data.
    :ivar checksum: in the masked form of old records, as Go sends it.
    :ivar ttl: "" for none.
    """

    key: int
    cookie: int
    size: int
    last_modified: int
    checksum: int
    ttl: str


@attrs.frozen
class DiskCondition:
    """One data directory and its file system.

    :ivar disk_type: "" for hdd.
    :ivar low_space: why its volumes take no writes, "" when they do; ``reserve`` is what is kept for deletions.
    :ivar io_errors: how often a read or a write met a broken disk, since the start.
    :ivar not_served: volumes that are there and could not be loaded, by id.
    """

    status: DiskStatus
    disk_type: str
    low_space: str
    reserve: int
    io_errors: int
    not_served: tuple[NotServed, ...] = ()


@attrs.frozen
class MemoryStatus:
    """Of the machine (total, used, free) and of this process (the others), in bytes; and its threads."""

    threads: int
    total: int
    used: int
    free: int
    resident: int
    heap: int
    stack: int


@attrs.frozen
class ServerStatus:
    """The machine as the volume server sees it."""

    disks: tuple[DiskStatus, ...]
    memory: MemoryStatus
    version: str
    data_center: str
    rack: str


def volume_status(store: Store, volume_id: VolumeId) -> VolumeStatus:
    """
    :raises Refused: when the volume is not here.
    """
    volume = find(store, volume_id)
    counts = volume.counts
    return VolumeStatus(volume.is_read_only, volume.data_length, counts.file_count, counts.deleted_count)


def sync_status(store: Store, volume_id: VolumeId) -> SyncStatus:
    """
    :raises Refused: when the volume is not here.
    """
    volume = find(store, volume_id)
    return SyncStatus(
        volume_id=volume.id, collection=volume.collection, replication=str(volume.placement), ttl=str(volume.ttl),
        data_length=volume.data_length, index_length=volume.index_length,
        compaction_revision=volume.compaction_revision, version=volume.super_block.version,
    )


def needle_status(store: Store, volume_id: VolumeId, key: NeedleId, encoded: EcNeedles | None = None) -> NeedleStatus:
    """What is stored under a key, also of an erasure coded volume if ``encoded`` are given.

    :raises Refused: when the volume is not here.
    :raises StorageError: when the needle is not, or is damaged.
    """
    volume = store.find(volume_id)
    if volume is not None:
        needle = volume.read(key)
    elif encoded is not None and encoded.holds(volume_id):
        needle = encoded.read(volume_id, key)
    else:
        raise Refused(f"volume not found {volume_id}")
    if needle.size == 0 and not needle.cookie:
        # Go does not read an empty record, and so knows nothing of it but the key it was asked for.
        return NeedleStatus(key, 0, 0, 0, legacy_mask(0), "")
    return NeedleStatus(
        key=needle.key, cookie=needle.cookie or 0, size=needle.size, last_modified=needle.last_modified,
        checksum=legacy_mask(needle.checksum), ttl=str(needle.ttl) if needle.has_ttl and needle.ttl else "",
    )


def server_status(server: VolumeServer) -> ServerStatus:
    """Disks, memory, version and place of this server."""
    settings = server.settings
    return ServerStatus(
        disks=tuple(disk_status(location.directory) for location in server.store.disks),
        memory=memory_status(), version=version_text(settings.offset_width),
        data_center=settings.data_center, rack=settings.rack,
    )


def disk_conditions(store: Store) -> list[DiskCondition]:
    """Of each directory. Blocking: asks the file systems."""
    return [
        DiskCondition(attrs.evolve(disk_status(location.directory), error=location.status.error or _fault(location)),
                      location.disk_type,
                      location.room.reason if location.is_low_space else "", location.room.held,
                      location.room.io_errors, _not_served(location))
        for location in store.disks
    ]


def _fault(location: Location) -> str:
    return f"takes no writes: {location.write_fault}" if location.write_fault else ""


def _not_served(location: Location) -> tuple[NotServed, ...]:
    return tuple(sorted(location.not_served.copy().values(), key=lambda each: (each.volume_id, each.file)))


def memory_status() -> MemoryStatus:
    """From the kernel's tables; a number that it does not tell is 0."""
    page = os.sysconf("SC_PAGE_SIZE")
    total, free = os.sysconf("SC_PHYS_PAGES") * page, os.sysconf("SC_AVPHYS_PAGES") * page
    own = own_memory()
    return MemoryStatus(
        threads=threading.active_count(), total=total, used=total - free, free=free,
        resident=own.resident, heap=own.anonymous, stack=own.stack,
    )
