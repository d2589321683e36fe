"""Telling servers of deletions, again if need be."""

from __future__ import annotations

import logging
from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import ectelling
from seaweedvol.server.ectelling import Deletion, Telling
from seaweedvol.server.interfaces import RemoteCallFailed


def deletion(key: int) -> Deletion:
    """One of volume 7."""
    return Deletion("pics", 7, key, 3)


class TellingTests(SynchronousTestCase):
    """Servers that hear, and some that do not yet."""

    def setUp(self) -> None:
        log = logging.getLogger("seaweedvol.server.ectelling")
        self.patch(log, "propagate", False)
        self.patch(log, "handlers", [logging.NullHandler()])
        self.clock = Clock()
        self.deaf: set[str] = set()
        self.asked: list[tuple[str, int]] = []
        self.heard: list[tuple[str, int]] = []
        self.telling = Telling(self.say, self.later, self.clock.seconds)

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """By the test's clock."""
        self.clock.callLater(seconds, work)

    def say(self, address: str, one: Deletion) -> None:
        """One call."""
        self.asked.append((address, one.key))
        if address in self.deaf:
            raise RemoteCallFailed("down")
        self.heard.append((address, one.key))

    def test_at_once(self) -> None:
        """Who hears is told once."""
        self.assertTrue(self.telling.tell("a:1", deletion(1)))
        self.clock.advance(1000)
        self.assertEqual(self.asked, [("a:1", 1)])
        self.assertEqual(self.telling.waiting(), 0)

    def test_again(self) -> None:
        """Who does not is told again, of everything, until he hears; one call at a time shows whether he does."""
        self.deaf.add("a:1")
        for key in (1, 2, 3):
            self.assertFalse(self.telling.tell("a:1", deletion(key)))
        self.assertEqual(self.telling.waiting(), 3)
        self.clock.advance(20)
        self.clock.advance(20)
        self.assertEqual(self.asked[3:], [("a:1", 1)] * 2)
        self.deaf.clear()
        self.clock.advance(20)
        self.assertEqual(self.heard, [("a:1", 1), ("a:1", 2), ("a:1", 3)])
        self.assertEqual((self.telling.waiting(), self.clock.getDelayedCalls()), (0, []))

    def test_each_apart(self) -> None:
        """One that is away does not keep another from hearing."""
        self.deaf = {"a:1", "b:1"}
        self.telling.tell("a:1", deletion(1))
        self.telling.tell("b:1", deletion(1))
        self.deaf = {"a:1"}
        self.clock.advance(20)
        self.assertEqual((self.heard, self.telling.waiting()), ([("b:1", 1)], 1))

    def test_given_up(self) -> None:
        """After a day it is not said any more, and nobody waits for anything."""
        self.deaf.add("a:1")
        self.telling.tell("a:1", deletion(1))
        self.clock.pump([20] * 4400)
        self.assertEqual((self.telling.waiting(), self.clock.getDelayedCalls()), (0, []))

    def test_bounded(self) -> None:
        """No more than so many are kept; the oldest go."""
        self.patch(ectelling, "MOST_KEPT", 2)
        self.deaf.add("a:1")
        for key in (1, 2, 3):
            self.telling.tell("a:1", deletion(key))
        self.deaf.clear()
        self.clock.advance(20)
        self.assertEqual(self.heard, [("a:1", 2), ("a:1", 3)])

    def test_thread(self) -> None:
        """The real clock's thread keeps no process from ending."""
        timer = ectelling.in_a_thread(3600, lambda: None)
        self.assertTrue(timer.daemon)
        timer.cancel()
