"""Which shards and indexes of encoded volumes lie in a directory.

Knows names and lengths, opens no file. As in SeaweedFS ``storage/disk_location_ec.go`` (``loadAllEcShards``) and
``store_ec_reconcile.go`` (``indexEcxOwners``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Protocol

from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import MAX_SHARDS
from seaweedvol.store.names import VolumeName, parse_base

#: An empty shard may be one that is being copied right now; one that is older is what a failed copy left.
EMPTY_SHARD_SECONDS: Final = 3600
_NUMBER_LENGTH: Final = 2


class Place(Protocol):
    """What is asked of a location."""

    @property
    def directory(self) -> Path:
        """Where its shards lie."""
        ...

    @property
    def index_directory(self) -> Path:
        """Where indexes lie; those of shards may lie with the shards."""
        ...


def parse_shard(file_name: str) -> tuple[VolumeName, int] | None:
    """Volume and number of a shard, from the name of its file; None for any other file."""
    base, dot, number = file_name.rpartition(".ec")
    if not dot or len(number) != _NUMBER_LENGTH or not (number.isascii() and number.isdigit()):
        return None
    name = parse_base(base)
    return None if name is None or int(number) >= MAX_SHARDS else (name, int(number))


def find_shards(directory: Path) -> dict[VolumeName, list[int]]:
    """The numbers of the shards that lie in a directory, ascending, by volume; empty files do not count.

    :raises OSError: when the directory cannot be read.
    """
    volumes: dict[VolumeName, list[int]] = {}
    for entry, name, number in _shards(directory):
        if entry.stat().st_size:
            volumes.setdefault(name, []).append(number)
    return {name: sorted(numbers) for name, numbers in sorted(volumes.items(), key=lambda item: item[0].base)}


def remove_empty_shards(directory: Path) -> Iterator[str]:
    """Remove empty shards that nobody is about to fill: a rebuild would take them for shards. Yields their paths.

    :raises OSError: when the directory cannot be read, or a file not be removed.
    """
    youngest = time.time() - EMPTY_SHARD_SECONDS
    for entry, _, _ in _shards(directory):
        found = entry.stat()
        if not found.st_size and found.st_mtime < youngest:
            os.unlink(entry.path)
            yield entry.path


def directories_of(places: Iterable[Place]) -> list[str]:
    """Every directory of these places, once."""
    return list(dict.fromkeys(str(each) for place in places for each in (place.directory, place.index_directory)))


def paths_in(place: Place, name: VolumeName, index_directory: Path | None = None) -> EcPaths:
    """The files of a volume, with its index in another directory than the place's own if one is given."""
    directories = str(place.directory), str(index_directory or place.index_directory)
    return EcPaths(*directories, name.collection, name.volume_id)


def index_directory_in(place: Place, name: VolumeName) -> Path | None:
    """Where the index of a volume is, if the place has one that is not empty."""
    for directory in (place.directory, place.index_directory):
        path = directory / f"{name.base}.ecx"
        if path.is_file() and path.stat().st_size:
            return directory
    return None


def _shards(directory: Path) -> Iterator[tuple[os.DirEntry[str], VolumeName, int]]:
    with os.scandir(directory) as entries:
        for entry in entries:
            found = parse_shard(entry.name)
            if found is not None and entry.is_file():
                yield entry, *found
