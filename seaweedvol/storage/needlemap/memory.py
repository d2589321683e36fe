"""The needle map that is held in memory, over the .idx that it journals to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Final

from zope.interface import implementer

from seaweedvol.storage.backend import IVolumeFile
from seaweedvol.storage.format.index import TOMBSTONE_SIZE, OffsetWidth, encode_entries, encode_entry
from seaweedvol.storage.needlemap.columns import WORD, Columns, empty_columns, pack, unpack
from seaweedvol.storage.needlemap.counts import Counts
from seaweedvol.storage.needlemap.interfaces import INeedleMap

SMALLEST_MERGE: Final = 2048
"""Needles out of order that are worth a merge, at least."""
MERGE_PART: Final = 64
"""A merge moves every needle, so it waits until one in so many is out of order."""
FIRST_BUCKETS: Final = 4096
_KEY: Final = itemgetter(0)


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
        self._write_rows(encode_entry(self._width, key, offset, size))
        self._put(key, offset, size)

    def _put(self, key: int, offset: int, size: int) -> None:
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
        self._write_rows(encode_entry(self._width, key, tombstone_offset, TOMBSTONE_SIZE))
        return self._delete(key)

    def _delete(self, key: int) -> int:
        found = self._columns.get(key)
        if found is None or found[1] < 0:
            return 0
        offset, size = found
        self._set(key, pack(offset, -size or TOMBSTONE_SIZE))
        self.counts.add_delete(size)
        return size

    def put_all(self, rows: Sequence[tuple[int, int, int]]) -> None:
        self._write_rows(encode_entries(self._width, rows))
        # Needles do not care for one another, so they may be entered by key: what a few clients at once bring out of
        # order then still goes to the end of the columns. What follows one another under one key stays in order.
        ordered = sorted(rows, key=_KEY)
        for at in range(self._append_all(ordered), len(ordered)):
            key, offset, size = ordered[at]
            if size == TOMBSTONE_SIZE:
                self._delete(key)
            else:
                self._put(key, offset, size)

    def _append_all(self, ordered: list[tuple[int, int, int]]) -> int:
        """Put rows as long as each has a greater key than all before it; how many. As :meth:`_put`, without its calls:
        this lies on the road of every upload.
        """
        columns, counts = self._columns, self.counts
        add_key, add_value, high = columns.keys.append, columns.values.append, columns.high
        last = columns.keys[-1] if columns.keys else -1
        done = total = 0
        for key, offset, size in ordered:
            if key <= last or size < 0:
                break
            value = pack(offset, size)
            add_value(value & WORD)
            if high is not None:
                high.append(value >> 64)
            add_key(key)
            last = key
            total += size
            done += 1
        if done:
            counts.max_key = max(counts.max_key, last)
            counts.file_count += done
            counts.content_bytes += total
            if len(columns.keys) > self._next_buckets:
                self._publish(columns.bucketed())
        return done

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
            return
        columns.overlay[key] = value
        if len(columns.overlay) > max(SMALLEST_MERGE, len(columns.keys) // MERGE_PART):
            self._publish(columns.merged())
