"""Changes made together: where, when, and what becomes of those that are not made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.interfaces import QuickVolume
from seaweedvol.storage.volume.batching import Put, Removal, SyncTicket
from seaweedvol.web.express.batches import (
    CALM_BATCHES, CALM_SECONDS, FORGIVEN_SECONDS, MAX_CALM_BATCHES, SLOW_SECONDS, Batches,
)
from tests.web.serving import HeldThreads

Change = Put | Removal


@attrs.define
class Ticket:
    """Of a batch that is to be on the device.

    :ivar failure: what is said instead.
    """

    failure: Exception | None = None

    def wait(self) -> None:
        """See SyncTicket."""
        if self.failure is not None:
            raise self.failure


@attrs.define(eq=False)
class FakeVolume:
    """A volume that remembers how changes came.

    :ivar took: seconds for the next batches, in order; none at all when there are no more.
    :ivar is_busy: whether somebody else holds the lock.
    :ivar refused: keys that are not for a batch.
    :ivar applied: keys of each batch, and whether it might wait and was to be on the device.
    """

    clock: list[float]
    took: list[float] = attrs.field(factory=list)
    is_busy: bool = False
    refused: set[int] = attrs.field(factory=set)
    applied: list[tuple[list[int], bool, bool]] = attrs.field(factory=list)
    failure: Exception | None = None
    ticket: Ticket = attrs.field(factory=Ticket)

    def apply(self, changes: Sequence[Change], *, blocking: bool = True, fsync: bool = False) -> SyncTicket | None:
        """See QuickVolume."""
        self.applied.append(([change.key for change in changes], blocking, fsync))
        self.clock[0] += self.took.pop(0) if self.took else 0
        if self.failure is not None:
            raise self.failure
        if not (self.is_busy and not blocking):
            for change in changes:
                change.is_taken = change.key not in self.refused
        return cast(SyncTicket, self.ticket) if fsync else None


class BatchesTests(SynchronousTestCase):
    """Everything that is said below is of these."""

    def setUp(self) -> None:
        """Threads that are told to work, a clock that is moved by disks."""
        self.clock = [0.0]
        self.threads = HeldThreads()
        self.is_in_turn = True
        self.batches = Batches(self.threads, lambda: self.is_in_turn, lambda: self.clock[0])
        self.volume = self.new_volume()
        self.done: list[int] = []

    def new_volume(self) -> FakeVolume:
        """A volume."""
        return FakeVolume(self.clock)

    def add(self, key: int, volume: FakeVolume | None = None, *, fsync: bool = False,
            then: Callable[[], None] = lambda: None) -> Put:
        """A change."""
        put = Put(key, 1, b"data", 2, b"\0", 3)

        def done() -> None:
            self.done.append(key)
            then()

        self.batches.add(cast(QuickVolume, volume or self.volume), put, done, fsync)
        return put

    def one_batch(self, took: float = 0.0) -> None:
        """A batch of one that takes so long."""
        self.volume.took = [took]
        self.add(len(self.volume.applied))
        self.batches.flush()

    def test_together(self) -> None:
        """What comes up in a turn is made at its end, each volume's at once and in order."""
        other = self.new_volume()
        for key in (3, 1, 2):
            self.add(key)
            self.add(key + 10, other)
        self.assertEqual((self.done, self.volume.applied), ([], []))
        self.batches.flush()
        self.assertEqual(self.volume.applied, [([3, 1, 2], False, False)])
        self.assertEqual(other.applied, [([13, 11, 12], False, False)])
        self.assertEqual(self.done, [3, 1, 2, 13, 11, 12])
        self.batches.flush()
        self.assertEqual(len(self.volume.applied), 1)

    def test_outside(self) -> None:
        """What comes up outside a turn is not kept."""
        self.is_in_turn = False
        self.add(1)
        self.assertEqual((self.done, self.volume.applied), ([1], [([1], False, False)]))

    def test_while_telling(self) -> None:
        """What comes up while others are told is made in the same end of the turn."""
        self.add(1, then=lambda: cast(None, self.add(2)))
        self.batches.flush()
        self.assertEqual(self.volume.applied, [([1], False, False), ([2], False, False)])

    def test_teller_fails(self) -> None:
        """One that cannot be told does not keep the others from it."""
        def fail() -> None:
            raise ValueError("no such client")

        self.add(1, then=fail)
        self.add(2)
        self.batches.flush()
        self.assertEqual(self.done, [1, 2])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_slow_disk(self) -> None:
        """A volume whose disk made us wait gets a thread, until it has been calm for a while."""
        self.one_batch(SLOW_SECONDS * 2)
        for _ in range(CALM_BATCHES):
            self.one_batch(CALM_SECONDS / 2)
            self.assertEqual(len(self.threads.waiting), 1)
            self.threads.run()
        self.one_batch()
        waited = [blocking for _, blocking, _ in self.volume.applied]
        self.assertEqual(waited, [False] + [True] * CALM_BATCHES + [False])
        self.assertEqual(self.done, list(range(CALM_BATCHES + 2)))

    def test_slow_again(self) -> None:
        """A slow batch makes calm start anew; a disk that was slow more often has to be calm for longer."""
        self.one_batch(SLOW_SECONDS * 2)
        self.threads.is_open = True
        self.one_batch(CALM_SECONDS / 2)
        self.one_batch(SLOW_SECONDS)
        self.assertEqual(self.calm_batches(), 2 * CALM_BATCHES)
        for times in range(1, 12):
            self.one_batch(SLOW_SECONDS * 2)
            self.assertEqual(self.calm_batches(), min(CALM_BATCHES << times, MAX_CALM_BATCHES))

    def test_slow_long_ago(self) -> None:
        """What was slow long ago counts for nothing."""
        self.threads.is_open = True
        for _ in range(3):
            self.one_batch(SLOW_SECONDS * 2)
            self.calm_batches()
        self.clock[0] += FORGIVEN_SECONDS
        self.one_batch(SLOW_SECONDS * 2)
        self.assertEqual(self.calm_batches(), CALM_BATCHES)

    def calm_batches(self) -> int:
        """How many more batches have a thread of their own, all of them being fast."""
        count = -1
        is_blocking = True
        while is_blocking:
            self.one_batch()
            _, is_blocking, _ = self.volume.applied[-1]
            count += 1
        return count

    def test_others_meanwhile(self) -> None:
        """A slow disk keeps back its own volume only; what comes up there meanwhile is one batch afterwards."""
        other = self.new_volume()
        self.one_batch(SLOW_SECONDS * 2)
        self.one_batch()
        for key in (5, 6):
            self.add(key)
            self.add(key, other)
            self.batches.flush()
        self.assertEqual(other.applied, [([5], False, False), ([6], False, False)])
        self.assertEqual(len(self.volume.applied), 1)
        self.threads.run()
        self.assertEqual(len(self.threads.waiting), 1)
        self.threads.run()
        self.assertEqual(self.volume.applied[1:], [([1], True, False), ([5, 6], True, False)])
        self.assertEqual(sorted(self.done), [0, 1, 5, 5, 6, 6])

    def test_locked(self) -> None:
        """While somebody else changes the volume, a thread waits for that."""
        self.volume.is_busy = True
        put = self.add(1)
        self.batches.flush()
        self.assertEqual((self.done, put.is_taken), ([], False))
        self.threads.run()
        self.assertEqual((self.done, put.is_taken), ([1], True))
        self.assertEqual(self.volume.applied, [([1], False, False), ([1], True, False)])

    def test_refused(self) -> None:
        """Who is not for a batch is told with the others, as not taken."""
        self.volume.refused = {2}
        puts = [self.add(key) for key in (1, 2, 3)]
        self.batches.flush()
        self.assertEqual(([put.is_taken for put in puts], self.done), ([True, False, True], [1, 2, 3]))
        alone = self.add(2)
        self.batches.flush()
        self.threads.run()
        self.assertEqual((alone.is_taken, self.done), (False, [1, 2, 3, 2]))

    def test_synced(self) -> None:
        """What is to be on the device has a batch and a thread of its own; more of it waits for the one before."""
        self.add(1)
        self.add(2, fsync=True)
        self.add(3, fsync=True)
        self.batches.flush()
        self.assertEqual((self.done, self.volume.applied), ([1], [([1], False, False)]))
        self.add(4, fsync=True)
        self.batches.flush()
        self.assertEqual(len(self.threads.waiting), 1)
        self.threads.run()
        self.assertEqual(self.done, [1, 2, 3])
        self.threads.run()
        self.assertEqual(self.volume.applied[1:], [([2, 3], True, True), ([4], True, True)])
        self.assertEqual(self.done, [1, 2, 3, 4])

    def test_sync_fails(self) -> None:
        """When the device has an error, each change that was made has it too."""
        self.volume.refused = {2}
        for failure in (OSError("the disk is gone"), ValueError("a mistake")):
            self.volume.ticket.failure = failure
            self.done.clear()
            puts = [self.add(key, fsync=True) for key in (1, 2)]
            self.batches.flush()
            self.threads.run()
            self.assertEqual(([put.error for put in puts], self.done), ([failure, None], [1, 2]))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_batch_fails(self) -> None:
        """Whatever a volume raises, everybody is told, and the volume goes on."""
        for fsync, is_slow in ((False, False), (False, True), (True, False)):
            if is_slow:
                self.one_batch(SLOW_SECONDS * 2)
            self.done.clear()
            self.volume.failure = ValueError("a mistake")
            put = self.add(7, fsync=fsync)
            self.batches.flush()
            self.threads.run()
            self.assertEqual((put.is_taken, self.done), (False, [7]))
            self.volume.failure = None
            self.add(8, fsync=fsync)
            self.batches.flush()
            self.threads.run()
            self.assertEqual(self.done, [7, 8])
            self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_many_volumes(self) -> None:
        """Volumes that are idle are forgotten, others are not."""
        self.volume.is_busy = True
        self.add(1)
        self.batches.flush()
        for _ in range(3000):
            self.add(1, self.new_volume())
            self.batches.flush()
        self.assertLess(len(self.batches._queues), 1100)
        self.add(2)
        self.batches.flush()
        self.assertEqual(len(self.volume.applied), 1)
        self.threads.run()
        self.threads.run()
        self.assertEqual(self.volume.applied[1:], [([1], True, False), ([2], False, False), ([2], True, False)])
