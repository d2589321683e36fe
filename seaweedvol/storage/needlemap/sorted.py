"""The needle map of a volume that is not written to: its live needles by key in an .sdx, found by halving; as SeaweedFS
``needle_map_sorted_file.go``.

The file has rows like the .idx. A deletion appends to the .idx first and then has -1 for the size in the .sdx; a
needle that was deleted before the file was made is not in it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
from collections.abc import Iterator, Sequence
from typing import Final

from zope.interface import implementer

from seaweedvol.storage.backend import DiskFile, IVolumeFile, PooledFile, write_aside
from seaweedvol.storage.format.index import TOMBSTONE_SIZE, OffsetWidth, decode_entry, encode_entries, iterate
from seaweedvol.storage.needlemap.counts import Counts
from seaweedvol.storage.needlemap.freshness import is_newer, make_newer
from seaweedvol.storage.needlemap.interfaces import INeedleMap
from seaweedvol.storage.needlemap.journal import Journal
from seaweedvol.storage.needlemap.replay import final_rows
from seaweedvol.storage.needlemap.rows import Rows

# As many rows are read at once in the end: a page of a disk.
_BLOCK_ROWS: Final = 256
_WALK_ROWS: Final = 1 << 14
_KEY: Final = struct.Struct(">Q")
_SIZE: Final = struct.Struct(">i")


def open_sorted_map(path: str, index: IVolumeFile, rows: Rows, counts: Counts, live_count: int, *,
                    opened: type[DiskFile] | type[PooledFile] = DiskFile) -> SortedNeedleMap:
    """The map over the .sdx at ``path``, which is made anew unless it is newer than the .idx.

    :param rows: what is in ``index``; ``counts`` and ``live_count`` are what was tallied of them.
    :param opened: what kind of file it is read through.
    :raises OSError: when it cannot be made or opened.
    """
    if not (is_newer(path, index.path) and _may_be_whole(path, rows.width, live_count)):
        final = final_rows(rows)
        write_aside(path, final.where(final.sizes >= 0).encode())
        make_newer(path, index.path)
    return SortedNeedleMap(opened(path, role="sorted"), Journal(index, rows.width), counts)


def _may_be_whole(path: str, width: OffsetWidth, live_count: int) -> bool:
    """Whether it is as long as it should be: Go writes it in place, and a crash may leave half of it."""
    length = os.stat(path).st_size
    return length % width.entry_length == 0 and length // width.entry_length >= live_count


@implementer(INeedleMap)
class SortedNeedleMap:
    """An :class:`INeedleMap` that takes deletions, but no puts.

    :param table: the .sdx.
    :ivar may_wait: lookups may have to wait for a disk.
    """

    __slots__ = ("counts", "_table", "_read_at", "_journal", "_width", "_entry_length", "_count", "_is_changed")

    may_wait = True

    def __init__(self, table: IVolumeFile, journal: Journal, counts: Counts) -> None:
        self.counts = counts
        self._table = table
        # Bound to the open file, so that lookups go on after a close.
        self._read_at = table.pinned()
        self._journal = journal
        self._width = journal.width
        self._entry_length = journal.width.entry_length
        self._count = table.length() // self._entry_length
        self._is_changed = False

    def get(self, key: int) -> tuple[int, int] | None:
        found = self._find(key)
        return found[1:] if found else None

    def _find(self, key: int) -> tuple[int, int, int] | None:
        """Position among the rows, offset and size."""
        step, read_at = self._entry_length, self._read_at
        low, high = 0, self._count
        while high - low > _BLOCK_ROWS:
            middle = (low + high) // 2
            if _KEY.unpack(read_at(_KEY.size, middle * step))[0] <= key:
                low = middle
            else:
                high = middle
        block, start = read_at((high - low) * step, low * step), low
        while low < high:
            middle = (low + high) // 2
            at = (middle - start) * step
            here = _KEY.unpack_from(block, at)[0]
            if here == key:
                _, offset, size = decode_entry(self._width, block, at)
                return middle, offset, size
            if here < key:
                low = middle + 1
            else:
                high = middle
        return None

    def put(self, key: int, offset: int, size: int) -> None:
        raise self._refusal()

    def delete(self, key: int, tombstone_offset: int) -> int:
        before = self.counts.deleted_bytes
        self.put_all(((key, tombstone_offset, TOMBSTONE_SIZE),))
        return self.counts.deleted_bytes - before

    def put_all(self, rows: Sequence[tuple[int, int, int]]) -> None:
        if any(size != TOMBSTONE_SIZE for _, _, size in rows):
            raise self._refusal()
        self._journal.append(encode_entries(self._width, rows))
        self._is_changed = True
        marked: list[tuple[int, int]] = []
        try:
            for key, _, _ in rows:
                found = self._find(key)
                if found is not None and found[2] >= 0:
                    marked.append((found[0], found[2]))
                    self._store_size(found[0], TOMBSTONE_SIZE)
        except OSError:
            for position, size in marked:
                with contextlib.suppress(OSError):
                    self._store_size(position, size)
            self._journal.take_back(len(rows))
            raise
        for _, size in marked:
            self.counts.add_delete(size)

    def _store_size(self, position: int, size: int) -> None:
        self._table.write_at(_SIZE.pack(size), (position + 1) * self._entry_length - _SIZE.size)

    def retract(self, key: int, prior: tuple[int, int] | None) -> None:
        raise self._refusal()

    def _refusal(self) -> OSError:
        return OSError(errno.EROFS, "needle map is read only", self._table.path)

    def ascending(self) -> Iterator[tuple[int, int, int]]:
        """As the interface says, but a deletion during the walk may show."""
        step, count, read_at = self._entry_length, self._count, self._read_at
        for start in range(0, count, _WALK_ROWS):
            yield from iterate(self._width, read_at(min(_WALK_ROWS, count - start) * step, start * step))

    def index_length(self) -> int:
        return self._journal.length

    def memory_bytes(self) -> int:
        return 0

    def sync(self) -> None:
        self._journal.file.sync()
        self._table.sync()

    def close(self) -> None:
        self.release()
        self._journal.file.close()

    def release(self) -> None:
        """Let go of the .sdx alone; lookups go on."""
        if self._is_changed:
            self._is_changed = False
            make_newer(self._table.path, self._journal.file.path)
        self._table.close()
