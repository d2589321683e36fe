"""The needle map that is held in memory, over the .idx that it journals to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zope.interface import implementer

from seaweedvol.storage.backend import IVolumeFile
from seaweedvol.storage.format.index import TOMBSTONE_SIZE, OffsetWidth, encode_entry
from seaweedvol.storage.needlemap.columns import Columns, empty_columns, pack, unpack
from seaweedvol.storage.needlemap.counts import Counts
from seaweedvol.storage.needlemap.interfaces import INeedleMap

SMALLEST_MERGE: Final = 2048
"""Needles out of order that are worth a merge, at least."""
MERGE_PART: Final = 64
"""A merge moves every needle, so it waits until one in so many is out of order."""
FIRST_BUCKETS: Final = 4096


@implementer(INeedleMap)
class MemoryNeedleMap:
    """An :class:`INeedleMap` of :class:`Columns`.

    :param columns, counts: what :func:`replay` made of the rows that are in ``index`` already.
    """

    __slots__ = ("counts", "get", "_index", "_index_end", "_width", "_entry_length", "_columns", "_next_buckets")

    def __init__(
        self, index: IVolumeFile, width: OffsetWidth, columns: Columns | None = None, counts: Counts | None = None,
    ) -> None:
        self.counts = counts or Counts()
        self._index = index
        self._index_end = index.length()
        self._width = width
        self._entry_length = width.entry_length
        self._publish(columns or empty_columns(width is OffsetWidth.FIVE))

    def _publish(self, columns: Columns) -> None:
        """From now on work on ``columns``."""
        self._columns = columns
        # Bound, so that a lookup costs one call: replacing it is what swaps the columns under readers.
        self.get = columns.get
        self._next_buckets = max(FIRST_BUCKETS, 2 * len(columns.keys))

    def put(self, key: int, offset: int, size: int) -> None:
        self._write_row(key, offset, size)
        value = pack(offset, size)
        columns = self._columns
        keys = columns.keys
        if not keys or key > keys[-1]:
            columns.append(key, value)
            self.counts.add_put(key, size, 0)
            if len(keys) > self._next_buckets:
                self._publish(columns.bucketed())
            return
        found = columns.get(key)
        self._set(key, value)
        self.counts.add_put(key, size, found[1] if found else 0)

    def delete(self, key: int, tombstone_offset: int) -> int:
        self._write_row(key, tombstone_offset, TOMBSTONE_SIZE)
        found = self._columns.get(key)
        if found is None or found[1] < 0:
            return 0
        offset, size = found
        self._set(key, pack(offset, -size or TOMBSTONE_SIZE))
        self.counts.add_delete(size)
        return size

    def retract(self, key: int, prior: tuple[int, int] | None) -> None:
        found = self._columns.get(key)
        size = found[1] if found else 0
        self._set(key, pack(*prior) if prior else 0)
        self.counts.take_back_put(size, prior[1] if prior else 0)
        self._index_end -= self._entry_length
        self._index.truncate(self._index_end)

    def ascending(self) -> Iterator[tuple[int, int, int]]:
        return ((key, *unpack(value)) for key, value in self._columns.ascending() if value)

    def index_length(self) -> int:
        return self._index_end

    def sync(self) -> None:
        self._index.sync()

    def close(self) -> None:
        self._index.close()

    def _write_row(self, key: int, offset: int, size: int) -> None:
        end = self._index_end
        try:
            self._index.write_at(encode_entry(self._width, key, offset, size), end)
        except OSError:
            self._cut_index(end)
            raise
        self._index_end = end + self._entry_length

    def _cut_index(self, end: int) -> None:
        try:
            self._index.truncate(end)
        except OSError:
            # The next row is written over the rest, and a load cuts it.
            return

    def _set(self, key: int, value: int) -> None:
        columns = self._columns
        at = columns.find(key)
        if at >= 0:
            columns.store(at, value)
            return
        columns.overlay[key] = value
        if len(columns.overlay) > max(SMALLEST_MERGE, len(columns.keys) // MERGE_PART):
            self._publish(columns.merged())
