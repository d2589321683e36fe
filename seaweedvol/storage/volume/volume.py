"""One volume: a .dat full of needles and its .idx. The face that the rest of the program sees.

What it can do is told in the modules it delegates to: ``reading``, ``appending``, ``scanning``; what it says of itself
in ``facts``; how it comes to be in ``loading``. Every method may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import attrs

from seaweedvol.storage.backend import IVolumeFile
from seaweedvol.storage.errors import StorageError, VolumeBusy, VolumeClosed, VolumeNotEmpty
from seaweedvol.storage.format.needle import Needle
from seaweedvol.storage.format.placement import ReplicaPlacement, parse_placement
from seaweedvol.storage.format.superblock import PLACEMENT_AT, SUPERBLOCK_LENGTH
from seaweedvol.storage.format.volumeinfo import VolumeInfo
from seaweedvol.storage.volume.appending import Appender
from seaweedvol.storage.volume.batching import Put, Removal, SyncTicket, apply
from seaweedvol.storage.volume.blobs import read_blob, read_meta, write_blob
from seaweedvol.storage.volume.compacting import Compaction, clean_up, compact, garbage_ratio, live_length
from seaweedvol.storage.volume.compactingcommit import commit
from seaweedvol.storage.volume.core import Files
from seaweedvol.storage.volume.facts import VolumeFacts
from seaweedvol.storage.volume.faults import Disk
from seaweedvol.storage.volume.glancing import Glancer, Glimpse, Verdict
from seaweedvol.storage.volume.info import write_info
from seaweedvol.storage.volume.opening import OpenNeedle, open_now
from seaweedvol.storage.volume.reading import PAGED_ABOVE, PagedNeedle, open_needle, read_needle
from seaweedvol.storage.volume.readonly import ReadOnlyReason
from seaweedvol.storage.volume.relocating import relocate_index
from seaweedvol.storage.volume.removing import remove_files
from seaweedvol.storage.volume.scanning import scan
from seaweedvol.storage.volume.tiering import (
    RemoteCopy, forget_object, leaving, move_in, move_out, returning,
)
from seaweedvol.storage.volume.still import Held, hold_still
from seaweedvol.storage.volume.tailing import Stretch, stretch_after
from seaweedvol.storage.volume.walking import mapped_needles
from seaweedvol.storage.volume.writing import Appended, Draft

__all__ = ["ReadOnlyReason", "Volume"]


@attrs.define(eq=False)
class Volume(VolumeFacts):
    """``location`` and ``disk_id`` belong to the store, which sets them; nothing here looks at them."""

    location: Any = None
    disk_id: int = 0
    _appender: Appender = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._appender = Appender(self._core)

    # -- needles

    def read(self, key: int, *, read_deleted: bool = False) -> Needle:
        """As :func:`reading.read_needle`."""
        return read_needle(self._core, key, read_deleted=read_deleted)

    def open(self, key: int, *, read_deleted: bool = False, paged_above: int = PAGED_ABOVE) -> Needle | PagedNeedle:
        """As :func:`reading.open_needle`."""
        return open_needle(self._core, key, read_deleted=read_deleted, paged_above=paged_above)

    def append(self, draft: Draft, *, check_cookie: bool = True, fsync: bool = False) -> Appended:
        """As :meth:`appending.Appender.append`."""
        return self._appender.append(draft, check_cookie=check_cookie, fsync=fsync)

    def delete(self, key: int, cookie: int, *, checksum: int = 0) -> int:
        """As :meth:`appending.Appender.delete`."""
        return self._appender.delete(key, cookie, checksum=checksum)

    def apply(
        self, changes: Sequence[Put | Removal], *, blocking: bool = True, fsync: bool = False,
    ) -> SyncTicket | None:
        """As :func:`batching.apply`."""
        return apply(self._core, self._appender.group, changes, blocking=blocking, fsync=fsync)

    def read_blob(self, offset: int, size: int) -> bytes:
        """As :func:`blobs.read_blob`."""
        return read_blob(self._core, offset, size)

    def read_meta(self, offset: int, size: int) -> Needle:
        """As :func:`blobs.read_meta`."""
        return read_meta(self._core, offset, size)

    def write_blob(self, key: int, blob: bytes, size: int) -> bool:
        """As :func:`blobs.write_blob`."""
        return write_blob(self._core, self._appender.group, key, blob, size)

    def mapped_needles(self) -> Iterator[Needle | None]:
        """As :func:`walking.mapped_needles`."""
        return mapped_needles(self._core)

    def stretch_after(self, since_ns: int) -> Stretch | None:
        """As :func:`tailing.stretch_after`."""
        return stretch_after(self._core, since_ns)

    def glance(self, key: int, glancer: Glancer) -> Glimpse | Verdict:
        """As :meth:`glancing.Glancer.glance`."""
        return glancer.glance(self._core, key)

    def open_now(self, key: int) -> OpenNeedle | None:
        """As :func:`opening.open_now`."""
        return open_now(self._core, key)

    @property
    def files(self) -> Files | None:
        """The .dat and the needle map as they are now, None once closed; for who looks up and reads by himself. What
        makes no sense there is to be asked of :meth:`read`, which knows what may have happened meanwhile.
        """
        return self._core.files

    def locate(self, key: int) -> tuple[int, int] | None:
        """Offset in bytes and size of the last record under ``key``, negative if deleted; None if never stored."""
        try:
            return self._core.open_files().needles.get(key)
        except VolumeClosed:
            with self._core.lock:
                return self._core.open_files().needles.get(key)

    def ascending(self) -> Iterator[tuple[int, int, int]]:
        """Key, offset and signed size of all needles by key, deleted ones included."""
        return self._core.open_files().needles.ascending()

    def scan(self) -> Iterator[tuple[int, Needle]]:
        """Offset and header of every record in the .dat, in its order, up to the first that is cut short."""
        core = self._core
        return scan(core.open_files().data, core.codec, core.super_block.block_length)

    def hold_still(self) -> Held:
        """As :func:`still.hold_still`."""
        return hold_still(self._core)

    # -- compaction

    @property
    def garbage_ratio(self) -> float:
        """As :func:`compacting.garbage_ratio`."""
        return garbage_ratio(self._core)

    @property
    def live_length(self) -> int:
        """As :func:`compacting.live_length`."""
        return live_length(self._core)

    def make_room(self, length: int) -> bool:
        """As :meth:`faults.Disk.make_room`."""
        return self._core.make_room(length)

    def compact(self, wanted: Compaction = Compaction()) -> Iterator[int | None]:
        """As :func:`compacting.compact`: nothing is done before the first step of the iterator."""
        return compact(self._core, wanted)

    def commit_compaction(self) -> bool:
        """As :func:`compactingcommit.commit`."""
        return commit(self._core)

    def clean_up_compaction(self) -> None:
        """As :func:`compacting.clean_up`."""
        clean_up(self._core)

    # -- taking writes or not

    def lies_on(self, disk: Disk) -> None:
        """Tell ``disk`` of errors from now on."""
        self._core.disk = disk

    def set_low_disk(self, is_low: bool, detail: str = "") -> None:
        """The store says whether its disk has too little room left."""
        if is_low:
            self._core.gate.close(ReadOnlyReason.LOW_DISK, detail)
        else:
            self._core.gate.open(ReadOnlyReason.LOW_DISK)

    def set_broken_disk(self, reason: str) -> None:
        """The store says why its disk takes no writes, "" when it does."""
        if reason:
            self._core.gate.close(ReadOnlyReason.BROKEN_DISK, reason)
        else:
            self._core.gate.open(ReadOnlyReason.BROKEN_DISK)

    def mark_read_only(self, persist: bool = False, can_delete: bool = False) -> None:
        """Take no writes from now on; with ``persist`` after a restart too.

        :raises OSError, StorageError: when the .vif cannot be written.
        """
        with self._core.lock:
            self._core.gate.close_by_admin(can_delete)
            self._core.report(f"volume {self.id} is read-only: {self.reason_text()}")
            if persist:
                self._save_mark(True, can_delete)

    def mark_writable(self) -> None:
        """Take writes again, whatever was wrong, unless it lies outside an operator's power.

        :raises OSError, StorageError: when the .vif cannot be written.
        """
        with self._core.lock:
            before = self.read_only_reasons
            self._core.gate.open_by_admin()
            self._core.faults.forgive()
            self._core.report_opening(before)
            self._save_mark(False, False)

    def _save_mark(self, read_only: bool, can_delete: bool) -> None:
        changed = self._copy_of_info()
        changed.read_only, changed.read_only_can_delete = read_only, can_delete
        self._save_info(changed)

    def _copy_of_info(self) -> VolumeInfo:
        copy = VolumeInfo()
        copy.CopyFrom(self._core.info)
        return copy

    def _save_info(self, changed: VolumeInfo) -> None:
        """Replaced when it is saved, not before; others may be reading the old one."""
        core = self._core
        if ReadOnlyReason.UNKNOWN in core.gate.reasons:
            raise StorageError(f"volume {self.id} failed to load vif: {core.gate.text()}")
        write_info(core.paths.info, changed, core.super_block.ttl, core.now_ns() / 1e9)
        core.info = changed

    def configure(self, replication: str) -> None:
        """Have replicas placed otherwise; the text is kept in the .vif, the superblock stays as it is.

        :param replication: "" for what the superblock says.
        :raises InvalidSetting: when it says nothing.
        :raises OSError, StorageError: when the .vif cannot be written.
        """
        core = self._core
        with core.lock:
            if replication:
                placement = parse_placement(replication)
            else:
                placement = ReplicaPlacement.from_byte(core.open_files().data.read_at(1, PLACEMENT_AT)[0])
            changed = self._copy_of_info()
            changed.replication = replication
            self._save_info(changed)
            core.super_block = attrs.evolve(core.super_block, placement=placement)

    # -- object stores

    def leaving(self) -> AbstractContextManager[IVolumeFile]:
        """As :func:`tiering.leaving`."""
        return leaving(self._core)

    def returning(self) -> AbstractContextManager[None]:
        """As :func:`tiering.returning`."""
        return returning(self._core)

    def move_out(self, copy: RemoteCopy, *, keep_local: bool) -> None:
        """As :func:`tiering.move_out`."""
        move_out(self._core, copy, keep_local=keep_local)

    def move_in(self, downloaded: str) -> None:
        """As :func:`tiering.move_in`."""
        move_in(self._core, downloaded)

    def relocate_index(self, directory: str) -> None:
        """As :func:`relocating.relocate_index`."""
        relocate_index(self._core, directory)

    # -- the end

    def sync(self) -> None:
        """Return when everything written so far is on the device.

        :raises OSError: when it is not.
        """
        files = self._core.files
        if files is not None:
            files.needles.sync()
            files.data.sync()

    def close(self) -> None:
        """Sync and let go of the files. Reads under way are finished, everything later is refused."""
        with self._core.lock:
            self._close()

    def _close(self) -> None:
        files, self._core.files = self._core.files, None
        if files is None:
            return
        for file in (files.needles, files.data):
            try:
                file.sync()
            except OSError as error:
                self._core.report(f"volume {self.id} could not be synced before it was closed: {error}")
            file.close()

    def destroy(self, only_empty: bool = False, keep_remote: bool = False) -> None:
        """Close it and remove its files; the .vif stays if erasure-coded shards beside it need it.

        :param keep_remote: leave the copy in an object store alone.
        :raises VolumeNotEmpty: when ``only_empty`` and it holds or held something.
        :raises VolumeBusy: while it is compacted.
        """
        with self._core.lock:
            if only_empty and (self.data_length > SUPERBLOCK_LENGTH or self.counts.content_bytes):
                raise VolumeNotEmpty()
            if self._core.is_compacting:
                raise VolumeBusy(f"volume {self.id} is compacting")
            self._close()
            remove_files(self.paths)
        if not keep_remote:
            forget_object(self._core)
