"""Needles of encoded volumes: what is missing, what lies, what is deleted, and where."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import Any, cast

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.ec.ratio import Ratio
from seaweedvol.server import ecfetching
from seaweedvol.server.deleting import batch_delete
from seaweedvol.server.ecliars import Column
from seaweedvol.server.errors import Refused
from seaweedvol.server.status import needle_status
from seaweedvol.storage.errors import (
    CookieMismatch, Corrupt, NeedleDeleted, NeedleNotFound, TooFewShards, VolumeNotFound,
)
from seaweedvol.storage.format.checksum import crc32c, legacy_mask
from seaweedvol.storage.format.needle import FLAG_MANIFEST
from seaweedvol.storage.ids import NeedleId, VolumeId, format_key_cookie
from seaweedvol.store.store import Store
from tests.server.encoded import COOKIE, HERE, VOLUME, Scene, content, damage, make_scene, make_volume

#: Keys and lengths; the last one lies in four shards.
LENGTHS = {1: 1000, 2: 0, 3: 1, 4: 70_000, 5: 3_000_000}
FIRST = 8 + 20 + 3  # a byte of the data of the first needle, which is in shard 0


class Case(SynchronousTestCase):
    """A volume with all shards here, until a test says otherwise."""

    ratio = Ratio(10, 4)

    def setUp(self) -> None:
        log = logging.getLogger("seaweedvol.server.ecneedles")
        self.patch(log, "propagate", False)
        self.patch(log, "handlers", [logging.NullHandler()])
        self.paths = make_volume(Path(self.mktemp()), LENGTHS, ratio=self.ratio)

    def scene(self, here: Iterable[int] = range(14)) -> Scene:
        """A server with these shards."""
        scene = make_scene(self.paths, here)
        self.addCleanup(scene.close)
        return scene

    def check_all(self, scene: Scene) -> None:
        """Every needle is as it was written."""
        for key, length in LENGTHS.items():
            needle = scene.needles.read(VOLUME, key)
            self.assertEqual((needle.cookie, needle.key, needle.data), (COOKIE, key, content(key, length)))


class ReadTests(Case):
    """Reading what is there, or can be made."""

    def test_local(self) -> None:
        """With all shards here nobody else is asked, and no master is needed."""
        scene = self.scene()
        scene.shards.has_master = False
        self.check_all(scene)
        self.assertEqual(scene.shards.reads, [])

    def test_missing_here(self) -> None:
        """Four of fourteen are missing, and nobody else has any: the others tell."""
        for gone in ((0, 1, 2, 3), (0, 4, 10, 13), (10, 11, 12, 13)):
            scene = self.scene(set(range(14)) - set(gone))
            self.check_all(scene)
            self.assertEqual(scene.shards.looked_up, 0)

    def test_elsewhere(self) -> None:
        """What another server has comes from there, and no more of it than is needed."""
        scene = self.scene([9])
        scene.elsewhere(set(range(14)) - {9})
        self.check_all(scene)
        self.assertEqual({shard_id for _, shard_id in scene.shards.reads}, {0, 1, 2})

    def test_nothing_here_but_one(self) -> None:
        """A shard that is nowhere is made of nine elsewhere and the one here; spare ones are not fetched."""
        scene = self.scene([9])
        scene.elsewhere(range(1, 14), "there:1")
        self.assertEqual(scene.needles.read(VOLUME, 1).data, content(1, 1000))
        self.assertEqual(sorted(shard_id for _, shard_id in scene.shards.reads), list(range(1, 9)) + [10])

    def test_holder_down(self) -> None:
        """A server that does not answer is forgotten; another one that has the shard, or others, make up for it."""
        scene = self.scene([9])
        scene.elsewhere(range(14), "down:1")
        scene.elsewhere(range(11), "there:1")
        scene.shards.down.add("down:1")
        self.check_all(scene)
        self.assertIn((0, "down:1"), scene.shards.forgotten)
        scene.shards.places[0] = []
        self.check_all(scene)

    def test_itself_is_not_asked(self) -> None:
        """The master names this server too, for shards that are not served any more."""
        scene = self.scene([9])
        for address in (HERE, HERE + ".18080"):
            scene.elsewhere(range(14), address)
        self.assertRaises(TooFewShards, scene.needles.read, VOLUME, 1)
        self.assertEqual(scene.shards.reads, [])

    def test_moved(self) -> None:
        """When what is remembered is not enough any more, the master is asked where shards are by now."""
        scene = self.scene([9])
        scene.elsewhere(range(14), "down:1")
        scene.shards.down.add("down:1")
        scene.shards.moved = {shard_id: ["new:1"] for shard_id in range(2, 14)}
        self.assertEqual(scene.needles.read(VOLUME, 1).data, content(1, 1000))

    def test_moving(self) -> None:
        """What the master says may be from the middle of a move: it is asked once more a while later."""
        scene = self.scene([9])
        scene.elsewhere(range(14), "down:1")
        scene.shards.down.add("down:1")
        scene.shards.moved = {shard_id: ["down:1"] for shard_id in range(14)}
        scene.shards.moved_later = {shard_id: ["new:1"] for shard_id in range(2, 14)}
        self.assertEqual(scene.needles.read(VOLUME, 1).data, content(1, 1000))
        self.assertEqual(scene.shards.naps, [1.1])

    def test_moved_one(self) -> None:
        """So it is when only the shard itself can be had, too few others being left."""
        scene = self.scene([9])
        scene.elsewhere([0], "down:1")
        scene.shards.down.add("down:1")
        scene.shards.moved = {0: ["new:1"]}
        self.assertEqual(scene.needles.read(VOLUME, 1).data, content(1, 1000))

    def test_too_few(self) -> None:
        """Nine are not enough; the words are Go's."""
        scene = self.scene(range(1, 10))
        error = self.assertRaises(TooFewShards, scene.needles.read, VOLUME, 1)
        self.assertEqual(str(error), "ReadEcShardIntervals: cannot recover shard 7.0: only 9 shards available "
                                     "[1 2 3 4 5 6 7 8 9], need at least 10 (missing: [0 10 11 12 13])")

    def test_unmounted_meanwhile(self) -> None:
        """A shard whose file was closed at this moment is made of the others."""
        scene = self.scene()
        scene.volume.shards[0].close()
        self.check_all(scene)

    def test_many_threads(self) -> None:
        """With a real pool, and pieces from everywhere."""
        with ThreadPoolExecutor(4) as pool:
            scene = make_scene(self.paths, [3, 12], pool)
            self.addCleanup(scene.close)
            scene.elsewhere({1, 4, 5, 6, 7, 8, 9, 10, 11, 13})
            self.check_all(scene)

    def test_hanging(self) -> None:
        """A server that does not answer is waited for a short while, once; then others make up for it."""
        self.patch(ecfetching, "HEDGE_SECONDS", 0.2)
        with ThreadPoolExecutor(16) as pool:
            scene = make_scene(self.paths, [3, 12], pool)
            self.addCleanup(scene.close)
            scene.elsewhere({0, 1}, "hangs:1")
            scene.elsewhere({2, 4, 5, 6, 7, 8, 9, 10, 11, 13})
            try:
                self.check_all(scene)
                asked = len([address for address, _ in scene.shards.reads if address == "hangs:1"])
                self.assertLessEqual(asked, 2)
                scene.needles.delete(VOLUME, 1, COOKIE)
                self.assertNotIn("hangs:1", scene.shards.deleted)
                self.assertIn("s5:8080", scene.shards.deleted)
                self.assertEqual(scene.needles.telling.waiting(), 1)
                self.assertEqual(scene.needles.read(VOLUME, 4).data, content(4, 70_000))
                self.assertEqual(len([one for one, _ in scene.shards.reads if one == "hangs:1"]), asked)
            finally:
                scene.shards.may_answer.set()

    def test_many_disputes(self) -> None:
        """However many readers meet a damaged needle, few of them search for the liar, with all shards in memory."""
        scene = self.scene()
        damage(self.paths.shard(0), 8 + 22)
        everything, running, most = ecfetching.Fetcher.everything, [0], [0]
        third = threading.Event()
        lock = threading.Lock()

        def counting(fetcher: ecfetching.Fetcher, *args: Any) -> list[Column]:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
                if running[0] == 3:
                    third.set()
            third.wait(0.1)
            found = everything(fetcher, *args)
            with lock:
                running[0] -= 1
            return found

        self.patch(ecfetching.Fetcher, "everything", counting)
        with ThreadPoolExecutor(8) as readers:
            self.patch(scene.needles.doubts, "of", lambda volume: frozenset())
            found = list(readers.map(lambda _: scene.needles.read(VOLUME, 1).data, range(8)))
        self.assertEqual((set(found), most), ({content(1, 1000)}, [2]))

    def test_no_thread(self) -> None:
        """A server that could not even be asked, for want of a thread, is none that does not answer."""
        self.patch(ecfetching, "HEDGE_SECONDS", 0.05)
        may_go_on = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            scene = make_scene(self.paths, [3, 12], pool)
            self.addCleanup(scene.close)
            scene.elsewhere({0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 13})
            pool.submit(may_go_on.wait)
            timer = threading.Timer(0.3, may_go_on.set)
            timer.start()
            self.assertEqual(scene.needles.read(VOLUME, 4).data, content(4, 70_000))
            timer.join()
            scene.needles.delete(VOLUME, 1, COOKIE)
            self.assertEqual(scene.needles.telling.waiting(), 0)

    def test_none(self) -> None:
        """A needle that was never there; a volume that is not here."""
        scene = self.scene()
        error = self.assertRaises(NeedleNotFound, scene.needles.read, VOLUME, 99)
        self.assertEqual(str(error), "locate in local ec volume: FindNeedleFromEcx: needle not found")
        self.assertRaises(VolumeNotFound, scene.needles.read, 8, 1)
        self.assertEqual((scene.needles.holds(VOLUME), scene.needles.holds(8)), (True, False))


class OtherRatioTests(ReadTests):
    """The same with six and eight; Go reads nothing but ten."""

    ratio = Ratio(6, 8)

    def test_nothing_here_but_one(self) -> None:
        """A shard that is nowhere is made of five elsewhere and the one here."""
        scene = self.scene([9])
        scene.elsewhere(range(1, 14), "there:1")
        self.assertEqual(scene.needles.read(VOLUME, 1).data, content(1, 1000))
        self.assertEqual(len(scene.shards.reads), 5)

    def test_too_few(self) -> None:
        """Five are not enough."""
        scene = self.scene(range(1, 6))
        self.assertRaises(TooFewShards, scene.needles.read, VOLUME, 1)


class LieTests(Case):
    """Shards with other bytes than were written."""

    def test_one(self) -> None:
        """The reader gets what was written; the shard is named, once, and not asked any more until later."""
        scene = self.scene()
        damage(self.paths.shard(0), FIRST)
        with self.assertLogs("seaweedvol.server.ecneedles", "ERROR") as logs:
            self.check_all(scene)
            self.check_all(scene)
        self.assertEqual(len(logs.output), 1)
        self.assertIn("shard 0 of volume 7 is damaged", logs.output[0])
        self.assertEqual(scene.needles.doubts.of(scene.volume), {0})
        scene.seconds[0] += 601
        self.assertEqual(scene.needles.doubts.of(scene.volume), frozenset())

    def test_each_pair(self) -> None:
        """Any two of fourteen lie at the same place: whoever reads there gets what was written, both are named."""
        for pair in combinations(range(14), 2):
            scene = self.scene()
            for shard_id in pair:
                damage(self.paths.shard(shard_id), FIRST)
            self.assertEqual(scene.needles.read(VOLUME, 1).data, content(1, 1000), pair)
            self.assertEqual(scene.needles.doubts.of(scene.volume), set(pair) if 0 in pair else set())
            for shard_id in pair:
                damage(self.paths.shard(shard_id), FIRST)

    def test_elsewhere(self) -> None:
        """The liar is another server's, and so is all the truth but one shard of it."""
        scene = self.scene([9])
        scene.elsewhere(set(range(14)) - {9, 1})
        damage(self.paths.shard(0), FIRST)
        damage(self.paths.shard(3), FIRST)
        self.check_all(scene)

    def test_header(self) -> None:
        """Also where the header is what was damaged: its size, or the key."""
        for offset in (8 + 4, 8 + 11, 8 + 15):
            scene = self.scene()
            damage(self.paths.shard(0), offset)
            self.check_all(scene)
            damage(self.paths.shard(0), offset)

    def test_doubted_is_better_than_none(self) -> None:
        """A shard that lied is asked again where without it there are too few."""
        scene = self.scene()
        damage(self.paths.shard(0), FIRST)
        self.check_all(scene)
        scene.unmount(10, 11, 12, 13)
        self.assertEqual(scene.needles.read(VOLUME, 4).data, content(4, 70_000))
        self.assertRaises(Corrupt, scene.needles.read, VOLUME, 1)

    def test_hopeless(self) -> None:
        """With nothing to spare a lie is an error, never an answer."""
        scene = self.scene(range(10))
        damage(self.paths.shard(0), FIRST)
        error = self.assertRaises(Corrupt, scene.needles.read, VOLUME, 1)
        self.assertIn("ec volume 7 needle 1 offset 8 size", str(error))

    def test_other_key(self) -> None:
        """A record that was copied to another key keeps its own, as in Go: nobody lies."""
        paths = make_volume(Path(self.mktemp()), {0x11: 10})
        index = bytearray(Path(paths.index).read_bytes())
        index[7] = 0x12
        Path(paths.index).write_bytes(index)
        scene = make_scene(paths)
        self.addCleanup(scene.close)
        self.assertEqual(scene.needles.read(VOLUME, 0x12).data, content(0x11, 10))
        self.assertEqual(scene.needles.doubts.of(scene.volume), frozenset())

    @settings(max_examples=60, deadline=None)
    @given(st.dictionaries(st.integers(0, 13), st.integers(8, 8 + 1080), min_size=1, max_size=2))
    def test_anywhere(self, lies: dict[int, int]) -> None:
        """One or two flipped bytes anywhere: the data are those that were written."""
        scene = make_scene(self.paths)
        for shard_id, offset in lies.items():
            damage(self.paths.shard(shard_id), offset)
        try:
            self.assertEqual(scene.needles.read(VOLUME, 1).data, content(1, 1000))
        finally:
            for shard_id, offset in lies.items():
                damage(self.paths.shard(shard_id), offset)
            scene.close()


class DeleteTests(Case):
    """Deleting here and everywhere."""

    def test_everywhere(self) -> None:
        """The journal here has it, and each holder of any shard is told once; the size is that of Go."""
        scene = self.scene([9])
        scene.elsewhere(range(7), "one:1")
        scene.elsewhere(range(5, 14), "two:1")
        scene.elsewhere([9], HERE)
        self.assertEqual(scene.needles.delete(VOLUME, 1, COOKIE), 1072)
        self.assertEqual(scene.volume.journal.keys(), [1])
        self.assertEqual(scene.shards.deleted, {"one:1": {1}, "two:1": {1}})
        self.assertRaises(NeedleDeleted, scene.needles.read, VOLUME, 1)
        error = self.assertRaises(NeedleDeleted, scene.needles.delete, VOLUME, 1, COOKIE)
        self.assertEqual(str(error), "already deleted")

    def test_fresh_places(self) -> None:
        """The master is asked who holds shards by now."""
        scene = self.scene()
        scene.elsewhere(range(14), "old:1")
        scene.shards.moved = {0: ["new:1"]}
        scene.needles.delete(VOLUME, 1, COOKIE)
        self.assertEqual(set(scene.shards.deleted), {"new:1"})
        self.assertEqual(scene.needles.telling.waiting(), 0)

    def test_holder_down(self) -> None:
        """One that cannot be reached does not stop it, and is told of in the log; nor does a master that is away."""
        scene = self.scene()
        scene.elsewhere([0], "down:1")
        scene.elsewhere([1], "there:1")
        scene.shards.down.add("down:1")
        with self.assertLogs("seaweedvol.server.ectelling", "WARNING") as logs:
            scene.needles.delete(VOLUME, 1, COOKIE)
        self.assertIn("down:1 was not told yet", logs.output[0])
        self.assertEqual(set(scene.shards.deleted), {"there:1"})
        scene.shards.has_master = False
        scene.needles.delete(VOLUME, 3, COOKIE)
        self.assertEqual(scene.volume.journal.keys(), [1, 3])
        scene.shards.down.clear()
        scene.later.pop()()
        self.assertEqual(scene.shards.deleted, {"down:1": {1, 3}, "there:1": {1, 3}})

    def test_holder_away(self) -> None:
        """One that the master does not name any more is told when it is back, if it was seen before."""
        scene = self.scene([9])
        scene.elsewhere(range(9), "there:1")
        scene.elsewhere(range(10, 14), "away:1")
        scene.needles.read(VOLUME, 1)
        for shard_id in range(10, 14):
            del scene.shards.places[shard_id]
        scene.needles.delete(VOLUME, 1, COOKIE)
        self.assertEqual(scene.shards.deleted, {"there:1": {1}})
        scene.later.pop()()
        self.assertEqual(scene.shards.deleted, {"there:1": {1}, "away:1": {1}})

    def test_cookie(self) -> None:
        """Another's needle is not deleted; who asks for any cookie gets it."""
        scene = self.scene()
        error = self.assertRaises(CookieMismatch, scene.needles.delete, VOLUME, 1, 0xAB)
        self.assertEqual(str(error), "unexpected cookie ab")
        self.assertRaises(CookieMismatch, scene.needles.delete, VOLUME, 2, 0)
        scene.needles.delete(VOLUME, 1, None)
        self.assertEqual(scene.volume.journal.keys(), [1])

    def test_deleted_elsewhere(self) -> None:
        """A server that has a piece knows the needle as deleted: then it is, though this one has not heard of it."""
        scene = self.scene([9])
        scene.elsewhere(range(9))
        scene.shards.deleted["s0:8080"] = {1}
        self.assertRaises(NeedleDeleted, scene.needles.read, VOLUME, 1)

    def test_journal_broken(self) -> None:
        """What is not in the journal here is not deleted, and nobody else is told."""
        scene = self.scene()
        scene.elsewhere([0], "there:1")

        def fail(volume_id: int, key: int) -> None:
            raise OSError(28, "No space left on device")

        self.patch(scene.needles._erasure, "tombstone", fail)
        self.assertRaises(OSError, scene.needles.delete, VOLUME, 1, COOKIE)
        self.assertEqual(scene.shards.deleted, {})


class NoStore:
    """A store without volumes."""

    def find(self, volume_id: int) -> None:
        """None."""


NOWHERE = cast(Store, NoStore())


class BatchTests(Case):
    """Batches of deletions, and what is said of a needle."""

    def delete(self, scene: Scene, *ids: tuple[int, int], is_trusted: bool = False) -> list[tuple[int, str, int]]:
        """Status, error and size for each key and cookie."""
        found = batch_delete(NOWHERE, [f"{VOLUME},{format_key_cookie(key, cookie)}" for key, cookie in ids],
                             skip_cookie_check=is_trusted, encoded=scene.needles)
        return [(result.status, result.error, result.size) for result in found]

    def test_checked(self) -> None:
        """Who names the cookie deletes; what cannot be read is 404."""
        scene = self.scene()
        nothing = "locate in local ec volume: FindNeedleFromEcx: needle not found"
        self.assertEqual(
            self.delete(scene, (1, COOKIE), (1, COOKIE), (3, 1), (2, 0), (99, COOKIE)),
            [(202, "", 1072), (404, "already deleted", 0), (400, "File Random Cookie does not match.", 0),
             (400, "File Random Cookie does not match.", 0), (404, nothing, 0)])

    def test_trusted(self) -> None:
        """Any cookie will do; then it is our error if there is nothing to delete."""
        scene = self.scene()
        found = self.delete(scene, (1, 5), (1, 5), is_trusted=True)
        self.assertEqual(found, [(202, "", 1072), (500, "already deleted", 0)])

    def test_manifest(self) -> None:
        """The chunks of a manifest would be lost; a caller that skips the check means it."""
        self.paths = make_volume(Path(self.mktemp()), {1: 5}, flags=FLAG_MANIFEST)
        scene = self.scene()
        self.assertEqual(self.delete(scene, (1, COOKIE)),
                         [(406, "ChunkManifest: not allowed in batch delete mode.", 0)])
        self.assertEqual(self.delete(scene, (1, COOKIE), is_trusted=True)[0][0], 202)

    def test_full_disk(self) -> None:
        """A journal that cannot be written is our error."""
        scene = self.scene()

        def fail(volume_id: int, key: int) -> None:
            raise OSError(28, "No space left on device")

        self.patch(scene.needles._erasure, "tombstone", fail)
        self.assertEqual(self.delete(scene, (1, COOKIE))[0][0], 500)

    def test_status(self) -> None:
        """Of an empty needle the cookie is known too, other than in a volume that is not encoded."""
        scene = self.scene()
        found = needle_status(NOWHERE, VolumeId(VOLUME), NeedleId(1), scene.needles)
        self.assertEqual((found.key, found.cookie, found.size, found.checksum),
                         (1, COOKIE, 1005, legacy_mask(crc32c(content(1, 1000)))))
        self.assertEqual(needle_status(NOWHERE, VolumeId(VOLUME), NeedleId(2), scene.needles).cookie, COOKIE)
        self.assertRaises(Refused, needle_status, NOWHERE, VolumeId(8), NeedleId(1), scene.needles)
