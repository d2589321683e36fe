"""Needles of encoded volumes on the express lane: what is seen at once, and what is left to others."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.ec.opening import open_volume
from seaweedvol.ec.ratio import Ratio
from seaweedvol.ec.shard import EcShard
from seaweedvol.ec.volume import EcVolume
from seaweedvol.server.ecglancing import EcGlances
from seaweedvol.server.ecneedles import Doubts
from seaweedvol.server.interfaces import QuickVolume
from seaweedvol.storage.errors import VolumeReadOnly
from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.volume.glancing import ELSEWHERE, MISSING, Glancer
from seaweedvol.store.erasure import ErasureStore
from tests.server.encoded import COOKIE, VOLUME, content, damage, make_volume

LENGTHS = {1: 1000, 2: 0, 3: 60_000, 4: 70_000, 5: 3_000_000, 6: 7}


class GlancesTests(SynchronousTestCase):
    """Looking at needles."""

    def setUp(self) -> None:
        self.paths = make_volume(Path(self.mktemp()), LENGTHS)
        self.doubts = Doubts()
        self.held: list[Any] = []
        erasure = SimpleNamespace(
            holders=lambda volume_id: self.held if volume_id == VOLUME else [],
            is_deleted=lambda volume_id, key: any(volume.journal.contains(key) for _, volume in self.held))
        self.glances = EcGlances(cast(ErasureStore, erasure), self.doubts)

    def hold(self, shard_ids: Iterable[int] = range(14), *, encode_time_ns: int | None = None) -> EcVolume:
        """One more disk with shards."""
        volume = open_volume(self.paths, width=OffsetWidth.FOUR, report=lambda line: None)
        if encode_time_ns is not None:
            volume.encode_time_ns = encode_time_ns
        for shard_id in shard_ids:
            volume.add(EcShard(shard_id, self.paths.shard(shard_id)))
        self.addCleanup(volume.close)
        self.held.append((None, volume))
        return volume

    def glance(self, key: int) -> Any:
        """What is seen; data as bytes."""
        view: QuickVolume | None = self.glances.at_hand(VOLUME)
        assert view is not None
        found = view.glance(key, Glancer())
        return (found[0], found[1], bytes(found[2]), found[3]) if isinstance(found, tuple) else found

    def check(self, *keys: int) -> None:
        """These are seen, whole."""
        for key in keys:
            data = content(key, LENGTHS[key])
            self.assertEqual(self.glance(key), (COOKIE, crc32c(data), data, b"\0"))

    def test_seen(self) -> None:
        """Needles up to the length of a glance, in one shard."""
        self.hold()
        self.check(1, 3, 6)

    def test_computed(self) -> None:
        """So is what lies in a shard that is not here, if ten others are; whichever are missing."""
        for gone in ((0,), (0, 1, 2, 10), (0, 11, 12, 13)):
            self.held.clear()
            self.hold(set(range(14)) - set(gone))
            self.check(1, 3)
        self.held.clear()
        self.hold(range(1, 10))
        self.assertIs(self.glance(1), ELSEWHERE)

    def test_other_ratio(self) -> None:
        """Of six and three, too."""
        self.paths = make_volume(Path(self.mktemp()), LENGTHS, ratio=Ratio(6, 3))
        self.hold({1, 2, 3, 5, 7, 8})
        self.check(1, 3)

    def test_elsewhere(self) -> None:
        """Empty and large needles, needles over two shards, and what is not right."""
        self.hold()
        for key in (2, 4, 5):
            self.assertIs(self.glance(key), ELSEWHERE)
        damage(self.paths.shard(0), 8 + 20 + 3)
        self.assertIs(self.glance(1), ELSEWHERE)

    def test_missing(self) -> None:
        """A needle that never was is not there; one that was deleted is for others to tell of."""
        volume = self.hold()
        self.assertIs(self.glance(99), MISSING)
        volume.tombstone(1)
        self.assertIs(self.glance(1), ELSEWHERE)

    def test_doubted(self) -> None:
        """A volume with a shard that has lied is read by who can find lies."""
        volume = self.hold()
        self.doubts.note(volume, frozenset({5}))
        self.assertIs(self.glance(1), ELSEWHERE)

    def test_several_disks(self) -> None:
        """Shards of all disks are seen, but those of an older encoding."""
        self.hold([1, 2, 3])
        self.hold([1, 4, 5, 6, 7, 8, 9, 10])
        self.check(1)
        self.held.pop()
        self.hold([0, 4, 5, 6, 7, 8, 9, 10], encode_time_ns=3)
        self.assertIs(self.glance(1), ELSEWHERE)

    def test_closed(self) -> None:
        """Whatever is closed meanwhile."""
        volume = self.hold()
        volume.shards[0].close()
        self.assertIs(self.glance(1), ELSEWHERE)
        volume.index.close()
        self.assertIs(self.glance(1), ELSEWHERE)

    def test_cut(self) -> None:
        """A shard that is shorter than it was."""
        self.hold()
        os.truncate(self.paths.shard(0), 500)
        self.assertIs(self.glance(1), ELSEWHERE)

    def test_view(self) -> None:
        """The lane is told what it may not do; a volume that goes away is not at hand any more."""
        self.hold()
        view = self.glances.at_hand(VOLUME)
        assert view is not None
        self.assertEqual((view.id, view.is_read_only, view.copy_count, view.locate(1), view.open_now(1)),
                         (VOLUME, True, 1, None, None))
        self.assertRaises(VolumeReadOnly, view.apply, ())
        self.assertIs(self.glances.at_hand(VOLUME), view)
        self.held.clear()
        self.assertIsNone(self.glances.at_hand(VOLUME))
        self.hold([1])
        self.assertIsNot(self.glances.at_hand(VOLUME), view)
        self.assertIsNone(self.glances.at_hand(8))
