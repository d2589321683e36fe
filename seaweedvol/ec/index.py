"""The .ecx file: where each needle of an encoded volume lies in its .dat, rows of the .idx sorted by key.

::

    rows as wide as those of the .idx (``storage/format/index.py``), keys strictly ascending as unsigned numbers:
    key u64, offset / 8 (4 or 5 bytes), size i32

Written once, when the volume is encoded; afterwards only sizes become -1, where :mod:`~seaweedvol.ec.journal` folds
deletions in. As SeaweedFS ``erasure_coding/ec_encoder.go`` (WriteSortedFileFromIdx) and ``ec_volume.go``. Bytes after
the last whole row are left alone.
"""

from __future__ import annotations

import bisect
import errno
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy

from seaweedvol.storage.backend import IPinnedDescriptor
from seaweedvol.storage.backend.disk import DiskFile, write_aside
from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.index import NUMPY_ENTRY, OffsetWidth, decode_entry, iterate

_LEAF_ROWS: Final = 256
_FENCE_DEPTH: Final = 16
_CHUNK_ROWS: Final = 1 << 16
# One thread looks without waiting, so there is one of it.
_NOW: Final = memoryview(bytearray(_LEAF_ROWS * OffsetWidth.FIVE.entry_length))


class EcIndex:
    """An .ecx that is open for looking things up; any number of threads may.

    Keys met on the way are remembered, those near the middle only, so that a search soon costs one read; a row's size
    is always read afresh.

    :raises OSError: when there is no such file.
    """

    def __init__(self, path: str, width: OffsetWidth) -> None:
        self.path = path
        self.width = width
        self._file = DiskFile(path, writable=False, role="ecx")
        self._fences: dict[int, int] = {}

    @property
    def length(self) -> int:
        """Bytes of the file as it was when it was opened."""
        return self._file.length()

    @property
    def descriptor(self) -> IPinnedDescriptor:
        """The open file, which stays open as long as somebody holds this.

        :raises OSError: when the index is closed.
        """
        return self._file.pinned_descriptor()

    @property
    def row_count(self) -> int:
        """Needles, live or deleted."""
        return self._file.length() // self.width.entry_length

    def find(self, key: int) -> tuple[int, int] | None:
        """Offset in bytes and signed size (negative: deleted) of the needle; ``None`` where there is no such row.

        :raises OSError: also when the index is closed.
        :raises FormatError: when the file has become shorter than it was.
        """
        return self._find(key, self._rows)

    def find_now(self, key: int) -> tuple[int, int] | None:
        """As :meth:`find`, but never waits for the disk; for one thread only.

        :raises BlockingIOError: when it would have to.
        """
        return self._find(key, self._rows_now)

    def _find(self, key: int, rows: Callable[[int, int], bytes]) -> tuple[int, int] | None:
        first, end, depth = 0, self.row_count, 0
        while end - first > _LEAF_ROWS:
            middle = (first + end) // 2
            if key < self._key_at(middle, depth, rows):
                end = middle
            else:
                first = middle
            depth += 1
        return self._find_among(key, rows(first, end - first), end - first)

    def _key_at(self, row: int, depth: int, rows: Callable[[int, int], bytes]) -> int:
        known = self._fences.get(row)
        if known is not None:
            return known
        key = int.from_bytes(rows(row, 1)[:8], "big")
        if depth < _FENCE_DEPTH:
            self._fences[row] = key
        return key

    def _find_among(self, key: int, rows: bytes, count: int) -> tuple[int, int] | None:
        length = self.width.entry_length
        wanted = key.to_bytes(8, "big")
        at = bisect.bisect_left(range(count), wanted, key=lambda row: rows[row * length:row * length + 8])
        if at == count:
            return None
        found, offset, size = decode_entry(self.width, rows, at * length)
        return (offset, size) if found == key else None

    def _rows(self, first: int, count: int) -> bytes:
        length = self.width.entry_length
        rows = self._file.read_at(count * length, first * length)
        if len(rows) != count * length:
            raise FormatError(f"{self.path} ends within row {first + len(rows) // length}")
        return rows

    def _rows_now(self, first: int, count: int) -> bytes:
        length = self.width.entry_length
        view = _NOW[:count * length]
        if self._file.read_now(view, first * length) != len(view):
            raise BlockingIOError(errno.EWOULDBLOCK, "not in memory", self.path)
        return bytes(view)

    def ascending(self) -> Iterator[tuple[int, int, int]]:
        """Every row in the order of the keys: key, offset in bytes, signed size.

        :raises OSError, FormatError: as :meth:`find`.
        """
        count = self.row_count
        for first in range(0, count, _CHUNK_ROWS):
            yield from iterate(self.width, self._rows(first, min(_CHUNK_ROWS, count - first)))

    def table(self) -> numpy.ndarray[Any, Any]:
        """Every row at once, in the order of the keys, as ``NUMPY_ENTRY`` has them: for whoever would keep Python busy
        with one after the other.

        :raises OSError, FormatError: as :meth:`find`.
        """
        return numpy.frombuffer(self._rows(0, self.row_count), NUMPY_ENTRY[self.width])

    def close(self) -> None:
        """Let the file go; who reads at this moment may end."""
        self._file.close()


def write_sorted(idx_path: str, ecx_path: str, width: OffsetWidth) -> None:
    """Write the .ecx for an .idx: of each key its last row, unless that is a deletion. Durable, and at once.

    :raises OSError: when the one cannot be read or the other not be written.
    """
    with open(idx_path, "rb") as file:
        data = file.read()
    write_aside(ecx_path, sorted_rows(data, width))


def sorted_rows(data: bytes, width: OffsetWidth) -> bytes:
    """The rows of an .ecx for the rows of an .idx; an incomplete row at the end is left out."""
    rows = numpy.frombuffer(data, NUMPY_ENTRY[width], len(data) // width.entry_length)
    keys = rows["key"].astype(numpy.uint64)
    order = numpy.argsort(keys, kind="stable")
    keys = keys[order]
    is_last = numpy.ones(len(keys), numpy.bool_)
    numpy.not_equal(keys[1:], keys[:-1], out=is_last[:-1])
    del keys
    last = rows[order[is_last]]
    is_live = (last["offset"] != 0) & (last["size"] >= 0)
    if width is OffsetWidth.FIVE:
        is_live |= (last["offset_high"] != 0) & (last["size"] >= 0)
    return bytes(last[is_live].tobytes())
