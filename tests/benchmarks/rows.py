"""What a row of the table is, whatever it measures, and the values it yields."""

from __future__ import annotations

import statistics
from typing import Mapping, Protocol, Sequence

import attrs

from tests.benchmarks.fleets import Fleets


@attrs.frozen
class Pace:
    """How long to measure: so many rounds of so many seconds for each kind."""

    rounds: int
    seconds: float


@attrs.frozen
class Bars:
    """What must hold of one measure: ratios of ours to Go's and to the Rust port's, or a bound of our own value."""

    go: float | None = None
    rust: float | None = None
    own: float | None = None


NO_BARS = Bars()


@attrs.frozen
class Line:
    """One measure of one row: the rounds' values of each kind."""

    row: str
    measure: str
    values: Mapping[str, Sequence[float]]
    is_more_better: bool = False
    bars: Bars = NO_BARS

    def median(self, kind: str) -> float | None:
        """The median of its rounds; None where it was not measured."""
        values = self.values.get(kind, ())
        return statistics.median(values) if values else None

    def ratio(self, kind: str) -> float | None:
        """Ours to the other's."""
        ours, other = self.median("ours"), self.median(kind)
        return ours / other if ours is not None and other else None

    @property
    def spread(self) -> float:
        """How far the rounds of a kind lie apart, at worst, as a part of their median."""
        return max(((max(values) - min(values)) / abs(statistics.median(values) or 1)
                    for values in self.values.values() if values), default=0.0)

    @property
    def verdict(self) -> str:
        """"holds", "SHORT", or nothing where there is no bar or no figure."""
        checks = [(self.ratio("go"), self.bars.go), (self.ratio("rust"), self.bars.rust),
                  (self.median("ours"), self.bars.own)]
        made = [(found >= bar) if self.is_more_better else (found <= bar)
                for found, bar in checks if found is not None and bar is not None]
        return "" if not made else "holds" if all(made) else "SHORT"


@attrs.frozen
class Outcome:
    """The lines of one row, and for which kind there is no figure and why."""

    lines: Sequence[Line]
    remarks: Sequence[str] = ()


class Row(Protocol):
    """One row of the table."""

    name: str

    def run(self, fleets: Fleets, pace: Pace) -> Outcome:
        """Measure it."""


def rotated(kinds: Sequence[str], turn: int) -> list[str]:
    """The kinds in the order of this round: each comes first in turn."""
    at = turn % len(kinds)
    return [*kinds[at:], *kinds[:at]]
