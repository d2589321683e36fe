"""The codecs, held to one contract, and the short road for small reads."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from twisted.trial import unittest

from seaweedvol.ec import codec as codecs
from seaweedvol.ec import isal
from seaweedvol.ec.arena import Arena
from seaweedvol.ec.codec import ICodec, TooFewShards, best_codec, is_right, reconstruct
from seaweedvol.ec.isal import IsalCodec, load_isal
from seaweedvol.ec.matrix import Rows, encoding_matrix, products
from seaweedvol.ec.numpycodec import NumpyCodec
from seaweedvol.ec.ratio import DEFAULT_RATIO, Ratio

Transform = Callable[[Rows, Arena, tuple[int, ...], tuple[int, ...], int], None]


def fill(arena: Arena, count: int, seed: int = 1) -> None:
    """Chance in the first rows, something else in the others."""
    chance = random.Random(seed)
    for number in range(arena.rows):
        arena.row(number)[:] = chance.randbytes(arena.length) if number < count else b"\xee" * arena.length


def expected(row: bytes, arena: Arena, sources: tuple[int, ...], length: int) -> bytes:
    """The sum, slowly."""
    total = 0
    for factor, source in zip(row, sources, strict=True):
        total ^= int.from_bytes(bytes(arena.row(source)[:length]).translate(products(factor)), "big")
    return total.to_bytes(length, "big")


class CodecContract:
    """What each codec must do."""

    codec: ICodec

    def check(self, ratio: Ratio, length: int) -> None:
        """Parity of ``length`` bytes is right, and not a byte beyond it is touched."""
        arena = Arena(ratio.total, length + 40)
        fill(arena, ratio.data)
        sources, targets = tuple(range(ratio.data)), tuple(range(ratio.data, ratio.total))
        before = [bytes(arena.row(number)) for number in sources]
        self.codec.transform(encoding_matrix(ratio)[ratio.data:], arena, sources, targets, length)
        case: unittest.SynchronousTestCase = self  # type: ignore[assignment]
        case.assertEqual([bytes(arena.row(number)) for number in sources], before)
        for row, target in zip(encoding_matrix(ratio)[ratio.data:], targets, strict=True):
            case.assertEqual(bytes(arena.row(target)[:length]), expected(row, arena, sources, length), str(ratio))
            case.assertEqual(bytes(arena.row(target)[length:]), b"\xee" * 40, str(ratio))

    def test_lengths(self) -> None:
        """Short, odd and long ones."""
        for length in (1, 2, 31, 32, 33, 255, 1000, 4097, 16 * 1024 + 1, 65535, 65536, 65537, 262144):
            self.check(DEFAULT_RATIO, length)

    def test_ratios(self) -> None:
        """Few shards and many, and more parity than data."""
        for ratio in (Ratio(1, 1), Ratio(6, 3), Ratio(14, 2), Ratio(3, 5), Ratio(20, 12), Ratio(1, 31)):
            for length in (777, 65538):
                self.check(ratio, length)

    def test_rows_in_any_order(self) -> None:
        """Sources and targets are the rows that were named, not the first ones."""
        arena = Arena(5, 100)
        fill(arena, 5)
        want = expected(b"\x07\xc3", arena, (4, 1), 100)
        self.codec.transform((b"\x07\xc3",), arena, (4, 1), (2,), 100)
        case: unittest.SynchronousTestCase = self  # type: ignore[assignment]
        case.assertEqual(bytes(arena.row(2)), want)

    def test_coefficient_of_zero(self) -> None:
        """Whatever a source holds, zero times it is nothing."""
        arena = Arena(3, 70_000)
        fill(arena, 2)
        self.codec.transform((b"\x00\x01",), arena, (0, 1), (2,), 70_000)
        case: unittest.SynchronousTestCase = self  # type: ignore[assignment]
        case.assertEqual(bytes(arena.row(2)), bytes(arena.row(1)))

    def test_threads(self) -> None:
        """One codec serves several threads, each with an arena of its own."""
        def work(seed: int) -> bool:
            arena = Arena(14, 5000)
            rows = encoding_matrix(DEFAULT_RATIO)[10:]
            for turn in range(20):
                fill(arena, 10, seed * 100 + turn)
                self.codec.transform(rows, arena, tuple(range(10)), tuple(range(10, 14)), 5000)
                if bytes(arena.row(13)) != expected(rows[3], arena, tuple(range(10)), 5000):
                    return False
            return True

        with ThreadPoolExecutor(3) as pool:
            results = list(pool.map(work, range(3)))
        case: unittest.SynchronousTestCase = self  # type: ignore[assignment]
        case.assertEqual(results, [True] * 3)

    def test_lost_shards(self) -> None:
        """Of 6+3 each way to lose three is made good."""
        ratio = Ratio(6, 3)
        shards = encoded(ratio, 100)
        case: unittest.SynchronousTestCase = self  # type: ignore[assignment]
        for lost in itertools.combinations(range(9), 3):
            pieces = {number: piece for number, piece in shards.items() if number not in lost}
            found = reconstruct(ratio, pieces, lost, self.codec)
            case.assertEqual(found, {number: shards[number] for number in lost}, str(lost))


def encoded(ratio: Ratio, length: int) -> dict[int, bytes]:
    """Pieces of all shards."""
    arena = Arena(ratio.total, length)
    fill(arena, ratio.data)
    sources, targets = tuple(range(ratio.data)), tuple(range(ratio.data, ratio.total))
    NumpyCodec().transform(encoding_matrix(ratio)[ratio.data:], arena, sources, targets, length)
    return {number: bytes(arena.row(number)) for number in range(ratio.total)}


class NumpyCodecTests(CodecContract, unittest.SynchronousTestCase):
    """NumPy does it."""

    codec = NumpyCodec()


_ISAL = load_isal()

if _ISAL is not None:
    class IsalCodecTests(CodecContract, unittest.SynchronousTestCase):
        """ISA-L does it, where it is."""

        codec: ICodec = _ISAL or NumpyCodec()

        def test_many_patterns(self) -> None:
            """An arena does not keep a plan for everything that was ever asked."""
            arena = Arena(4, 64)
            for factor in range(600):
                self.codec.transform((bytes((factor & 0xFF, factor >> 8)),), arena, (0, 1), (2,), 64)
            self.assertLess(len(arena.plans), 300)


class Wrong(NumpyCodec):
    """Computes something else."""

    def transform(
        self, rows: Rows, arena: Arena, sources: tuple[int, ...], targets: tuple[int, ...], length: int,
    ) -> None:
        super().transform(rows, arena, sources, targets, length)
        arena.row(targets[0])[length - 1] ^= 1


class ChoiceTests(unittest.SynchronousTestCase):
    """Which codec is used."""

    def setUp(self) -> None:
        """Choose anew in each test, and again after it."""
        best_codec.cache_clear()
        self.addCleanup(best_codec.cache_clear)

    def test_isal_comes_first(self) -> None:
        """Where the library is, it is taken."""
        self.assertEqual(best_codec().name, "isal" if load_isal() else "numpy")

    def test_numpy_where_it_is_missing(self) -> None:
        """Without the wheel it is NumPy."""
        self.patch(isal, "load_isal", lambda: None)
        self.assertEqual(best_codec().name, "numpy")

    def test_numpy_where_it_is_wrong(self) -> None:
        """A library that gets a sum wrong is not used."""
        self.assertFalse(is_right(Wrong()))
        self.assertTrue(is_right(NumpyCodec()))
        self.patch(isal, "load_isal", Wrong)
        self.assertIs(type(codecs.best_codec()), NumpyCodec)

    def test_not_a_library(self) -> None:
        """A file that is none is refused."""
        self.assertRaises(OSError, IsalCodec, __file__)


class ReconstructTests(unittest.SynchronousTestCase):
    """Pieces of lost shards."""

    def test_long_pieces(self) -> None:
        """They may be longer than the memory that is kept for it."""
        shards = encoded(Ratio(3, 2), 600_001)
        pieces = {number: shards[number] for number in (1, 3, 4)}
        self.assertEqual(reconstruct(Ratio(3, 2), pieces, [0, 2]), {0: shards[0], 2: shards[2]})

    def test_what_is_there(self) -> None:
        """What is wanted and given comes back as it is, and more than are needed may be given."""
        shards = encoded(Ratio(3, 2), 10)
        pieces = {number: memoryview(shards[number]) for number in (0, 1, 2, 3)}
        self.assertEqual(reconstruct(Ratio(3, 2), pieces, [3, 4]), {3: shards[3], 4: shards[4]})
        self.assertEqual(reconstruct(Ratio(3, 2), {1: b"x"}, [1]), {1: b"x"})

    def test_nothing(self) -> None:
        """No bytes of a shard are no bytes."""
        self.assertEqual(reconstruct(Ratio(2, 1), {0: b"", 2: b""}, [1]), {1: b""})

    def test_too_few(self) -> None:
        """With fewer than there are data shards nothing can be done."""
        shards = encoded(Ratio(3, 2), 10)
        self.assertRaises(TooFewShards, reconstruct, Ratio(3, 2), {0: shards[0], 4: shards[4]}, [1])

    def test_unequal_lengths(self) -> None:
        """Pieces of different lengths are refused."""
        self.assertRaises(ValueError, reconstruct, Ratio(2, 1), {0: b"xx", 2: b"x"}, [1])

    def test_threads(self) -> None:
        """Each thread has memory of its own."""
        shards = encoded(DEFAULT_RATIO, 3000)
        pieces = {number: shards[number] for number in range(4, 14)}
        barrier = threading.Barrier(4)

        def work(_: int) -> bool:
            barrier.wait()
            return all(reconstruct(DEFAULT_RATIO, pieces, [0, 1, 2, 3]) == {n: shards[n] for n in range(4)}
                       for _ in range(50))

        with ThreadPoolExecutor(4) as pool:
            self.assertEqual(list(pool.map(work, range(4))), [True] * 4)
