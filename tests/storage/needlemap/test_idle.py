"""Tests of :mod:`seaweedvol.storage.needlemap.idle`."""

from __future__ import annotations

import gc

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.needlemap.idle import IdleWatch


class Sleeper:
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        self.was_used = False
        self.unloads = 0

    def take_use(self) -> bool:
        """As set by the test."""
        was_used, self.was_used = self.was_used, False
        return was_used

    def unload(self) -> None:
        """Count it."""
        self.unloads += 1


class IdleWatchTests(SynchronousTestCase):
    """IdleWatch."""

    def test_hours_in_a_row(self) -> None:
        """So many hours without a use put it to sleep, one use begins the count anew."""
        watch, sleeper = IdleWatch(3), Sleeper()
        watch.add(sleeper)
        told = []
        for was_used in (False, False, True, False, False, False, True, False):
            sleeper.was_used = was_used
            watch.note_hour()
            told.append(sleeper.unloads)
        self.assertEqual(told, [0, 0, 0, 0, 0, 1, 1, 1])

    def test_each_for_itself(self) -> None:
        """A busy one keeps no other awake, and one that is gone is not kept."""
        watch, busy, idle, gone = IdleWatch(1), Sleeper(), Sleeper(), Sleeper()
        for sleeper in (busy, idle, gone):
            watch.add(sleeper)
        busy.was_used = True
        del gone, sleeper
        gc.collect()
        watch.note_hour()
        self.assertEqual((busy.unloads, idle.unloads, len(watch._idle)), (0, 1, 2))
