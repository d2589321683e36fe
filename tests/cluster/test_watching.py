"""Descriptors behind one descriptor, with pipes instead of connections."""

from __future__ import annotations

import os

from twisted.internet.testing import MemoryReactor
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.watching import READABLE, WRITABLE, Watcher


class Listener:
    """Remembers what it was told."""

    accepts = False

    def __init__(self, watcher: Watcher) -> None:
        self.told: list[int] = []
        self.lost: list[Failure] = []
        self.watcher = watcher
        self.forgets: int | None = None
        self.error: Exception | None = None

    def on_event(self, event: int) -> None:
        """See Watched."""
        self.told.append(event)
        if self.forgets is not None:
            self.watcher.forget(self.forgets)
        if self.error is not None:
            raise self.error

    def read_ended(self) -> None:
        """See Watched."""

    def connectionLost(self, reason: Failure) -> None:
        """See Watched."""
        self.lost.append(reason)


class WatcherTests(SynchronousTestCase):
    """Who hears what."""

    def setUp(self) -> None:
        """Two pipes with something in them."""
        self.reactor = MemoryReactor()
        self.watcher = Watcher(self.reactor)
        self.one, self.two = Listener(self.watcher), Listener(self.watcher)
        self.ends = []
        for _ in range(2):
            ends = os.pipe()
            os.write(ends[1], b"x")
            self.ends.append(ends)
            self.addCleanup(os.close, ends[0])
            self.addCleanup(os.close, ends[1])

    def test_reactor_has_it_only_while_there_is_something(self) -> None:
        """The first descriptor brings it in, the last takes it out; it can come again."""
        for _ in range(2):
            self.watcher.watch(self.ends[0][0], self.one, READABLE)
            self.watcher.watch(self.ends[1][0], self.two, READABLE)
            self.assertEqual(self.reactor.getReaders(), [self.watcher])
            self.assertGreaterEqual(self.watcher.fileno(), 0)
            self.watcher.forget(self.ends[0][0])
            self.assertEqual(self.reactor.getReaders(), [self.watcher])
            self.watcher.forget(self.ends[1][0])
            self.assertEqual((self.reactor.getReaders(), self.watcher.fileno()), ([], -1))
        self.watcher.doRead()
        self.assertEqual(self.one.told, [])

    def test_each_hears_of_its_own(self) -> None:
        """What was asked for last, and no more."""
        self.watcher.watch(self.ends[0][0], self.one, READABLE)
        self.watcher.watch(self.ends[1][1], self.two, READABLE)
        rounds: list[int] = []
        self.watcher.after_round.append(lambda: rounds.append(1))
        self.watcher.doRead()
        self.assertEqual((self.one.told, self.two.told, rounds), ([READABLE], [], [1]))
        self.watcher.change(self.ends[1][1], WRITABLE)
        self.watcher.doRead()
        self.assertEqual(self.two.told, [WRITABLE])

    def test_forgotten_within_a_round_hears_nothing(self) -> None:
        """Even when its event is there already; its number may belong to another by then."""
        self.watcher.watch(self.ends[0][0], self.one, READABLE)
        self.watcher.watch(self.ends[1][0], self.two, READABLE)
        self.one.forgets, self.two.forgets = self.ends[1][0], self.ends[0][0]
        self.watcher.doRead()
        self.assertEqual(len(self.one.told) + len(self.two.told), 1)

    def test_error_costs_one_connection(self) -> None:
        """It is logged, its owner is told, the others go on."""
        self.watcher.watch(self.ends[0][0], self.one, READABLE)
        self.watcher.watch(self.ends[1][0], self.two, READABLE)
        self.one.error = ZeroDivisionError()
        self.watcher.doRead()
        self.assertEqual((len(self.one.lost), self.two.told), (1, [READABLE]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_error_of_the_end_too(self) -> None:
        """Nothing comes out, as the reactor would ask no more."""
        self.watcher.watch(self.ends[0][0], self.one, READABLE)
        self.one.error = ZeroDivisionError()
        self.patch(self.one, "connectionLost", lambda reason: reason.raiseException())
        self.watcher.doRead()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
