"""Sorted columns of needles: 16 bytes a needle and 1 or 2 to find it, in well under a microsecond.

::

    keys    array of u64, ascending
    values  array of u64, in parallel: offset / 8 in the upper half (its low 32 bits), signed size in the lower
    high    array of u8, in parallel: bits 32..39 of offset / 8; only where offsets take 5 bytes
    recent  dict key -> value (bits 64..71 as in ``high``) of keys beyond the last in the arrays: the newest ones, which
            clients bring somewhat out of order; the lowest of them are moved to the arrays from time to time
    overlay dict, in the same way, of other keys that came out of order, until they are merged
    buckets array of u32: bucket i of the key range begins at this position; ends the search after a step or two

A key is in one place only. A value is one element, so that a reader beside the writer sees offset and size of one
moment. What moves keys from place to place makes new :class:`Columns` (which may share arrays and dicts with those
before): readers keep the ones that they took. Besides, a writer only appends to the arrays (the key last, after which a
reader can find it), adds to the dicts, or stores single values.

A value of 0 is no needle: the place of a put that was taken back.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs
import numpy
from numpy.typing import NDArray

KEYS_PER_BUCKET: Final = 2
"""At most so many on average, when buckets are made; at least half as many."""
_COUNTED_KEYS: Final = 1 << 20
# Bytes that a key and a value in a dict take: two numbers of 32 bytes, and their place.
_DICT_ENTRY: Final = 120
_LOW: Final = 0xFFFFFFFF
_SIGN: Final = 0x80000000
WORD: Final = 0xFFFFFFFFFFFFFFFF

Position = int
Found = tuple[int, int] | None


def pack(offset: int, size: int) -> int:
    """The value for an offset in bytes and a signed size."""
    return offset >> 3 << 32 | size & _LOW


def unpack(value: int) -> tuple[int, int]:
    """Offset in bytes and signed size of a value."""
    size = value & _LOW
    if size & _SIGN:
        size -= _LOW + 1
    return value >> 32 << 3, size


@attrs.define(eq=False)
class Columns:
    """What stands at the module's head. ``limit`` is the first bucket that has no end: all from position ``tail``."""

    keys: array[int]
    values: array[int]
    high: array[int] | None
    recent: dict[int, int] = attrs.Factory(dict)
    overlay: dict[int, int] = attrs.Factory(dict)
    buckets: array[int] = attrs.Factory(lambda: array("I"))
    base: int = 0
    shift: int = 0
    limit: int = 0
    tail: int = 0

    @property
    def last_key(self) -> int:
        """The greatest key in the arrays; -1 if there is none."""
        return self.keys[-1] if self.keys else -1

    @property
    def memory_bytes(self) -> int:
        """About what all this takes."""
        arrays = (self.keys, self.values, self.buckets, self.high)
        columns = sum(len(each) * each.itemsize for each in arrays if each is not None)
        return columns + _DICT_ENTRY * (len(self.recent) + len(self.overlay))

    def find(self, key: int) -> Position:
        """Where ``key`` stands in the arrays, or -1."""
        bucket = (key - self.base) >> self.shift
        if bucket < 0:
            return -1
        keys = self.keys
        if bucket < self.limit:
            start, end = self.buckets[bucket], self.buckets[bucket + 1]
        else:
            start, end = self.tail, len(keys)
        at = bisect_left(keys, key, start, end)
        return at if at < end and keys[at] == key else -1

    def lookup(self) -> Callable[[int], Found]:
        """A function that gives offset in bytes and signed size of a key, or None. The same as :meth:`find` and
        :func:`unpack`, but with everything at hand: it is on the road of every request.
        """
        keys, values, high, buckets = self.keys, self.values, self.high, self.buckets
        base, shift, limit, tail = self.base, self.shift, self.limit, self.tail
        find_recent, find_late = self.recent.get, self.overlay.get

        def get(key: int) -> Found:
            bucket = (key - base) >> shift
            if 0 <= bucket < limit:
                at = buckets[bucket]
                if keys[at] != key:
                    end = buckets[bucket + 1]
                    at = bisect_left(keys, key, at, end)
                    if at >= end or keys[at] != key:
                        return late(key)
                value = values[at]
                if high is not None:
                    value |= high[at] << 64
            else:
                # No recent key is in a bucket that has an end.
                recent = find_recent(key)
                if recent is None:
                    return unbucketed(key)
                value = recent
            if not value:
                return None
            size = value & _LOW
            if size & _SIGN:
                size -= _LOW + 1
            return value >> 32 << 3, size

        def unbucketed(key: int) -> Found:
            end = len(keys)
            at = bisect_left(keys, key, tail, end) if key >= base else end
            if at >= end or keys[at] != key:
                return late(key)
            value = values[at] if high is None else high[at] << 64 | values[at]
            return unpack(value) if value else None

        def late(key: int) -> Found:
            value = find_late(key)
            return unpack(value) if value else None

        return get

    def at(self, at: Position) -> Found:
        """Offset and signed size of what stands at a position, or None."""
        value = self.values[at] if self.high is None else self.high[at] << 64 | self.values[at]
        return unpack(value) if value else None

    def store(self, at: Position, value: int) -> None:
        """Replace the value at a position."""
        self.values[at] = value & WORD
        if self.high is not None:
            self.high[at] = value >> 64

    def settled(self, count: int) -> Columns:
        """Columns of the same needles, the lowest ``count`` of the recent ones in the arrays, which are shared with
        these, and in buckets as far as that is worth it. For the writer only.
        """
        order = sorted(self.recent)
        moved, left = order[:count], order[count:]
        recent = self.recent
        self.values.extend([recent[key] & WORD for key in moved])
        if self.high is not None:
            self.high.extend([recent[key] >> 64 for key in moved])
        self.keys.extend(moved)
        settled = attrs.evolve(self, recent={key: recent[key] for key in left})
        settled._extend_buckets()
        return settled

    def _extend_buckets(self) -> None:
        """Have the keys after ``tail`` in buckets too, unless there would be more buckets than keys."""
        last = (self.keys[-1] - self.base) >> self.shift
        if not self.limit or last >= len(self.keys) or last <= self.limit:
            return
        edges = numpy.arange(self.limit + 1, last + 1, dtype=numpy.uint64) << numpy.uint64(self.shift)
        edges += numpy.uint64(self.base)
        added = numpy.searchsorted(numpy.array(self.keys[self.tail:], numpy.uint64), edges) + self.tail
        self.buckets.extend(added.tolist())
        self.limit, self.tail = last, self.buckets[last]

    def ascending(self) -> Iterator[tuple[int, int]]:
        """Key and value by key, as of now; safe beside a writer."""
        # A plain walk: a NumPy view would make the writer's next append fail.
        ordered = zip(range(len(self.keys)), self.keys)
        others = sorted({**self.overlay, **self.recent}.items())
        return heapq.merge(((key, self._value(at)) for at, key in ordered), others)

    def _value(self, at: Position) -> int:
        return self.values[at] if self.high is None else self.high[at] << 64 | self.values[at]

    def merged(self) -> Columns:
        """Columns of the same needles with nothing in the overlay; these stay as they are. For the writer only."""
        order = sorted(self.overlay)
        new_keys = numpy.array(order, numpy.uint64)
        new_values = [self.overlay[key] for key in order]
        at = numpy.searchsorted(_view(self.keys), new_keys)
        keys = numpy.insert(_view(self.keys), at, new_keys)
        low = numpy.array([value & WORD for value in new_values], numpy.uint64)
        values = numpy.insert(_view(self.values), at, low)
        high = None
        if self.high is not None:
            upper = numpy.array([value >> 64 for value in new_values], numpy.uint8)
            high = numpy.insert(_view(self.high), at, upper)
        merged = make_columns(keys, values, high)
        merged.recent = self.recent
        return merged

    def bucketed(self) -> Columns:
        """The same arrays and dicts with buckets for all keys there are now in the arrays."""
        count = len(self.keys)
        if count <= KEYS_PER_BUCKET:
            return attrs.evolve(self, buckets=array("I"), base=0, shift=0, limit=0, tail=0)
        base = self.keys[0]
        span = self.keys[count - 1] - base
        shift = (span // (count // KEYS_PER_BUCKET)).bit_length()
        buckets = _array("I", _starts(_view(self.keys), base, shift))
        return attrs.evolve(
            self, buckets=buckets, base=base, shift=shift, limit=len(buckets) - 1, tail=buckets[-1],
        )


def _starts(keys: NDArray[Any], base: int, shift: int) -> NDArray[numpy.uint32]:
    """The first position of each bucket. By counting: that reads the keys once, in their order."""
    lengths = numpy.zeros((int(keys[-1]) - base >> shift) + 2, numpy.uint32)
    for start in range(0, len(keys), _COUNTED_KEYS):
        bucket_of = (keys[start:start + _COUNTED_KEYS] - numpy.uint64(base)) >> numpy.uint64(shift)
        first = int(bucket_of[0])
        found = numpy.bincount((bucket_of - numpy.uint64(first)).view(numpy.int64))
        lengths[first + 1:first + 1 + len(found)] += found.astype(numpy.uint32)
    return numpy.cumsum(lengths[:-1], dtype=numpy.uint32)


def make_columns(keys: NDArray[Any], values: NDArray[Any], high: NDArray[Any] | None) -> Columns:
    """Columns with buckets from NumPy ones, which are copied."""
    return Columns(
        _array("Q", keys), _array("Q", values), None if high is None else _array("B", high),
    ).bucketed()


def empty_columns(has_high: bool) -> Columns:
    """Columns without needles."""
    return Columns(array("Q"), array("Q"), array("B") if has_high else None)


def _array(code: Any, column: NDArray[Any]) -> array[int]:
    result: array[int] = array(code)
    result.frombytes(numpy.ascontiguousarray(column).view(numpy.uint8).data)
    return result


def _view(column: array[int]) -> NDArray[Any]:
    # Only ever a passing argument: while the view lives, the array cannot grow.
    return numpy.frombuffer(column, numpy.dtype(f"u{column.itemsize}"))
