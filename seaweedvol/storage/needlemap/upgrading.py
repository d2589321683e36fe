"""A needle map that is sorted until somebody writes.

A volume that is read-only when it is opened need not keep anything in memory; but an operator may find it writable
again. Then the first put changes to a map that takes it. SeaweedFS ``volume_loading.go`` ``reopenIdxForWrite`` does so
when the volume is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from zope.interface import implementer

from seaweedvol.storage.needlemap.counts import Counts
from seaweedvol.storage.needlemap.interfaces import INeedleMap
from seaweedvol.storage.needlemap.sorted import SortedNeedleMap


@implementer(INeedleMap)
class UpgradingNeedleMap:
    """An :class:`INeedleMap` that hands everything on to another one.

    :param make_writable: gives the map that takes puts, over the same .idx.
    """

    __slots__ = ("counts", "may_wait", "_sorted", "_inner", "_make_writable")

    def __init__(self, sorted_map: SortedNeedleMap, make_writable: Callable[[], INeedleMap]) -> None:
        self._sorted: SortedNeedleMap | None = sorted_map
        self._make_writable = make_writable
        self._use(sorted_map)

    def _use(self, inner: INeedleMap) -> None:
        self._inner = inner
        self.counts: Counts = inner.counts
        self.may_wait: bool = inner.may_wait

    def get(self, key: int) -> tuple[int, int] | None:
        # Asked for each time: a map in memory has another one whenever it moves its needles.
        return self._inner.get(key)

    def prepare(self) -> None:
        """Be ready for puts; this may take a while.

        :raises OSError: when the .idx cannot be read or the new map not be made; all stays as it is.
        """
        if self._sorted is None:
            return
        self._use(self._make_writable())
        sorted_map, self._sorted = self._sorted, None
        sorted_map.release()

    def put(self, key: int, offset: int, size: int) -> None:
        self.prepare()
        self._inner.put(key, offset, size)

    def delete(self, key: int, tombstone_offset: int) -> int:
        return self._inner.delete(key, tombstone_offset)

    def put_all(self, rows: Sequence[tuple[int, int, int]]) -> None:
        self.prepare()
        self._inner.put_all(rows)

    def retract(self, key: int, prior: tuple[int, int] | None) -> None:
        self._inner.retract(key, prior)

    def ascending(self) -> Iterator[tuple[int, int, int]]:
        return self._inner.ascending()

    def index_length(self) -> int:
        return self._inner.index_length()

    def memory_bytes(self) -> int:
        return int(self._inner.memory_bytes())

    def sync(self) -> None:
        self._inner.sync()

    def close(self) -> None:
        self._inner.close()
