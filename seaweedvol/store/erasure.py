"""The encoded volumes of this server, over all its directories.

Knows the locations, finds shards in them, and mounts, unmounts and removes them. Must not know who asks, other servers,
nor how bytes are made of shards. As in SeaweedFS ``storage/store_ec.go``; the texts of errors are Go's.

One volume may have shards on several disks, and then is one :class:`EcVolume` on each. Shards of different encodings
may meet on one server, so whoever puts shards together must ask for those of one encoding.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from seaweedvol.ec.shard import EcShard
from seaweedvol.ec.volume import EcVolume
from seaweedvol.storage.errors import StorageError, VolumeError
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store import settling, shardloading
from seaweedvol.store.events import ShardsAdded, ShardsRemoved, StoreEvents
from seaweedvol.store.latedeletions import LateDeletions
from seaweedvol.store.names import name_of
from seaweedvol.store.placing import parse_disk_type, place_for_shard
from seaweedvol.store.shardfiles import directories_of, index_directory_in
from seaweedvol.store.shardreport import ShardReport, appeared, shards_of, vanished

if TYPE_CHECKING:
    from seaweedvol.storage.volume.volume import Volume
    from seaweedvol.store.location import Location

_log = logging.getLogger(__name__)

Holder = tuple["Location", EcVolume]


@attrs.frozen
class Held:
    """A shard, and the volume on the same disk, which says of which encoding it is."""

    volume: EcVolume
    shard: EcShard


class ErasureStore:
    """The encoded volumes of one server. Every method may be called from any thread; :meth:`find`, :meth:`holders`,
    :meth:`held`, :meth:`shard`, :meth:`volumes` and :meth:`reports` take no lock.

    :ivar locations: the disks that are served.
    :ivar late: deletions of which a plain volume made of shards is to hear.
    """

    def __init__(self, locations: Sequence[Location], events: StoreEvents, changing: threading.RLock) -> None:
        """Touches no disk.

        :param changing: held while shards come and go; taken before the lock of a location.
        """
        self.locations = tuple(locations)
        self._events = events
        self._changing = changing
        self.late = LateDeletions(self._plain)

    def _plain(self, volume_id: VolumeId) -> Volume | None:
        return next(filter(None, (location.volumes.get(volume_id) for location in self.locations)), None)

    # --- finding ------------------------------------------------------------------------------------------------

    def find(self, volume_id: int) -> EcVolume | None:
        """The volume, for its index: that of the youngest encoding if disks differ, of the first disk if not."""
        key, best = VolumeId(volume_id), None
        for location in self.locations:
            volume = location.ec_volumes.get(key)
            if volume is not None and (best is None or volume.encode_time_ns > best.encode_time_ns):
                best = volume
        return best

    def holders(self, volume_id: int) -> list[Holder]:
        """Every disk that serves shards of the volume, in order."""
        key = VolumeId(volume_id)
        found = ((location, location.ec_volumes.get(key)) for location in self.locations)
        return [(location, volume) for location, volume in found if volume is not None]

    def held(self, volume_id: int, shard_id: int, *, encode_time_ns: int = 0) -> Held | None:
        """A shard, from the first disk that serves it.

        :param encode_time_ns: only one of this encoding; 0 for any.
        """
        for _, volume in self.holders(volume_id):
            if encode_time_ns in (0, volume.encode_time_ns):
                shard = volume.shards.get(shard_id)
                if shard is not None:
                    return Held(volume, shard)
        return None

    def shard(self, volume_id: int, shard_id: int, *, encode_time_ns: int = 0) -> EcShard | None:
        """As :meth:`held`, the shard alone."""
        found = self.held(volume_id, shard_id, encode_time_ns=encode_time_ns)
        return None if found is None else found.shard

    def volumes(self) -> list[EcVolume]:
        """Every volume of every disk, by id."""
        found = (volume for location in self.locations for volume in list(location.ec_volumes.values()))
        return sorted(found, key=lambda volume: volume.id)

    def shard_ids(self, volume_id: int) -> list[int]:
        """The numbers of all shards that are served, ascending."""
        return sorted({number for _, volume in self.holders(volume_id) for number in list(volume.shards)})

    def place_for(self, collection: str, volume_id: int, data_shards: int) -> Location | None:
        """The disk for a further shard or index of a volume: where the volume is served, else where its index lies,
        else a hard disk, else any; among these the one with most room. None when there is no room.
        """
        name = name_of(collection, VolumeId(volume_id))

        def rank(location: Location) -> int:
            if name.volume_id in location.ec_volumes:
                return 3
            if index_directory_in(location, name) is not None:
                return 2
            return 0 if location.disk_type else 1

        return place_for_shard(self.locations, data_shards, rank)

    # --- coming and going ---------------------------------------------------------------------------------------

    def mount(self, volume_id: int, collection: str, shard_ids: Iterable[int], source_disk_type: str = "") -> None:
        """Serve shards, one after the other, each from the first disk that has it. What is served already is announced
        again.

        :param source_disk_type: under which the volume is reported; "" for that of its disk.
        :raises VolumeError: when one is not there or cannot be served; those before it are.
        """
        for shard_id in shard_ids:
            self._mount(VolumeId(volume_id), collection, shard_id, source_disk_type)

    def _mount(self, volume_id: VolumeId, collection: str, shard_id: int, source_disk_type: str) -> None:
        name = name_of(collection, volume_id)
        with self._changing:
            failures = []
            owned = [index_directory_in(location, name) for location in self.locations]
            owner = next(filter(None, owned), None)
            for location, own in zip(self.locations, owned, strict=True):
                try:
                    volume = shardloading.load_shard(
                        location, collection, volume_id, shard_id, index_directory=None if own else owner,
                        directories=directories_of(self.locations))
                except FileNotFoundError:
                    continue
                except (StorageError, OSError) as error:
                    failures.append(f"{location.directory}: {error}")
                    continue
                if source_disk_type:
                    volume.disk_type = parse_disk_type(source_disk_type)
                _log.info("shard %d of volume %d is served from %s", shard_id, volume_id, location.directory)
                self._events.publish(ShardsAdded(appeared(volume, (volume.shards[shard_id],))))
                return
            raise VolumeError(_not_mounted(volume_id, shard_id, failures, is_index_there=owner is not None))

    def unmount(self, volume_id: int, shard_ids: Iterable[int], encode_time_ns: int = 0) -> None:
        """Serve shards no more, on any disk; their files stay. One that is not served is none to unmount.

        :param encode_time_ns: only those of an older encoding, known as such; 0 for all.
        """
        with self._changing:
            for shard_id in shard_ids:
                for location, volume in self.holders(volume_id):
                    if encode_time_ns and not 0 < volume.encode_time_ns < encode_time_ns:
                        continue
                    if shardloading.unload_shard(location, volume.id, shard_id) is not None:
                        _log.info("shard %d of volume %d is not served any more", shard_id, volume_id)
                        self._events.publish(ShardsRemoved(vanished(volume, (shard_id,))))
            self._forget(volume_id)

    def _forget(self, volume_id: int) -> None:
        if not self.holders(volume_id):
            self.late.forget(VolumeId(volume_id))

    def reopen(self, volume_id: int, shard_ids: Iterable[int]) -> None:
        """Have shards that are served read from the files that are in their places by now. None is missed meanwhile,
        and reads that have begun end with the old ones. One that is not served is none to reopen, and where there is
        no file that can be read the old one, which nobody else can see, is served still.
        """
        wanted = tuple(shard_ids)
        with self._changing:
            for location, volume in self.holders(volume_id):
                for shard_id in wanted:
                    try:
                        is_served = shardloading.reopen_shard(location, volume, shard_id)
                    except OSError as error:
                        _log.warning("shard %d of volume %d is read from the old file: %s", shard_id, volume_id, error)
                        continue
                    if is_served:
                        _log.info("shard %d of volume %d is another file now", shard_id, volume_id)
                        self._events.publish(ShardsAdded(appeared(volume, (volume.shards[shard_id],))))

    def unload(self, volume_id: int, locations: Iterable[Location] | None = None) -> None:
        """Serve no shard of a volume any more, and let go of all its files, which stay.

        :param locations: only on these disks; None for all.
        """
        self._end(volume_id, shardloading.unload_volume, locations)

    def destroy(self, volume_id: int, locations: Iterable[Location] | None = None) -> None:
        """Remove a volume, with the files of all shards that are served; ``locations`` as for :meth:`unload`.

        :raises OSError: when a file stays; the volume is served no more all the same.
        """
        self._end(volume_id, shardloading.destroy_volume, locations)

    def _end(self, volume_id: int, end: Callable[[Location, VolumeId], EcVolume | None],
             locations: Iterable[Location] | None) -> None:
        problem: OSError | None = None
        with self._changing:
            for location, volume in self.holders(volume_id):
                if locations is not None and location not in locations:
                    continue
                gone = vanished(volume, volume.shard_ids)
                try:
                    end(location, volume.id)
                except OSError as error:
                    problem = problem or error
                self._events.publish(ShardsRemoved(gone))
            self._forget(volume_id)
        if problem is not None:
            raise problem

    def delete_collection(self, location: Location, collection: str) -> list[str]:
        """Remove the encoded volumes of a collection from one disk; why, for each of which a file stays."""
        failures = []
        for volume in list(location.ec_volumes.values()):
            if volume.collection == collection:
                try:
                    self.destroy(volume.id, (location,))
                except OSError as error:
                    failures.append(str(error))
        return failures

    def settle(self, *, is_start: bool = False) -> None:
        """Once all disks have loaded what they can on their own: do what takes a view of all of them.

        :param is_start: whether nobody can be writing shards yet, so that leftovers may be removed.
        """
        with self._changing:
            settling.settle(self.locations, is_start=is_start)

    @contextlib.contextmanager
    def announcing(self) -> Iterator[None]:
        """Say afterwards which shards have come and gone meanwhile. Keeps nobody from mounting others."""
        before = {volume: set(volume.shards) for volume in self.volumes()}
        yield
        for volume in self.volumes():
            known = before.pop(volume, set())
            fresh = [shard for shard in volume.loaded() if shard.id not in known]
            if fresh:
                self._events.publish(ShardsAdded(appeared(volume, fresh)))
        for volume, shard_ids in before.items():
            self._events.publish(ShardsRemoved(vanished(volume, shard_ids)))

    # --- needles ------------------------------------------------------------------------------------------------

    def tombstone(self, volume_id: int, key: int) -> None:
        """Delete a needle, durably and on every disk that has the volume, so that it stays deleted when one of them is
        gone. Nothing to do where it is not there.

        :raises OSError: when a journal cannot be written.
        :raises StorageError: when it cannot be deleted in the plain volume that was made of the shards.
        """
        written: set[str] = set()
        for _, volume in self.holders(volume_id):
            # Disks that share an index directory share the journal.
            if volume.journal.path in written:
                volume.journal.note(key)
            else:
                volume.tombstone(key)
                written.add(volume.journal.path)
        self.late.note(VolumeId(volume_id), key)

    def is_deleted(self, volume_id: int, key: int) -> bool:
        """Whether any disk knows a needle as deleted since the volume was encoded. What was deleted from an older
        encoding may have come back before this one.
        """
        volume = self.find(volume_id)
        return volume is not None and any(
            each.journal.contains(key) for _, each in self.holders(volume_id)
            if each.encode_time_ns == volume.encode_time_ns)

    # --- telling ------------------------------------------------------------------------------------------------

    def reports(self) -> list[ShardReport]:
        """Everything that is served, but from disks that do not answer."""
        return [
            shards_of(volume) for location in self.locations if not location.is_unavailable
            for volume in list(location.ec_volumes.values())
        ]

    @property
    def is_empty(self) -> bool:
        """Whether :meth:`reports` has nothing to say."""
        return not any(location.ec_volumes for location in self.locations if not location.is_unavailable)

    def remove_overdue(self) -> list[ShardReport]:
        """Remove the volumes whose time to live is over.

        :returns: what was removed.
        """
        removed = []
        for location in self.locations:
            if location.is_unavailable:
                continue
            for volume in [each for each in list(location.ec_volumes.values()) if each.is_overdue()]:
                gone = shards_of(volume)
                with self._changing:
                    if location.ec_volumes.get(volume.id) is not volume:
                        # Meanwhile it went, and may have come back as another encoding, whose time is not over.
                        continue
                    try:
                        shardloading.destroy_volume(location, volume.id)
                    except OSError as error:
                        _log.warning("ec volume %d has expired and cannot be removed: %s", volume.id, error)
                _log.info("ec volume %d has expired and is removed from %s", volume.id, location.directory)
                removed.append(gone)
        return removed


def _not_mounted(volume_id: int, shard_id: int, failures: Sequence[str], *, is_index_there: bool) -> str:
    head = f"MountEcShards {volume_id}.{shard_id}"
    if failures:
        return f"{head} load failures: {'; '.join(failures)}"
    return f"{head} not found on disk" if is_index_there else f"{head}: no .ecx index found on any local disk"
