"""Tests of :mod:`seaweedvol.server.slowness`."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.slowness import MOST_LINES, SlowLog


class SlowLogTests(SynchronousTestCase):
    """What is told."""

    def test_threshold(self) -> None:
        """Only what took as long as the least, with everything that is known of it."""
        slow = SlowLog(0.5, Clock().seconds)
        with self.assertLogs("seaweedvol.server.slowness", "WARNING") as logged:
            slow.note("GET /1,02", 0.49, "200", "10.0.0.9", "AB")
            slow.note("GET /1,03", 0.5, "404", "10.0.0.9", "CD")
        self.assertEqual([record.getMessage() for record in logged.records],
                         ["slow request: GET /1,03 from 10.0.0.9 took 0.500 s, 404, request_id:CD"])

    def test_flood(self) -> None:
        """So many lines in a second and not one more; how many were left out is told in the next."""
        clock = Clock()
        slow = SlowLog(0.5, clock.seconds)
        with self.assertLogs("seaweedvol.server.slowness", "WARNING") as logged:
            for _ in range(MOST_LINES + 5):
                slow.note("GET /", 1, "200", "h", "")
            clock.advance(1)
            slow.note("GET /", 1, "200", "h", "")
        self.assertEqual(len(logged.records), MOST_LINES + 2)
        self.assertEqual(logged.records[MOST_LINES].getMessage(), "5 more slow requests")
