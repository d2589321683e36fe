"""Tests of :mod:`seaweedvol.storage.volume.compacting` and :mod:`~seaweedvol.storage.volume.compactingcommit`."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import NeedleNotFound, VolumeBusy, VolumeClosed, VolumeError
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.format.placement import NO_REPLICATION
from seaweedvol.storage.format.ttl import EMPTY_TTL, parse_ttl
from seaweedvol.storage.volume.compacting import Compaction
from seaweedvol.storage.volume.loading import create_volume, load_volume
from seaweedvol.storage.volume.reading import PagedNeedle
from seaweedvol.storage.volume.volume import ReadOnlyReason, Volume
from tests.storage.volume.building import COOKIE, NOW_NS, Ground, draft, fail_with

LEFTOVERS = (".cpd", ".cpx", ".cpc", ".cpldb")


def compact(volume: Volume, wanted: Compaction = Compaction()) -> list[int]:
    """Compact it and leave it there; the offsets that were reported."""
    return [offset for offset in volume.compact(wanted) if offset is not None]


def vacuum(volume: Volume) -> None:
    """Compact and commit."""
    compact(volume)
    volume.commit_compaction()


class CompactingCase(SynchronousTestCase):
    """A volume with garbage."""

    def make(self, **settings: Any) -> Volume:
        """Needles 1 to 9, out of order; 4 and 8 deleted, 5 written twice, 6 empty."""
        self.ground = Ground.at(self.mktemp(), **settings)
        volume = self.ground.create()
        for key in (3, 1, 2, 9, 4, 5, 8, 7):
            volume.append(draft(key, b"%d" % key * 100, name=b"name"))
        volume.append(draft(6, b""))
        volume.append(draft(5, b"five again" * 9))
        for key in (4, 8):
            volume.delete(key, COOKIE)
        self.addCleanup(volume.close)
        return volume

    def check(self, volume: Volume) -> None:
        """All that is to be there is, and nothing else."""
        for key in (1, 2, 3, 7, 9):
            self.assertEqual(volume.read(key).data, b"%d" % key * 100, key)
        self.assertEqual(volume.read(5).data, b"five again" * 9)
        self.assertEqual(volume.read(6).data, b"")
        for key in (4, 8):
            self.assertRaises(NeedleNotFound, volume.read, key)

    def leftovers(self) -> list[str]:
        """Suffixes of files that a compaction left."""
        return [suffix for suffix in LEFTOVERS if self.ground.path(suffix).exists()]

    def again(self, volume: Volume) -> Volume:
        """The volume as after a restart."""
        volume.close()
        volume = self.ground.load()
        self.addCleanup(volume.close)
        self.assertEqual(volume.read_only_reasons, set(), volume.reason_text())
        return volume


class CompactTests(CompactingCase):
    """Making the new files."""

    def test_vacuum(self) -> None:
        """In each version and width: live needles in the order of their keys, garbage gone, one revision more."""
        for version in NEEDLE_VERSIONS:
            for width in OffsetWidth:
                volume = self.make(version=version, width=width)
                before = volume.data_length
                compact(volume)
                self.check(volume)
                self.assertEqual((volume.compaction_revision, volume.data_length), (0, before))
                self.assertTrue(volume.commit_compaction())
                self.check(volume)
                self.assertEqual(volume.compaction_revision, 1)
                self.assertLess(volume.data_length, before)
                self.assertEqual([needle.key for _, needle in volume.scan()], [1, 2, 3, 5, 6, 7, 9])
                self.assertEqual([row[0] for row in self.ground.rows()], [1, 2, 3, 5, 6, 7, 9])
                self.assertEqual(volume.garbage_ratio, 0)
                self.assertEqual((self.leftovers(), self.ground.reports), ([], []))
                volume.append(draft(10, b"ten"))
                volume = self.again(volume)
                self.check(volume)
                self.assertEqual((volume.read(10).data, volume.compaction_revision), (b"ten", 1))

    def test_records_stay(self) -> None:
        """Records are moved as they are, append times included."""
        volume = self.make()
        before = {key: volume.read(key) for key in (1, 5, 6, 9)}
        vacuum(volume)
        self.assertEqual({key: volume.read(key) for key in before}, before)

    def test_empty(self) -> None:
        """A volume of which nothing is left, and one in which there was nothing."""
        volume = self.make()
        for key in (1, 2, 3, 5, 6, 7, 9):
            volume.delete(key, COOKIE)
        for revision in (1, 2):
            vacuum(volume)
            volume = self.again(volume)
            self.assertEqual((volume.data_length, volume.index_length, volume.compaction_revision), (8, 0, revision))

    def test_index_elsewhere(self) -> None:
        """The .cpx is made where the .idx is, the marker where the .dat is."""
        data, index = (Path(self.mktemp()) for _ in range(2))
        for place in (data, index):
            place.mkdir()
        volume = create_volume(data, index, "", 3, placement=NO_REPLICATION, ttl=EMPTY_TTL)
        for key in (2, 1):
            volume.append(draft(key, b"%d" % key))
        names: list[tuple[list[str], list[str]]] = []
        compact(volume)
        volume.delete(1, COOKIE)
        with failpoints.armed("renamed", lambda: names.append((listed(data), listed(index)))):
            volume.commit_compaction()
        self.assertEqual(names, [(["3.cpc", "3.dat", "3.vif"], ["3.cpx", "3.idx"]),
                                 (["3.cpc", "3.dat", "3.vif"], ["3.idx"])])
        self.assertEqual((listed(data), listed(index)), (["3.dat", "3.vif"], ["3.idx"]))
        volume.close()
        volume = load_volume(data, index, "", 3)
        self.addCleanup(volume.close)
        self.assertEqual(volume.read(2).data, b"2")
        self.assertRaises(NeedleNotFound, volume.read, 1)

    def test_preallocation(self) -> None:
        """Room that was asked for stays reserved when the file is done."""
        volume = self.make()
        compact(volume, Compaction(preallocate=4 << 20))
        self.assertGreaterEqual(self.ground.path(".cpd").stat().st_blocks * 512, 4 << 20)
        volume.commit_compaction()
        self.check(volume)

    def test_garbage_ratio(self) -> None:
        """Deleted bytes of all bytes."""
        self.ground = Ground.at(self.mktemp())
        volume = self.ground.create()
        self.assertEqual(volume.garbage_ratio, 0)
        for key in range(4):
            volume.append(draft(key + 1, b"same"))
        volume.delete(3, COOKIE)
        self.assertEqual(volume.garbage_ratio, 0.25)
        volume.close()
        self.assertEqual(volume.garbage_ratio, 0)

    def test_reports(self) -> None:
        """An offset is given whenever so many bytes more of the .dat were reached, whatever the parts."""
        volume = self.make()
        offsets = [volume.locate(key)[0] for key in (1, 2, 3, 5, 6, 7, 9)]  # type: ignore[index]
        expected, above = [], 300
        for offset in offsets:
            if offset > above:
                expected.append(offset)
                above = offset + 300
        self.assertEqual(compact(volume, Compaction(report_every=300)), expected)
        self.assertTrue(expected)

    def test_long_records(self) -> None:
        """Needles too long for memory are copied too, and so are those that lie between."""
        volume = self.make()
        bodies = {20: os.urandom(5 << 20), 21: b"short", 22: os.urandom(9 << 20), 23: os.urandom(3 << 20)}
        for key, body in bodies.items():
            volume.append(draft(key, body, name=b"long"))
        parts: list[int] = []
        compact(volume, Compaction(after_part=parts.append, part_length=4 << 20))
        volume.commit_compaction()
        self.assertGreater(len(parts), 3)
        self.check(volume)
        for key, body in bodies.items():
            found = volume.open(key)
            data = found.read(0, len(body)) if isinstance(found, PagedNeedle) else found.data
            self.assertEqual(data, body)

    def test_damaged(self) -> None:
        """What cannot be read is left behind and told of; the rest is there."""
        volume = self.make()
        volume.append(draft(30, b"x" * (5 << 20)))
        volume.append(draft(31, b"last"))
        for key in (2, 30):
            place = volume.locate(key)
            assert place is not None
            with self.ground.path(".dat").open("r+b") as file:
                file.seek(place[0] + 40)
                file.write(b"\xff")
        vacuum(volume)
        self.assertEqual([needle.key for _, needle in volume.scan()], [1, 3, 5, 6, 7, 9, 31])
        self.assertEqual(self.ground.reports, ["compaction of volume 3 leaves 2 unreadable needles behind"])

    def test_ttl_of_needles(self) -> None:
        """In a volume without a time to live a needle that has one is kept until that is over."""
        volume = self.make()
        for key, ttl in ((20, "1m"), (21, "1h")):
            volume.append(draft(key, b"data", ttl=parse_ttl(ttl), last_modified=NOW_NS // 10**9))
        self.ground.now_ns += 120 * 10**9
        vacuum(volume)
        self.assertEqual([needle.key for _, needle in volume.scan()], [1, 2, 3, 5, 6, 7, 9, 21])

    def test_lost_content(self) -> None:
        """When less is copied than the map knows of, the old files stay."""
        volume = self.make()
        volume.counts.content_bytes += 1 << 20
        error = self.assertRaises(VolumeError, compact, volume)
        self.assertIn("volume 3 unexpected new data size: ", str(error))
        self.assertEqual(self.leftovers(), [])
        self.assertRaises(VolumeError, volume.commit_compaction)

    def test_broken_off(self) -> None:
        """By who asked for it, by whoever is asked between parts, by a failing disk: nothing is left, and it can be
        begun again.
        """
        volume = self.make()
        walk = volume.compact(Compaction(report_every=1))
        next(walk)
        self.assertTrue(volume.is_compacting)
        self.assertRaises(VolumeBusy, volume.destroy)
        self.assertEqual(compact(volume), [])
        self.assertFalse(volume.commit_compaction())
        walk.close()  # type: ignore[attr-defined]
        self.assertEqual((self.leftovers(), volume.is_compacting), ([], False))
        self.assertRaises(OSError, compact, volume, Compaction(check=fail_with(errno.EINTR)))
        for name in ("walk.write", "compacted.write", "compacted.sync"):
            with failpoints.armed(name, fail_with(errno.EIO)):
                self.assertRaises(OSError, compact, volume)
            self.assertEqual((self.leftovers(), volume.is_compacting), ([], False), name)
            self.check(volume)
        vacuum(volume)
        self.check(volume)

    def test_closed_meanwhile(self) -> None:
        """A compaction ends when its volume is closed, and leaves another one's files alone."""
        volume = self.make()
        walk = volume.compact(Compaction(report_every=1))
        next(walk)
        volume.close()
        other = self.ground.load()
        self.addCleanup(other.close)
        compact(other)
        self.assertRaises(VolumeClosed, list, walk)
        other.commit_compaction()
        self.check(other)

    def test_cleanup(self) -> None:
        """What was made goes, and a compaction that goes on ends; twice is harmless."""
        volume = self.make()
        compact(volume)
        volume.clean_up_compaction()
        self.assertEqual(self.leftovers(), [])
        self.assertRaises(VolumeError, volume.commit_compaction)
        walk = volume.compact(Compaction(report_every=1))
        next(walk)
        volume.clean_up_compaction()
        self.assertRaises(VolumeError, list, walk)
        volume.clean_up_compaction()
        self.ground.path(".cpc").touch()
        error = self.assertRaises(VolumeError, volume.clean_up_compaction)
        self.assertEqual(str(error), "volume 3: refusing cleanup while commit marker present")
        self.assertRaises(VolumeError, compact, volume)


class CommitTests(CompactingCase):
    """Putting them in place."""

    def change(self, volume: Volume) -> None:
        """Everything that can happen to a volume while it is compacted."""
        volume.append(draft(11, b"new"))
        volume.append(draft(12, b"new, and gone"))
        volume.append(draft(1, b"one again"))
        volume.append(draft(13, b""))
        volume.append(draft(14, b"L" * (3 << 20)))
        volume.delete(2, COOKIE)
        volume.delete(12, COOKIE)
        volume.append(draft(4, b"back"))

    def check_changed(self, volume: Volume) -> None:
        """What :meth:`change` left."""
        found = {key: volume.read(key).data for key in (1, 4, 5, 11, 13, 14)}
        self.assertEqual(found, {
            1: b"one again", 4: b"back", 5: b"five again" * 9, 11: b"new", 13: b"", 14: b"L" * (3 << 20)})
        for key in (2, 8, 12):
            self.assertRaises(NeedleNotFound, volume.read, key)

    def test_changes_are_carried_over(self) -> None:
        """Writes and deletions of the time between, in each version and width."""
        for version in NEEDLE_VERSIONS:
            for width in OffsetWidth:
                volume = self.make(version=version, width=width)
                compact(volume)
                self.change(volume)
                volume.commit_compaction()
                self.check_changed(volume)
                self.check_changed(self.again(volume))

    def test_changes_during_the_walk(self) -> None:
        """The walk goes by the rows of its beginning; what came since is carried over all the same."""
        volume = self.make()
        walk = volume.compact(Compaction(report_every=1))
        next(walk)
        self.change(volume)
        list(walk)
        volume.commit_compaction()
        self.check_changed(self.again(volume))

    def test_many_changes(self) -> None:
        """More than one round carries them."""
        volume = self.make()
        compact(volume)
        for key in range(1000, 3000):
            volume.append(draft(key, b"%d" % key))
        volume.commit_compaction()
        volume = self.again(volume)
        for key in range(1000, 3000, 77):
            self.assertEqual(volume.read(key).data, b"%d" % key)

    def test_without_compaction(self) -> None:
        """There is nothing to commit, and the volume is served as before; Go's is served no more."""
        volume = self.make()
        error = self.assertRaises(VolumeError, volume.commit_compaction)
        self.assertEqual(str(error), "volume 3 compact swap aborted: missing .cpd/.cpx")
        vacuum(volume)
        self.assertRaises(VolumeError, volume.commit_compaction)
        self.check(volume)

    def test_failing_disk(self) -> None:
        """Wherever the disk fails the volume goes on, before the restart and after it."""
        names: list[str] = []
        volume = self.make()
        compact(volume)
        volume.append(draft(40, b"carried over"))
        with failpoints.observed(names.append):
            volume.commit_compaction()
        self.assertGreater(len(names), 12)
        for number in range(len(names)):
            volume = self.make()
            compact(volume)
            volume.append(draft(40, b"carried over"))
            with failpoints.observed(FailAt(number)):
                try:
                    volume.commit_compaction()
                except OSError:
                    pass
            where = f"{number} {names[number]}"
            self.check(volume)
            volume.mark_writable()
            volume.append(draft(41, b"afterwards"))
            for lap in range(2):
                self.assertEqual(volume.read(40).data, b"carried over", where)
                self.assertEqual(volume.read(41).data, b"afterwards", where)
                self.check(volume)
                if not lap:
                    volume.close()
                    settle(self.ground)
                    volume = self.ground.load()
                    self.addCleanup(volume.close)

    def test_pages_survive(self) -> None:
        """Who reads a large needle reads on in the old file."""
        volume = self.make()
        volume.append(draft(50, b"P" * (2 << 20)))
        paged = volume.open(50)
        assert isinstance(paged, PagedNeedle)
        vacuum(volume)
        self.assertEqual(paged.read(1 << 20, 1 << 20), b"P" * (1 << 20))

    def test_sync_that_fails_later(self) -> None:
        """A write taken back after a compaction read its row does not make the .idx shorter than that."""
        volume = self.make()
        armed: list[Callable[[], object]] = [lambda: compact(volume), fail_with(errno.EIO)]

        def act() -> None:
            if armed:
                failpoints.disarm("data.sync")
                for action in armed:
                    action()

        failpoints.arm("data.sync", act)
        self.assertRaises(OSError, volume.append, draft(60, b"never synced"), fsync=True)
        failpoints.disarm()
        volume.append(draft(61, b"in its place"))
        volume.append(draft(62, b"and after"))
        volume.commit_compaction()
        volume = self.again(volume)
        self.assertRaises(NeedleNotFound, volume.read, 60)
        self.assertEqual([volume.read(key).data for key in (61, 62)], [b"in its place", b"and after"])

    def test_read_only(self) -> None:
        """A volume that takes no writes is compacted if asked, and stays what it is."""
        volume = self.make()
        volume.mark_read_only(persist=True)
        vacuum(volume)
        self.check(volume)
        self.assertEqual(volume.read_only_reasons, {ReadOnlyReason.ADMIN})
        volume.mark_writable()
        volume.append(draft(70, b"writable"))
        self.assertEqual(self.again(volume).read(70).data, b"writable")


def listed(directory: Path) -> list[str]:
    """The names in a directory."""
    return sorted(path.name for path in directory.iterdir())


class FailAt:
    """An observer of failpoints that has one of them fail."""

    def __init__(self, number: int) -> None:
        self._left = number

    def __call__(self, name: str) -> None:
        self._left -= 1
        if self._left == -1:
            fail_with(errno.ENOSPC)()


def settle(ground: Ground) -> None:
    """What the store does about an interrupted commit before it loads a volume."""
    if ground.path(".cpc").exists():
        for new, old in ((".cpd", ".dat"), (".cpx", ".idx")):
            if ground.path(new).exists():
                ground.path(new).rename(ground.path(old))
        ground.path(".cpc").unlink()
    for suffix in (".cpd", ".cpx"):
        ground.path(suffix).unlink(missing_ok=True)
