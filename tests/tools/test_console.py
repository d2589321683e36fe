"""Tests for :mod:`seaweedvol.tools.console`."""

from __future__ import annotations

import io

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.tools.console import Console, size_text, time_text


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class ProgressTests(SynchronousTestCase):
    """Tests for :class:`Progress`."""

    def setUp(self) -> None:
        self.now = 0.0

    def console(self, err: io.StringIO) -> Console:
        """A console with a clock of ours."""
        return Console(io.BytesIO(), err, "try", lambda: self.now)

    def test_lines(self) -> None:
        """Where nobody watches there is a line every ten seconds, with what is left, and none before."""
        err = io.StringIO()
        progress = self.console(err).progress("reading", 4096)
        for self.now in (0.0, 5.0, 9.9):
            progress.reach(10)
        self.assertEqual(err.getvalue(), "")
        self.now = 10.0
        progress.reach(1024)
        progress.reach(2048)
        self.assertEqual(err.getvalue(), "try: reading 25%, 1.0 KiB of 4.0 KiB, 102 B/s, 0:30 left\n")

    def test_bar(self) -> None:
        """On a terminal there is one line that changes, and lines of text do not run into it."""
        err = _Terminal()
        console = self.console(err)
        progress = console.progress("reading", 100)
        self.now = 1.0
        progress.reach(50)
        self.assertIn("\rreading [############............] 50%, 50 B of 100 B", err.getvalue())
        console.note("something")
        self.assertTrue(err.getvalue().endswith(" \rtry: something\n"))
        console.close()

    def test_nothing_to_do(self) -> None:
        """Neither no work nor no time is a division by zero."""
        err = _Terminal()
        progress = self.console(err).progress("reading", 0)
        self.now = 1.0
        progress.reach(0)
        self.assertIn("100%", err.getvalue())

    def test_texts(self) -> None:
        """Sizes and times are told as people read them."""
        self.assertEqual([size_text(n) for n in (5, 2048, 5 << 40)], ["5 B", "2.0 KiB", "5.0 TiB"])
        self.assertEqual([time_text(n) for n in (5, 65, 3661)], ["0:05", "1:05", "1:01:01"])
