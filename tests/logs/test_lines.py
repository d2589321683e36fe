"""Tests of :mod:`seaweedvol.logs.lines` and :mod:`~seaweedvol.logs.asking`."""

from __future__ import annotations

import json
from typing import Any, cast

from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.logs.asking import REQUEST_ID, on_behalf_of
from seaweedvol.logs.lines import SEVERITIES, json_line, place_of, rfc3339, severity_of, stack_text, text_line


def event(text: str, level: Any = LogLevel.info, **more: Any) -> dict[str, Any]:
    """An event as a logger makes it."""
    return {"log_format": "{text}", "text": text, "log_level": level, "log_namespace": "a.b", "log_time": 1.5, **more}


class TextTests(SynchronousTestCase):
    """Lines of text."""

    def test_line(self) -> None:
        """Time, source and level, then what there is to tell."""
        self.assertRegex(text_line(event("hello", LogLevel.warn)), r"^1970-01-01T\S+ \[a\.b#warn\] hello\n\Z")

    def test_request(self) -> None:
        """What is told on behalf of a request has its id, and what is told after it has not."""
        with on_behalf_of("AB"):
            line = text_line(event("hello"))
            with on_behalf_of("CD"):
                self.assertEqual(REQUEST_ID.get(), "CD")
        self.assertIn("] request_id:AB hello\n", line)
        self.assertIn("] hello\n", text_line(event("hello")))

    def test_more_lines(self) -> None:
        """One event is one line and what is indented below it."""
        line = text_line(event("one\ntwo", log_failure=Failure(ValueError("no"))), "a stack")
        first, *others = line.rstrip("\n").split("\n")
        self.assertTrue(first.endswith("] one"))
        self.assertTrue(all(other.startswith("\t") for other in others))
        self.assertIn("ValueError: no", line)
        self.assertTrue(line.endswith("\ta stack\n"))


class JsonTests(SynchronousTestCase):
    """Lines of JSON."""

    def test_line(self) -> None:
        """Go's names and levels, and ours beside them."""
        told = json.loads(json_line(event('a "b"\nö', LogLevel.critical), ("f.py", 7)))
        self.assertEqual(told, {"ts": "1970-01-01T00:00:01.500000Z", "level": "FATAL", "file": "f.py", "line": 7,
                                "msg": 'a "b"\nö', "source": "a.b"})

    def test_request(self) -> None:
        """With the id of the request."""
        with on_behalf_of("AB"):
            self.assertEqual(json.loads(json_line(event("x"), ("", 0)))["request_id"], "AB")

    def test_one_line(self) -> None:
        """Whatever is told is one line of UTF-8."""
        line = json_line(event("a\nb\udc80", log_failure=Failure(ValueError("no"))), ("f", 1))
        self.assertEqual(line.count("\n"), 1)
        self.assertIn("ValueError: no", json.loads(line.encode())["msg"])

    def test_time(self) -> None:
        """UTC, to the microsecond."""
        self.assertEqual(rfc3339(1136214245.000001), "2006-01-02T15:04:05.000001Z")


class PlaceTests(SynchronousTestCase):
    """Where something is told."""

    def test_severity(self) -> None:
        """Twisted's levels as Go's."""
        levels = (LogLevel.debug, LogLevel.info, LogLevel.warn, LogLevel.error, LogLevel.critical)
        self.assertEqual([SEVERITIES[severity_of(event("", level))] for level in levels],
                         ["INFO", "INFO", "WARNING", "ERROR", "FATAL"])

    def test_place(self) -> None:
        """The line that calls the logger is found, unless the event brings its place along."""
        places: list[Any] = []
        Logger(observer=cast(Any, lambda each: places.append((place_of(each), stack_text())))).info("x")
        ((file, line), stack), = places
        self.assertEqual(file, "test_lines.py")
        self.assertIn(f"line {line}, in test_place", stack)
        self.assertEqual(place_of({"log_place": ("a.py", 3)}), ("a.py", 3))
