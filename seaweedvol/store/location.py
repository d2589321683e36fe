"""One data directory and the volumes in it.

Knows which volumes are loaded, which could not be and why, and whether the disk has room. Must not know the other
directories, nor who asks. As in SeaweedFS ``storage/disk_location.go``.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import attrs

from seaweedvol.ec.volume import EcVolume
from seaweedvol.storage.backend import IRemoteFiles
from seaweedvol.storage.errors import StorageError, VolumeExists
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.needlemap import MapSettings
from seaweedvol.storage.volume.loading import create_volume
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.store.directory import DirectoryLock, directory_uuid, keep_uuid
from seaweedvol.store.diskspace import DiskStatus, MinFree, disk_status
from seaweedvol.store.placing import count_that_fits, slots_for_shards
from seaweedvol.store.room import Room, Seen
from seaweedvol.store.shardloading import load_all, unload_volume
from seaweedvol.store.sweeping import sweep, sweep_asides
from seaweedvol.store.volumeloading import NotServed, load_missing, load_one

_log = logging.getLogger(__name__)


@attrs.define(eq=False)
class Location:
    """One directory of volumes.

    Thread safe. ``volumes`` may be read without a lock (:meth:`loaded` gives a copy to iterate); only this class
    changes it. ``changing`` is held by whoever loads, makes, closes or destroys volumes here, so that no files are
    opened twice; it is never taken to find or read a volume.

    :ivar index_directory: where .idx files lie, usually the same directory.
    :ivar disk_type: "" for hdd.
    :ivar configured_max_count: 0 means as many as fit.
    :ivar disk_id: the position of this location among all.
    :ivar reserve: bytes to be kept for deletions and vacuums, besides ``min_free``.
    :ivar width: of the offsets in new .idx files.
    :ivar maps: what kind of needle map volumes get, and who lets go of those that nobody asks.
    :ivar stores: where the data of tiered volumes are.
    :ivar trouble: why nothing here is served although others are, "" when it is; :mod:`~seaweedvol.store.asides`.
    :ivar failed: why, for each volume that is there but could not be loaded.
    :ivar not_served: why, for each .dat that is there and is not served; another of its id may be.
    :ivar unreached: those of ``failed`` whose object store did not answer.
    """

    directory: Path
    index_directory: Path
    disk_type: str = ""
    tags: tuple[str, ...] = ()
    configured_max_count: int = 8
    min_free: MinFree = MinFree()
    disk_id: int = 0
    reserve: int = 0
    width: OffsetWidth = OffsetWidth.FOUR
    maps: MapSettings = MapSettings()
    stores: IRemoteFiles | None = None
    uuid: str = attrs.field(default="", init=False)
    volumes: dict[VolumeId, Volume] = attrs.field(factory=dict, init=False, repr=False)
    ec_volumes: dict[VolumeId, EcVolume] = attrs.field(factory=dict, init=False, repr=False)
    failed: dict[VolumeId, str] = attrs.field(factory=dict, init=False)
    not_served: dict[str, NotServed] = attrs.field(factory=dict, init=False, repr=False)
    unreached: set[VolumeId] = attrs.field(factory=set, init=False)
    trouble: str = attrs.field(default="", init=False)
    status: DiskStatus = attrs.field(init=False)
    # Why the disk takes no writes any more, "" as long as it does.
    write_fault: str = attrs.field(default="", init=False)
    is_low_space: bool = attrs.field(default=False, init=False)
    room: Room = attrs.field(init=False, repr=False)
    max_count: int = attrs.field(init=False)
    # Before that nobody can be writing shards, and what is not whole is left of what died.
    has_loaded: bool = attrs.field(default=False, init=False, repr=False)
    changing: threading.RLock = attrs.field(factory=threading.RLock, init=False, repr=False)
    # For the moments in which the set of volumes and what they are told of the disk must agree.
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)
    # It is not on the disk yet, which was full.
    _is_uuid_due: bool = attrs.field(default=False, init=False, repr=False)
    _directory_lock: DirectoryLock | None = attrs.field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.status = DiskStatus(os.path.abspath(self.directory))
        self.max_count = self.configured_max_count
        self.room = Room(self.directory, self.reserve)

    # --- life ---------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make the directory ours. Loads nothing.

        :raises DirectoryInUse: when another server has it.
        :raises OSError: when it cannot be written to.
        """
        lock = DirectoryLock(self.directory)
        try:
            self.uuid = directory_uuid(self.directory)
            self._is_uuid_due = not keep_uuid(self.directory, self.uuid)
            for base in sweep(self.directory, self.index_directory):
                _log.warning("%s: what is left of an unfinished copy is removed", self.directory / base)
            for path in sweep_asides(self.directory, self.index_directory):
                _log.warning("%s is removed: it was never finished", path)
        except BaseException:
            lock.release()
            raise
        self._directory_lock, self.trouble = lock, ""

    def set_aside(self, error: Exception) -> None:
        """Serve nothing from here, because of ``error``, and let others have the directory; its files stay."""
        if str(error) != self.trouble:
            _log.error("%s is set aside, nothing in it is served: %s", self.directory, error)
        self.close()
        self.trouble, self.uuid = str(error), ""
        self.status = DiskStatus(os.path.abspath(self.directory), error=self.trouble)

    def load(self) -> None:
        """Load every volume that is not loaded yet, many at a time; what fails is set aside in ``failed``.

        :raises OSError: when the directory itself cannot be read.
        """
        self.check_space()
        with self.changing:
            load_missing(self, may_remove=not self.has_loaded)
            load_all(self)
            self.has_loaded = True
        _log.info("%s: %d volumes, %d set aside, at most %d", self.directory, len(self.volumes), len(self.failed),
                  self.max_count)

    def sync(self) -> None:
        """Bring every volume to the disk; one that fails is logged."""
        for volume in self.loaded():
            _attempt(volume, volume.sync)

    def close(self) -> None:
        """Close every volume and let others have the directory. What is closed already stays so."""
        with self.changing:
            for volume in self.loaded():
                self.unmount(volume.id)
            for volume_id in list(self.ec_volumes):
                unload_volume(self, volume_id)
            if self._directory_lock is not None:
                self._directory_lock.release()
                self._directory_lock = None

    # --- volumes ------------------------------------------------------------------------------------------------

    def loaded(self) -> list[Volume]:
        """The volumes of this moment, as a list of one's own."""
        return list(self.volumes.values())

    @property
    def volume_count(self) -> int:
        """How many volumes there are."""
        return len(self.volumes)

    @property
    def local_count(self) -> int:
        """How many volumes there are whose .dat is not in an object store."""
        return sum(1 for volume in self.loaded() if not volume.info.files)

    @property
    def shard_count(self) -> int:
        """How many shards of encoded volumes are served."""
        return sum(len(volume.shards) for volume in list(self.ec_volumes.values()))

    @property
    def shard_slots(self) -> int:
        """How many volumes fit in their place."""
        return slots_for_shards((len(volume.shards), volume.ratio.data) for volume in list(self.ec_volumes.values()))

    def mount(self, volume_id: VolumeId) -> Volume | None:
        """Load the volume if it lies here, or give it when it is loaded; None otherwise (``failed`` may say why)."""
        with self.changing:
            return load_one(self, volume_id)

    def create(self, volume_id: VolumeId, collection: str, placement: ReplicaPlacement, ttl: Ttl, version: int,
               preallocate: int) -> Volume:
        """Make a new volume here; whether there is room must be known.

        :raises VolumeExists: when there is one.
        :raises StorageError, OSError: when it cannot be made.
        """
        with self.changing:
            if volume_id in self.volumes:
                raise VolumeExists(f"Volume Id {volume_id} already exists!")
            volume = create_volume(
                self.directory, self.index_directory, collection, volume_id, placement=placement, ttl=ttl,
                version=version, preallocate=preallocate, width=self.width, maps=self.maps, stores=self.stores,
                report=_log.warning,
            )
            self.add(volume)
        return volume

    def add(self, volume: Volume) -> None:
        """Serve a volume that was opened here, by someone who holds ``changing``."""
        with self._lock:
            volume.location = self
            volume.disk_id = self.disk_id
            volume.lies_on(self)
            volume.set_low_disk(self.is_low_space, self.room.reason)
            volume.set_broken_disk(self.write_fault)
            self.volumes[volume.id] = volume
        self.failed.pop(volume.id, None)
        self.unreached.discard(volume.id)

    def unmount(self, volume_id: VolumeId) -> None:
        """Close a volume and forget it; its files stay. One that is not loaded is none to forget."""
        with self.changing:
            volume = self._forget(volume_id)
            if volume is not None:
                _attempt(volume, volume.close)

    def destroy(self, volume_id: VolumeId, *, only_empty: bool = False, keep_remote: bool = False) -> None:
        """Remove a volume and its files.

        :raises VolumeNotEmpty: when only an empty one may be removed; it stays as it is.
        :raises VolumeBusy: while it is being compacted; it stays as it is.
        :raises OSError: when a file stays; the volume is gone all the same.
        """
        with self.changing:
            volume = self.volumes.get(volume_id)
            if volume is None:
                return
            try:
                volume.destroy(only_empty=only_empty, keep_remote=keep_remote)
            except OSError:
                self._forget(volume_id)
                raise
            self._forget(volume_id)

    def _forget(self, volume_id: VolumeId) -> Volume | None:
        with self._lock:
            return self.volumes.pop(volume_id, None)

    # --- room ---------------------------------------------------------------------------------------------------

    @property
    def is_unavailable(self) -> bool:
        """Whether the disk has stopped answering."""
        return bool(self.status.error)

    @property
    def takes_nothing(self) -> bool:
        """Whether the disk is in no state for anything new."""
        return self.is_low_space or self.is_unavailable or bool(self.write_fault)

    @property
    def has_free_slot(self) -> bool:
        """Whether a new volume may be made here."""
        if self.takes_nothing:
            return False
        return self.max_count == 0 or self.volume_count < self.max_count

    @property
    def free_slots(self) -> int:
        """How many more volumes may be made here, as far as that is known: 0 where nobody worked out a limit yet."""
        return max(self.max_count - self.volume_count, 0) if self.has_free_slot else 0

    @property
    def reported_max_count(self) -> int:
        """How many volumes the master shall think fit: no more than are here when space is low."""
        return max(self.local_count + self.shard_slots if self.is_low_space or self.write_fault else self.max_count, 0)

    def check_space(self) -> None:
        """Look how full the disk is, and let the volumes know when it is too full. Blocks, never raises."""
        if not self.trouble:
            self._take_in(self.room.look(self.min_free))
            if self._is_uuid_due and not self.is_low_space:
                self._is_uuid_due = not keep_uuid(self.directory, self.uuid)

    def _take_in(self, seen: Seen) -> None:
        status = seen.status
        if status.error != self.status.error:
            _log.warning("%s: %s", self.directory, status.error or "healthy again")
        if seen.is_low != self.is_low_space:
            _log.warning("%s: %s: %d volumes take %s", self.directory, seen.reason, self.volume_count,
                         "deletions only" if seen.is_low else "writes again")
        if seen.fault != self.write_fault:
            _log.error("%s: %d volumes %s", self.directory, self.volume_count,
                       f"take no writes: {seen.fault}" if seen.fault else "take writes again: the disk does")
        with self._lock:
            self.status, self.write_fault = status, seen.fault
            self.is_low_space = seen.is_low
            for volume in self.volumes.values():
                volume.set_low_disk(seen.is_low, seen.reason)
                volume.set_broken_disk(seen.fault)

    def note_error(self, volume_id: int, error: OSError) -> None:
        """As :meth:`Disk.note_error`: when there is no room, or the disk takes no writes, no volume does from now on.
        """
        seen = self.room.note_error(volume_id, error)
        if seen is not None:
            self._take_in(seen)

    def make_room(self, length: int) -> bool:
        """As :meth:`Disk.make_room`: gives up the reserve."""
        return self.room.give_way(length)

    @property
    def has_idle_maps(self) -> bool:
        """Whether :meth:`note_hour` does anything."""
        return self.maps.idle_watch is not None

    def note_hour(self) -> None:
        """Another hour is over: let go of needle maps that nobody asked for so many. Blocks."""
        if self.maps.idle_watch is not None:
            self.maps.idle_watch.note_hour()

    def adjust_max_count(self, volume_size_limit: int, *, is_preallocating: bool) -> bool:
        """Work out anew how many volumes fit, where nobody configured it.

        :returns: whether that changed anything.
        """
        if self.configured_max_count:
            return False
        before = self.max_count
        owed = 0 if is_preallocating else self._owed(volume_size_limit)
        free = disk_status(self.directory).free
        self.max_count = count_that_fits(self.volume_count + self.shard_slots, free, owed, volume_size_limit)
        return self.max_count != before

    def _owed(self, volume_size_limit: int) -> int:
        writable = (volume for volume in self.loaded() if not volume.is_read_only)
        return sum(max(volume_size_limit - volume.data_length - volume.index_length, 0) for volume in writable)


def _attempt(volume: Volume, action: Callable[[], None]) -> None:
    try:
        action()
    except (StorageError, OSError) as error:
        _log.error("volume %d: %s", volume.id, error)
