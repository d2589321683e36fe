"""All volumes of this server, over all its directories.

Knows the locations, finds volumes in them, and makes, mounts, unmounts and removes them. Must not know who asks, nor
what the master was told before. As in SeaweedFS ``storage/store.go``; the texts of errors are Go's, because clients
search for them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import attrs

from seaweedvol.storage.errors import StorageError, VolumeExists, VolumeNotFound
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.ttl import EMPTY_TTL, Ttl
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.store.asides import check_any, load_or_set_aside, open_or_set_aside, try_again
from seaweedvol.store.collecting import collect, remove_overdue
from seaweedvol.store.erasure import ErasureStore
from seaweedvol.store.events import Event, StoreEvents, VolumeAdded, VolumeRemoved
from seaweedvol.store.identity import Identity
from seaweedvol.store.location import Location
from seaweedvol.store.placing import place_for_new
from seaweedvol.store.removing import remove_collection, remove_volume
from seaweedvol.store.report import StoreReport, VolumeReport, report_of, status_of
from seaweedvol.store.shardreport import ShardReport
from seaweedvol.store.state import STATE_NAME, ServerState

_log = logging.getLogger(__name__)

CURRENT_VERSION: Final = 3


class Store:
    """The volumes of one server. Every method may be called from any thread; all but :meth:`find` may block.

    :ivar disks: all directories; the position of each is its disk id.
    :ivar locations: those of them that are served, see :mod:`~seaweedvol.store.asides`.
    :ivar changing: for what concerns several directories: one at a time may change which volumes there are. Never
        taken to find or read one; always taken before the lock of a location.
    :ivar erasure: the encoded volumes.
    :ivar volume_size_limit: bytes, as the master said; 0 as long as it has not. Without it no volume expires, and no
        limit is worked out for a directory that has none.
    :ivar is_preallocating: whether the master wants the space of volumes reserved.
    :ivar is_stopping: whether the server is about to end.
    """

    def __init__(self, locations: Sequence[Location], identity: Identity, events: StoreEvents) -> None:
        """Touches no disk; :meth:`open` does. The position of a location becomes its disk id."""
        self.disks: Final = tuple(locations)
        self.locations = self.disks
        self.identity: Final = identity
        self.events: Final = events
        self.volume_size_limit = 0
        self.is_preallocating = False
        self.is_stopping = False
        self._state: ServerState | None = None
        self.changing: Final = threading.RLock()
        self.erasure: Final = ErasureStore(self.locations, events, self.changing)
        for disk_id, location in enumerate(self.disks):
            location.disk_id = disk_id

    # --- life ---------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Take possession of every directory and read the server's state. Loads no volume. If there are several, those
        whose disk fails are set aside.

        :raises DirectoryInUse: when another server has one of them; then none is held.
        :raises FormatError: when state.pb cannot be understood.
        :raises OSError: when a directory cannot be used.
        """
        try:
            errors = [open_or_set_aside(location) for location in self.disks]
            if len(errors) == 1 and errors[0] is not None:
                raise errors[0]
            self._sort_out()
            self._state = ServerState(self.disks[0].index_directory / STATE_NAME, may_wait=len(self.disks) > 1)
        except BaseException:
            self.close()
            raise

    def _sort_out(self) -> None:
        check_any(self.disks)
        self.locations = tuple(location for location in self.disks if not location.trouble)
        self.erasure.locations = self.locations

    def load(self) -> None:
        """Load all volumes of all directories, the directories at the same time."""
        self._load()
        self.settle()

    def _load(self) -> None:
        with ThreadPoolExecutor(len(self.locations), thread_name_prefix="disk") as pool:
            for _ in pool.map(load_or_set_aside, self.locations):
                pass

    def settle(self) -> None:
        """Finish the start, once every location is loaded: serve shards whose index is on another disk.

        :raises OSError: when no directory could be loaded.
        """
        self._sort_out()
        # What belongs to shards that seem to be left over may be on a disk that is set aside.
        self.erasure.settle(is_start=len(self.locations) == len(self.disks))

    def load_new_volumes(self) -> None:
        """Load volumes whose files were put into the directories while the server ran."""
        for location in self.disks:
            try_again(location)
        self._load_new_volumes()

    def _load_new_volumes(self) -> None:
        self._sort_out()
        self.state.read_again()
        with self.erasure.announcing():
            self._load()
            self.erasure.settle(is_start=False)

    def try_again(self, location: Location) -> None:
        """Look whether a directory that was set aside can be served by now."""
        if try_again(location):
            self._load_new_volumes()

    def stop(self) -> None:
        """Say that the end is near, and bring everything to the disks."""
        self.is_stopping = True
        for location in self.locations:
            location.sync()

    def close(self) -> None:
        """Close all volumes and give the directories up."""
        with self.changing:
            for location in self.disks:
                location.close()

    @property
    def state(self) -> ServerState:
        """What outlives the server."""
        assert self._state is not None, "the store is not open"
        return self._state

    # --- finding ------------------------------------------------------------------------------------------------

    def find(self, volume_id: int) -> Volume | None:
        """The volume, from the first location that holds it. Does not block."""
        key = VolumeId(volume_id)
        for location in self.locations:
            volume = location.volumes.get(key)
            if volume is not None:
                return volume
        return None

    def get(self, volume_id: int) -> Volume:
        """As :meth:`find`.

        :raises VolumeNotFound: when there is none.
        """
        volume = self.find(volume_id)
        if volume is None:
            raise VolumeNotFound(f"volume {volume_id} not found")
        return volume

    def _holders(self, volume_id: VolumeId) -> list[tuple[Location, Volume]]:
        held = ((location, location.volumes.get(volume_id)) for location in self.locations)
        return [(location, volume) for location, volume in held if volume is not None]

    # --- coming -------------------------------------------------------------------------------------------------

    def allocate(self, volume_id: VolumeId, collection: str = "", placement: ReplicaPlacement = ReplicaPlacement(),
                 ttl: Ttl = EMPTY_TTL, disk_type: str = "", version: int = CURRENT_VERSION,
                 preallocate: int = 0) -> Volume:
        """Make a new volume in the emptiest directory of this disk type.

        :param preallocate: bytes to reserve on the disk.
        :raises VolumeExists: when there is one of this id already.
        :raises NoFreeSlot: when no directory takes it.
        """
        with self.changing:
            if self.find(volume_id) is not None:
                raise VolumeExists(f"Volume Id {volume_id} already exists!")
            location = place_for_new(self.locations, disk_type)
            volume = location.create(volume_id, collection, placement, ttl, version, preallocate)
            _log.info("volume %d is made in %s", volume_id, location.directory)
            self._announce(VolumeAdded, location, volume)
        return volume

    def mount(self, volume_id: VolumeId) -> Volume:
        """Serve a volume whose files are there; one that is served already is announced again.

        :raises VolumeNotFound: when no directory holds it or it cannot be loaded; then the text ends with the reason.
        """
        with self.changing:
            for location in self.locations:
                volume = location.mount(volume_id)
                if volume is not None:
                    self._bring_deletions(volume_id)
                    self._announce(VolumeAdded, location, volume)
                    return volume
            raise self._not_on_disk(volume_id)

    def _bring_deletions(self, volume_id: VolumeId) -> None:
        try:
            self.erasure.late.bring(volume_id)
        except (StorageError, OSError) as error:
            _log.warning("volume %d: what was deleted from its shards meanwhile may come back: %s", volume_id, error)

    def _not_on_disk(self, volume_id: VolumeId) -> VolumeNotFound:
        reasons = [location.failed[volume_id] for location in self.locations if volume_id in location.failed]
        return VolumeNotFound(": ".join([f"volume {volume_id} not found on disk", *reasons]))

    # --- going --------------------------------------------------------------------------------------------------

    def unmount(self, volume_id: VolumeId) -> None:
        """Serve a volume no longer, wherever it is; its files stay. One that is not served is none to unmount."""
        with self.changing:
            for location, volume in self._holders(volume_id):
                report = report_of(volume, location.disk_type)
                location.unmount(volume_id)
                self._publish(VolumeRemoved, report)

    def delete_volume(self, volume_id: VolumeId, *, only_empty: bool = False, keep_remote: bool = False) -> None:
        """Remove a volume and its files from every directory that has it.

        :raises VolumeNotFound: when none has it.
        :raises VolumeNotEmpty: when only an empty one may go and this one is not.
        :raises VolumeError: when a directory could not remove it; it is gone from the others.
        """
        with self.changing:
            holders = self._holders(volume_id)
            if not holders:
                raise VolumeNotFound(f"delete volume {volume_id} not found on disk")
            remove_volume(holders, volume_id, self.events, only_empty=only_empty, keep_remote=keep_remote)

    def delete_collection(self, collection: str) -> None:
        """Remove every volume of a collection, encoded ones too, except one that is being compacted.

        :raises VolumeError: when some could not be removed; the directories after that one are left alone, as in Go.
        """
        with self.changing:
            remove_collection(self.locations, collection, self.erasure, self.events)

    # --- changing -----------------------------------------------------------------------------------------------

    def configure(self, volume_id: VolumeId, replication: str) -> None:
        """Give a volume another replica placement. One that was not mounted is so afterwards, as in Go.

        :param replication: as for :meth:`Volume.configure`.
        :raises VolumeNotFound: when no directory holds it.
        """
        with self.changing:
            for location in self.locations:
                mounted = location.volumes.get(volume_id)
                before = None if mounted is None else report_of(mounted, location.disk_type)
                volume = mounted or location.mount(volume_id)
                if volume is not None:
                    volume.configure(replication)
                    self._publish(VolumeRemoved, before)
                    self._announce(VolumeAdded, location, volume)
                    return
            raise self._not_on_disk(volume_id)

    def consolidate_index(self, volume_id: VolumeId) -> None:
        """Move the .idx of a volume that lies beside its data to the directory for indexes, if there is one.

        :raises VolumeNotFound: when it is not served here.
        :raises StorageError, OSError: when it cannot be moved; it stays where it is.
        """
        with self.changing:
            for location, volume in self._holders(volume_id)[:1]:
                with location.changing:
                    volume.relocate_index(str(location.index_directory))
                return
        raise VolumeNotFound(f"volume {volume_id} not found on disk")

    def mark_read_only(self, volume_id: VolumeId, *, can_delete: bool = False, persist: bool = False) -> None:
        """Let a volume take no more writes, and deletes only when ``can_delete``; ``persist``: over a restart too.

        :raises VolumeNotFound: when it is not served here.
        """
        self.get(volume_id).mark_read_only(persist=persist, can_delete=can_delete)

    def mark_writable(self, volume_id: VolumeId) -> None:
        """Let a volume take writes again, over a restart too, and forget its I/O errors.

        :raises VolumeNotFound: when it is not served here.
        """
        self.get(volume_id).mark_writable()

    # --- telling ------------------------------------------------------------------------------------------------

    def report(self) -> StoreReport:
        """What a full heartbeat says. Removes volumes whose time to live has been over for long enough."""
        self.adjust_max_counts()
        report, overdue = collect(self.disks, self.volume_size_limit)
        for location, volume in overdue:
            with self.changing:
                remove_overdue(location, volume)
        expired = tuple(self.erasure.remove_overdue())
        return attrs.evolve(report, has_no_shards=self.erasure.is_empty, expired_shards=expired)

    def shard_reports(self) -> list[ShardReport]:
        """What a full heartbeat of shards says."""
        return self.erasure.reports()

    def adjust_max_counts(self) -> bool:
        """Work out anew how many volumes fit into the directories without configured limit.

        :returns: whether any number changed, so that the master should hear of it at once.
        """
        limit = self.volume_size_limit
        if not limit:
            return False
        is_preallocating = self.is_preallocating
        changed = [loc.adjust_max_count(limit, is_preallocating=is_preallocating) for loc in self.locations]
        return any(changed)

    def volume_statuses(self) -> list[VolumeReport]:
        """Every volume that is served, by id; the size of each is that of all content ever written."""
        found = (status_of(volume, loc.disk_type) for loc in self.locations for volume in loc.loaded())
        return sorted((status for status in found if status is not None), key=lambda status: status.id)

    def _announce(self, kind: Callable[[VolumeReport], Event], location: Location, volume: Volume) -> None:
        self._publish(kind, report_of(volume, location.disk_type))

    def _publish(self, kind: Callable[[VolumeReport], Event], report: VolumeReport | None) -> None:
        if report is not None:
            self.events.publish(kind(report))
