"""What the master is told: one report for each volume, and the whole of a server with its digest.

Knows volumes to read from them. Must not know the heartbeat's messages, nor what a master was told before.
As in SeaweedFS ``storage/volume.go`` (``ToVolumeInformationMessage``) and ``storage/volume_report_hash.go``.

The digest of one volume, all integers little-endian::

    offset  0   4   12     20       28       36    40   44   48        52    56
            id  size files deleted  deleted  place ver  ttl  compact   disk  read
            u32 u64  u64   u64      bytes u64 u32  u32  u32  rev u32   u32   only u8

    h = xxhash64 of these 57 bytes
    for x in xxhash64 of: modified_at (i64), collection, disk type, remote storage name (UTF-8)
        h = (h ^ x) * 0x9E3779B97F4A7C15;  h = h ^ h >> 29

A server's digest is the XOR over its volumes.
"""

from __future__ import annotations

import functools
import operator
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import attrs
import xxhash

from seaweedvol.store.shardreport import ShardReport

if TYPE_CHECKING:
    from seaweedvol.storage.volume.volume import Volume

_FIXED = struct.Struct("<IQQQQIIIIIB")
FIXED_LENGTH: Final = 57
assert _FIXED.size == FIXED_LENGTH

_FOLD: Final = 0x9E3779B97F4A7C15
_MASK64: Final = 2**64 - 1
_MAX_UINT32: Final = 2**32 - 1


@attrs.frozen
class VolumeReport:
    """One volume as the master sees it.

    :ivar size: bytes of the .dat, superblock and garbage included (in a status report: bytes of content ever written).
    :ivar placement_byte: replica placement as in the superblock.
    :ivar ttl_uint32: as in heartbeats, the count in the second byte and the unit in the lowest.
    :ivar modified_at: seconds since 1970.
    :ivar remote_storage_name: ``type.id`` of the object store that holds the .dat, "" when it is here.
    :ivar disk_type: "" for hdd.
    :ivar read_only_reason: in words, in a status report only; so are ``io_errors`` since the volume was loaded.
    """

    id: int
    size: int = 0
    collection: str = ""
    file_count: int = 0
    delete_count: int = 0
    deleted_bytes: int = 0
    read_only: bool = False
    placement_byte: int = 0
    version: int = 3
    ttl_uint32: int = 0
    compact_revision: int = 0
    modified_at: int = 0
    remote_storage_name: str = ""
    remote_storage_key: str = ""
    disk_type: str = ""
    disk_id: int = 0
    read_only_reason: str = ""
    io_errors: int = 0


@attrs.frozen
class DiskTag:
    """One directory as the master sees it. ``max_count`` is what it can hold now, 0 while it is unavailable."""

    disk_id: int
    tags: tuple[str, ...]
    disk_type: str
    max_count: int


@attrs.frozen
class StoreReport:
    """Everything a full heartbeat says of the volumes of a server.

    :ivar max_counts: how many volumes fit, by disk type.
    :ivar disk_total: bytes, by disk type; ``disk_free`` alike.
    :ivar uuids: one for each directory, unavailable ones too.
    :ivar has_no_shards: whether there are no shards of encoded volumes, of which another report tells.
    :ivar expired_shards: those that were removed just now, because the time to live of their volumes was over.
    """

    volumes: tuple[VolumeReport, ...]
    max_counts: dict[str, int]
    max_file_key: int
    uuids: tuple[str, ...]
    disk_tags: tuple[DiskTag, ...]
    disk_total: dict[str, int]
    disk_free: dict[str, int]
    has_no_volumes: bool
    digest: int
    has_no_shards: bool = True
    expired_shards: tuple[ShardReport, ...] = ()


def report_of(volume: Volume, disk_type: str) -> VolumeReport | None:
    """The report of one volume, None when it is closed."""
    modified_at = int(volume.modified_at)
    if not modified_at:
        return None
    counts = volume.counts
    name, key = remote_storage_of(volume)
    return VolumeReport(
        id=volume.id,
        size=volume.data_length,
        collection=volume.collection,
        file_count=counts.file_count,
        delete_count=counts.deleted_count,
        deleted_bytes=counts.deleted_bytes,
        read_only=volume.is_read_only,
        placement_byte=volume.placement.to_byte(),
        version=volume.version,
        ttl_uint32=volume.ttl.to_uint32(),
        compact_revision=volume.compaction_revision,
        modified_at=modified_at,
        remote_storage_name=name,
        remote_storage_key=key,
        disk_type=disk_type,
        disk_id=volume.disk_id,
    )


def status_of(volume: Volume, disk_type: str) -> VolumeReport | None:
    """As :func:`report_of`, for people: the size is that of all content ever written, and counts end at 2**32-1."""
    report = report_of(volume, disk_type)
    if report is None:
        return None
    return attrs.evolve(
        report,
        size=volume.counts.content_bytes,
        file_count=min(report.file_count, _MAX_UINT32),
        delete_count=min(report.delete_count, _MAX_UINT32),
        read_only_reason=volume.reason_text(),
        io_errors=volume.io_errors,
    )


def is_phantom(volume: Volume) -> bool:
    """Whether the .dat was removed under the open volume, so that only its reader still works."""
    return volume.counts.file_count > 0 and not remote_storage_of(volume)[0] and not volume.data_path.exists()


def remote_storage_of(volume: Volume) -> tuple[str, str]:
    """Name and key of the object that holds the .dat, empty when it is here."""
    if not volume.info.files:
        return "", ""
    remote = volume.info.files[0]
    return f"{remote.backend_type}.{remote.backend_id}", remote.key


def report_hash(report: VolumeReport) -> int:
    """The digest of one volume."""
    fixed = _FIXED.pack(
        report.id,
        report.size,
        min(report.file_count, _MAX_UINT32),
        min(report.delete_count, _MAX_UINT32),
        report.deleted_bytes,
        report.placement_byte,
        report.version,
        report.ttl_uint32,
        report.compact_revision,
        report.disk_id,
        report.read_only,
    )
    hashed = xxhash.xxh64_intdigest(fixed)
    texts = (report.collection, report.disk_type, report.remote_storage_name)
    rest = (struct.pack("<q", report.modified_at), *(text.encode("utf-8", "surrogateescape") for text in texts))
    for part in rest:
        hashed = (hashed ^ xxhash.xxh64_intdigest(part)) * _FOLD & _MASK64
        hashed ^= hashed >> 29
    return hashed


def digest(reports: Iterable[VolumeReport]) -> int:
    """The digest of a server that reports these volumes."""
    return functools.reduce(operator.xor, map(report_hash, reports), 0)
