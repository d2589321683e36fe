"""The pool of processes. These tests make real ones, a few in all."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import workers
from seaweedvol.server.workers import WorkerDied, Workers


def die_once(marker: str) -> int:
    """Take the process along, but not the second time."""
    if not os.path.exists(marker):
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def die() -> None:
    """Take the process along."""
    os.kill(os.getpid(), signal.SIGKILL)


class WorkersTests(SynchronousTestCase):
    """What is done elsewhere."""

    def setUp(self) -> None:
        self.workers = Workers(1)
        self.addCleanup(self.workers.close)

    def test_elsewhere(self) -> None:
        """Work is done in one other process that gives way to this one; what it raises is raised here."""
        elsewhere = self.workers.run(os.getpid)
        self.assertNotEqual(elsewhere, os.getpid())
        self.assertEqual(self.workers.run(os.getpid), elsewhere)
        self.assertEqual(self.workers.run(os.nice, 0), min(os.nice(0) + 10, 19))
        error = self.assertRaises(ValueError, self.workers.run, int, "x")
        self.assertIn("invalid literal", str(error))

    def test_death(self) -> None:
        """Work whose process dies is done by the next; not for ever."""
        marker = os.path.abspath(self.mktemp())
        self.assertNotEqual(self.workers.run(die_once, marker), os.getpid())
        self.assertRaises(WorkerDied, self.workers.run, die)

    def test_idle(self) -> None:
        """A pool without work ends, and the next work makes a new one."""
        self.workers.linger = 0.01
        first = self.workers.run(os.getpid)
        for _ in range(500):
            if not os.path.exists(f"/proc/{first}"):
                break
            time.sleep(0.01)
        self.assertFalse(os.path.exists(f"/proc/{first}"))
        self.assertNotEqual(self.workers.run(os.getpid), first)

    def test_no_processes(self) -> None:
        """Where none can be made the work is done here."""
        self.patch(workers, "ProcessPoolExecutor", mock.Mock(side_effect=OSError))
        self.assertEqual(self.workers.run(os.getpid), os.getpid())
