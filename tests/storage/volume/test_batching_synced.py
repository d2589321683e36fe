"""Batches that wait for the device, batches beside other writers, and batches that replace."""

from __future__ import annotations

import errno
import threading

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import NeedleNotFound
from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.volume.batching import Removal
from tests.storage.volume.building import COOKIE, Ground, VolumeTestCase, draft, fail_with
from tests.storage.volume.test_batching import put, state


class SyncTests(VolumeTestCase):
    """Batches that wait for the device."""

    def setUp(self) -> None:
        """A volume with a needle."""
        super().setUp()
        self.addCleanup(failpoints.disarm)
        self.volume.append(draft(1, b"one"))

    def test_a_ticket(self) -> None:
        """The sync comes with the wait, once for all puts; without puts there is nothing to wait for."""
        names: list[str] = []
        with failpoints.observed(names.append):
            ticket = self.volume.apply([put(5), put(6)], fsync=True)
            self.assertNotIn("data.sync", names)
            assert ticket is not None
            ticket.wait()
            ticket.wait()
        self.assertEqual(names.count("data.sync"), 1)
        self.assertIsNone(self.volume.apply([Removal(5, COOKIE)], fsync=True))
        self.assertIsNone(self.volume.apply([put(7)]))

    def test_tickets_share_a_sync(self) -> None:
        """Batches and single appends that wait at the same time are one group."""
        first = self.volume.apply([put(5)], fsync=True)
        second = self.volume.apply([put(6)], fsync=True)
        assert first is not None and second is not None
        names: list[str] = []
        with failpoints.observed(names.append):
            second.wait()
            first.wait()
        self.assertEqual(names.count("data.sync"), 1)

    def test_a_failed_sync_undoes_the_batch(self) -> None:
        """The files are those of before, the keys are free again."""
        before = self.ground.path(".dat").read_bytes(), self.ground.path(".idx").read_bytes()
        needles = list(self.volume.ascending())
        ticket = self.volume.apply([put(9), put(5), put(7, b"")], fsync=True)
        assert ticket is not None
        with failpoints.armed("data.sync", fail_with(errno.EIO)):
            self.assertEqual(self.assertRaises(OSError, ticket.wait).errno, errno.EIO)
        self.assertEqual((self.ground.path(".dat").read_bytes(), self.ground.path(".idx").read_bytes()), before)
        self.assertEqual(list(self.volume.ascending()), needles)
        self.assertEqual(self.volume.counts.file_count, 1)

    def test_a_failed_sync_spares_what_came_later(self) -> None:
        """Only the puts of the batch go; deletions in it and writes after it stay, after a restart too."""
        ticket = self.volume.apply([put(5), Removal(1, COOKIE), put(6)], fsync=True)
        assert ticket is not None
        self.volume.apply([put(10, b"acknowledged")])
        with failpoints.armed("data.sync", fail_with(errno.EIO)):
            self.assertRaises(OSError, ticket.wait)
        for _ in range(2):
            self.assertEqual(self.volume.read(10).data, b"acknowledged")
            for key in (1, 5, 6):
                self.assertRaises(NeedleNotFound, self.volume.read, key)
            self.volume.close()
            self.volume = self.ground.load()
        self.assertEqual(self.ground.reports, [])

    def test_an_unchanged_needle_waits_for_the_batch(self) -> None:
        """The same data again are written again while those of the batch may yet be undone."""
        ticket = self.volume.apply([put(5)], fsync=True)
        assert ticket is not None
        self.assertFalse(self.volume.append(draft(5)).is_unchanged)
        ticket.wait()
        self.assertTrue(self.volume.append(draft(5)).is_unchanged)


class ThreadTests(SynchronousTestCase):
    """Batches beside single appends, synced ones and readers."""

    def test_all_at_once(self) -> None:
        """Everything that was acknowledged is there, now and after a restart, whoever wrote it."""
        ground = Ground.at(self.mktemp())
        volume = ground.create()
        acknowledged: list[int] = []
        wrong: list[object] = []
        done = threading.Event()

        def append(first: int) -> None:
            for key in range(first, first + 60):
                volume.append(draft(key, b"%d" % key), fsync=key % 10 == 0)
                acknowledged.append(key)

        def apply(first: int, is_blocking: bool) -> None:
            left = [put(key, b"%d" % key) for key in range(first, first + 160)]
            while left:
                batch, left = left[:8], left[8:]
                ticket = volume.apply(batch, blocking=is_blocking, fsync=len(left) % 16 == 0)
                if ticket is not None:
                    ticket.wait()
                left += [change for change in batch if not change.is_taken]
                acknowledged.extend(change.key for change in batch if change.is_taken)
                wrong.extend(change.error for change in batch if change.error)

        def look() -> None:
            while not done.is_set():
                for key in acknowledged[-5:]:
                    if volume.read(key).data != b"%d" % key:
                        wrong.append(key)

        reader = threading.Thread(target=look)
        writers = [threading.Thread(target=append, args=(10_000 * number,)) for number in (1, 4)]
        writers += [
            threading.Thread(target=apply, args=(10_000 * number, number == 2)) for number in (2, 3, 5)
        ]
        for thread in (reader, *writers):
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        reader.join()
        self.assertEqual((wrong, len(acknowledged)), ([], 2 * 60 + 3 * 160))
        volume.close()
        loaded = ground.load()
        self.addCleanup(loaded.close)
        self.assertEqual((ground.reports, loaded.counts.file_count), ([], len(acknowledged)))
        for key in acknowledged:
            needle = loaded.read(key)
            self.assertEqual((needle.data, needle.checksum), (b"%d" % key, crc32c(b"%d" % key)))


class ReplacingTests(SynchronousTestCase):
    """Puts that say what they replace."""

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from((b"one", b"two", b"three"))), max_size=12))
    def test_as_one_by_one(self, steps: list[tuple[int, bytes]]) -> None:
        """The same bytes in both files as by single appends, which compare by themselves."""
        grounds = [Ground.at(self.mktemp()) for _ in range(2)]
        batched, stepwise = (ground.create() for ground in grounds)
        for key, data in steps:
            change = put(key, data)
            batched.apply([change], blocking=False)
            if change.is_known:
                self.assertFalse(change.is_taken)
                change.replaces = batched.locate(key)
                change.is_same = batched.read(key).data == data
                batched.apply([change], blocking=False)
            appended = stepwise.append(draft(key, data))
            self.assertTrue(change.is_taken)
            self.assertEqual(change.is_unchanged, appended.is_unchanged)
            self.assertEqual(change.offset, appended.offset)
            self.assertEqual(state(batched), state(stepwise))
        batched.close()
        stepwise.close()

    def test_another_was_quicker(self) -> None:
        """What is not there any more is not replaced; nor is anything that is to be synced, or that may be undone."""
        volume = Ground.at(self.mktemp()).create()
        self.addCleanup(volume.close)
        volume.append(draft(1, b"one"))
        change = put(1, b"two")
        change.replaces = volume.locate(1)
        volume.append(draft(1, b"three"))
        volume.apply([change], blocking=False)
        self.assertFalse(change.is_taken)
        change.replaces = volume.locate(1)
        self.assertIsNone(volume.apply([change], blocking=False, fsync=True))
        self.assertFalse(change.is_taken)
        ticket = volume.apply([put(2, b"two")], fsync=True)
        same = put(2, b"two")
        same.replaces, same.is_same = volume.locate(2), True
        volume.apply([same], blocking=False)
        self.assertEqual((same.is_taken, same.is_unchanged), (True, False))
        assert ticket is not None
        ticket.wait()
