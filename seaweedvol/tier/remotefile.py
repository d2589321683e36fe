"""The .dat of a tiered volume: an object that is read in ranges and never written."""

from __future__ import annotations

import errno
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NoReturn

from zope.interface import implementer

from seaweedvol.storage.backend import WOULD_WAIT, IVolumeFile
from seaweedvol.storage.errors import RemoteFailed, RemoteRefused
from seaweedvol.tier.s3 import Bucket

AHEAD_LENGTH: Final = 1 << 20
MAX_BLOCKS: Final = 16


class ReadAhead:
    """A few blocks that were read beyond what was asked, for readers that go on where they stopped: the pages of a
    large needle. Shared by all files of a server, so that the memory is bounded.
    """

    def __init__(self, limit: int = MAX_BLOCKS) -> None:
        self._limit = limit
        self._blocks: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._ends: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str, offset: int, length: int) -> bytes | None:
        """``length`` bytes from ``offset``, if some block has them all."""
        with self._lock:
            for (owner, start), data in self._blocks.items():
                if owner == name and start <= offset and offset + length <= start + len(data):
                    self._blocks.move_to_end((owner, start))
                    return data[offset - start:offset - start + length]
        return None

    def keep(self, name: str, offset: int, data: bytes) -> None:
        """Remember a block; the one that was asked for longest ago is forgotten."""
        with self._lock:
            self._blocks[name, offset] = data
            if len(self._blocks) > self._limit:
                self._blocks.popitem(last=False)

    def goes_on(self, name: str, offset: int, end: int) -> bool:
        """Whether a read from ``offset`` to ``end`` begins where a recent one ended."""
        with self._lock:
            found = (name, offset) in self._ends
            self._ends.pop((name, offset), None)
            self._ends[name, end] = None
            if len(self._ends) > self._limit * 4:
                self._ends.popitem(last=False)
        return found


@implementer(IVolumeFile)
class RemoteFile:
    """An :class:`IVolumeFile` in an object store.

    :param find: gives the bucket; asked at each read, since the master may name the store only later.
    :param length: bytes of the object, as the .vif says.
    :param modified_at: Unix time in seconds, as the .vif says.
    """

    __slots__ = ("path", "_find", "_key", "_length", "_modified_at", "_ahead", "_is_closed")

    def __init__(self, find: Callable[[], Bucket], name: str, key: str, length: int, modified_at: float,
                 ahead: ReadAhead) -> None:
        self.path = f"{name}/{key}"
        self._find = find
        self._key = key.removeprefix("/")
        self._length = length
        self._modified_at = modified_at
        self._ahead = ahead
        self._is_closed = False

    def _check(self) -> None:
        if self._is_closed:
            raise OSError(errno.EBADF, "file already closed", self.path)

    def _read(self, length: int, offset: int) -> bytes:
        length = min(length, self._length - offset)
        if length <= 0:
            return b""
        data = self._ahead.take(self.path, offset, length)
        if data is None:
            wanted = length
            if self._ahead.goes_on(self.path, offset, offset + length):
                wanted = min(max(length, AHEAD_LENGTH), self._length - offset)
            data = self._fetch(wanted, offset)
            if wanted > length:
                self._ahead.keep(self.path, offset, data)
                data = data[:length]
        else:
            self._ahead.goes_on(self.path, offset, offset + length)
        return data

    def _fetch(self, length: int, offset: int) -> bytes:
        try:
            return self._find().read(self._key, offset, length)
        except (RemoteFailed, RemoteRefused) as error:
            # No fault of this machine's disks: the volume is not to be quarantined for it.
            raise OSError(errno.EREMOTEIO, str(error), self.path) from error

    def read_at(self, length: int, offset: int) -> bytes:
        self._check()
        return self._read(length, offset)

    def pinned(self) -> Callable[[int, int], bytes]:
        self._check()
        return self._read

    def read_now(self, view: memoryview, offset: int) -> int:
        self._check()
        return WOULD_WAIT

    def pinned_descriptor(self) -> None:
        self._check()

    def _refuse(self) -> NoReturn:
        self._check()
        raise OSError(errno.EROFS, "an object in a store cannot be written", self.path)

    def write_at(self, data: bytes | memoryview, offset: int) -> None:
        self._refuse()

    def truncate(self, length: int) -> None:
        self._refuse()

    def sync(self) -> None:
        self._check()

    def length(self) -> int:
        return self._length

    def modified_at(self) -> float:
        self._check()
        return self._modified_at

    def close(self) -> None:
        self._is_closed = True
