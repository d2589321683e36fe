"""EIO at every read and write of a workload, once and from there on: nothing is deleted, nothing is lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.batching import Put, Removal
from seaweedvol.storage.volume.readonly import ReadOnlyReason
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.store.store import Store
from tests.storage.volume.building import COOKIE, draft
from tests.store.making import new_store

BAD, GOOD = VolumeId(7), VolumeId(8)
CALLS = ("pread", "preadv", "pwrite", "pwritev", "ftruncate", "fdatasync", "fsync")
DATA = {key: b"needle %d " % key * 30 for key in range(1, 6)}


class BreakingDisk:
    """Counts the calls that reach a directory, and has some of them fail.

    :ivar first: the number of the first call that fails.
    :ivar is_lasting: whether all later ones fail too.
    """

    def __init__(self, test: SynchronousTestCase, directory: Path) -> None:
        self.directory = str(directory.absolute())
        self.count = 0
        self.first = 1 << 60
        self.is_lasting = False
        for name in CALLS:
            test.patch(os, name, self.calling(getattr(os, name)))

    def calling(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """In the place of ``real``."""
        def call(descriptor: int, *arguments: Any) -> Any:
            if os.readlink(f"/proc/self/fd/{descriptor}").startswith(self.directory):
                self.count += 1
                if self.count == self.first or self.is_lasting and self.count > self.first:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(descriptor, *arguments)
        return call

    def heal(self) -> None:
        """No call fails any more."""
        self.first = 1 << 60


class EveryCallTests(SynchronousTestCase):
    """Two disks with a volume each, of which one disk fails somewhere in a workload."""

    def ground(self) -> tuple[Store, BreakingDisk]:
        """A new store, with some needles in both volumes."""
        store = new_store(self, count=2)
        store.allocate(BAD)
        store.allocate(GOOD)
        for volume_id in (BAD, GOOD):
            for key, data in DATA.items():
                store.get(volume_id).append(draft(key, data))
        return store, BreakingDisk(self, store.get(BAD).directory)

    def work(self, store: Store, disk: BreakingDisk) -> dict[int, set[bytes | None]]:
        """Everything that touches files; what may be under each key of the failing volume afterwards: None is nothing.
        """
        volume = store.get(BAD)
        allowed: dict[int, set[bytes | None]] = {key: {data} for key, data in DATA.items()}
        self.write(volume, allowed, 1, b"changed", fsync=False)
        self.write(volume, allowed, 10, b"new", fsync=True)
        self.read(volume)
        body = b"in a batch"
        changes: list[Put | Removal] = [Put(20, COOKIE, body, crc32c(body), b"\0", 0), Removal(2, COOKIE)]
        volume.apply(changes)
        is_done = all(change.is_taken and change.error is None for change in changes)
        allowed[20], allowed[2] = {body}, {None}
        if not is_done:
            allowed[20].add(None)
            allowed[2].add(DATA[2])
        try:
            allowed[3].add(None)
            volume.delete(3, COOKIE)
            allowed[3] = {None}
        except (OSError, StorageError):
            pass
        try:
            list(volume.compact())
            volume.commit_compaction()
        except (OSError, StorageError):
            pass
        self.write(volume, allowed, 30, b"after", fsync=False)
        self.read(volume)
        return allowed

    def write(self, volume: Volume, allowed: dict[int, set[bytes | None]], key: int, data: bytes, *,
              fsync: bool) -> None:
        """One needle. Of one that was not acknowledged either may be found: a disk that fails when it is written may
        fail too when it is to be cut off again."""
        try:
            volume.append(draft(key, data), fsync=fsync)
            allowed[key] = {data}
        except (OSError, StorageError):
            allowed.setdefault(key, {None}).add(data)

    def read(self, volume: Volume) -> None:
        """All needles; what cannot be read is told, and nothing is made up."""
        for key, data in DATA.items():
            try:
                self.assertIn(volume.read(key).data, (data, b"changed"))
            except (OSError, StorageError):
                pass

    def held(self, volume: Volume, key: int) -> bytes | None:
        """What is under a key."""
        found = volume.locate(key)
        return volume.read(key).data if found is not None and found[1] > 0 else None

    def check(self, store: Store, allowed: dict[int, set[bytes | None]], where: str) -> None:
        """The other disk is as it should be, and what was acknowledged is where it failed, now and after a restart."""
        for key, data in DATA.items():
            self.assertEqual(store.get(GOOD).read(key).data, data)
        self.assertFalse(store.get(GOOD).is_read_only)
        self.assertEqual(store.get(GOOD).io_errors, 0)
        volume = store.get(BAD)
        directory = volume.directory
        for _ in range(2):
            for key, wanted in allowed.items():
                self.assertIn(self.held(volume, key), wanted, f"{where}, key {key}")
            store.unmount(BAD)
            store.load_new_volumes()
            volume = store.get(BAD)
        self.assertEqual({path.suffix for path in Path(directory).glob("7.*")}, {".dat", ".idx", ".vif"}, where)
        volume.mark_writable()
        volume.append(draft(99, b"well"))
        self.assertFalse(volume.is_read_only)

    def check_from(self, first: int, *, is_lasting: bool) -> bool:
        """Fail at the call of this number; whether there was one."""
        store, disk = self.ground()
        disk.first, disk.is_lasting = disk.count + first, is_lasting
        allowed = self.work(store, disk)
        was_reached = disk.count >= disk.first
        volume = store.get(BAD)
        if was_reached:
            location = next(one for one in store.locations if BAD in one.volumes)
            self.assertEqual(volume.io_errors, location.room.io_errors)
            if is_lasting and volume.is_quarantined:
                self.assertIn(ReadOnlyReason.IO_ERROR, volume.read_only_reasons)
        disk.heal()
        self.check(store, allowed, f"call {first}")
        store.close()
        return was_reached

    def test_once(self) -> None:
        """One call fails."""
        number = 1
        while self.check_from(number, is_lasting=False):
            number += 1
        self.assertGreater(number, 20)

    def test_from_there_on(self) -> None:
        """It and all later ones."""
        number = 1
        while self.check_from(number, is_lasting=True):
            number += 1
        self.assertGreater(number, 20)

    def test_quarantine(self) -> None:
        """After three reads in a row the volume is read-only and no more reported; the master hears of the other one.
        """
        store, disk = self.ground()
        disk.first, disk.is_lasting = disk.count + 1, True
        for count in range(1, 4):
            self.assertFalse(store.get(BAD).is_quarantined)
            self.assertRaises(OSError, store.get(BAD).read, 1)
            self.assertEqual(store.get(BAD).io_errors, count)
        self.assertTrue(store.get(BAD).is_quarantined)
        self.assertEqual([one.id for one in store.report().volumes], [GOOD])
        reasons = {one.id: one.read_only_reason for one in store.volume_statuses()}
        self.assertEqual(reasons, {BAD: "the disk fails ([Errno 5] Input/output error)", GOOD: ""})
        disk.heal()
        self.assertEqual(store.get(BAD).read(1).data, DATA[1])
        self.assertEqual(len(store.report().volumes), 1)
        store.mark_writable(BAD)
        self.assertEqual(len(store.report().volumes), 2)
