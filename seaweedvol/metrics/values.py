"""Counters, gauges and histograms: numbers by labels, changed from any thread, read all at once.

Each gives its series as samples for Prometheus. A family with labels has no series before it was used, one without has
one from the start, as with Go's client.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from prometheus_client.core import Metric

from seaweedvol.metrics.families import Family
from seaweedvol.metrics.numbers import go_float

Labels: TypeAlias = tuple[str, ...]


class Numbers:
    """The values of a counter or a gauge."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self._lock = threading.Lock()
        self._values: dict[Labels, float] = {} if family.labels else {(): 0}

    def add(self, amount: float, *labels: str) -> None:
        """Count, or move a gauge."""
        with self._lock:
            self._values[labels] = self._values.get(labels, 0) + amount

    def set(self, value: float, *labels: str) -> None:
        """Let a gauge be ``value``."""
        with self._lock:
            self._values[labels] = value

    def replace(self, values: dict[Labels, float]) -> None:
        """Let these be all series there are."""
        with self._lock:
            self._values = values

    def values(self) -> dict[Labels, float]:
        """All series."""
        with self._lock:
            return dict(self._values)

    def metric(self) -> Metric:
        """For Prometheus."""
        return metric_of(self.family, self.values())


class Histogram:
    """How often what was measured was how large."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self._lock = threading.Lock()
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}
        if not family.labels:
            self._row(())

    def observe(self, value: float, *labels: str) -> None:
        """Count one measurement."""
        bucket = bisect_left(self.family.bounds, value)
        with self._lock:
            self._row(labels)[bucket] += 1
            self._sums[labels] += value

    def merge(self, counts: Sequence[int], total: float, *labels: str) -> None:
        """Count many: how many were in each bucket (the last one has no bound), and their sum."""
        with self._lock:
            row = self._row(labels)
            for bucket, count in enumerate(counts):
                row[bucket] += count
            self._sums[labels] += total

    def counts(self) -> dict[Labels, int]:
        """How many measurements there were."""
        with self._lock:
            return {labels: sum(row) for labels, row in self._counts.items()}

    def _row(self, labels: Labels) -> list[int]:
        row = self._counts.get(labels)
        if row is None:
            row = self._counts[labels] = [0] * (len(self.family.bounds) + 1)
            self._sums[labels] = 0.0
        return row

    def metric(self) -> Metric:
        """For Prometheus."""
        metric = Metric(self.family.name, self.family.help, self.family.kind)
        with self._lock:
            rows = [(labels, list(row), self._sums[labels]) for labels, row in self._counts.items()]
        for labels, row, total in sorted(rows):
            named = dict(zip(self.family.labels, labels))
            below = 0
            for bound, count in zip((*map(go_float, self.family.bounds), "+Inf"), row):
                below += count
                metric.add_sample(f"{self.family.name}_bucket", {**named, "le": bound}, below)
            metric.add_sample(f"{self.family.name}_sum", named, total)
            metric.add_sample(f"{self.family.name}_count", named, below)
        return metric


def metric_of(family: Family, values: dict[Labels, float]) -> Metric:
    """A counter or gauge for Prometheus."""
    metric = Metric(family.name, family.help, family.kind)
    for labels in sorted(values):
        metric.add_sample(family.name, dict(zip(family.labels, labels)), values[labels])
    return metric


def metrics_of(instruments: Iterable[Numbers | Histogram]) -> list[Metric]:
    """All of them."""
    return [each.metric() for each in instruments]
