"""What a request is about: a volume of this server, or a disk for what comes to it.

Blocking where the store is. Texts of refusals are SeaweedFS 4.44's, which has several for the same thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seaweedvol.ec.ratio import DEFAULT_RATIO
from seaweedvol.server.errors import Kind, Refused

if TYPE_CHECKING:
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.storage.volume.volume import Volume
    from seaweedvol.store.location import Location
    from seaweedvol.store.store import Store


def find(store: Store, volume_id: VolumeId) -> Volume:
    """The volume.

    :raises Refused: when it is not here.
    """
    volume = store.find(volume_id)
    if volume is None:
        raise Refused(f"not found volume id {volume_id}", Kind.ABSENT)
    return volume


def find_in_collection(store: Store, volume_id: VolumeId, collection: str) -> Volume:
    """The volume, for one who says what collection it is of.

    :raises Refused: when it is not here, or of another one.
    """
    volume = store.find(volume_id)
    if volume is None:
        raise Refused(f"volume {volume_id} not found", Kind.ABSENT)
    if volume.collection != collection:
        raise Refused(f"existing collection:{volume.collection} unexpected input: {collection}")
    return volume


def disk_for_shards(store: Store, volume_id: VolumeId, collection: str, disk_id: int, *, no_room: str) -> Location:
    """The disk for shards that come from elsewhere.

    :param disk_id: which one it shall be; 0 for any.
    :param no_room: what to say when none has room.
    :raises Refused: when there is none.
    """
    count = len(store.disks)
    if disk_id >= count:
        raise Refused(f"invalid disk_id {disk_id}: only have {count} disks")
    if disk_id:
        chosen = store.disks[disk_id]
        if chosen.trouble:
            raise Refused(f"disk {disk_id} is not served: {chosen.trouble}")
        return chosen
    found = store.erasure.place_for(collection, volume_id, DEFAULT_RATIO.data)
    if found is None:
        raise Refused(no_room)
    return found
