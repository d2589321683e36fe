"""Files that are open only while they are used: for servers with more volumes than descriptors.

A tiered volume needs its index now and then only, and there may be ten thousand of them. A pool keeps some of their
files open and lets go of the one that was used longest ago. Letting go closes nothing that somebody still reads:
descriptors live as long as they are referred to.
"""

from __future__ import annotations

import errno
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import attrs
from zope.interface import implementer

from seaweedvol.storage.backend.disk import DiskFile, PinnedDescriptor
from seaweedvol.storage.backend.interfaces import IVolumeFile

MAX_OPEN: Final = 256


@attrs.define(eq=False)
class FilePool:
    """Keeps at most ``limit`` files open."""

    limit: int = MAX_OPEN
    _open: OrderedDict[int, DiskFile] = attrs.Factory(OrderedDict)
    # A file that is let go of while another is opened comes here a second time.
    _lock: threading.RLock = attrs.Factory(threading.RLock)

    def get(self, owner: PooledFile, opening: Callable[[], DiskFile]) -> DiskFile:
        """The open file of ``owner``, opened if it is not.

        :raises OSError: when it cannot be.
        """
        with self._lock:
            file = self._open.get(id(owner))
            if file is None:
                file = self._open[id(owner)] = opening()
                if len(self._open) > self.limit:
                    self._open.popitem(last=False)
            else:
                self._open.move_to_end(id(owner))
            return file

    def forget(self, owner: PooledFile) -> None:
        """Let go of its file."""
        with self._lock:
            self._open.pop(id(owner), None)

    @property
    def open_count(self) -> int:
        """How many files are open."""
        return len(self._open)


#: The one of this process: descriptors are the process's.
POOL: Final = FilePool()


@implementer(IVolumeFile)
class PooledFile:
    """An :class:`IVolumeFile` that is opened when it is used.

    :param role: as for :class:`DiskFile`.
    :raises OSError: when it cannot be opened now.
    """

    __slots__ = ("path", "_writable", "_role", "_pool", "_length", "_is_closed")

    def __init__(self, path: str, *, writable: bool = True, create: bool = False, role: str = "file",
                 pool: FilePool = POOL) -> None:
        self.path = path
        self._writable = writable
        self._role = role
        self._pool = pool
        self._is_closed = False
        file = DiskFile(path, writable=writable, create=create, role=role)
        self._length = file.length()

    def __del__(self) -> None:
        self._pool.forget(self)

    def _opening(self) -> DiskFile:
        return DiskFile(self.path, writable=self._writable, role=self._role)

    def _file(self) -> DiskFile:
        if self._is_closed:
            raise OSError(errno.EBADF, "file already closed", self.path)
        return self._pool.get(self, self._opening)

    def read_at(self, length: int, offset: int) -> bytes:
        return self._file().read_at(length, offset)

    def pinned(self) -> Callable[[int, int], bytes]:
        self._file()
        return self._read_pinned

    def _read_pinned(self, length: int, offset: int) -> bytes:
        # After a close too; then it is opened for this one read.
        file = self._opening() if self._is_closed else self._pool.get(self, self._opening)
        return file.read_at(length, offset)

    def read_now(self, view: memoryview, offset: int) -> int:
        return self._file().read_now(view, offset)

    def pinned_descriptor(self) -> PinnedDescriptor:
        return self._file().pinned_descriptor()

    def write_at(self, data: bytes | memoryview, offset: int) -> None:
        self._file().write_at(data, offset)
        self._length = max(self._length, offset + len(data))

    def truncate(self, length: int) -> None:
        self._file().truncate(length)
        self._length = length

    def sync(self) -> None:
        # What was written through a descriptor that is closed by now is synced through any other.
        self._file().sync()

    def length(self) -> int:
        return self._length

    def modified_at(self) -> float:
        return self._file().modified_at()

    def close(self) -> None:
        self._is_closed = True
        self._pool.forget(self)
