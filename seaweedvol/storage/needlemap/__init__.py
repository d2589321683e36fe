"""Which needle lies where: key -> (offset, size), journalled in the .idx file and kept in memory or on disk.

``leveldb`` is not named here: it needs a library that not everybody installs. Knows index rows and nothing of records.
May import ``storage.backend``, ``storage.format`` and ``storage.errors``.
"""

from seaweedvol.storage.needlemap.counts import Counts
from seaweedvol.storage.needlemap.interfaces import INeedleMap
from seaweedvol.storage.needlemap.kinds import MapKind, MapSettings
from seaweedvol.storage.needlemap.memory import MemoryNeedleMap
from seaweedvol.storage.needlemap.replay import replay
from seaweedvol.storage.needlemap.rows import Rows, read_rows

__all__ = ["Counts", "INeedleMap", "MapKind", "MapSettings", "MemoryNeedleMap", "Rows", "read_rows", "replay"]
