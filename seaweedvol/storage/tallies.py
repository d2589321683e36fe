"""What the storage core counts of its own doings, for whoever asks: one for the process, as its disks are. Thread safe.

Knows numbers only.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

#: Upper bounds of the classes by which times are counted, in seconds: 0.1 ms and its doubles.
BOUNDS: Final = tuple(0.0001 * 2 ** power for power in range(24))


class SyncTimes:
    """How long files took to be on the device."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0

    def note(self, seconds: float) -> None:
        """One file is on the device."""
        with self._lock:
            self._counts[bisect_left(BOUNDS, seconds)] += 1
            self._seconds += seconds

    def read(self) -> tuple[Sequence[int], float]:
        """How many were in each class (the last one has no bound), and the sum of all."""
        with self._lock:
            return tuple(self._counts), self._seconds


class Count:
    """How often something has happened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value = 0

    def note(self) -> None:
        """Once more."""
        with self._lock:
            self._value += 1

    @property
    def value(self) -> int:
        """How often so far."""
        return self._value


SYNCS: Final = SyncTimes()
TORN_TAILS: Final = Count()
