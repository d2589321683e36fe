"""Which needle lies where: key -> (offset, size), kept in memory and journalled in the .idx file.

Knows index rows and nothing of records. May import ``storage.backend``, ``storage.format`` and ``storage.errors``.
"""

from seaweedvol.storage.needlemap.counts import Counts
from seaweedvol.storage.needlemap.interfaces import INeedleMap
from seaweedvol.storage.needlemap.memory import MemoryNeedleMap
from seaweedvol.storage.needlemap.replay import replay
from seaweedvol.storage.needlemap.rows import Rows, read_rows

__all__ = ["Counts", "INeedleMap", "MemoryNeedleMap", "Rows", "read_rows", "replay"]
