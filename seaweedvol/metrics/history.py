"""How many requests there were in each of the last 60 seconds, 60 minutes, 24 hours and 7 days.

As SeaweedFS ``stats/duration_counter.go``: rings whose places are the second of the minute, the minute of the hour and
so on (of local time), emptied as the clock goes over them. Must be told of the time at least once a minute.
"""

from __future__ import annotations

import time
from typing import Final

import attrs

#: Names of Go's rings, and how many places they have.
RINGS: Final = {"MinuteCounter": 60, "HourCounter": 60, "DayCounter": 24, "WeekCounter": 7}


@attrs.define
class Ring:
    """Sums in a circle; ``last_index`` is the place that is being added to, -1 before the first."""

    size: int
    last_index: int = -1
    values: list[int] = attrs.field(init=False)
    counts: list[int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.values, self.counts = [0] * self.size, [0] * self.size

    def add(self, index: int, value: int, count: int) -> None:
        """Add to the place ``index``; those that were gone over since the last time are emptied."""
        while self.last_index != index:
            self.last_index = (self.last_index + 1) % self.size
            self.values[self.last_index] = self.counts[self.last_index] = 0
        self.values[index] += value
        self.counts[index] += count

    def to_list(self) -> list[int]:
        """The sums from the oldest to the newest."""
        cut = self.last_index + 1
        return self.values[cut:] + self.values[:cut]


@attrs.define
class Series:
    """One kind of request in all rings, by Go's names."""

    rings: dict[str, Ring] = attrs.field(factory=lambda: {name: Ring(size) for name, size in RINGS.items()})

    def add(self, now: float, count: int) -> None:
        """``count`` more of them until ``now``, in seconds since 1970."""
        at = time.localtime(now)
        # Go's weeks begin with Sunday.
        places = (at.tm_sec % 60, at.tm_min, at.tm_hour, (at.tm_wday + 1) % 7)
        for ring, place in zip(self.rings.values(), places):
            ring.add(place, count, count)


@attrs.define
class History:
    """The traffic of a server; ``note`` gets totals since the start."""

    reads: Series = attrs.field(factory=Series)
    writes: Series = attrs.field(factory=Series)
    deletions: Series = attrs.field(factory=Series)
    _told: tuple[int, int, int] = (0, 0, 0)

    def note(self, now: float, reads: int, writes: int, deletions: int) -> None:
        """So many requests there have been until ``now``."""
        totals = (reads, writes, deletions)
        for series, total, told in zip((self.reads, self.writes, self.deletions), totals, self._told):
            series.add(now, total - told)
        self._told = totals
