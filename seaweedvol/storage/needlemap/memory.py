"""The needle map that is held in memory, over the .idx that it journals to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from zope.interface import implementer

from seaweedvol.storage.backend import IVolumeFile
from seaweedvol.storage.format.index import TOMBSTONE_SIZE, OffsetWidth, encode_entries, encode_entry
from seaweedvol.storage.needlemap.columns import Columns, empty_columns, pack, unpack
from seaweedvol.storage.needlemap.counts import Counts
from seaweedvol.storage.needlemap.interfaces import INeedleMap

SMALLEST_MERGE: Final = 2048
"""Needles out of order that are worth a merge, at least."""
MERGE_PART: Final = 64
"""A merge moves every needle, so it waits until one in so many is out of order."""
UNBUCKETED_PART: Final = 4
"""New buckets are worth it once one key in so many came since and is in none: where keys lie now wider apart."""
MOST_RECENT: Final = 1024
"""Of so many of the highest keys, the lower half is taken to be complete."""


@implementer(INeedleMap)
class MemoryNeedleMap:
    """An :class:`INeedleMap` of :class:`Columns`.

    :param columns, counts: what :func:`replay` made of the rows that are in ``index`` already.
    """

    __slots__ = ("counts", "get", "_index", "_index_end", "_width", "_entry_length", "_columns", "_bucketed")

    may_wait = False

    def __init__(
        self, index: IVolumeFile, width: OffsetWidth, columns: Columns | None = None, counts: Counts | None = None,
    ) -> None:
        self.counts = counts or Counts()
        self._index = index
        self._index_end = index.length()
        self._width = width
        self._entry_length = width.entry_length
        self._publish(columns or empty_columns(width is OffsetWidth.FIVE))
        self._bucketed = 0

    def _publish(self, columns: Columns) -> None:
        """From now on work on ``columns``."""
        self._columns = columns
        # Replacing it is what swaps the columns under readers.
        self.get = columns.lookup()

    def put(self, key: int, offset: int, size: int) -> None:
        self._write_rows(encode_entry(self._width, key, offset, size))
        self._put(key, offset, size)

    def _put(self, key: int, offset: int, size: int) -> None:
        columns = self._columns
        if key > columns.last_key and key not in columns.recent:
            columns.recent[key] = pack(offset, size)
            self.counts.add_put(key, size, 0)
            self._settle_if_many()
            return
        found = self.get(key)
        self._set(key, pack(offset, size))
        self.counts.add_put(key, size, found[1] if found else 0)

    def _settle_if_many(self) -> None:
        columns = self._columns
        if len(columns.recent) < MOST_RECENT:
            return
        columns = columns.settled(MOST_RECENT // 2)
        count = len(columns.keys)
        if count - max(columns.tail, self._bucketed) > max(MOST_RECENT // 4, count // UNBUCKETED_PART):
            columns = columns.bucketed()
            self._bucketed = count
        self._publish(columns)

    def delete(self, key: int, tombstone_offset: int) -> int:
        self._write_rows(encode_entry(self._width, key, tombstone_offset, TOMBSTONE_SIZE))
        return self._delete(key)

    def _delete(self, key: int) -> int:
        columns = self._columns
        at = columns.find(key)
        # Most are in the arrays, and need to be found there once only.
        found = columns.at(at) if at >= 0 else self.get(key)
        if found is None or found[1] < 0:
            return 0
        offset, size = found
        value = pack(offset, -size or TOMBSTONE_SIZE)
        if at >= 0:
            columns.store(at, value)
        else:
            self._set(key, value)
        self.counts.add_delete(size)
        return size

    def put_all(self, rows: Sequence[tuple[int, int, int]]) -> None:
        self._write_rows(encode_entries(self._width, rows))
        # As :meth:`_put`, without its calls: this is on the road of every upload.
        counts, recent, last = self.counts, self._columns.recent, self._columns.last_key
        for key, offset, size in rows:
            if key > last and size >= 0 and key not in recent:
                recent[key] = pack(offset, size)
                counts.file_count += 1
                counts.content_bytes += size
                if key > counts.max_key:
                    counts.max_key = key
                continue
            if size == TOMBSTONE_SIZE:
                self._delete(key)
            else:
                self._put(key, offset, size)
            recent, last = self._columns.recent, self._columns.last_key
        self._settle_if_many()

    def retract(self, key: int, prior: tuple[int, int] | None) -> None:
        found = self.get(key)
        size = found[1] if found else 0
        self._set(key, pack(*prior) if prior else 0)
        self.counts.take_back_put(size, prior[1] if prior else 0)
        self._index_end -= self._entry_length
        self._index.truncate(self._index_end)

    def ascending(self) -> Iterator[tuple[int, int, int]]:
        return ((key, *unpack(value)) for key, value in self._columns.ascending() if value)

    def index_length(self) -> int:
        return self._index_end

    def memory_bytes(self) -> int:
        return self._columns.memory_bytes

    def sync(self) -> None:
        self._index.sync()

    def close(self) -> None:
        self._index.close()

    def _write_rows(self, rows: bytes) -> None:
        end = self._index_end
        try:
            self._index.write_at(rows, end)
        except OSError:
            self._cut_index(end)
            raise
        self._index_end = end + len(rows)

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
        elif key > columns.last_key:
            columns.recent[key] = value
            self._settle_if_many()
        else:
            columns.overlay[key] = value
            if len(columns.overlay) > max(SMALLEST_MERGE, len(columns.keys) // MERGE_PART):
                self._publish(columns.merged())
