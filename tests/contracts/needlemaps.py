"""How each kind of needle map is opened over the rows of an .idx, for tests that hold all of them to one contract."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from seaweedvol.storage.backend import IVolumeFile
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.needlemap import INeedleMap, MapKind, MapSettings, MemoryNeedleMap, read_rows, replay
from seaweedvol.storage.needlemap.sorted import open_sorted_map
from seaweedvol.storage.needlemap.tally import tally
from seaweedvol.storage.needlemap.upgrading import UpgradingNeedleMap

FIXED_LENGTH = 28

NO_LEVELDB = None if find_spec("plyvel") else "plyvel is not installed"
"""Why tests of LevelDB cannot run here."""

OpenMap = Callable[[IVolumeFile, OffsetWidth, str], INeedleMap]
"""From an .idx, the width of its offsets and a path without suffix to a map that answers what the rows say."""


def open_memory(index: IVolumeFile, width: OffsetWidth, base: str) -> INeedleMap:
    """In memory."""
    return MemoryNeedleMap(index, width, *replay(read_rows(index, width), FIXED_LENGTH))


def open_sorted(index: IVolumeFile, width: OffsetWidth, base: str) -> INeedleMap:
    """The .sdx, which takes no puts."""
    rows = read_rows(index, width)
    return open_sorted_map(base + ".sdx", index, rows, *tally(rows, FIXED_LENGTH))


def open_upgrading(index: IVolumeFile, width: OffsetWidth, base: str) -> INeedleMap:
    """The .sdx until a put comes, then in memory."""
    rows = read_rows(index, width)
    sorted_map = open_sorted_map(base + ".sdx", index, rows, *tally(rows, FIXED_LENGTH))
    return UpgradingNeedleMap(sorted_map, lambda: open_memory(index, width, base))


def open_level(kind: MapKind) -> OpenMap:
    """The .ldb with the sizes of ``kind``."""

    def opened(index: IVolumeFile, width: OffsetWidth, base: str) -> INeedleMap:
        from seaweedvol.storage.needlemap.leveldb import open_level_map
        rows = read_rows(index, width)
        return open_level_map(base + ".ldb", index, rows, rows, tally(rows, FIXED_LENGTH)[0], MapSettings(kind))

    return opened
