"""A file system that goes read-only, or a device that goes away, under a running server."""

from __future__ import annotations

import errno
import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import NoFreeSlot, VolumeReadOnly
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.readonly import ReadOnlyReason
from seaweedvol.store.placing import roomiest
from seaweedvol.store.room import PROBE_NAME, PROBE_SECONDS
from tests.storage.volume.building import COOKIE, draft
from tests.store.making import fail_with, new_store

HERE, BESIDE, ELSEWHERE = map(VolumeId, (7, 8, 9))


class ReadOnlyDiskTests(SynchronousTestCase):
    """Two disks, of which the first takes no writes any more."""

    def setUp(self) -> None:
        """Two volumes on the first, one on the second."""
        self.store = new_store(self, count=2)
        self.first, self.second = self.store.locations
        for volume_id in (HERE, ELSEWHERE, BESIDE):
            self.store.allocate(volume_id).append(draft(1))
        self.assertEqual(set(self.first.volumes), {HERE, BESIDE})
        self.addCleanup(failpoints.disarm)
        self.number = 0
        real = os.open

        def opened(path: Any, *arguments: Any, **named: Any) -> int:
            if self.number and str(path).endswith(PROBE_NAME):
                raise OSError(self.number, os.strerror(self.number))
            return real(path, *arguments, **named)

        self.patch(os, "open", opened)

    def break_disk(self, number: int) -> None:
        """One write finds out."""
        self.number = number
        failpoints.arm("data.write", fail_with(number))
        self.assertRaises(OSError, self.store.get(HERE).append, draft(2))
        failpoints.disarm("data.write")

    def check_closed(self, number: int) -> None:
        """All its volumes refuse writes and deletions, and are told of as such; they read, and the other disk serves.
        """
        reason = f"the disk takes no writes ({os.strerror(number)})"
        for volume_id in (HERE, BESIDE):
            volume = self.store.get(volume_id)
            self.assertEqual(volume.reason_text(), reason)
            self.assertEqual(volume.read_only_reasons, {ReadOnlyReason.BROKEN_DISK})
            self.assertRaises(VolumeReadOnly, volume.append, draft(3))
            self.assertRaises(VolumeReadOnly, volume.delete, 1, COOKIE)
            self.assertFalse(volume.is_quarantined)
            volume.read(1)
        self.store.get(ELSEWHERE).append(draft(3))
        told = {one.id: one.read_only for one in self.store.report().volumes}
        self.assertEqual(told, {HERE: True, BESIDE: True, ELSEWHERE: False})
        self.assertFalse(self.first.has_free_slot)
        self.assertEqual(self.first.reported_max_count, 2)
        self.assertIs(roomiest(self.store.locations, lambda one: True), self.second)
        self.assertFalse(self.first.is_unavailable)

    def test_until_it_is_well(self) -> None:
        """The first write that fails ends the writing; a probe that succeeds ends that."""
        for number in (errno.EROFS, errno.ENODEV, errno.ENXIO):
            before = self.first.room.io_errors
            self.break_disk(number)
            self.check_closed(number)
            self.assertEqual(self.first.room.io_errors, before + 1)
            self.assertEqual(self.store.get(HERE).io_errors, before + 1)
            self.assertEqual(self.first.room.patience, PROBE_SECONDS)
            self.first.check_space()
            self.check_closed(number)
            self.assertEqual(self.first.room.patience, PROBE_SECONDS)
            self.number = 0
            self.first.check_space()
            for volume_id in (HERE, BESIDE):
                self.assertFalse(self.store.get(volume_id).is_read_only)
                self.store.get(volume_id).append(draft(number))
            self.assertTrue(self.first.has_free_slot)
            self.assertFalse((self.first.directory / PROBE_NAME).exists())

    def test_full_meanwhile(self) -> None:
        """A disk without room takes writes; that it has no room is told by others."""
        self.break_disk(errno.EROFS)
        self.number = errno.ENOSPC
        self.first.check_space()
        self.assertEqual(self.first.write_fault, "")

    def test_word_of_an_operator(self) -> None:
        """It cannot have a disk take writes."""
        self.break_disk(errno.EROFS)
        volume = self.store.get(HERE)
        self.assertRaises(Exception, self.store.get(HERE).append, draft(3))
        volume.mark_writable()
        self.check_closed(errno.EROFS)

    def test_volume_that_comes(self) -> None:
        """One that is mounted meanwhile is read-only too."""
        self.break_disk(errno.EROFS)
        self.store.unmount(BESIDE)
        self.store.mount(BESIDE)
        self.check_closed(errno.EROFS)

    def test_only_disk(self) -> None:
        """No volume can be made."""
        self.second.is_low_space = True
        self.break_disk(errno.EROFS)
        self.assertRaises(NoFreeSlot, self.store.allocate, VolumeId(10))
