"""The .ecj file: keys of needles deleted since the volume was encoded, 8 bytes big endian each, in order of arrival.

As SeaweedFS ``erasure_coding/ec_volume_delete.go``. A deletion counts once its key is on disk. What a crash in the
middle of an append left, fewer than 8 bytes, was promised to nobody: the next append writes over it. Another part of
the server, or a copy, may put the file away or another one in its place at any time: who appends looks whether the file
is still the one under its name, and says everything again if not. Between ``append`` and ``fold`` the lock of the file
itself (``flock``) decides.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Collection, Iterable
from typing import Final

import numpy

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend.disk import FILE_MODE, sync_directory
from seaweedvol.storage.errors import VolumeClosed
from seaweedvol.storage.format.index import NUMPY_ENTRY, TOMBSTONE_SIZE, OffsetWidth

KEY_LENGTH: Final = 8


def decode_keys(data: bytes) -> list[int]:
    """The keys in the bytes of an .ecj; an incomplete one at the end is left out."""
    keys: list[int] = numpy.frombuffer(data, ">u8", len(data) // KEY_LENGTH).tolist()
    return keys


def encode_keys(keys: Collection[int]) -> bytes:
    """The bytes of an .ecj with these keys."""
    return b"".join([key.to_bytes(KEY_LENGTH, "big") for key in keys])


def read_keys(path: str) -> list[int]:
    """The keys of the .ecj at ``path``; none when there is no such file.

    :raises OSError: when it is there and cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return decode_keys(file.read())
    except FileNotFoundError:
        return []


class Journal:
    """The deletions of one encoded volume; any thread may ask and add. The file is made by the first key.

    :raises OSError: when the file is there and cannot be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        # In order of arrival; membership is asked without the lock.
        self._keys = dict.fromkeys(read_keys(path))
        self._descriptor = -1
        self._is_closed = False

    def __len__(self) -> int:
        """Needles known to be deleted."""
        return len(self._keys)

    def contains(self, key: int) -> bool:
        """Whether the needle was deleted."""
        return key in self._keys

    def keys(self) -> list[int]:
        """All of them, in order of arrival."""
        with self._lock:
            return list(self._keys)

    def note(self, key: int) -> None:
        """Know of a deletion that the .ecx tells already, without writing anything."""
        with self._lock:
            self._keys[key] = None

    def append(self, key: int) -> bool:
        """Delete one needle, durably; whether that is new.

        :raises OSError: when it is not on disk; then nothing has changed.
        :raises VolumeClosed: after :meth:`close`.
        """
        return bool(self.merge((key,)))

    def merge(self, keys: Iterable[int]) -> int:
        """Delete these needles, with one sync; returns how many of them are new. Raises as :meth:`append`."""
        with self._lock:
            if self._is_closed:
                raise VolumeClosed(f"{self.path} is closed")
            fresh = dict.fromkeys(key for key in keys if key not in self._keys)
            if fresh:
                self._write(list(fresh))
                # Published only now that they are durable.
                self._keys |= fresh
            return len(fresh)

    def _write(self, fresh: list[int]) -> None:
        descriptor, is_another = self._locked()
        try:
            wanted = fresh
            if is_another:
                held = set(decode_keys(_read_all(descriptor)))
                wanted = [key for key in (*self._keys, *fresh) if key not in held]
            _append_durably(descriptor, wanted)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _locked(self) -> tuple[int, bool]:
        """The file under our name, locked, and whether it came to be, or to be another one, since we last wrote."""
        is_another = False
        while True:
            if self._descriptor < 0:
                is_another = True
                self._descriptor = self._open()
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            if os.fstat(self._descriptor).st_nlink:
                return self._descriptor, is_another
            self._let_go()

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDWR)
        except FileNotFoundError:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        sync_directory(os.path.dirname(self.path) or ".")
        return descriptor

    def close(self) -> None:
        """Let the file go; appending is over, asking goes on."""
        with self._lock:
            self._is_closed = True
            self._let_go()

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        if getattr(self, "_descriptor", -1) >= 0:
            os.close(self._descriptor)


def _read_all(descriptor: int) -> bytes:
    length = os.fstat(descriptor).st_size
    data = os.pread(descriptor, length, 0)
    while len(data) < length:
        more = os.pread(descriptor, length - len(data), len(data))
        if not more:
            break
        data += more
    return data


def _append_durably(descriptor: int, keys: list[int]) -> None:
    end = os.fstat(descriptor).st_size // KEY_LENGTH * KEY_LENGTH
    rest, at = memoryview(encode_keys(keys)), end
    try:
        failpoints.reach("ecj.write")
        while rest:
            written = os.pwrite(descriptor, rest, at)
            rest, at = rest[written:], at + written
        failpoints.reach("ecj.sync")
        os.fdatasync(descriptor)
    except Exception:
        os.ftruncate(descriptor, end)
        raise


def fold(index_path: str, journal_path: str, width: OffsetWidth) -> int:
    """Give the rows of the journal's keys the size -1 in the .ecx, and remove the journal; returns how many keys.

    Whoever has the files open sees what became of them. Done again after a crash at any point it comes to the same.
    What is no journal is nothing to do, and keys that have no row are passed over, as in Go; where Go gives up for
    good on the remains of an append that a crash cut short, these are left out.

    :raises OSError: when a file cannot be read or written; then the journal is still there.
    """
    try:
        descriptor = os.open(journal_path, os.O_RDWR)
    except FileNotFoundError:
        return 0
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        keys = decode_keys(_read_all(descriptor))
        _mark_deleted(index_path, keys, width)
        failpoints.reach("fold.remove")
        os.unlink(journal_path)
        sync_directory(os.path.dirname(journal_path) or ".")
        return len(keys)
    finally:
        os.close(descriptor)


def _mark_deleted(index_path: str, keys: list[int], width: OffsetWidth) -> None:
    """Change the sizes in place; the journal tells of them until all are synced."""
    descriptor = os.open(index_path, os.O_RDWR)
    try:
        data = _read_all(descriptor)
        rows = numpy.frombuffer(data, NUMPY_ENTRY[width], len(data) // width.entry_length)
        ascending = rows["key"].astype(numpy.uint64)
        wanted = numpy.array(keys, numpy.uint64)
        places = numpy.searchsorted(ascending, wanted)
        size_at = width.entry_length - 4
        tombstone = TOMBSTONE_SIZE.to_bytes(4, "big", signed=True)
        for key, row in zip(keys, places.tolist(), strict=True):
            if row < len(rows) and int(ascending[row]) == key:
                os.pwrite(descriptor, tombstone, row * width.entry_length + size_at)
        failpoints.reach("fold.sync")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
