"""A volume that has come from another server takes the place of the one of the same id that is here, if there is one.

As in SeaweedFS ``volume_grpc_copy.go`` (``VolumeCopy``), which removes the old one before it copies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seaweedvol.storage.errors import StorageError, VolumeError
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.arriving import Arrival
from seaweedvol.storage.volume.removing import remove_files

if TYPE_CHECKING:
    from seaweedvol.storage.volume.volume import Volume
    from seaweedvol.store.location import Location
    from seaweedvol.store.store import Store


def replace(store: Store, location: Location, arrival: Arrival, note: str) -> Volume:
    """Serve a volume whose files have come to a location, instead of those of the same id that are here.

    :param note: as for :meth:`Arrival.publish`.
    :raises VolumeError: when an old one cannot be removed, or the new one not be loaded; then that is removed.
    :raises OSError: when the files cannot take their places.
    """
    volume_id = VolumeId(arrival.paths.volume_id)
    with store.changing, location.changing:
        if store.find(volume_id) is not None:
            try:
                # What the copy refers to in an object store may be what the old one does.
                store.delete_volume(volume_id, keep_remote=True)
            except (StorageError, OSError) as error:
                raise VolumeError(f"failed to delete existing volume {volume_id}: {error}") from error
        arrival.publish(note)
        try:
            return store.mount(volume_id)
        except StorageError as error:
            remove_files(arrival.paths)
            raise VolumeError(f"failed to mount volume {volume_id}: {error}") from error
