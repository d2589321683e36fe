"""Tests for seaweedvol.metrics.history."""

from __future__ import annotations

import time

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.metrics.history import History, Ring

NOON = time.mktime((2026, 3, 1, 12, 0, 30, 0, 0, -1))  # a Sunday


class HistoryTests(SynchronousTestCase):
    """Traffic by second, minute, hour and day."""

    def test_rings(self) -> None:
        """Requests are in the place of their second, minute, hour and day of the week."""
        history = History()
        history.note(NOON, 5, 1, 0)
        history.note(NOON + 1, 12, 1, 2)
        rings = history.reads.rings
        self.assertEqual((rings["MinuteCounter"].values[30], rings["MinuteCounter"].values[31]), (5, 7))
        self.assertEqual((rings["HourCounter"].values[0], rings["DayCounter"].values[12]), (12, 12))
        self.assertEqual(rings["WeekCounter"].values, [12, 0, 0, 0, 0, 0, 0])
        self.assertEqual(history.deletions.rings["MinuteCounter"].values[31], 2)

    def test_forgets(self) -> None:
        """What is older than a ring is gone from it."""
        history = History()
        for second in range(120):
            history.note(NOON + second, second + 1, 0, 0)
        ring = history.reads.rings["MinuteCounter"]
        self.assertEqual((sum(ring.values), ring.last_index, sum(history.reads.rings["HourCounter"].values)),
                         (60, 29, 120))

    def test_order(self) -> None:
        """The list begins with the oldest."""
        ring = Ring(3)
        for index, value in ((0, 1), (1, 2), (2, 3), (0, 4)):
            ring.add(index, value, 1)
        self.assertEqual((ring.to_list(), ring.counts), ([2, 3, 4], [1, 1, 1]))
