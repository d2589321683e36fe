"""Tests of :mod:`seaweedvol.server.throttling`."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.throttling import Throttle


class ThrottleTests(SynchronousTestCase):
    """On a clock that only sleeping moves, and on one that goes on."""

    def test_rate(self) -> None:
        """Whoever takes no time himself is held to the rate."""
        clock = Clock()
        throttle = Throttle(1000, clock.seconds, clock.advance)
        for _ in range(100):
            throttle.note(77)
        self.assertTrue(7.5 <= clock.seconds() <= 7.8, clock.seconds())

    def test_slow(self) -> None:
        """Whoever is slower than the rate never waits, and does not save it up."""
        clock = Clock()
        waits: list[float] = []
        throttle = Throttle(1000, clock.seconds, waits.append)
        for _ in range(20):
            clock.advance(1)
            throttle.note(900)
        self.assertEqual(waits, [])
        throttle.note(1000)
        self.assertEqual(waits, [1.0])

    def test_no_limit(self) -> None:
        """Nobody waits."""
        waits: list[float] = []
        Throttle(0, Clock().seconds, waits.append).note(1 << 40)
        self.assertEqual(waits, [])
