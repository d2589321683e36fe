"""Long work of a call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.errors import Refused
from seaweedvol.server.stepping import run_out, stepwise
from seaweedvol.store.store import Store


class StepwiseTests(SynchronousTestCase):
    """Work in another thread, which the caller may end."""

    def setUp(self) -> None:
        self.store = cast(Store, SimpleNamespace(is_stopping=False))

    def test_result(self) -> None:
        """What the work returns comes out."""
        self.assertEqual(run_out(stepwise(self.store, lambda check: 5)), 5)

    def test_failure(self) -> None:
        """What the work raises comes out, a timeout of its own too."""
        for error in (ValueError("bad"), TimeoutError("late")):
            def work(check: Callable[[], None]) -> None:
                raise error
            self.assertRaises(type(error), run_out, stepwise(self.store, work, seconds=0.001))

    def test_steps(self) -> None:
        """While the work goes on the caller hears of it."""
        go_on = threading.Event()
        steps = stepwise(self.store, lambda check: go_on.wait(10), seconds=0.001)
        self.assertEqual([next(steps), next(steps)], [None, None])
        go_on.set()
        self.assertTrue(run_out(steps))

    def test_closed(self) -> None:
        """Closed early, the work is told so and waited for."""
        ended: list[str] = []

        def work(check: Callable[[], None]) -> None:
            try:
                while True:
                    check()
            except Refused as error:
                ended.append(str(error))
                raise
        steps = stepwise(self.store, work, seconds=0.001)
        next(steps)
        steps.close()
        self.assertEqual(ended, ["context canceled"])

    def test_stopping(self) -> None:
        """A server that stops ends it."""
        self.store.is_stopping = True
        self.assertRaises(Refused, run_out, stepwise(self.store, lambda check: check()))
