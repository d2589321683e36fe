"""The kinds of needle map that a server can be told to keep, and how much memory each may take.

Sizes as in SeaweedFS ``volume_loading.go``. Which kind a volume gets is decided where it is opened; a volume that is
not to be written has a sorted file whatever the kind.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from seaweedvol.storage.needlemap.idle import IdleWatch

_MIB: Final = 1 << 20


class MapKind(enum.Enum):
    """By the names of Go's option ``-index``."""

    MEMORY = "memory"
    LEVELDB = "leveldb"
    LEVELDB_MEDIUM = "leveldbMedium"
    LEVELDB_LARGE = "leveldbLarge"


@attrs.frozen
class LevelSizes:
    """What one LevelDB may take: bytes of blocks kept, bytes of writes collected, number of open files."""

    block_cache: int
    write_buffer: int
    open_files: int


LEVEL_SIZES: Final[Mapping[MapKind, LevelSizes]] = MappingProxyType({
    MapKind.LEVELDB: LevelSizes(2 * _MIB, 1 * _MIB, 16),
    MapKind.LEVELDB_MEDIUM: LevelSizes(4 * _MIB, 2 * _MIB, 32),
    MapKind.LEVELDB_LARGE: LevelSizes(8 * _MIB, 4 * _MIB, 64),
})


@attrs.frozen
class MapSettings:
    """What kind of map volumes get, and who closes a LevelDB that nobody asks; None: nobody."""

    kind: MapKind = MapKind.MEMORY
    idle_watch: IdleWatch | None = None
