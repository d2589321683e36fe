"""Records of needles handed over as they lie in the .dat: how peers compare and repair their copies of a volume.

Blocking, callable from any thread. Texts of refusals are SeaweedFS 4.44's (``volume_grpc_read_write.go``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seaweedvol.server.errors import Refused
from seaweedvol.server.finding import find
from seaweedvol.storage.errors import StorageError

if TYPE_CHECKING:
    from seaweedvol.storage.format.needle import Needle
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.store.store import Store


def read_blob(store: Store, volume_id: VolumeId, offset: int, size: int) -> bytes:
    """The record at a byte offset, as it lies there.

    :param size: what its header says, as in the row of the .idx.
    :raises Refused: when the volume is not here, or its .dat has no such bytes.
    """
    volume = find(store, volume_id)
    try:
        return volume.read_blob(offset, size)
    except (StorageError, OSError) as error:
        raise Refused(f"read needle blob offset {offset} size {size}: {error}") from error


def read_meta(store: Store, volume_id: VolumeId, offset: int, size: int) -> Needle:
    """The needle of the record at a byte offset, without its data.

    :param size: negative, as in the row of a deletion, for one that is empty.
    :raises Refused: when the volume is not here.
    :raises StorageError: when there is no such record.
    """
    volume = store.find(volume_id)
    if volume is None:
        raise Refused(f"not found volume id {volume_id} and read needle metadata at ec shards is not supported")
    return volume.read_meta(offset, size)


def write_blob(store: Store, volume_id: VolumeId, key: int, blob: bytes, size: int) -> None:
    """Append a record under ``key``, unless the needle there is the same already.

    :raises Refused: when the volume is not here or does not take it, or ``blob`` is no sound record of this size.
    """
    volume = find(store, volume_id)
    try:
        volume.write_blob(key, blob, size)
    except (StorageError, OSError) as error:
        raise Refused(f"write blob needle {key} size {size}: {error}") from error
