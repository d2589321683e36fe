"""Tests of :mod:`seaweedvol.profiling.pages`."""

from __future__ import annotations

import gzip

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import profile_pb2
from seaweedvol.profiling import PREFIX
from seaweedvol.profiling.pages import Page, Pages


class PagesTests(SynchronousTestCase):
    """What paths give."""

    def setUp(self) -> None:
        self.slept: list[float] = []
        self.pages = Pages(lambda act: act(), self.slept.append)

    def ask(self, name: str, **query: str) -> Page:
        """The answer for a path below the prefix."""
        return self.pages.answer(PREFIX + name, query)

    def test_profiles(self) -> None:
        """Each of Go's profiles is a protocol buffer, and text with debug=1."""
        for name in ("profile", "heap", "allocs", "goroutine", "threadcreate", "block", "mutex"):
            page = self.ask(name, seconds="1")
            self.assertEqual((page.status, page.content_type), (200, "application/octet-stream"), name)
            profile = profile_pb2.Profile.FromString(gzip.decompress(page.body))
            self.assertGreater(len(profile.sample_type), 0, name)
            page = self.ask(name, seconds="1", debug="1")
            self.assertEqual(page.content_type, "text/plain; charset=utf-8", name)
            self.assertIn(b"stacks\n", page.body)

    def test_seconds(self) -> None:
        """How long is said by the query; nonsense says nothing, and too much is refused."""
        for text in ("2.5", "", "x"):
            self.ask("profile", seconds=text)
        self.assertEqual(self.slept, [2.5, 30, 30])
        for text in ("-1", "0", "1e9", "inf", "nan"):
            self.assertEqual(self.ask("profile", seconds=text).status, 400, text)
        self.assertEqual(len(self.slept), 3)

    def test_trace(self) -> None:
        """The calls of the reactor's thread are listed."""
        page = self.ask("trace")
        self.assertIn(b"function calls", page.body)
        self.assertEqual(self.slept, [1])

    def test_others(self) -> None:
        """A list, the command line, and nothing else."""
        self.assertIn(b"goroutine?debug=1", self.ask("").body)
        self.assertEqual(self.ask("symbol").body, b"num_symbols: 1\n")
        self.assertTrue(self.ask("cmdline").body)
        self.assertEqual(self.ask("nosuch").status, 404)

    def test_at_once(self) -> None:
        """So many profiles at once and not one more: threads are there to read needles."""
        inner: list[int] = []

        def sleep(seconds: float) -> None:
            if len(inner) < 4:
                inner.append(0)
                inner.append(self.pages.answer(PREFIX + "profile", {}).status)

        self.pages = Pages(lambda act: act(), sleep)
        self.assertEqual(self.ask("profile").status, 200)
        self.assertIn(500, inner)
