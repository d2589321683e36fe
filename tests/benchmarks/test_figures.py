"""What a figure is worth: verdicts, ratios, and that both load clients read the same plan."""

from __future__ import annotations

import itertools
import pathlib

from twisted.trial import unittest

from tests.benchmarks import load, plans
from tests.benchmarks.rows import Bars, Line, rotated
from tests.benchmarks.table import line_text


class LineTests(unittest.SynchronousTestCase):
    """A measure of a row."""

    def test_more_is_better(self) -> None:
        """A rate holds when ours is at least so many times the other's."""
        line = Line("GET", "rate /s", {"ours": [30, 10, 20], "go": [10, 10, 10]}, True, Bars(go=2.0, rust=9.0))
        self.assertEqual(line.verdict, "holds")
        self.assertEqual(Line("GET", "rate /s", {"ours": [19], "go": [10]}, True, Bars(go=2.0)).verdict, "SHORT")

    def test_less_is_better(self) -> None:
        """A cost holds when ours is at most so many times the other's, and one bar of two that is not met counts."""
        values = {"ours": [10.0], "go": [10.0], "rust": [9.0]}
        self.assertEqual(Line("GET", "CPU us", values, bars=Bars(go=1.0)).verdict, "holds")
        self.assertEqual(Line("GET", "CPU us", values, bars=Bars(go=1.0, rust=1.0)).verdict, "SHORT")
        self.assertEqual(Line("index", "bytes", values, bars=Bars(own=9.5)).verdict, "SHORT")

    def test_no_figure_no_verdict(self) -> None:
        """Nothing holds or falls short that was not measured, and the table says so with a dash."""
        line = Line("GET", "rate /s", {"ours": [], "go": [10.0]}, True, Bars(go=2.0, own=3.0))
        self.assertEqual(line.verdict, "")
        self.assertEqual(line_text(line, True).split()[5:8], ["-", "10.0", "-"])

    def test_spread(self) -> None:
        """The widest range of any kind, by its median."""
        self.assertEqual(Line("GET", "rate", {"ours": [9, 10, 12], "go": [10, 10, 15]}).spread, 0.5)

    def test_rotated(self) -> None:
        """Over as many rounds as there are kinds each of them goes first."""
        self.assertEqual([rotated("abc", turn)[0] for turn in range(4)], ["a", "b", "c", "a"])


class PlanTests(unittest.SynchronousTestCase):
    """Requests as bytes."""

    def test_round_trip(self) -> None:
        """What is written for the clients is what they read, line ends inside of requests included."""
        path = pathlib.Path(self.mktemp())
        plan = plans.Plan((b"a\r\n\r\n", b"\n12\nb"), (b"head\n",), b"\ntail", 3, 77)
        plan.save(path)
        self.assertEqual(plans.load_plan(path), plan)

    def test_every_third(self) -> None:
        """Numbered requests come at their turns, with numbers that do not repeat."""
        plan = plans.Plan((b"a", b"b"), (b"<",), b">", 3, 77)
        found = list(itertools.islice(load.requests_of(plan), 7))
        self.assertEqual(found, [b"a", b"b", b"<0000004d>", b"a", b"b", b"<0000004e>", b"a"])
        self.assertEqual(plan.counted(7), 2)

    def test_request_ids(self) -> None:
        """The fresh id is one more header of an otherwise equal request."""
        first, = plans.reads("GET", 3, [1])
        made = next(load.requests_of(plans.with_fresh_ids([first])))
        self.assertEqual(made, first[:-2] + b"X-Amz-Request-Id: 7F3E5D1C10000000\r\n\r\n")

    def test_bodies_have_their_length(self) -> None:
        """Content-Length is that of the form around the bytes."""
        plan = plans.on_new_keys("POST", 3, number=5, body=b"x" * 1024)
        head, _, body = (plan.heads[0] + plan.tail).partition(b"\r\n\r\n")
        self.assertIn(b"Content-Length: %d" % len(body), head)
        self.assertEqual(len(plans.content(9, 1 << 20)), 1 << 20)
        self.assertNotEqual(plans.content(9, 1024), plans.content(10, 1024))
