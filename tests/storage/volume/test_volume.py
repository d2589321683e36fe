"""The face of a volume: marks, expiry, configuration, closing and removal."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, ItemsView

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import MemoryFile
from seaweedvol.storage.errors import (
    InvalidSetting, NeedleNotFound, StorageError, VolumeBusy, VolumeClosed, VolumeNotEmpty,
)
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.ttl import HOUR, MINUTE, Ttl
from seaweedvol.storage.needlemap import MemoryNeedleMap
from seaweedvol.storage.volume.core import Files
from seaweedvol.storage.volume.readonly import WriteGate
from seaweedvol.storage.volume.volume import ReadOnlyReason, Volume
from tests.storage.volume.building import COOKIE, NOW_NS, Ground, VolumeTestCase, draft, fail_with


class WriteGateTests(SynchronousTestCase):
    """Reasons that come and go at the same moment."""

    def test_none_is_lost(self) -> None:
        """An operator's mark holds, though the disk gets room again in that very moment."""
        gate = WriteGate(3)
        marking = threading.Thread(target=gate.close_by_admin, args=(False,))

        class Meanwhile(dict[ReadOnlyReason, str]):
            def items(self) -> ItemsView[ReadOnlyReason, str]:  # type: ignore[override]
                marking.start()
                marking.join(0.05)
                return ItemsView(self)

        gate._details = Meanwhile({ReadOnlyReason.LOW_DISK: ""})
        gate.open(ReadOnlyReason.LOW_DISK)
        marking.join()
        self.assertEqual(gate.reasons, {ReadOnlyReason.ADMIN})


class MarkTests(VolumeTestCase):
    """Whether writes are taken, and why not."""

    def reload(self) -> None:
        """As after a restart."""
        self.volume.close()
        self.volume = self.ground.load()

    def test_passing_marks(self) -> None:
        """A mark that is not persisted is gone after a restart."""
        self.volume.mark_read_only()
        self.assertEqual((self.volume.is_read_only, self.volume.no_write_or_delete), (True, True))
        self.reload()
        self.assertFalse(self.volume.is_read_only)

    def test_persistent_marks(self) -> None:
        """A persisted mark survives, with its leave to delete, until it is taken away."""
        for can_delete in (False, True):
            self.volume.mark_read_only(persist=True, can_delete=can_delete)
            self.reload()
            self.assertEqual(self.volume.read_only_reasons, {ReadOnlyReason.ADMIN})
            self.assertEqual(
                (self.volume.no_write_or_delete, self.volume.no_write_can_delete), (not can_delete, can_delete),
            )
            self.volume.mark_writable()
            self.reload()
            self.assertFalse(self.volume.is_read_only)
            self.assertFalse(self.volume.info.read_only_can_delete)

    def test_low_disk(self) -> None:
        """A full disk refuses writes and takes deletes; a mark beside it stands on its own."""
        self.volume.append(draft(1))
        self.volume.set_low_disk(True)
        self.assertEqual(
            (self.volume.is_read_only, self.volume.no_write_or_delete, self.volume.no_write_can_delete),
            (True, False, False),
        )
        self.assertEqual(self.volume.delete(1, COOKIE), 9)
        self.volume.mark_read_only()
        self.assertEqual(self.volume.reason_text(), "disk space is low; marked read-only")
        self.volume.set_low_disk(False)
        self.assertEqual(self.volume.read_only_reasons, {ReadOnlyReason.ADMIN})
        self.volume.set_low_disk(True)
        self.volume.mark_writable()
        self.assertEqual(self.volume.read_only_reasons, {ReadOnlyReason.LOW_DISK})

    def test_an_info_that_cannot_be_written(self) -> None:
        """The error is told, the old .vif stands."""
        before = self.ground.path(".vif").read_bytes()
        with failpoints.armed("aside.write", fail_with(errno.ENOSPC)):
            self.assertRaises(OSError, self.volume.mark_read_only, persist=True)
        self.assertEqual(self.ground.path(".vif").read_bytes(), before)
        self.patch(os, "access", lambda path, mode: False)
        self.assertRaises(StorageError, self.volume.mark_writable)

    def test_configure(self) -> None:
        """Another placement holds at once and after a restart; the superblock keeps the first."""
        self.volume.configure("011")
        self.assertEqual(str(self.volume.placement), "011")
        self.reload()
        self.assertEqual(str(self.volume.placement), "011")
        self.assertEqual(self.ground.path(".dat").read_bytes()[1], 0)

    def test_configure_as_written(self) -> None:
        """The .vif keeps the text, as Go's does; without one the superblock's placement is back."""
        for text, told in (("1", "001"), ("0100", "010"), ("", "000")):
            self.volume.configure(text)
            self.assertEqual((self.volume.info.replication, str(self.volume.placement)), (text, told))
            self.reload()
            self.assertEqual((self.volume.info.replication, str(self.volume.placement)), (text, told))
        self.assertRaises(InvalidSetting, self.volume.configure, "999")

    def test_what_could_not_be_saved(self) -> None:
        """It is not saved later either, with something else that is."""
        with failpoints.armed("aside.write", fail_with(errno.ENOSPC)):
            self.assertRaises(OSError, self.volume.mark_read_only, persist=True)
            self.assertRaises(OSError, self.volume.configure, "011")
        self.assertEqual(str(self.volume.placement), "000")
        self.volume.configure("001")
        self.reload()
        self.assertEqual((self.volume.is_read_only, str(self.volume.placement)), (False, "001"))


class ExpiryTests(SynchronousTestCase):
    """Volumes whose needles have all outlived their time."""

    def test_expiry(self) -> None:
        """More whole minutes than the time to live since the last modification, if anything is in it."""
        ground = Ground.at(self.mktemp(), ttl=Ttl(1, HOUR))
        volume = ground.create()
        self.addCleanup(volume.close)
        now = NOW_NS // 10**9
        self.assertFalse(volume.is_expired(1000))
        volume.append(draft(1, last_modified=now))
        ground.now_ns += 60 * 61 * 10**9 - 1
        self.assertFalse(volume.is_expired(1000))
        ground.now_ns += 1
        self.assertTrue(volume.is_expired(1000))
        self.assertFalse(volume.is_expired(0))
        self.assertFalse(volume.is_expired_long_enough(10))
        ground.now_ns = NOW_NS + (66 * 60 + 1) * 10**9
        self.assertTrue(volume.is_expired_long_enough(10))
        ground.now_ns = NOW_NS + (62 * 60 + 1) * 10**9
        self.assertEqual((volume.is_expired_long_enough(10), volume.is_expired_long_enough(2)), (False, True))

    def test_without_ttl(self) -> None:
        """A volume without a time to live never expires."""
        ground = Ground.at(self.mktemp())
        volume = ground.create()
        self.addCleanup(volume.close)
        volume.append(draft(1, last_modified=1))
        self.assertFalse(volume.is_expired(1000) or volume.is_expired_long_enough(10))

    def test_modification(self) -> None:
        """The time counts from when the volume was made or a needle says, whichever is later; after a restart from
        when the .dat was last written.
        """
        ground = Ground.at(self.mktemp(), ttl=Ttl(1, MINUTE))
        volume = ground.create()
        now = NOW_NS // 10**9
        for told, counts in ((5, now), (now + 7, now + 7), (now, now + 7)):
            volume.append(draft(1, last_modified=told))
            self.assertEqual(volume.last_modified_at, counts)
        volume.close()
        volume = ground.load()
        self.assertEqual(volume.last_modified_at, int(ground.path(".dat").stat().st_mtime))
        volume.close()


class ClosesFirst(MemoryFile):
    """A .dat that somebody closes in the moment in which somebody else turns to it."""

    def __init__(self, volume: Volume) -> None:
        super().__init__()
        self._volume = volume

    def pinned(self) -> Callable[[int, int], bytes]:
        self._volume.close()
        return super().pinned()

    def modified_at(self) -> float:
        self._volume.close()
        return super().modified_at()


class EndTests(SynchronousTestCase):
    """Closing and removing."""

    def setUp(self) -> None:
        """A volume with one needle."""
        self.ground = Ground.at(self.mktemp())
        self.volume = self.ground.create()
        self.volume.append(draft(1))

    def test_figures(self) -> None:
        """A closed volume tells zeros."""
        volume = self.volume
        self.assertEqual((volume.data_length, volume.index_length, volume.counts.file_count), (48, 16, 1))
        self.assertGreater(volume.modified_at, 1e9)
        volume.close()
        volume.close()
        volume.sync()
        self.assertEqual(
            (volume.data_length, volume.index_length, volume.counts.file_count, volume.modified_at), (0, 0, 0, 0),
        )
        self.assertRaises(VolumeClosed, volume.locate, 1)

    def test_closed_in_between(self) -> None:
        """Who took the files just before they were closed meets a closed volume, not a failing disk."""
        self.volume._core.files = Files(ClosesFirst(self.volume), MemoryNeedleMap(MemoryFile(), OffsetWidth.FOUR))
        self.assertEqual(self.volume.modified_at, 0)
        self.volume = self.ground.load()
        assert self.volume._core.files is not None
        self.volume._core.files = Files(ClosesFirst(self.volume), self.volume._core.files.needles)
        self.assertRaises(NeedleNotFound, self.volume.read, 1)

    def test_closing_syncs(self) -> None:
        """Both files are synced; when that fails it is reported and they are closed all the same."""
        names: list[str] = []
        with failpoints.observed(names.append), failpoints.armed("index.sync", fail_with(errno.EIO)):
            self.volume.close()
        self.assertEqual(names, ["data.sync", "data.synced"])
        self.assertIn("could not be synced", self.ground.reports[-1])
        self.assertRaises(VolumeClosed, self.volume.append, draft(2))

    def test_sync(self) -> None:
        """An explicit sync reaches both files and tells of errors."""
        names: list[str] = []
        with failpoints.observed(names.append):
            self.volume.sync()
        self.assertEqual(names, ["index.sync", "index.synced", "data.sync", "data.synced"])
        with failpoints.armed("data.sync", fail_with(errno.EIO)):
            self.assertRaises(OSError, self.volume.sync)
        self.volume.close()

    def test_removal(self) -> None:
        """Nothing of the volume is left, nothing of others is touched."""
        for suffix in (".sdx", ".cpd", ".note", ".torn-8"):
            self.ground.path(suffix).touch()
        self.ground.path(".ldb").mkdir()
        (self.ground.path(".ldb") / "LOG").touch()
        others = ["33.dat", "3.ecsum", "x_3.dat"]
        for name in others:
            (self.ground.directory / name).touch()
        self.volume.destroy()
        self.assertEqual(sorted(path.name for path in self.ground.directory.iterdir()), sorted(others))

    def test_shared_info_stays(self) -> None:
        """Erasure-coded shards beside it keep their .vif."""
        self.ground.path(".ecx").touch()
        self.volume.destroy()
        self.assertEqual(sorted(path.name for path in self.ground.directory.iterdir()), ["3.ecx", "3.vif"])

    def test_only_empty(self) -> None:
        """A volume that holds or held something is not removed as empty."""
        error = self.assertRaises(VolumeNotEmpty, self.volume.destroy, only_empty=True)
        self.assertEqual(str(error), "volume not empty")
        self.assertEqual(self.volume.read(1).data, b"data")
        self.volume.destroy()
        empty = self.ground.create()
        empty.destroy(only_empty=True)
        self.assertEqual(list(self.ground.directory.iterdir()), [])

    def test_busy(self) -> None:
        """A volume under compaction is not removed."""
        self.volume._core.is_compacting = True
        error = self.assertRaises(VolumeBusy, self.volume.destroy)
        self.assertEqual(str(error), "volume 3 is compacting")
        self.volume.close()

    def test_a_file_that_cannot_be_removed(self) -> None:
        """The error is told after the other files are gone."""
        left = [1]

        def fail_once() -> None:
            if left:
                left.pop()
                raise OSError(errno.EIO, "no")

        with failpoints.armed("remove", fail_once):
            self.assertRaises(OSError, self.volume.destroy)
        self.assertEqual([path.name for path in self.ground.directory.iterdir()], ["3.dat"])

    def test_identity(self) -> None:
        """What it is called and where it lies."""
        volume = self.volume
        self.assertEqual((volume.id, volume.collection, volume.version, volume.compaction_revision), (3, "", 3, 0))
        self.assertEqual(volume.directory, self.ground.directory)
        self.assertEqual(volume.data_path, self.ground.path(".dat"))
        self.assertEqual(volume.index_path, self.ground.path(".idx"))
        volume.close()

    def test_scan(self) -> None:
        """All records in order with their headers, deletions too."""
        self.volume.append(draft(2, b""))
        self.volume.delete(1, COOKIE)
        found = [(offset, needle.key, needle.size, needle.cookie) for offset, needle in self.volume.scan()]
        self.assertEqual(found, [(8, 1, 9, COOKIE), (48, 2, 0, COOKIE), (80, 1, 0, COOKIE)])
        self.assertEqual(list(self.volume.ascending()), [(1, 8, -9), (2, 48, 0)])
        self.volume.close()
