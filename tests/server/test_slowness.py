"""Tests of :mod:`seaweedvol.server.slowness`."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.model import LogSettings
from seaweedvol.logs.asking import REQUEST_ID, on_behalf_of
from seaweedvol.logs.bridge import join_logs
from seaweedvol.logs.observing import Writer
from seaweedvol.server.slowness import MOST_LINES, SlowLog


@contextmanager
def slow_lines() -> Iterator[list[tuple[str, str]]]:
    """The lines that are told within, each with the request on whose behalf it is."""
    found: list[tuple[str, str]] = []
    tap = logging.Handler()
    tap.emit = lambda record: found.append((record.getMessage(), REQUEST_ID.get()))  # type: ignore[method-assign]
    log = logging.getLogger("seaweedvol.server.slowness")
    log.addHandler(tap)
    try:
        yield found
    finally:
        log.removeHandler(tap)


class SlowLogTests(SynchronousTestCase):
    """What is told."""

    def test_threshold(self) -> None:
        """Only what took as long as the least, with everything that is known of it."""
        slow = SlowLog(0.5, Clock().seconds)
        with slow_lines() as lines:
            slow.note("GET /1,02", 0.49, "200", "10.0.0.9", "AB")
            slow.note("GET /1,03", 0.5, "404", "10.0.0.9", "CD")
        self.assertEqual(lines, [("slow request: GET /1,03 from 10.0.0.9 took 0.500 s, 404", "CD")])

    def test_request_id(self) -> None:
        """A line of the log has the id once, as text and as JSON, also when a call tells of itself."""
        slow = SlowLog(0.5, Clock().seconds)
        stream = io.StringIO()
        log = logging.getLogger("seaweedvol")
        self.patch(log, "handlers", [])
        self.patch(log, "propagate", log.propagate)
        self.addCleanup(log.setLevel, log.level)
        join_logs(logging.INFO)
        for is_json in (False, True):
            writer = Writer(stream, LogSettings(is_json=is_json))
            globalLogPublisher.addObserver(writer)
            with on_behalf_of("CD"):
                slow.note("GET /1,03", 0.5, "404", "10.0.0.9", "")
            slow.note("GET /1,03", 0.5, "404", "10.0.0.9", "CD")
            globalLogPublisher.removeObserver(writer)
        lines = stream.getvalue().splitlines()
        self.assertEqual([line.count("CD") for line in lines], [1] * 4)
        self.assertIn("] request_id:CD slow request: ", lines[0])
        self.assertEqual({json.loads(line)["request_id"] for line in lines[2:]}, {"CD"})

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
