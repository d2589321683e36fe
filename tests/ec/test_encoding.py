"""From a .dat to its shards."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from twisted.trial import unittest

from seaweedvol.ec import layout
from seaweedvol.ec.encoding import encode
from seaweedvol.ec.index import write_sorted
from seaweedvol.ec.layout import locate, shard_length
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.numpycodec import NumpyCodec
from seaweedvol.ec.ratio import DEFAULT_RATIO, Ratio
from seaweedvol.ec.sidecar import load_sidecar, parse, verify_shard
from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import Corrupt
from seaweedvol.storage.format.index import OffsetWidth
from tests.ec.encoded import sums_of
from tests.golden.shards import CASES, DIRECTORY, LONG, NEEDLES, content, digest, digests

MIB = 1 << 20


class Crash(BaseException):
    """The end of a process, as far as the code can tell."""


class EncodingCase(unittest.SynchronousTestCase):
    """A directory with a volume."""

    def setUp(self) -> None:
        """An empty one."""
        self.directory = Path(self.mktemp())
        self.directory.mkdir(parents=True)
        self.paths = EcPaths(str(self.directory), str(self.directory), "", 1)

    def write(self, data: bytes) -> None:
        """What is to be encoded."""
        Path(self.paths.data).write_bytes(data)

    def names(self) -> list[str]:
        """What is in the directory beside the .dat."""
        return sorted(set(os.listdir(self.directory)) - {"1.dat"})


class GoldenTests(EncodingCase):
    """Byte for byte what Go makes."""

    def test_shards_and_checksums(self) -> None:
        """Of volumes of each length and ratio, from one byte to several rows."""
        for case in CASES:
            self.write(content(case.length))
            golden = (DIRECTORY / f"{case.name}.ecsum").read_bytes()
            encoded = encode(self.paths, Ratio(case.data, case.parity), uuid=parse(golden).uuid)
            self.assertEqual(encoded.data_length, case.length)
            self.assertEqual(self.found(case.data + case.parity), digests()[case.name], case.name)
            self.assertEqual(Path(self.paths.sidecar()).read_bytes(), golden, case.name)
            self.assertEqual(encoded.sidecar, parse(golden))

    def test_needles(self) -> None:
        """Of a volume that a server wrote."""
        self.write((DIRECTORY.parent / NEEDLES / "1.dat").read_bytes())
        encode(self.paths, DEFAULT_RATIO)
        self.assertEqual(self.found(14), digests()[NEEDLES])
        self.assertEqual(
            load_sidecar(self.paths.sidecar()).shards, parse((DIRECTORY / f"{NEEDLES}.ecsum").read_bytes()).shards)

    def test_index_of_needles(self) -> None:
        """Its .ecx too."""
        write_sorted(str(DIRECTORY.parent / NEEDLES / "1.idx"), self.paths.index, OffsetWidth.FOUR)
        self.assertEqual(Path(self.paths.index).read_bytes(), (DIRECTORY / f"{NEEDLES}.ecx").read_bytes())

    def test_numpy(self) -> None:
        """With either codec."""
        self.write(content(LONG))
        encode(self.paths, Ratio(6, 3), codec=NumpyCodec())
        self.assertEqual(self.found(9), digests()[f"6+3-{LONG}"])

    def found(self, total: int) -> list[str]:
        """Digests of the shards."""
        return [digest(Path(self.paths.shard(number))) for number in range(total)]


class EncodingTests(EncodingCase):
    """What encoding does beside."""

    def test_layout(self) -> None:
        """Each byte is where the layout says, large blocks and small ones, whatever the lengths of blocks."""
        self.patch(layout, "LARGE_BLOCK", 4 * MIB)
        for ratio, length in ((Ratio(3, 2), 24 * MIB + 5 * MIB + 77), (Ratio(2, 1), 40 * MIB), (Ratio(1, 1), 17 * MIB)):
            data = content(length)
            self.write(data)
            encode(self.paths, ratio)
            shards = [Path(self.paths.shard(number)).read_bytes() for number in range(ratio.total)]
            self.assertEqual({len(shard) for shard in shards}, {shard_length(length, ratio)})
            found = b"".join(
                shards[each.shard_id][each.offset:each.offset + each.length]
                for each in locate(ratio, length, 0, length))
            self.assertTrue(found == data, str(ratio))
            for number, sums in load_sidecar(self.paths.sidecar()).shards.items():
                self.assertIsNone(verify_shard(self.paths.shard(number), sums))
                self.assertEqual(sums, sums_of(self.paths.shard(number)))

    def test_empty(self) -> None:
        """A volume without a byte has empty shards."""
        self.write(b"")
        encode(self.paths, Ratio(2, 1))
        self.assertEqual([Path(self.paths.shard(number)).stat().st_size for number in range(3)], [0, 0, 0])

    def test_a_volume_that_grows(self) -> None:
        """What came after the length was taken is not encoded."""
        self.write(content(MIB) + b"later" * 1000)
        encode(self.paths, DEFAULT_RATIO, data_length=MIB)
        self.assertEqual(digest(Path(self.paths.shard(13))), digests()[f"10+4-{MIB}"][13])

    def test_a_volume_that_is_cut(self) -> None:
        """A .dat that ends too early is no volume, and leaves no shards."""
        self.write(content(MIB))
        self.assertRaises(Corrupt, encode, self.paths, DEFAULT_RATIO, data_length=MIB + 1)
        self.assertEqual(self.names(), [])

    def test_no_volume(self) -> None:
        """Without a .dat there is nothing to do, and nothing is made."""
        self.assertRaises(FileNotFoundError, encode, self.paths, DEFAULT_RATIO)
        self.assertEqual(self.names(), [])

    def test_earlier_shards_go(self) -> None:
        """Shards and checksums of another encoding do not stay beside new ones."""
        self.write(b"x")
        encode(self.paths, Ratio(20, 12))
        Path(self.paths.sidecar(3)).write_bytes(b"old")
        encode(self.paths, Ratio(2, 1))
        self.assertEqual(self.names(), ["1.ec00", "1.ec01", "1.ec02", "1.ecsum"])
        self.assertEqual(load_sidecar(self.paths.sidecar()).ratio, Ratio(2, 1))

    def test_each_encoding_has_a_name(self) -> None:
        """Two of the same volume can be told apart."""
        self.write(b"x")
        self.assertNotEqual(
            encode(self.paths, Ratio(1, 1)).sidecar.uuid, encode(self.paths, Ratio(1, 1)).sidecar.uuid)

    def test_progress(self) -> None:
        """It is told in order and ends with the length of the volume; the throttle hears of every byte read."""
        self.write(content(LONG))
        told: list[int] = []
        read: list[int] = []
        encode(self.paths, DEFAULT_RATIO, progress=told.append, throttle=read.append)
        self.assertEqual(told, sorted(told))
        self.assertEqual(told[-1], LONG)
        self.assertEqual(sum(read), 40 * MIB)

    def test_stopped_by_progress(self) -> None:
        """Whoever is told may end the work; nothing is left, and what was there before is still there."""
        self.write(content(LONG))
        encode(self.paths, Ratio(2, 1))
        before = {name: (self.directory / name).read_bytes() for name in self.names()}

        def stop(done: int) -> None:
            if done > 10 * MIB:
                raise InterruptedError

        self.assertRaises(InterruptedError, encode, self.paths, DEFAULT_RATIO, progress=stop)
        self.assertEqual({name: (self.directory / name).read_bytes() for name in self.names()}, before)

    def test_no_space(self) -> None:
        """A disk that cannot take all shards is not written to."""
        self.write(content(MIB))
        real = os.statvfs

        def full(path: str) -> os.statvfs_result:
            values = list(real(path))
            values[4] = 1
            return os.statvfs_result(values)

        self.patch(os, "statvfs", full)
        error = self.assertRaises(OSError, encode, self.paths, DEFAULT_RATIO)
        self.assertEqual(error.errno, errno.ENOSPC)
        self.assertEqual(self.names(), [])


class CrashTests(EncodingCase):
    """A process that ends somewhere on the way, and a disk that fails."""

    PHASES = (
        "encode.reserve", "encode.write", "staged.sync", "encode.publish", "staged.rename", "staged.settled",
        "staged.published",
    )

    def run_until(self, phase: str, turn: int, outcome: Callable[[], object]) -> bool:
        """Encode; have something happen when ``phase`` is reached for the ``turn``-th time. Whether it did."""
        count = 0

        def act() -> None:
            nonlocal count
            count += 1
            if count == turn:
                outcome()

        with failpoints.armed(phase, act):
            try:
                encode(self.paths, Ratio(3, 2))
            except (Crash, OSError):
                return True
        return False

    def test_crash(self) -> None:
        """After a crash anywhere the .dat is whole, every shard that is there is right, and the next run succeeds."""
        data = content(7 * MIB + 3)
        self.write(data)

        def crash() -> None:
            raise Crash

        for phase in self.PHASES:
            for turn in (1, 2, 4):
                if not self.run_until(phase, turn, crash):
                    continue
                self.assertEqual(Path(self.paths.data).read_bytes(), data)
                for number, path in self.paths.shards().items():
                    self.assertIsNone(verify_shard(path, load_sidecar(self.paths.sidecar()).shards[number]), phase)
                encode(self.paths, Ratio(3, 2))
                self.assertEqual(self.names(), [*(f"1.ec{number:02d}" for number in range(5)), "1.ecsum"])
                self.assertEqual(self.paths.asides(), [])

    def test_failure(self) -> None:
        """When the disk fails there are no shards rather than some, and nothing aside."""
        self.write(content(7 * MIB + 3))

        def fail() -> None:
            raise OSError(errno.EIO, "broken")

        for phase in self.PHASES:
            for turn in (1, 2, 4):
                if self.run_until(phase, turn, fail):
                    self.assertEqual(self.names(), [], phase)
                for name in self.names():
                    (self.directory / name).unlink()
