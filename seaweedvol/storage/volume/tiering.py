"""A volume whose .dat is an object in a store: how it comes there, is read there and comes back; as in SeaweedFS
``volume_tier.go``.

The .vif says where the data are, and is written between two moments in which both copies are whole: on the way out when
the object is known to be complete and the .dat still there, on the way back when the .dat is complete and the object
still there. So a crash at any moment leaves a volume that can be read, and at worst a copy too many.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

import attrs

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import DiskFile, IRemoteFiles, IVolumeFile, rename_durably, sync_directory
from seaweedvol.storage.errors import RemoteVolume, StorageError, VolumeBusy, VolumeError
from seaweedvol.storage.format.volumeinfo import VolumeInfo
from seaweedvol.storage.needlemap import read_rows
from seaweedvol.storage.volume.checking import check_tail
from seaweedvol.storage.volume.core import Core, Files
from seaweedvol.storage.volume.info import write_info
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.readonly import ReadOnlyReason


@attrs.frozen
class RemoteCopy:
    """A whole copy of a .dat in a store: type and id of the store, name of the object, bytes, Unix time in seconds."""

    backend_type: str
    backend_id: str
    key: str
    length: int
    modified_at: int


def remote_data(paths: VolumePaths, info: VolumeInfo, stores: IRemoteFiles) -> IVolumeFile:
    """The data that the .vif names. Asks nobody yet.

    :raises RemoteVolume: when there is no index for them.
    """
    if not os.path.exists(paths.index):
        raise VolumeError(f"check volume idx file {paths.index}: there is none")
    copy = info.files[0]
    modified_at = copy.modified_time or int(os.stat(paths.info).st_mtime)
    return stores.open(f"{copy.backend_type}.{copy.backend_id}", copy.key, copy.file_size, modified_at)


@contextlib.contextmanager
def reaching_store(paths: VolumePaths, info: VolumeInfo) -> Iterator[None]:
    """Around a read of the data.

    :raises RemoteVolume: when they are in a store that does not give them.
    """
    try:
        yield
    except OSError as error:
        if not info.files or error.errno != errno.EREMOTEIO:
            raise
        raise RemoteVolume(f"volume {paths.volume_id} is in an object store: {error.strerror}") from None


@contextlib.contextmanager
def leaving(core: Core) -> Iterator[IVolumeFile]:
    """Hold the data still while they are copied to a store: no writes, no deletes, no compaction. Gives the .dat.

    Go lets writes through; they are lost with the .dat.

    :raises VolumeBusy: when they do not hold still.
    """
    with core.lock:
        if core.is_compacting:
            raise VolumeBusy(f"volume {core.volume_id} is compacting")
        files = core.open_files()
        # What was compacted and not yet taken over never will be.
        core.is_compacting, core.compacted = True, None
        core.close(ReadOnlyReason.MOVING)
    try:
        yield files.data
    finally:
        with core.lock:
            core.is_compacting = False
            core.open(ReadOnlyReason.MOVING)


@contextlib.contextmanager
def returning(core: Core) -> Iterator[None]:
    """While the data are copied back: nobody else copies them. Reads and deletes go on.

    :raises VolumeBusy: when somebody does.
    """
    with core.lock:
        if core.is_compacting:
            raise VolumeBusy(f"volume {core.volume_id} is compacting")
        core.is_compacting = True
    try:
        yield
    finally:
        core.is_compacting = False


def move_out(core: Core, copy: RemoteCopy, *, keep_local: bool) -> None:
    """Read from the store from now on, within :func:`leaving`; then remove the .dat, unless it is to be kept.

    :raises OSError, StorageError: when the .vif cannot be written; then all stays as it was.
    """
    stores = core.stores
    if stores is None:
        raise VolumeError(f"volume {core.volume_id} failed to load remote file: no object stores")
    with core.lock:
        before = core.open_files()
        changed = _copy_of(core.info)
        changed.files.add(
            backend_type=copy.backend_type, backend_id=copy.backend_id, key=copy.key, file_size=copy.length,
            modified_time=copy.modified_at, extension=".dat")
        failpoints.reach("tier.out.save")
        _save(core, changed)
        failpoints.reach("tier.out.saved")
        core.close(ReadOnlyReason.REMOTE)
        core.info = changed
        core.files = Files(remote_data(core.paths, changed, stores), before.needles)
        before.data.close()
    if not keep_local:
        failpoints.reach("tier.out.remove")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(core.paths.data)
        sync_directory(core.paths.directory)
        failpoints.reach("tier.out.removed")


def move_in(core: Core, downloaded: str) -> None:
    """Read from a .dat from now on.

    :param downloaded: a whole, synced copy of the data in the directory of the volume; it becomes the .dat.
    :raises OSError, StorageError: when it does not, or the .vif cannot be written; then the store is read as before.
    """
    with core.lock:
        before = core.open_files()
        failpoints.reach("tier.in.rename")
        rename_durably(downloaded, core.paths.data)
        data = DiskFile(core.paths.data, role="data")
        changed = _copy_of(core.info)
        del changed.files[0]
        failpoints.reach("tier.in.save")
        _save(core, changed)
        failpoints.reach("tier.in.saved")
        core.last_append_at_ns = max(core.last_append_at_ns, _last_append(core, data))
        core.info = changed
        core.files = Files(data, before.needles)
        before.data.close()
        if changed.read_only:
            core.gate.close_by_admin(changed.read_only_can_delete)
        core.open(ReadOnlyReason.REMOTE)


def forget_object(core: Core) -> None:
    """Remove the copy of a volume that is no more from its store; what cannot be removed is reported."""
    if core.stores is None or not core.info.files:
        return
    copy = core.info.files[0]
    try:
        core.stores.delete(f"{copy.backend_type}.{copy.backend_id}", copy.key)
    except StorageError as error:
        core.report(f"{copy.key}, the data of volume {core.volume_id}, stays in {copy.backend_type}: {error}")


def _last_append(core: Core, data: IVolumeFile) -> int:
    """When the last record was appended, in ns: the next one must be later."""
    index = DiskFile(core.paths.index, writable=False, role="index")
    try:
        rows = read_rows(index, core.width)
    finally:
        index.close()
    return check_tail(data, core.codec, core.super_block.block_length, rows).last_append_at_ns


def _copy_of(info: VolumeInfo) -> VolumeInfo:
    copy = VolumeInfo()
    copy.CopyFrom(info)
    return copy


def _save(core: Core, changed: VolumeInfo) -> None:
    if ReadOnlyReason.UNKNOWN in core.gate.reasons:
        raise StorageError(f"volume {core.volume_id} failed to load vif: {core.gate.text()}")
    write_info(core.paths.info, changed, core.super_block.ttl, core.now_ns() / 1e9)
