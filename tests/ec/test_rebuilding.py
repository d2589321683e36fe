from __future__ import annotations

import itertools
import os
import random
import shutil
import tempfile
from pathlib import Path

import attrs
from twisted.trial import unittest

from seaweedvol.ec.codec import reconstruct
from seaweedvol.ec.encoding import encode
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import DEFAULT_RATIO, Ratio
from seaweedvol.ec.rebuilding import Rebuilt, rebuild
from seaweedvol.ec.sidecar import load_sidecar, save_sidecar
from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import Corrupt, TooFewShards
from tests.ec.encoded import paths_in


class Killed(BaseException):
    """Stands for the end of the process."""


def fast_directory(case: unittest.SynchronousTestCase) -> Path:
    """Where a sync costs nothing, if there is such a place."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    path = tempfile.mkdtemp(prefix="rebuilding", dir=place)
    case.addCleanup(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


class AllWaysTests(unittest.SynchronousTestCase):
    """Four of fourteen shards may go."""

    def test_all_ways_to_lose_four(self) -> None:
        """Each of the 1,001 choices of four shards is made again byte for byte."""
        paths = paths_in(fast_directory(self))
        draw = random.Random(1)
        data = {number: draw.randbytes(5003) for number in range(10)}
        before = reconstruct(DEFAULT_RATIO, data, range(14))
        for number, content in before.items():
            Path(paths.shard(number)).write_bytes(content)
        count = 0
        for lost in itertools.combinations(range(14), 4):
            for number in lost:
                os.unlink(paths.shard(number))
            self.assertEqual(rebuild(paths, DEFAULT_RATIO).shard_ids, lost)
            for number in lost:
                self.assertEqual(Path(paths.shard(number)).read_bytes(), before[number], lost)
            count += 1
        self.assertEqual(count, 1001)


class RebuildTests(unittest.SynchronousTestCase):
    """Shards that are missing or damaged."""

    def lay(self, ratio: Ratio = DEFAULT_RATIO, length: int = 3_000_000) -> EcPaths:
        """Shards, with an .ecsum, of some random bytes."""
        paths = paths_in(fast_directory(self))
        Path(paths.data).write_bytes(random.Random(2).randbytes(length))
        encode(paths, ratio)
        os.unlink(paths.data)
        return paths

    def bytes_of(self, *places: EcPaths) -> dict[int, bytes]:
        """All shards of these directories."""
        return {number: Path(path).read_bytes() for paths in places for number, path in paths.shards().items()}

    def assert_tidy(self, *places: EcPaths) -> None:
        """Nothing is left aside."""
        for paths in places:
            self.assertEqual([name for name in os.listdir(paths.directory) if name.endswith(".tmp")], [])

    def damage(self, path: str, at: int = 100) -> None:
        """Turn over one bit."""
        with open(path, "r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 4]))

    def test_other_ratios(self) -> None:
        """Any ratio: as many as there is parity may go."""
        for ratio in (Ratio(6, 3), Ratio(14, 2), Ratio(1, 1), Ratio(3, 5)):
            paths = self.lay(ratio)
            before = self.bytes_of(paths)
            lost = tuple(sorted(random.Random(3).sample(range(ratio.total), ratio.parity)))
            for number in lost:
                os.unlink(paths.shard(number))
            self.assertEqual(rebuild(paths, ratio), Rebuilt(lost))
            self.assertEqual(self.bytes_of(paths), before)
            self.assert_tidy(paths)

    def test_long_shards(self) -> None:
        """Shards of more blocks of checksums than one, by both threads."""
        paths = self.lay(Ratio(2, 2), 70_000_001)
        before = self.bytes_of(paths)
        os.unlink(paths.shard(0))
        self.damage(paths.shard(3), 20 << 20)
        self.assertEqual(rebuild(paths, Ratio(2, 2)), Rebuilt((0, 3), (3,)))
        self.assertEqual(self.bytes_of(paths), before)

    def test_nothing_missing(self) -> None:
        """Then nothing is done."""
        paths = self.lay()
        self.assertEqual(rebuild(paths, DEFAULT_RATIO), Rebuilt())

    def test_several_directories(self) -> None:
        """Shards are found in all of them; what is missing goes to the first, what is damaged stays where it is."""
        paths, other = self.lay(), paths_in(fast_directory(self))
        before = self.bytes_of(paths)
        for number in (1, 4, 9, 12):
            shutil.move(paths.shard(number), other.shard(number))
        os.unlink(paths.shard(0))
        os.unlink(other.shard(12))
        self.damage(other.shard(4))
        Path(other.shard(9)).write_bytes(b"")
        made = rebuild(paths, DEFAULT_RATIO, [other.directory])
        self.assertEqual(made, Rebuilt((0, 9, 12, 4), (4, 9)))
        self.assertEqual(sorted(other.shards()), [1, 4, 9])
        self.assertEqual(self.bytes_of(paths, other), before)
        self.assert_tidy(paths, other)

    def test_shards_of_another_length(self) -> None:
        """A shard that was cut or has grown is damaged: the .ecsum knows, and without it the .vif."""
        for sidecar in (True, False):
            paths = self.lay()
            before = self.bytes_of(paths)
            if not sidecar:
                os.unlink(paths.sidecar())
            os.truncate(paths.shard(2), 1000)
            os.truncate(paths.shard(11), 1 << 21)
            self.assertEqual(rebuild(paths, DEFAULT_RATIO, data_length=3_000_000), Rebuilt((2, 11), (2, 11)))
            self.assertEqual(self.bytes_of(paths), before)

    def test_other_length_that_nobody_knows(self) -> None:
        """Where nobody knows the right length nothing is made."""
        paths = self.lay()
        os.unlink(paths.sidecar())
        os.truncate(paths.shard(2), 1000)
        before = self.bytes_of(paths)
        error = self.assertRaises(Corrupt, rebuild, paths, DEFAULT_RATIO)
        self.assertIn("truncated input?", str(error))
        self.assertEqual(self.bytes_of(paths), before)

    def test_too_few(self) -> None:
        """Nine of ten that are needed are not enough, missing or damaged."""
        paths = self.lay()
        for number in range(5):
            os.unlink(paths.shard(number))
        error = self.assertRaises(TooFewShards, rebuild, paths, DEFAULT_RATIO)
        self.assertIn("found 9 shards, need at least 10 (data shards), missing shards: [0 1 2 3 4]", str(error))
        paths = self.lay()
        for number in range(3):
            os.unlink(paths.shard(number))
        for number in (5, 6):
            self.damage(paths.shard(number))
        before = self.bytes_of(paths)
        error = self.assertRaises(TooFewShards, rebuild, paths, DEFAULT_RATIO)
        self.assertIn("only 9 verified-good shards", str(error))
        self.assertEqual(self.bytes_of(paths), before)
        self.assert_tidy(paths)

    def test_wrong_sidecar(self) -> None:
        """An .ecsum that nearly all shards contradict is wrong itself; so is one that what was made contradicts."""
        paths = self.lay()
        known = load_sidecar(paths.sidecar())
        for wrong in ((1, 2, 3, 4, 5), (0,)):
            shards = {number: attrs.evolve(sums, crcs=(1,)) if number in wrong else sums
                      for number, sums in known.shards.items()}
            save_sidecar(paths.sidecar(), attrs.evolve(known, shards=shards))
            if 0 in paths.shards():
                os.unlink(paths.shard(0))
            before = self.bytes_of(paths)
            self.assertRaises(Corrupt, rebuild, paths, DEFAULT_RATIO)
            self.assertEqual(self.bytes_of(paths), before)
            self.assert_tidy(paths)
        self.assertEqual(rebuild(paths, DEFAULT_RATIO, ignores_sidecar=True), Rebuilt((0,)))

    def test_damaged_sidecar(self) -> None:
        """With an .ecsum that cannot be read nothing is made, unless the caller insists."""
        paths = self.lay()
        before = self.bytes_of(paths)
        self.damage(paths.sidecar(), 30)
        os.unlink(paths.shard(0))
        error = self.assertRaises(Corrupt, rebuild, paths, DEFAULT_RATIO)
        self.assertIn("malformed/unverifiable; refusing to rebuild", str(error))
        said: list[str] = []
        self.assertEqual(rebuild(paths, DEFAULT_RATIO, ignores_sidecar=True, report=said.append), Rebuilt((0,)))
        self.assertEqual(len(said), 1)
        self.assertEqual(self.bytes_of(paths), before)

    def test_missing_sidecar(self) -> None:
        """Where there is no .ecsum it is written, of all shards as they are, once all are there."""
        paths = self.lay()
        known = load_sidecar(paths.sidecar())
        os.unlink(paths.sidecar())
        os.unlink(paths.shard(13))
        rebuild(paths, DEFAULT_RATIO)
        found = load_sidecar(paths.sidecar())
        self.assertEqual(found.shards, known.shards)
        self.assertEqual(found.ratio, known.ratio)
        self.assertNotEqual(found.uuid, known.uuid)

    def test_broken_off(self) -> None:
        """Whoever is told how far it is can break it off; nothing is left behind."""
        paths = self.lay()
        os.unlink(paths.shard(3))
        told: list[int] = []

        def break_off(done: int) -> None:
            told.append(done)
            raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, rebuild, paths, DEFAULT_RATIO, progress=break_off)
        self.assertEqual(told, [10 * 256 * 1024])
        self.assertNotIn(3, paths.shards())
        self.assert_tidy(paths)

    def test_killed(self) -> None:
        """Killed at any point it leaves whole shards only, and is done when it is run again."""

        def die() -> None:
            raise Killed

        for name in ("rebuild.write", "staged.sync", "staged.rename", "staged.settled", "staged.published"):
            paths = self.lay()
            before = self.bytes_of(paths)
            os.unlink(paths.shard(0))
            self.damage(paths.shard(7))
            damaged = Path(paths.shard(7)).read_bytes()
            with failpoints.armed(name, die):
                self.assertRaises(Killed, rebuild, paths, DEFAULT_RATIO)
            for number, content in self.bytes_of(paths).items():
                self.assertIn(content, (before[number], damaged))
            rebuild(paths, DEFAULT_RATIO)
            self.assertEqual(self.bytes_of(paths), before, name)
            self.assert_tidy(paths)

    def test_remains(self) -> None:
        """What a killed rebuild left aside is in nobody's way."""
        paths = self.lay()
        before = self.bytes_of(paths)
        os.unlink(paths.shard(0))
        Path(paths.shard(0) + ".tmp").write_bytes(b"half")
        rebuild(paths, DEFAULT_RATIO)
        self.assertEqual(self.bytes_of(paths), before)
        self.assert_tidy(paths)
