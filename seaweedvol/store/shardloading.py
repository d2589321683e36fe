"""Shards of one directory begin and end to be served.

Knows one location and the encoded volumes in it. Must not know the other locations: where an index lies that is not
here, it is told. As in SeaweedFS ``storage/disk_location_ec.go``.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seaweedvol.ec.opening import open_volume
from seaweedvol.ec.shard import EcShard
from seaweedvol.ec.volume import EcVolume
from seaweedvol.storage.errors import StorageError, VolumeError
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.names import VolumeName, name_of
from seaweedvol.store.shardfiles import find_shards, index_directory_in, paths_in, remove_empty_shards

if TYPE_CHECKING:
    from seaweedvol.store.location import Location

_log = logging.getLogger(__name__)


def load_shard(location: Location, collection: str, volume_id: VolumeId, shard_id: int, *,
               index_directory: Path | None = None, directories: Sequence[str] = ()) -> EcVolume:
    """Serve one shard of this directory; one that is served already stays so.

    :param index_directory: where the index is, when neither of the location's own directories has it.
    :param directories: where a .vif may be that is not here.
    :returns: its volume.
    :raises FileNotFoundError: when the shard or the index is not there; an empty shard is none.
    :raises VolumeError: when a volume of the same id and another collection is served here.
    :raises OSError: when a file cannot be read.
    """
    paths = paths_in(location, name_of(collection, volume_id), index_directory)
    with location.changing:
        shard = _opened(shard_id, paths.shard(shard_id))
        try:
            volume = location.ec_volumes.get(volume_id)
            if volume is None:
                volume = open_volume(paths, width=location.width, report=_log.warning, directories=directories)
                volume.disk_id, volume.disk_type = location.disk_id, location.disk_type
            elif volume.collection != collection:
                raise VolumeError(f"ec volume {volume_id} of collection {volume.collection!r} is served already")
        except BaseException:
            shard.close()
            raise
        volume.add(shard)
        # Only now: whoever finds a volume finds a shard in it.
        location.ec_volumes[volume_id] = volume
    return volume


def load_volume(location: Location, name: VolumeName, shard_ids: Iterable[int], *,
                index_directory: Path | None = None, directories: Sequence[str] = ()) -> bool:
    """Serve all these shards of a volume, or as many as can be; whether that are all. Never raises: the files stay,
    and what keeps them from being served may pass.
    """
    try:
        for shard_id in shard_ids:
            load_shard(location, name.collection, name.volume_id, shard_id, index_directory=index_directory,
                       directories=directories)
    except (StorageError, OSError) as error:
        _log.error("%s: the shards are not served: %s", location.directory / name.base, error)
        return False
    return True


def unload_shard(location: Location, volume_id: VolumeId, shard_id: int) -> EcVolume | None:
    """Serve a shard no more, and its volume neither if it was the last; its files stay.

    :returns: the volume, None when the shard was not served.
    """
    with location.changing:
        volume = location.ec_volumes.get(volume_id)
        if volume is None or shard_id not in volume.shards:
            return None
        if len(volume.shards) == 1:
            del location.ec_volumes[volume_id]
        volume.remove(shard_id)
        if not volume.shards:
            volume.close()
    return volume


def reopen_shard(location: Location, volume: EcVolume, shard_id: int) -> bool:
    """Read a shard from the file that is in its place now; whether it is served.

    :raises FileNotFoundError: when there is none, or an empty one.
    :raises OSError: when it cannot be read; in any case the old one is served still.
    """
    with location.changing:
        if location.ec_volumes.get(volume.id) is not volume or shard_id not in volume.shards:
            return False
        volume.replace(_opened(shard_id, volume.paths.shard(shard_id)))
    return True


def _opened(shard_id: int, path: str) -> EcShard:
    shard = EcShard(shard_id, path)
    if not shard.length:
        shard.close()
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return shard


def unload_volume(location: Location, volume_id: VolumeId) -> EcVolume | None:
    """Serve no shard of a volume any more; its files stay.

    :returns: the volume, closed; None when none was served.
    """
    with location.changing:
        volume = location.ec_volumes.pop(volume_id, None)
        if volume is not None:
            volume.close()
    return volume


def destroy_volume(location: Location, volume_id: VolumeId) -> EcVolume | None:
    """As :func:`unload_volume`, and remove the shards and all that belongs to them.

    :raises OSError: when a file stays; the volume is served no more all the same.
    """
    with location.changing:
        volume = location.ec_volumes.pop(volume_id, None)
        if volume is not None:
            volume.destroy()
    return volume


def load_all(location: Location) -> None:
    """Serve every shard whose index is in the same location; what has none here, or an empty one, waits for those who
    see all disks.

    Of a volume that is served as a .dat here, no shard is served.

    :raises OSError: when a directory cannot be read.
    """
    for place in dict.fromkeys((location.directory, location.index_directory)):
        for path in remove_empty_shards(place):
            _log.warning("%s is removed: it is empty, and nobody is about to fill it", path)
    for name, shard_ids in find_shards(location.directory).items():
        if not name.is_text:
            _log.error("%s: the shards are not served: the collection is not UTF-8, so no master could be told of it",
                       location.directory / name.base)
            continue
        is_free = location.volumes.get(name.volume_id) is None
        if is_free and index_directory_in(location, name) is not None:
            load_volume(location, name, shard_ids)


def waiting(location: Location) -> dict[VolumeName, list[int]]:
    """The shards of this directory that are not served and could be.

    :raises OSError: when it cannot be read.
    """
    left = {}
    for name, shard_ids in find_shards(location.directory).items():
        volume = location.ec_volumes.get(name.volume_id)
        served = volume.shards if volume is not None and volume.collection == name.collection else {}
        if name.is_text and (missing := [shard_id for shard_id in shard_ids if shard_id not in served]):
            left[name] = missing
    return left
