"""Tests of :mod:`seaweedvol.logs.levels`."""

from __future__ import annotations

from twisted.logger import LogLevel, PredicateResult
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.logs.levels import Levels


class LevelsTests(SynchronousTestCase):
    """What is let through."""

    def told(self, levels: Levels, namespace: str) -> str:
        """The least level of a module that is told."""
        for level in (LogLevel.debug, LogLevel.info, LogLevel.warn):
            if levels({"log_level": level, "log_namespace": namespace}) is not PredicateResult.no:
                return str(level.name)
        return "none"

    def test_verbosity(self) -> None:
        """Nothing of debugging at 0, all of it above."""
        self.assertEqual(self.told(Levels(), "seaweedvol.a"), "info")
        self.assertEqual(self.told(Levels(1), "seaweedvol.a"), "debug")
        self.assertEqual((Levels().wants_debug, Levels(1).wants_debug), (False, True))

    def test_modules(self) -> None:
        """Patterns are for the last name of a module, or for all of its names; the first that fits counts."""
        levels = Levels(0, "heart*=1,seaweedvol/web/*=2,lane=0")
        self.assertEqual([self.told(levels, name) for name in (
            "seaweedvol.cluster.heartbeat", "seaweedvol.web.lane.lane", "seaweedvol.other.lane",
            "seaweedvol.rpc.door")],
            ["debug", "debug", "info", "info"])
        self.assertTrue(levels.wants_debug)
        self.assertEqual(self.told(Levels(1, "lane=0"), "seaweedvol.web.lane.lane"), "info")
        self.assertEqual(self.told(Levels(0, "listening=1"), "seaweedvol.web.lane.listening.LanePort"), "debug")

    def test_change(self) -> None:
        """Levels may change at any time."""
        levels = Levels()
        self.assertEqual(self.told(levels, "a"), "info")
        levels.set(1, "")
        self.assertEqual(self.told(levels, "a"), "debug")

    def test_talkative_library(self) -> None:
        """What Twisted tells of each connection is told only to who wants all."""
        for namespace in ("twisted.web.client", "twisted.web.client._HTTP11ClientFactory"):
            self.assertEqual(self.told(Levels(), namespace), "warn")
        self.assertEqual(self.told(Levels(), "twisted.web.clients"), "info")
        self.assertEqual(self.told(Levels(1), "twisted.web.client"), "debug")
        self.assertIs(Levels()({}), PredicateResult.maybe)
