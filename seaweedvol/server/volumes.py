"""The life of volumes: made, mounted, marked, configured, deleted.

Blocking, callable from any thread. Texts of refusals are SeaweedFS 4.44's (``volume_grpc_admin.go``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from seaweedvol.server import state
from seaweedvol.server.copying import check_collection
from seaweedvol.server.errors import Kind, Refused
from seaweedvol.server.interfaces import IMasterView, MarkedVolume
from seaweedvol.storage.errors import InvalidSetting, StorageError
from seaweedvol.storage.format.placement import parse_placement
from seaweedvol.storage.format.ttl import parse_ttl
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.placing import parse_disk_type

if TYPE_CHECKING:
    from seaweedvol.storage.volume.volume import Volume
    from seaweedvol.store.store import Store


@attrs.frozen
class NewVolume:
    """What the master asks for; ``preallocate`` in bytes, ``version`` of the needle format."""

    volume_id: VolumeId
    collection: str = ""
    replication: str = ""
    ttl: str = ""
    disk_type: str = ""
    version: int = 3
    preallocate: int = 0


@attrs.frozen
class Volumes:
    """The use cases over whole volumes of ``store``; ``master`` is told when one stops or starts taking writes."""

    store: Store
    master: IMasterView

    def allocate(self, wanted: NewVolume) -> None:
        """Make an empty volume in the directory of its disk type that holds the fewest.

        :raises Refused: when the collection would leave the directory (Go follows it there).
        :raises StorageError: when it is there already, a setting is malformed, or no directory has room.
        """
        placement = parse_placement(wanted.replication)
        ttl = parse_ttl(wanted.ttl)
        check_collection(wanted.collection)
        self.store.allocate(
            wanted.volume_id, wanted.collection, placement=placement, ttl=ttl,
            disk_type=parse_disk_type(wanted.disk_type), version=wanted.version, preallocate=wanted.preallocate,
        )

    def mount(self, volume_id: VolumeId) -> None:
        """Load a volume whose files are in a data directory.

        :raises VolumeNotFound: when no directory has them.
        """
        self.store.mount(volume_id)

    def unmount(self, volume_id: VolumeId) -> None:
        """Close every copy of a volume and keep its files; one that is not mounted is none to close."""
        self.store.unmount(volume_id)

    def delete(self, volume_id: VolumeId, *, only_empty: bool = False, keep_remote: bool = False) -> None:
        """Remove every copy of a volume with its files.

        :param keep_remote: leave the object in the remote tier alone, because another copy still refers to it.
        :raises StorageError: when it is not here, is compacting, or must be empty and is not.
        """
        self.store.delete_volume(volume_id, only_empty=only_empty, keep_remote=keep_remote)

    def delete_collection(self, name: str) -> None:
        """Remove every volume of a collection, except those that are compacting; an unknown name removes none."""
        self.store.delete_collection(name)

    def configure(self, volume_id: VolumeId, replication: str, request_text: str) -> str:
        """Write another replica placement into the .vif, and load the volume anew; marks that do not persist are lost.

        :param request_text: the request as Go prints it, for the message.
        :returns: what went wrong, "" for nothing. Not an exception: the remote caller reads it from the response.
        """
        try:
            parse_placement(replication)
        except InvalidSetting as error:
            return f"volume configure replication {request_text}: {error}"
        try:
            self.store.unmount(volume_id)
        except (StorageError, OSError) as error:
            return f"volume configure unmount {request_text}: {error}"
        try:
            self.store.configure(volume_id, replication)
        except (StorageError, OSError) as error:
            return f"volume configure {request_text}: {error}{self._restore(volume_id)}"
        return ""

    def consolidate_index(self, volume_id: VolumeId) -> None:
        """Move the .idx of a volume to the directory for indexes; reads go on meanwhile.

        :raises VolumeNotFound: when it is not here.
        :raises StorageError, OSError: when it cannot be moved.
        """
        self.store.consolidate_index(volume_id)

    def mark_readonly(self, volume_id: VolumeId, *, persist: bool = False, can_delete: bool = False) -> None:
        """Take no more writes.

        The master is told first, so that it sends no writer here, and again afterwards, in case a heartbeat sent in
        between took the news back.

        :raises Refused: when the volume is not here, or in maintenance mode.
        :raises RemoteCallFailed: when the master cannot be told; the volume may be marked already.
        """
        volume = self._marked(volume_id)
        notice = _notice_of(volume)
        self.master.notify_readonly(notice, True)
        self.store.mark_read_only(volume_id, persist=persist, can_delete=can_delete)
        self.master.notify_readonly(notice, True)

    def mark_writable(self, volume_id: VolumeId) -> None:
        """Take writes again, also after a restart; an earlier quarantine for I/O errors ends.

        :raises Refused: as :meth:`mark_readonly`.
        :raises RemoteCallFailed: when the master cannot be told; the volume is writable already.
        """
        volume = self._marked(volume_id)
        self.store.mark_writable(volume_id)
        self.master.notify_readonly(_notice_of(volume), False)

    def _marked(self, volume_id: VolumeId) -> Volume:
        """The volume is looked up before maintenance mode is, as in Go: a missing one is reported as missing."""
        volume = self.store.find(volume_id)
        if volume is None:
            raise Refused(f"volume {volume_id} not found", Kind.ABSENT)
        state.check_not_in_maintenance(self.store)
        return volume

    def _restore(self, volume_id: VolumeId) -> str:
        try:
            self.store.mount(volume_id)
        except (StorageError, OSError) as error:
            return f". Also failed to restore mount: {error}"
        return ""


def _notice_of(volume: Volume) -> MarkedVolume:
    return MarkedVolume(
        volume_id=volume.id, collection=volume.collection, placement=volume.placement.to_byte(),
        ttl=volume.ttl.to_uint32(), disk_type=volume.location.disk_type,
    )
