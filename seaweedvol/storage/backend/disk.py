"""Files on disk: all file I/O of the storage core goes through here, past a failpoint.

A reader must never meet a file descriptor number that was closed and given to another file meanwhile. Therefore the
descriptor belongs to a small object that closes it when the last reference goes: a reader holds one for the length of
its ``pread``, and closing a :class:`DiskFile` only drops the file's own. No lock, no counter, nothing on the road of a
read but one attribute access.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import Final

from zope.interface import implementer

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend.interfaces import WOULD_WAIT, IPinnedDescriptor, IVolumeFile
from seaweedvol.storage.tallies import SYNCS

FILE_MODE: Final = 0o644
#: A read that took longer has waited for a device; then none is tried for a while where that cannot be known before.
SLOW_READ_SECONDS: Final = 0.005
SLOW_FOR_SECONDS: Final = 1.0
_KEEP_SIZE: Final = 1  # FALLOC_FL_KEEP_SIZE: reserve blocks without changing the length
_BEGIN_WRITE: Final = 2  # SYNC_FILE_RANGE_WRITE: begin, and do not wait


@implementer(IPinnedDescriptor)
class PinnedDescriptor:
    """An open file descriptor that is closed when nobody refers to it any more."""

    __slots__ = ("number", "_promises", "_slow_until")

    def __init__(self, number: int) -> None:
        self.number = number
        # Whether the file system can say that a read would have to wait; until when reads are left alone if not.
        self._promises = True
        self._slow_until = 0.0

    def __del__(self) -> None:
        os.close(self.number)

    def read_at(self, length: int, offset: int) -> bytes:
        """As :meth:`IVolumeFile.read_at`."""
        data = os.pread(self.number, length, offset)
        if len(data) == length or not data:
            return data
        return self._read_rest(data, length, offset)

    def read_now(self, view: memoryview, offset: int) -> int:
        """As :meth:`IVolumeFile.read_now`."""
        if self._promises:
            try:
                return os.preadv(self.number, (view,), offset, os.RWF_NOWAIT)
            except BlockingIOError:
                return WOULD_WAIT
            except OSError as error:
                if error.errno != errno.EOPNOTSUPP:
                    raise
                self._promises = False
        return self._read_unless_slow(view, offset)

    def _read_unless_slow(self, view: memoryview, offset: int) -> int:
        """Read where the file system cannot promise not to wait (one in memory never would): as long as it did not
        wait the last time, or that was a while ago.
        """
        began = time.monotonic()
        if began < self._slow_until:
            return WOULD_WAIT
        length = os.preadv(self.number, (view,), offset)
        now = time.monotonic()
        if now - began > SLOW_READ_SECONDS:
            self._slow_until = now + SLOW_FOR_SECONDS
        return length

    def _read_rest(self, data: bytes, length: int, offset: int) -> bytes:
        pieces = [data]
        have = len(data)
        while have < length and pieces[-1]:
            pieces.append(os.pread(self.number, length - have, offset + have))
            have += len(pieces[-1])
        return b"".join(pieces)


@implementer(IVolumeFile)
class DiskFile:
    """An :class:`IVolumeFile` that is a file of the operating system.

    :param role: first part of the names of its failpoints, ``<role>.write`` and so on.
    """

    __slots__ = ("path", "_role", "_descriptor", "_length")

    def __init__(self, path: str, *, writable: bool = True, create: bool = False, role: str = "file") -> None:
        flags = os.O_RDWR if writable else os.O_RDONLY
        if create:
            flags |= os.O_CREAT
        self.path = path
        self._role = role
        self._descriptor: PinnedDescriptor | None = PinnedDescriptor(os.open(path, flags, FILE_MODE))
        self._length = os.fstat(self._descriptor.number).st_size

    def _open_descriptor(self) -> PinnedDescriptor:
        descriptor = self._descriptor
        if descriptor is None:
            raise OSError(errno.EBADF, "file already closed", self.path)
        return descriptor

    def read_at(self, length: int, offset: int) -> bytes:
        descriptor = self._descriptor
        if descriptor is None:
            raise OSError(errno.EBADF, "file already closed", self.path)
        return descriptor.read_at(length, offset)

    def pinned(self) -> Callable[[int, int], bytes]:
        return self._open_descriptor().read_at

    def read_now(self, view: memoryview, offset: int) -> int:
        descriptor = self._descriptor
        if descriptor is None:
            raise OSError(errno.EBADF, "file already closed", self.path)
        return descriptor.read_now(view, offset)

    def pinned_descriptor(self) -> PinnedDescriptor:
        return self._open_descriptor()

    def write_at(self, data: bytes | memoryview, offset: int) -> None:
        descriptor = self._open_descriptor()
        failpoints.reach(self._role + ".write")
        written = os.pwrite(descriptor.number, data, offset)
        if written != len(data):
            self._write_rest(descriptor, memoryview(data)[written:], offset + written)
        end = offset + len(data)
        if end > self._length:
            self._length = end
        failpoints.reach(self._role + ".written")

    def _write_rest(self, descriptor: PinnedDescriptor, rest: memoryview, offset: int) -> None:
        while rest:
            written = os.pwrite(descriptor.number, rest, offset)
            if not written:
                raise OSError(errno.EIO, "nothing more could be written", self.path)
            rest, offset = rest[written:], offset + written

    def truncate(self, length: int) -> None:
        descriptor = self._open_descriptor()
        failpoints.reach(self._role + ".truncate")
        os.ftruncate(descriptor.number, length)
        self._length = length
        failpoints.reach(self._role + ".truncated")

    def reserve(self, length: int) -> None:
        """Ask the file system for room up to ``length`` bytes without growing the file; best effort, as Go."""
        descriptor = self._open_descriptor()
        try:
            _fallocate(descriptor.number, length)
        except OSError:
            return

    def sync(self) -> None:
        descriptor = self._open_descriptor()
        failpoints.reach(self._role + ".sync")
        began = time.perf_counter()
        os.fdatasync(descriptor.number)
        SYNCS.note(time.perf_counter() - began)
        failpoints.reach(self._role + ".synced")

    def length(self) -> int:
        return self._length

    def modified_at(self) -> float:
        return os.fstat(self._open_descriptor().number).st_mtime

    def close(self) -> None:
        self._descriptor = None


def reserve_blocks(descriptor: int, length: int) -> None:
    """Take room for ``length`` bytes without growing the file, where the file system can do that.

    :raises OSError: when it can, and has no such room.
    """
    try:
        _fallocate(descriptor, length)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise


def begin_write_back(descriptor: int, offset: int, length: int) -> None:
    """Have the system begin to put a range of a file on disk, where it can; what fails there shows at the next sync."""
    import ctypes  # as below
    try:
        call = ctypes.CDLL(None).sync_file_range
    except AttributeError:
        return
    call.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    call(descriptor, offset, length, _BEGIN_WRITE)


def _fallocate(descriptor: int, length: int) -> None:
    """``fallocate(2)`` with KEEP_SIZE, which :mod:`os` does not offer (``posix_fallocate`` grows the file)."""
    import ctypes  # only here: loading it costs more than all the rest of this module
    libc = ctypes.CDLL(None, use_errno=True)
    call = libc.fallocate
    call.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    if call(descriptor, _KEEP_SIZE, 0, length):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def sync_directory(directory: str) -> None:
    """Make creations, renames and removals inside ``directory`` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        failpoints.reach("directory.sync")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename_durably(source: str, target: str) -> None:
    """Put ``source`` in the place of ``target``; both in one file system. The contents must be synced already."""
    failpoints.reach("rename")
    os.replace(source, target)
    failpoints.reach("renamed")
    sync_directory(os.path.dirname(target) or ".")


def write_aside(path: str, data: bytes) -> None:
    """Have ``path`` hold ``data`` after a crash at any moment, or what it held before: never something between."""
    temporary = path + ".tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    try:
        with open(descriptor, "wb", buffering=0) as file:
            failpoints.reach("aside.write")
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest):]
            failpoints.reach("aside.sync")
            os.fsync(descriptor)
        rename_durably(temporary, path)
    except Exception:
        _remove_quietly(temporary)
        raise


def _remove_quietly(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
