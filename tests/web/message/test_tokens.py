"""Tests of :mod:`seaweedvol.web.message.tokens`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.message.tokens import loggable


class LoggableTests(SynchronousTestCase):
    """What the log shows of a target."""

    def test_tokens_are_hidden(self) -> None:
        """However the name is written, and however often it is there."""
        for target, shown in ((b"/1,01?jwt=a.b.c", "/1,01?jwt=..."),
                              (b"/1,01?%6awt=a&x=1&jwt=b", "/1,01?%6awt=...&x=1&jwt=..."),
                              (b"/1,01?x=1&jwt", "/1,01?x=1&jwt=...")):
            self.assertEqual(loggable(target), shown)

    def test_all_else_is_shown(self) -> None:
        """As the client has written it."""
        for target in (b"/1,01", b"/1,01?", b"/jwt=1?ts=1&&a=%41", b"/\xff?jwtx=1"):
            self.assertEqual(loggable(target), target.decode("latin-1"))
