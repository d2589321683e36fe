"""Tests of :mod:`seaweedvol.store.diskspace`."""

from __future__ import annotations

import math
import os
import threading

from twisted.trial import unittest

from seaweedvol.store.diskspace import (
    FAILURES_UNTIL_UNAVAILABLE,
    SUCCESSES_UNTIL_AVAILABLE,
    DiskHealth,
    DiskStatus,
    MinFree,
    disk_status,
    human_bytes,
    measure,
    single,
)

GIB = 1 << 30


def statvfs_of(*, blocks: int = 1000, free: int = 300, available: int = 250, size: int = 4096) -> os.statvfs_result:
    """What the system would answer."""
    return os.statvfs_result((size, size, blocks, free, available, 0, 0, 0, 0, 255))


def a_status(free: int, total: int) -> DiskStatus:
    """Figures of a disk."""
    return DiskStatus("/x", total, total - free, free, single(free / total * 100), single((total - free) / total * 100))


class MeasureTests(unittest.SynchronousTestCase):
    """Figures are those of Go."""

    def test_free_is_what_users_can_have(self) -> None:
        """Blocks kept for root count as used."""
        status = measure("/x", lambda path: statvfs_of())
        self.assertEqual((status.all, status.free, status.used), (4096000, 1024000, 3072000))
        self.assertEqual((status.percent_free, status.percent_used), (25.0, 75.0))

    def test_percent_is_single_precision(self) -> None:
        """Percentages are rounded as the wire rounds them."""
        status = measure("/x", lambda path: statvfs_of(blocks=66053021, available=19874969))
        self.assertEqual(status.percent_free, single(19874969 / 66053021 * 100))
        self.assertNotEqual(status.percent_free, 19874969 / 66053021 * 100)

    def test_file_system_of_no_size(self) -> None:
        """Nothing divided by nothing is no error, as in Go."""
        self.assertTrue(math.isnan(measure("/x", lambda path: statvfs_of(blocks=0, available=0)).percent_free))

    def test_missing_directory_has_zeros(self) -> None:
        """The status page does not fail over a directory that cannot be asked."""
        self.assertEqual(disk_status("/no/such/place"), DiskStatus("/no/such/place"))

    def test_real_directory(self) -> None:
        """The path becomes absolute and the figures add up."""
        status = disk_status(".")
        self.assertEqual(status.directory, os.getcwd())
        self.assertEqual(status.used + status.free, status.all)


class MinFreeTests(unittest.SynchronousTestCase):
    """The rule decides as Go's, figures taken from the Go program."""

    def test_decisions(self) -> None:
        """Less than the least is low, exactly the least is not."""
        status = a_status(5 * GIB, 100 * GIB)
        self.assertFalse(MinFree(percent=5).is_low(status))
        self.assertTrue(MinFree(percent=5.1).is_low(status))
        self.assertFalse(MinFree(amount=5 * GIB).is_low(status))
        self.assertTrue(MinFree(amount=5 * GIB + 1).is_low(status))

    def test_available(self) -> None:
        """What may still be written, in Go's single precision."""
        status = DiskStatus("/x", (1000 << 30) + 7, 0, 50 << 30)
        for percent, available in ((1, 42949672960), (2.5, 26843545600), (7, 0), (0.5, 48318382080)):
            self.assertEqual(MinFree(percent=percent).available(status), available, percent)
        for amount, available in ((10 * GIB, 42949672960), (10**10, 43687091200), (101, 53687091099)):
            self.assertEqual(MinFree(amount=amount).available(status), available, amount)

    def test_descriptions(self) -> None:
        """The log line is Go's."""
        status = DiskStatus("/x", 0, 0, 5 * GIB, 3.25)
        for rule, line in ((MinFree(percent=1), "disk free 3.25% >= required 1.00%"),
                           (MinFree(percent=7), "disk free 3.25% < required 7.00%"),
                           (MinFree(amount=10**10), "disk free 5.00 GiB < required 9.31 GiB"),
                           (MinFree(amount=1024000), "disk free 5.00 GiB >= required 1000.00 KiB"),
                           (MinFree(amount=101), "disk free 5.00 GiB >= required 101 B")):
            self.assertEqual(rule.describe(status), line)

    def test_human_bytes_at_the_borders(self) -> None:
        """A unit begins at its own size."""
        self.assertEqual([human_bytes(n) for n in (0, 1023, 1024, 2**64 - 1)],
                         ["0 B", "1023 B", "1.00 KiB", "16.00 EiB"])


class DiskHealthTests(unittest.SynchronousTestCase):
    """A disk is judged by how it answers."""

    def setUp(self) -> None:
        """A disk that can be broken."""
        self.is_broken = False
        self.health = DiskHealth("/x", statvfs=self.answer)

    def answer(self, path: str) -> os.statvfs_result:
        """As the disk feels."""
        if self.is_broken:
            raise OSError(5, "Input/output error")
        return statvfs_of()

    def test_healthy(self) -> None:
        """A disk that answers has figures and no error."""
        status = self.health.check()
        self.assertEqual((status.error, status.all), ("", 4096000))

    def test_few_failures_are_forgiven(self) -> None:
        """Until the fifth failure the last figures stand in."""
        good = self.health.check()
        self.is_broken = True
        for _ in range(FAILURES_UNTIL_UNAVAILABLE - 1):
            self.assertEqual(self.health.check(), good)
        broken = self.health.check()
        self.assertEqual(broken.error, "disk health check failed: statfs: Input/output error")
        self.assertEqual(broken.all, 0)

    def test_one_answer_between_starts_the_count_anew(self) -> None:
        """Only failures in a row count."""
        for _ in range(3):
            self.is_broken = True
            for _ in range(FAILURES_UNTIL_UNAVAILABLE - 1):
                self.health.check()
            self.is_broken = False
            self.assertEqual(self.health.check().error, "")

    def test_recovery_takes_as_many_answers(self) -> None:
        """A disk that was unavailable is believed only after five answers in a row."""
        self.is_broken = True
        for _ in range(FAILURES_UNTIL_UNAVAILABLE):
            self.health.check()
        self.is_broken = False
        verdicts = [bool(self.health.check().error) for _ in range(SUCCESSES_UNTIL_AVAILABLE)]
        self.assertEqual(verdicts, [True] * (SUCCESSES_UNTIL_AVAILABLE - 1) + [False])

    def test_hanging_disk_costs_one_thread(self) -> None:
        """While a question hangs no second one is asked, and each attempt fails at once."""
        asked = []
        let_go = threading.Event()
        self.addCleanup(let_go.set)

        def hang(path: str) -> os.statvfs_result:
            asked.append(path)
            let_go.wait(10)
            return statvfs_of()

        health = DiskHealth("/x", statvfs=hang, timeout_seconds=0.0)
        errors = [health.check().error for _ in range(FAILURES_UNTIL_UNAVAILABLE)]
        self.assertEqual(asked, ["/x"])
        self.assertEqual(errors[-1], "disk health check failed: statfs: statfs still in progress")
