"""Looking through encoded volumes of a real store, some of whose shards may be elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.ec.journal import Journal, fold
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import Ratio
from seaweedvol.ec.sidecar import load_sidecar, save_sidecar
from seaweedvol.server import ecneedlechecking, ecscrubbing
from seaweedvol.server.ecfindings import BrokenShard
from seaweedvol.server.ecscrubbing import CHECKSUM, EcScrubbed, scrub
from seaweedvol.server.errors import Refused
from seaweedvol.server.scrubbing import FULL, INDEX, LOCAL
from seaweedvol.server.server import VolumeServer
from seaweedvol.server.stepping import run_out
from seaweedvol.storage.format.index import OffsetWidth
from tests.server.building import open_store, server_over
from tests.server.encoded import VOLUME, FakeShards, damage, make_volume

LENGTHS = {1: 1000, 2: 0, 3: 1, 4: 70_000, 5: 3_000_000, 9: 700}
FIRST = 8 + 20 + 3  # a byte of the data of the first needle, which is in shard 0
SHARD_LENGTH = 1 << 20
ALL = (INDEX, LOCAL, FULL, CHECKSUM)


class Case(SynchronousTestCase):
    """A server with a volume of six needles over four shards of data."""

    ratio = Ratio(10, 4)

    def lay(self, here: Iterable[int] = range(14), *, disks: int = 1, has_sidecar: bool = True) -> VolumeServer:
        """Serve these shards here, in turn from each disk; the others can be had elsewhere."""
        place = Path(self.mktemp())
        self.store = open_store(place, count=disks)
        self.addCleanup(self.store.close)
        self.elsewhere = make_volume(Path(self.mktemp()), LENGTHS, ratio=self.ratio)
        os.unlink(self.elsewhere.data)
        os.unlink(self.elsewhere.row_index)
        if not has_sidecar:
            os.unlink(self.elsewhere.sidecar())
        self.places = []
        for location in self.store.locations:
            self.places.append(attrs.evolve(
                self.elsewhere, directory=str(location.directory), index_directory=str(location.directory)))
            for path in (self.elsewhere.index, self.elsewhere.info, self.elsewhere.sidecar()):
                if os.path.exists(path):
                    shutil.copy(path, location.directory)
        self.shards = FakeShards(self.elsewhere)
        for number in range(self.ratio.total):
            if number in here:
                shutil.copy(self.elsewhere.shard(number), self.place_of(number).directory)
            else:
                self.shards.places[number] = ["10.0.0.8:8080"]
        self.before_mount()
        self.store.erasure.mount(VOLUME, "", list(here))
        self.server = server_over(self.store)
        self.server.shards = self.shards
        self.addCleanup(self.server.workers.close)
        return self.server

    def before_mount(self) -> None:
        """What a test wants to happen before."""

    def place_of(self, number: int) -> EcPaths:
        """The disk of a shard."""
        return self.places[number % len(self.places)]

    def shard(self, number: int) -> str:
        """Path of a shard that is here."""
        return self.place_of(number).shard(number)

    def scrub(self, mode: int, *volumes: int, checks_deleted: bool = False) -> EcScrubbed:
        """Look through all of it."""
        return run_out(scrub(self.server, volumes, mode, checks_deleted=checks_deleted))

    def assert_sound(self, *modes: int) -> None:
        """Nothing is found."""
        for mode in modes:
            files = 0 if mode == CHECKSUM else len(LENGTHS)
            self.assertEqual(self.scrub(mode), EcScrubbed(1, files), mode)


class SoundTests(Case):
    """Nothing is wrong."""

    def test_sound(self) -> None:
        """All modes, in this process and in another."""
        self.lay()
        self.assert_sound(*ALL)
        for module in (ecscrubbing, ecneedlechecking):
            self.patch(module, "SMALL_LENGTH", 0)
        self.assert_sound(*ALL)

    def test_several_disks(self) -> None:
        """Shards of all disks are one volume's."""
        self.lay(disks=3)
        self.assert_sound(*ALL)

    def test_some_shards_here(self) -> None:
        """What is elsewhere is passed over, and by FULL read there."""
        for here in ((0,), (1, 2, 13), (10, 11, 12, 13), (3,)):
            self.lay(here)
            self.assert_sound(INDEX, LOCAL, CHECKSUM)
            self.assertEqual(self.shards.reads, [])
            self.assert_sound(FULL)
            self.assertNotEqual(self.shards.reads, [])

    def test_without_sidecar(self) -> None:
        """Without .ecsum there is nothing to compare with."""
        self.lay(has_sidecar=False)
        self.assert_sound(*ALL)

    def test_deletions(self) -> None:
        """Needles that the index knows as deleted are counted and not looked at."""
        self.lay()
        journal = Journal(self.places[0].journal)
        journal.append(1)
        journal.close()
        fold(self.places[0].index, self.places[0].journal, OffsetWidth.FOUR)
        damage(self.shard(0), FIRST)
        self.assert_sound(LOCAL, FULL)

    def test_refusals(self) -> None:
        """Unknown volumes and modes, in the order in which Go looks."""
        self.lay()
        for mode, volumes, words in (
            (99, (VOLUME,), "unsupported EC volume scrub mode 99"), (99, (5,), "EC volume id 5 not found"),
            (INDEX, (VOLUME, 5), "EC volume id 5 not found"),
        ):
            error = self.assertRaises(Refused, self.scrub, mode, *volumes)
            self.assertEqual(str(error), words)
        error = self.assertRaises(Refused, self.scrub, LOCAL, checks_deleted=True)
        self.assertEqual(str(error), "deleted needle checks are only supported for FULL scrubs")
        self.assertEqual(self.scrub(FULL, checks_deleted=True).details, [])

    def test_nothing_here(self) -> None:
        """A server without encoded volumes has looked through none, in whatever mode."""
        self.lay()
        self.store.erasure.unload(VOLUME)
        self.assertEqual(self.scrub(99), EcScrubbed())

    def test_stopping(self) -> None:
        """A server that stops does not begin another part."""
        self.lay()
        self.server.life.is_stopping = True
        self.assertRaises(Refused, self.scrub, LOCAL)


class DamageTests(Case):
    """Something is wrong."""

    def test_flipped_bit(self) -> None:
        """One bit in the data of a needle is found by each mode that reads, and the shard is named."""
        for has_sidecar in (True, False):
            for disks in (1, 2):
                self.lay(disks=disks, has_sidecar=has_sidecar)
                damage(self.shard(0), FIRST)
                for mode in (LOCAL, FULL):
                    found = self.scrub(mode)
                    self.assertEqual(found.broken_ids, [VOLUME])
                    self.assertEqual(found.shards, [BrokenShard(VOLUME, 0, SHARD_LENGTH, "")])
                    self.assertEqual(len(found.details), 1)
                    self.assertIn("invalid CRC for needle 1 ", found.details[0])

    def test_words(self) -> None:
        """The details are in Go's words."""
        self.lay()
        damage(self.shard(2), 100)
        self.assertTrue(self.scrub(LOCAL).details[0].startswith(
            f"needle 5 on volume {VOLUME}, shards [0 1 2]: invalid CRC for needle 5 (got "))
        self.assertTrue(self.scrub(FULL).details[0].startswith(
            f"EC volume {VOLUME}, needle 5 on shards [0 1 2]: invalid CRC for needle 5 (got "))

    def test_damage_elsewhere(self) -> None:
        """FULL finds damage in a shard of another server, and names it."""
        self.lay((0, 1, 12), has_sidecar=False)
        damage(self.elsewhere.shard(2), 100)
        self.assert_sound(LOCAL)
        found = self.scrub(FULL)
        self.assertEqual([shard.id for shard in found.shards], [2])
        self.assertEqual(len(found.details), 1)

    def test_unreachable(self) -> None:
        """FULL tells of pieces that nobody has."""
        self.lay(range(1, 14))
        self.shards.places.clear()
        found = self.scrub(FULL)
        self.assertEqual(found.details[:2], [
            f"failed to read EC shard 0 for needle 1 on volume {VOLUME} (interval 1/1)",
            f"EC volume {VOLUME}, needle 1 on shards [0]: expected 1040 bytes, got 0"])
        self.assertEqual([shard.id for shard in found.shards], [0])

    def test_server_down(self) -> None:
        """A server that does not answer is not asked for each needle."""
        self.lay((9, 10, 11))
        self.shards.down.add("10.0.0.8:8080")
        found = self.scrub(FULL)
        self.assertEqual(len(found.details), 2 * len(LENGTHS))
        # Before a needle is looked at by itself, all of them are tried at once.
        self.assertLessEqual(len([number for _, number in self.shards.reads if number == 0]), 5)

    def test_cut_shard(self) -> None:
        """A shard that was cut while it is served is named, by the first needle that lacks bytes."""
        self.lay()
        os.truncate(self.shard(0), 500)
        for mode, words in (
            (LOCAL, "failed to read chunk 1/1 for needle 1 from local shard 0 at offset 8: EOF"),
            (FULL, f"failed to read EC shard 0 for needle 1 on volume {VOLUME} (interval 1/1)"),
        ):
            found = self.scrub(mode)
            self.assertEqual(found.details[0], words)
            self.assertEqual(found.shards[0].id, 0)
            self.assertEqual(len(found.shards), 1)
        self.assertEqual(self.scrub(CHECKSUM).details, [
            f"ec volume {VOLUME} shard 0: read block 0 at 0: EOF (got 500/1048576)",
            f"ec volume {VOLUME} shard 0: RS arbitration failed: read target shard 0 at 0: EOF"])

    def test_checksums(self) -> None:
        """One bit anywhere, of parity and of what no needle covers too, is found by the checksums."""
        for number, at in ((0, FIRST), (9, SHARD_LENGTH - 1), (13, 5)):
            self.lay()
            damage(self.shard(number), at)
            found = self.scrub(CHECKSUM)
            self.assertEqual(found, EcScrubbed(
                1, 0, [VOLUME], [BrokenShard(VOLUME, number, SHARD_LENGTH, "")],
                [f"ec volume {VOLUME} shard {number}: checksum mismatch at block 0 (offset 0)"]))

    def test_stale_checksum(self) -> None:
        """Where the other shards confirm a shard, the checksum is wrong; and so it is where it contradicts too many."""
        self.lay()
        path = self.places[0].sidecar()
        known = load_sidecar(path)
        save_sidecar(path, attrs.evolve(
            known, shards={**known.shards, 4: attrs.evolve(known.shards[4], crcs=(1,))}))
        found = self.scrub(CHECKSUM)
        self.assertEqual((found.shards, found.broken_ids), ([], [VOLUME]))
        self.assertIn("stale sidecar, not flagging shard", found.details[1])
        save_sidecar(path, attrs.evolve(
            known, shards={number: attrs.evolve(sums, crcs=(1,)) for number, sums in known.shards.items()}))
        found = self.scrub(CHECKSUM)
        self.assertEqual(found.shards, [])
        self.assertEqual(found.details, [
            f"ec volume {VOLUME}: 14/14 local shards mismatch (> parity 4): suspect stale sidecar, not flagging shard "
            "corruption"])

    def test_damaged_checksums(self) -> None:
        """An .ecsum that cannot be read is told of."""
        self.lay()
        damage(self.places[0].sidecar(), 20)
        self.assertEqual(self.scrub(CHECKSUM).details, [
            f"ec volume {VOLUME}: bitrot sidecar is malformed/unverifiable (sidecar integrity)"])


class IndexTests(Case):
    """The index is damaged when the volume is mounted."""

    def before_mount(self) -> None:
        with open(self.places[0].index, "ab") as file:
            file.write(b"xx")

    def test_odd_length(self) -> None:
        """An index that does not consist of whole rows is told of by all modes that look at it."""
        self.lay()
        for mode in (INDEX, LOCAL, FULL):
            found = self.scrub(mode)
            self.assertEqual(found.details, ["expected an index file of size 98, got 96"])
            self.assertEqual(found.broken_ids, [VOLUME])


class OverlapTests(Case):
    """Two needles claim the same bytes."""

    def before_mount(self) -> None:
        with open(self.places[0].index, "r+b") as file:
            rows = file.read()
            file.seek(16 + 8)
            file.write(rows[8:12])

    def test_overlap(self) -> None:
        """The index tells so."""
        self.lay()
        self.assertIn("overlaps needle", self.scrub(INDEX).details[0])
        self.assertIn("size mismatch", self.scrub(LOCAL).details[1])


class OtherRatioTests(Case):
    """Nothing hangs on ten shards of data."""

    ratio = Ratio(3, 2)

    def test_flipped_bit(self) -> None:
        """Found and named with three and two too, whatever is here."""
        self.lay(range(5))
        self.assert_sound(*ALL)
        damage(self.shard(1), 100)
        for mode in (LOCAL, FULL, CHECKSUM):
            self.assertEqual([shard.id for shard in self.scrub(mode).shards], [1])
        self.lay((0, 2))
        self.assert_sound(*ALL)
