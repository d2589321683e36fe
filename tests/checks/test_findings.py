"""Tests of :mod:`seaweedvol.checks.findings`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.checks.findings import bad, doubtful, exit_code, fine, report_text


class FindingsTests(SynchronousTestCase):
    """How findings are told."""

    def test_report(self) -> None:
        """Each is a line, and the last line counts them."""
        text = report_text([fine("space", "/a", "much"), bad("space", "/b", "none"), doubtful("limits", "x", "few")])
        self.assertEqual(text, "ok    space         /a: much\nFAIL  space         /b: none\n"
                               "warn  limits        x: few\n1 failed, 1 doubtful, 1 fine\n")

    def test_exit_code(self) -> None:
        """Only what is bad keeps a server from starting."""
        self.assertEqual(exit_code([fine("a", "b", "c"), doubtful("a", "b", "c")]), 0)
        self.assertEqual(exit_code([bad("a", "b", "c"), fine("a", "b", "c")]), 1)
