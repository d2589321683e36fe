"""Removing shards of broken off encodings that only who sees all disks can tell from shards of which the others are on
other servers.

Knows locations and the encoded volumes in them. As in SeaweedFS ``storage/store_ec_reconcile.go``
(``pruneIncompleteEcWithSiblingDat``).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seaweedvol.ec.volume import EcVolume
from seaweedvol.store.brokenoff import is_begun, remove_encoded
from seaweedvol.store.names import VolumeName, name_of, parse_base
from seaweedvol.store.shardfiles import index_directory_in, paths_in
from seaweedvol.store.shardloading import unload_volume, waiting

if TYPE_CHECKING:
    from seaweedvol.store.location import Location

_log = logging.getLogger(__name__)

_DataFiles = dict[VolumeName, tuple["Location", int]]


def prune(locations: Sequence[Location]) -> None:
    """Remove what encodings left that did not end. What cannot be removed stays.

    For the start: who encodes now would lose what is not whole yet.
    """
    if len(locations) > 1:
        data_files = _data_files(locations)
        for location in locations:
            _attempt(location, lambda: _prune_partial(location, locations, data_files))
    # With these the last index may have gone.
    for location in locations:
        _attempt(location, lambda: _prune_begun(location, locations))


def _attempt(location: Location, action: Callable[[], None]) -> None:
    try:
        action()
    except OSError as error:
        _log.error("%s: what a broken off encoding left stays: %s", location.directory, error)


def _prune_begun(location: Location, locations: Sequence[Location]) -> None:
    for name in waiting(location):
        paths = paths_in(location, name)
        has_index = paths.found() is not None or any(index_directory_in(each, name) for each in locations)
        if not has_index and is_begun(paths):
            _log.warning("%s: shards without an index are removed, the .dat they were made of is beside them",
                         paths.base)
            remove_encoded(paths)


def _prune_partial(location: Location, locations: Sequence[Location], data_files: _DataFiles) -> None:
    for volume in list(location.ec_volumes.values()):
        name = name_of(volume.collection, volume.id)
        if len(volume.shards) >= volume.ratio.data or name not in data_files:
            continue
        owner, length = data_files[name]
        if owner is not location and _is_leaving(location, locations, volume, length):
            _log.warning("%s: %d shards are removed, the .dat they were made of is in %s",
                         location.directory / name.base, len(volume.shards), owner.directory)
            unload_volume(location, volume.id)
            remove_encoded(paths_in(location, name))


def _is_leaving(location: Location, locations: Sequence[Location], volume: EcVolume, data_length: int) -> bool:
    """Whether these shards are less than the .dat of another disk, and that is to the byte what they were made of."""
    if not volume.data_length or data_length != volume.data_length:
        reason = f"the .dat on another disk has {data_length} bytes, they were made of {volume.data_length}"
    elif len(_held(locations, volume)) >= volume.ratio.data:
        reason = "with those of other disks they suffice"
    else:
        return True
    _log.warning("%s: the shards of volume %d stay: %s", location.directory, volume.id, reason)
    return False


def _held(locations: Sequence[Location], volume: EcVolume) -> set[int]:
    """The numbers of the shards of a volume on all disks."""
    same = (location.ec_volumes.get(volume.id) for location in locations)
    return {number for each in same if each is not None and each.collection == volume.collection
            for number in each.shards}


def _data_files(locations: Sequence[Location]) -> _DataFiles:
    """The .dat of each volume, on the first disk that has one, and its length in bytes."""
    found: _DataFiles = {}
    for location in locations:
        with os.scandir(location.directory) as entries:
            for entry in entries:
                path = Path(entry.name)
                name = parse_base(path.stem) if path.suffix == ".dat" and entry.is_file() else None
                if name is not None:
                    found.setdefault(name, (location, entry.stat().st_size))
    return found
