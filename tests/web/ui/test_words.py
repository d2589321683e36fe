"""Numbers for people."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.ui.words import ago, legible, percent, readable, up_time


class WordsTests(SynchronousTestCase):
    """All of them."""

    def test_sizes(self) -> None:
        """Each in the largest unit that fits."""
        self.assertEqual([readable(size) for size in (0, 1023, 1024, 1536, 3 << 30, 1 << 70)],
                         ["0 B", "1023 B", "1.00 KiB", "1.50 KiB", "3.00 GiB", "1024.00 EiB"])

    def test_times(self) -> None:
        """Each as Go writes it."""
        self.assertEqual([up_time(seconds) for seconds in (-1, 0, 59, 61, 3600, 90061)],
                         ["0s", "0s", "59s", "1m1s", "1h0m0s", "25h1m1s"])

    def test_ago(self) -> None:
        """From a moment to now."""
        self.assertEqual((ago(100.0, None), ago(100.0, 39.5)), ("never", "1m0s ago"))

    def test_percent(self) -> None:
        """Between nothing and all."""
        self.assertEqual([percent(*pair) for pair in ((1, 4), (0, 0), (5, 4), (-1, 4))], [25.0, 0.0, 100.0, 0.0])

    def test_legible(self) -> None:
        """Whatever a file is called."""
        self.assertEqual([legible(name) for name in ("/d\u00e4ta", "/d\udcff")], ["/d\u00e4ta", "/d\ufffd"])
