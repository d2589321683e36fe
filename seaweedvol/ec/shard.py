"""One shard file that is being served.

Knows a file of bytes and its number. Must not know what the bytes mean, nor which volume they are of. As in SeaweedFS
``erasure_coding/ec_shard.go``.
"""

from __future__ import annotations

from collections.abc import Callable

from seaweedvol.storage.backend import DiskFile, IPinnedDescriptor

FILE_ROLE = "shard"


class EcShard:
    """A shard, open for reading. Any thread; no method takes a lock.

    :ivar id: the number of the shard, 0 for the first.
    :ivar path: of its file.
    :ivar length: bytes it had when it was opened; nobody writes to a shard that is served.
    """

    __slots__ = ("id", "path", "length", "_file")

    def __init__(self, shard_id: int, path: str) -> None:
        """Open the file.

        :raises FileNotFoundError: when there is none.
        :raises OSError: when it cannot be read.
        """
        self.id = shard_id
        self.path = path
        self._file = DiskFile(path, writable=False, role=FILE_ROLE)
        self.length = self._file.length()

    def __repr__(self) -> str:
        return f"EcShard({self.id}, {self.path!r})"

    def read_at(self, length: int, offset: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only where the shard ends.

        :raises OSError: when it cannot be read, or is closed.
        """
        return self._file.read_at(length, offset)

    @property
    def descriptor(self) -> IPinnedDescriptor:
        """The open file, which stays open as long as somebody holds this.

        :raises OSError: when the shard is closed.
        """
        return self._file.pinned_descriptor()

    def pinned(self) -> Callable[[int, int], bytes]:
        """:meth:`read_at` of the open file, which stays open as long as somebody holds this.

        :raises OSError: when the shard is closed.
        """
        return self._file.pinned()

    def close(self) -> None:
        """Let go of the file; reads that have begun end well."""
        self._file.close()
