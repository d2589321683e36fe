"""Opening a volume that is on disk, and making a new one; as ``load`` in SeaweedFS ``volume_loading.go``.

Nothing here ends the process: a volume that cannot be served raises, one that can be read but not trusted goes
read-only with a reason. Erasure-coded volumes and interrupted compactions are the store's business, before this.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs

from seaweedvol.storage.backend import DiskFile, IRemoteFiles, IVolumeFile, sync_directory
from seaweedvol.storage.errors import (
    FormatError, InvalidSetting, RemoteVolume, StorageError, VolumeError, VolumeExists, VolumeNotFound,
)
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.format.placement import ReplicaPlacement, parse_placement
from seaweedvol.storage.format.superblock import CURRENT_VERSION, SUPERBLOCK_LENGTH, SuperBlock, decode_superblock
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.storage.format.volumeinfo import VolumeInfo
from seaweedvol.storage.needlemap import MapSettings
from seaweedvol.storage.volume.core import Core
from seaweedvol.storage.volume.indexing import open_needles
from seaweedvol.storage.volume.info import read_info, write_info
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.readonly import ReadOnlyReason, WriteGate
from seaweedvol.storage.volume.tiering import remote_data, reaching_store
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.storage.volume.width import width_of

_MAX_SUPERBLOCK_LENGTH: Final = SUPERBLOCK_LENGTH + 0xFFFF
_OWNER_WRITE: Final = 0o200


def _silent(line: str) -> None:
    """Where reports go when nobody listens."""


def load_volume(
    directory: Path | str, index_directory: Path | str, collection: str, volume_id: int, *,
    default_width: OffsetWidth = OffsetWidth.FOUR, maps: MapSettings = MapSettings(),
    report: Callable[[str], None] = _silent, now_ns: Callable[[], int] = time.time_ns,
    stores: IRemoteFiles | None = None,
) -> Volume:
    """Open a volume; its tail is repaired if a crash tore it.

    :param default_width: of offsets, when neither .vif nor .idx tells.
    :param maps: what kind of needle map it gets, if it is writable.
    :param report: takes a line for the log about everything unusual.
    :param now_ns: Unix time in nanoseconds.
    :param stores: where to read a volume whose .dat is in an object store; without them, what is here must do.
    :raises VolumeNotFound: when there is no .dat.
    :raises RemoteVolume: when it is in an object store that cannot be reached.
    :raises Corrupt: when the superblock makes no sense.
    :raises OSError: when a file cannot be opened or read.
    """
    paths = VolumePaths.found(str(directory), str(index_directory), collection, volume_id)
    if os.path.exists(paths.compaction_marker):
        raise VolumeError(f"an interrupted compaction of volume {volume_id} is not settled")
    gate = WriteGate(volume_id)
    info, has_info = _info_of(paths, gate, report)
    data = _open_data(paths, info, gate, stores)
    with reaching_store(paths, info):
        super_block = _read_superblock(data, paths, info)
    info.version = super_block.version
    codec = NEEDLE_VERSIONS[super_block.version]
    width = width_of(paths, info, data.length()) or default_width
    info.bytes_offset = width.bytes
    if info.read_only and not info.files:
        gate.close_by_admin(info.read_only_can_delete)
    if info.files:
        gate.close(ReadOnlyReason.REMOTE)
    core = Core(paths, width, codec, super_block, info, gate, None, now_ns, report, maps=maps, stores=stores)
    core.last_modified_at = int(data.modified_at())
    core.files = open_needles(core, data)
    core.note_fullness()
    if not has_info:
        _save_first_info(core)
    return Volume(core)


def create_volume(
    directory: Path | str, index_directory: Path | str, collection: str, volume_id: int, *,
    placement: ReplicaPlacement, ttl: Ttl, version: int = CURRENT_VERSION, preallocate: int = 0,
    width: OffsetWidth = OffsetWidth.FOUR, maps: MapSettings = MapSettings(),
    report: Callable[[str], None] = _silent, now_ns: Callable[[], int] = time.time_ns,
    stores: IRemoteFiles | None = None,
) -> Volume:
    """Make an empty volume, durably, and open it.

    :param preallocate: bytes of disk to reserve for the .dat, if the file system can.
    :raises VolumeExists: when there is a .dat, here or in an object store, or shards were made of it.
    :raises InvalidSetting: when there is no such version.
    :raises OSError: when a file cannot be written; then there is none.
    """
    if version not in NEEDLE_VERSIONS:
        raise InvalidSetting(f"volume super block version {version} is not supported")
    paths = VolumePaths(str(directory), str(index_directory), collection, volume_id)
    if os.path.exists(paths.data) and not _was_torn_in_making(paths) or _is_elsewhere(paths, report):
        raise VolumeExists(f"Volume Id {volume_id} already exists!")
    super_block = SuperBlock(version, placement, ttl)
    data = _new_data(paths, super_block, preallocate)
    info = VolumeInfo(version=version, bytes_offset=width.bytes)
    core = Core(
        paths, width, NEEDLE_VERSIONS[version], super_block, info, WriteGate(volume_id), None, now_ns, report,
        maps=maps, stores=stores,
    )
    # Its time to live begins now; Go begins at 1970, and removes the volume once it holds but one needle of old date.
    core.last_modified_at = now_ns() // 10**9
    core.files = open_needles(core, data)
    _save_first_info(core)
    return Volume(core)


def _info_of(paths: VolumePaths, gate: WriteGate, report: Callable[[str], None]) -> tuple[VolumeInfo, bool]:
    """As :func:`read_info`; while it cannot be read nothing is written, for it may say that nothing must be. Go takes
    it to say nothing.
    """
    try:
        return read_info(paths.info, report)
    except OSError as error:
        report(f"volume {paths.volume_id} is read-only: {error}")
        gate.close(ReadOnlyReason.UNKNOWN, str(error))
        return VolumeInfo(), True


def _was_torn_in_making(paths: VolumePaths) -> bool:
    """Whether a crash left a .dat without its superblock and without a row: nothing was ever in this volume."""
    has_rows = os.path.exists(paths.index) and os.path.getsize(paths.index) > 0
    return os.path.getsize(paths.data) < SUPERBLOCK_LENGTH and not has_rows


def _is_elsewhere(paths: VolumePaths, report: Callable[[str], None]) -> bool:
    """Whether what lies here belongs to a volume whose data are not in a .dat: a new one would take its .idx and .vif.
    Go makes one.
    """
    info, _ = read_info(paths.info, report)
    return bool(info.files) or info.HasField("ec_shard_config")


def _new_data(paths: VolumePaths, super_block: SuperBlock, preallocate: int) -> DiskFile:
    """The .dat of an empty volume; its .idx is made too."""
    try:
        data = DiskFile(paths.data, create=True, role="data")
        if preallocate:
            data.reserve(preallocate)
        data.write_at(super_block.encode(), 0)
        data.sync()
        index = DiskFile(paths.index, create=True, role="index")
        index.truncate(0)
        index.close()
        for place in {paths.directory, paths.index_directory}:
            sync_directory(place)
    except Exception:
        # A .dat without its superblock could neither be loaded nor be made again.
        for path in (paths.data, paths.index):
            with contextlib.suppress(OSError):
                os.unlink(path)
        raise
    return data


def _open_data(
    paths: VolumePaths, info: VolumeInfo, gate: WriteGate, stores: IRemoteFiles | None,
) -> IVolumeFile:
    if info.files and stores is not None:
        return remote_data(paths, info, stores)
    try:
        mode = os.stat(paths.data).st_mode
    except FileNotFoundError:
        if info.files:
            raise RemoteVolume(f"volume {paths.volume_id} is in an object store") from None
        raise VolumeNotFound(f"volume data file {paths.data} does not exist") from None
    if mode & _OWNER_WRITE:
        try:
            return DiskFile(paths.data, role="data")
        except PermissionError:
            pass
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
    gate.close(ReadOnlyReason.UNWRITABLE, paths.data)
    return DiskFile(paths.data, writable=False, role="data")


def _read_superblock(data: IVolumeFile, paths: VolumePaths, info: VolumeInfo) -> SuperBlock:
    head = data.read_at(_MAX_SUPERBLOCK_LENGTH, 0)
    if len(head) < SUPERBLOCK_LENGTH:
        raise FormatError(f"volume {paths.data} not initialized")
    super_block = decode_superblock(head)
    if info.replication:
        try:
            placement = parse_placement(info.replication)
        except InvalidSetting as error:
            text = f"Error parse volume {paths.volume_id} replication {info.replication} : {error}"
            raise FormatError(text) from None
        super_block = attrs.evolve(super_block, placement=placement)
    return super_block


def _save_first_info(core: Core) -> None:
    try:
        write_info(core.paths.info, core.info, core.super_block.ttl, core.now_ns() / 1e9)
    except (OSError, StorageError) as error:
        core.report(f"volume {core.volume_id} failed to save file info: {error}")
