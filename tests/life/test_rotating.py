"""Looking after the files of certificates."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet import defer, task
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.life.rotating import Rotation


class RotationTests(SynchronousTestCase):
    """Tests for :class:`Rotation`, with a clock that is turned by hand."""

    def setUp(self) -> None:
        self.looks = 0
        self.told = 0
        self.adopted: list[object] = []
        self.error: Exception | None = None
        secured: Any = SimpleNamespace(
            settings=SimpleNamespace(refresh_seconds=5.0), refresh=self.look, adopt=self.adopted.append,
            tell_ends=self.tell)
        self.clock = task.Clock()
        self.rotation = Rotation(secured, self.clock, defer.maybeDeferred)

    def look(self) -> None:
        """Count."""
        self.looks += 1
        if self.error is not None:
            raise self.error

    def tell(self) -> None:
        """Count."""
        self.told += 1

    def test_ends(self) -> None:
        """Expired certificates are told at the start, when there is a log, and not before."""
        self.assertEqual(self.told, 0)
        self.rotation.startService()
        self.assertEqual(self.told, 1)
        self.rotation.stopService()

    def test_looks(self) -> None:
        """One look in five seconds, from the start to the end."""
        self.rotation.startService()
        self.clock.pump([4.9, 0.2, 5, 5])
        self.assertEqual(self.looks, 3)
        self.rotation.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failure(self) -> None:
        """A look that fails is logged, and the next one comes."""
        self.error = ValueError("odd")
        self.rotation.startService()
        self.clock.pump([5, 5])
        self.assertEqual((self.looks, len(self.flushLoggedErrors(ValueError))), (2, 2))
        self.rotation.stopService()

    def test_reload(self) -> None:
        """SIGHUP hands new settings on."""
        settings: Any = SimpleNamespace(security=SimpleNamespace(tls="new"))
        self.successResultOf(self.rotation.reload(settings))
        self.assertEqual(self.adopted, ["new"])

    def test_stopped_before_its_start(self) -> None:
        """A start that failed elsewhere may still stop us."""
        self.rotation.stopService()
