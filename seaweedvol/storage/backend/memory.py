"""Files in memory: the second implementation, which keeps the contract honest and tests fast."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable

from zope.interface import implementer

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend.interfaces import IVolumeFile


@implementer(IVolumeFile)
class MemoryFile:
    """An :class:`IVolumeFile` without a disk.

    ``synced`` counts the calls of :meth:`sync`, for tests of group commit.
    """

    def __init__(self, data: bytes = b"", path: str = "<memory>", *, role: str = "file") -> None:
        self.path = path
        self.synced = 0
        self._role = role
        self._data = bytearray(data)
        self._modified_at = time.time()
        self._is_closed = False

    def _check(self) -> None:
        if self._is_closed:
            raise OSError(errno.EBADF, "file already closed", self.path)

    def _read(self, length: int, offset: int) -> bytes:
        return bytes(self._data[offset:offset + length])

    def read_at(self, length: int, offset: int) -> bytes:
        self._check()
        return self._read(length, offset)

    def pinned(self) -> Callable[[int, int], bytes]:
        self._check()
        return self._read

    def read_now(self, view: memoryview, offset: int) -> int:
        self._check()
        data = self._read(len(view), offset)
        view[:len(data)] = data
        return len(data)

    def pinned_descriptor(self) -> None:
        self._check()

    def write_at(self, data: bytes | memoryview, offset: int) -> None:
        self._check()
        failpoints.reach(self._role + ".write")
        if offset > len(self._data):
            self._data.extend(bytes(offset - len(self._data)))
        self._data[offset:offset + len(data)] = data
        self._modified_at = time.time()
        failpoints.reach(self._role + ".written")

    def truncate(self, length: int) -> None:
        self._check()
        failpoints.reach(self._role + ".truncate")
        if length > len(self._data):
            self._data.extend(bytes(length - len(self._data)))
        del self._data[length:]
        self._modified_at = time.time()
        failpoints.reach(self._role + ".truncated")

    def sync(self) -> None:
        self._check()
        failpoints.reach(self._role + ".sync")
        self.synced += 1
        failpoints.reach(self._role + ".synced")

    def length(self) -> int:
        return len(self._data)

    def modified_at(self) -> float:
        self._check()
        return self._modified_at

    def close(self) -> None:
        self._is_closed = True
