"""Tests of :mod:`seaweedvol.profiling.sampling` and :mod:`~seaweedvol.profiling.memory`."""

from __future__ import annotations

import os
import sys
import threading
import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.profiling import memory
from seaweedvol.profiling.sampling import Sampler, processor_time, stack_of, thread_stacks


def _waits(ready: threading.Event, ended: threading.Event) -> None:
    ready.set()
    ended.wait(10)


class SamplerTests(SynchronousTestCase):
    """Looks at a thread that waits; the processor time it has used is told by the test."""

    def setUp(self) -> None:
        ready, ended = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=_waits, args=(ready, ended), name="waiting")
        self.thread.start()
        self.addCleanup(self.thread.join)
        self.addCleanup(ended.set)
        ready.wait(10)
        self.used = 0
        self.sampler = Sampler(lambda native: self.used if native == self.thread.native_id else 0)

    def test_counts_what_was_used(self) -> None:
        """What a thread has used between two looks counts for its stack; one that has used nothing is not there."""
        for used in (5, 12, 12, 20):
            self.used = used
            self.sampler.look()
        samples = self.sampler.stop()
        (name, stack), values = next(iter(samples.found.items()))
        self.assertEqual((len(samples.found), name, values), (1, "waiting", [2, 15]))
        self.assertIn(f"{__name__}._waits", [call.function for call in stack])

    def test_runs(self) -> None:
        """Started, it looks by itself and not at itself."""
        sampler = Sampler()
        sampler.start()
        samples = sampler.stop()
        self.assertNotIn("profile", [name for name, _ in samples.found])

    def test_processor_time(self) -> None:
        """The kernel knows what a thread has used; of one that is gone, nothing."""
        self.assertGreater(processor_time(os.getpid()), 0)
        self.assertEqual(processor_time(0), 0)

    def test_threads(self) -> None:
        """Each thread's place can be told."""
        names = [name for name, _ in thread_stacks().found]
        self.assertIn("waiting", names)
        self.assertIn("MainThread", names)

    def test_stack(self) -> None:
        """The innermost call is the first."""
        self.assertEqual(stack_of(sys._getframe())[0].function,
                         f"{__name__}.SamplerTests.test_stack")


class MemoryTests(SynchronousTestCase):
    """Looks at memory."""

    def test_traced_for(self) -> None:
        """What is made meanwhile and kept is found with its place; then tracing is off again."""
        kept: list[bytearray] = []
        samples = memory.traced_for(1, lambda seconds: kept.append(bytearray(3_000_000)))
        self.assertFalse(tracemalloc.is_tracing())
        (_, stack), values = max(samples.found.items(), key=lambda item: item[1][1])
        self.assertGreaterEqual(values[1], 3_000_000)
        self.assertEqual(stack[0].file, __file__)

    def test_traced_anyway(self) -> None:
        """Where tracing is on, all that it has seen is told at once, and it stays on."""
        memory.start_tracing()
        self.addCleanup(tracemalloc.stop)
        memory.traced_for(1, lambda seconds: self.fail("waited"))
        self.assertTrue(tracemalloc.is_tracing())
