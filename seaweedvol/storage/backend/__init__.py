"""Where the bytes of a volume live: files on disk, or memory in tests.

Knows offsets and lengths, nothing of needles. May import ``storage.failpoints`` and ``storage.errors`` only.
"""

from seaweedvol.storage.backend.disk import DiskFile, PinnedDescriptor, rename_durably, sync_directory, write_aside
from seaweedvol.storage.backend.interfaces import WOULD_WAIT, IPinnedDescriptor, IRemoteFiles, IVolumeFile
from seaweedvol.storage.backend.memory import MemoryFile
from seaweedvol.storage.backend.pooled import PooledFile

__all__ = [
    "WOULD_WAIT", "DiskFile", "IPinnedDescriptor", "IRemoteFiles", "IVolumeFile", "MemoryFile", "PinnedDescriptor",
    "PooledFile", "rename_durably", "sync_directory", "write_aside",
]
