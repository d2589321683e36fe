"""Named crash points."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints


class FailpointTests(SynchronousTestCase):
    """reach, arm, disarm, armed, observed."""

    def setUp(self) -> None:
        """Nothing is armed, before and after."""
        self.addCleanup(failpoints.disarm)
        self.calls: list[str] = []

    def test_nothing_happens_unarmed(self) -> None:
        """Reaching any name is harmless."""
        failpoints.reach("anything")

    def test_armed(self) -> None:
        """The action runs at its own name only, until disarmed."""
        failpoints.arm("here", lambda: self.calls.append("here"))
        failpoints.reach("here")
        failpoints.reach("there")
        failpoints.disarm("here")
        failpoints.disarm("never armed")
        failpoints.reach("here")
        self.assertEqual(self.calls, ["here"])

    def test_disarm_all(self) -> None:
        """Without a name everything is forgotten."""
        failpoints.arm("here", lambda: self.calls.append("here"))
        failpoints.disarm()
        failpoints.reach("here")
        self.assertEqual(self.calls, [])

    def test_for_a_while(self) -> None:
        """Blocks disarm and stop observing when they end, be it by an error."""
        for block in (failpoints.armed("here", self.fail_there), failpoints.observed(self.fail_there)):
            with self.assertRaises(ZeroDivisionError):
                with block:
                    failpoints.reach("here")
            failpoints.reach("here")

    def fail_there(self, name: str = "") -> None:
        """What is armed."""
        raise ZeroDivisionError(name)

    def test_observers_see_all_names(self) -> None:
        """An observer is called with every name."""
        with failpoints.observed(self.calls.append):
            failpoints.reach("one")
            failpoints.reach("two")
        self.assertEqual(self.calls, ["one", "two"])
