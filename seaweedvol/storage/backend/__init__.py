"""Where the bytes of a volume live: files on disk, or memory in tests.

Knows offsets and lengths, nothing of needles. May import ``storage.failpoints`` and ``storage.errors`` only.
"""

from seaweedvol.storage.backend.disk import DiskFile, rename_durably, sync_directory, write_aside
from seaweedvol.storage.backend.interfaces import IVolumeFile
from seaweedvol.storage.backend.memory import MemoryFile

__all__ = ["DiskFile", "IVolumeFile", "MemoryFile", "rename_durably", "sync_directory", "write_aside"]
