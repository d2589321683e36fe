"""The matrices of the code."""

from __future__ import annotations

import itertools
import random

import reedsolo
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial import unittest

from seaweedvol.ec.matrix import encoding_matrix, products, recovery_rows
from seaweedvol.ec.ratio import DEFAULT_RATIO, Ratio
from tests.ec.strategies import ratios


class MatrixTests(unittest.SynchronousTestCase):
    """They are those of klauspost/reedsolomon."""

    def test_field(self) -> None:
        """Zero and one multiply as they should; 2 times 128 wraps round the polynomial."""
        self.assertEqual(products(0), bytes(256))
        self.assertEqual(products(1), bytes(range(256)))
        self.assertEqual(products(2)[128], 0x1D)

    def test_field_is_a_field(self) -> None:
        """Products are the same either way round, and each element but zero has one that makes one of it."""
        for factor in range(256):
            self.assertEqual(products(factor), bytes(products(element)[factor] for element in range(256)))
            self.assertEqual(len(set(products(factor))), 256 if factor else 1)

    def test_library_used_otherwise(self) -> None:
        """Another field set up in the library by somebody else does not matter."""
        encoding_matrix.cache_clear()
        products.cache_clear()
        before = encoding_matrix(Ratio(5, 3))
        reedsolo.init_tables(prim=0x187)
        self.addCleanup(reedsolo.init_tables, 0x11D)
        encoding_matrix.cache_clear()
        products.cache_clear()
        self.assertEqual(encoding_matrix(Ratio(5, 3)), before)

    def test_parity_of_ten_and_four(self) -> None:
        """The coefficients that Go uses."""
        self.assertEqual([list(row) for row in encoding_matrix(DEFAULT_RATIO)[10:]], [
            [129, 150, 175, 184, 210, 196, 254, 232, 3, 2],
            [150, 129, 184, 175, 196, 210, 232, 254, 2, 3],
            [191, 214, 98, 10, 6, 111, 223, 183, 5, 4],
            [214, 191, 10, 98, 111, 6, 183, 223, 4, 5],
        ])

    def test_data_shards_are_the_data(self) -> None:
        """The upper square is the identity."""
        for ratio in (Ratio(1, 1), DEFAULT_RATIO, Ratio(20, 12)):
            for number, row in enumerate(encoding_matrix(ratio)[:ratio.data]):
                self.assertEqual(row, bytes(int(column == number) for column in range(ratio.data)))

    def test_any_ten_do(self) -> None:
        """Each choice of ten of fourteen shards can be solved for the rest."""
        for present in itertools.combinations(range(14), 10):
            wanted = tuple(sorted(set(range(14)) - set(present)))
            rows = recovery_rows(DEFAULT_RATIO, present, wanted)
            self.assertEqual([len(row) for row in rows], [10] * 4)

    @settings(max_examples=60, deadline=None)
    @given(ratios, st.randoms(use_true_random=False))
    def test_recovery_undoes_encoding(self, ratio: Ratio, chance: random.Random) -> None:
        """Whatever shards are there, one byte of each of the others comes out as it was encoded."""
        data = bytes(chance.randrange(256) for _ in range(ratio.data))
        encoded = [_dot(row, data) for row in encoding_matrix(ratio)]
        present = tuple(chance.sample(range(ratio.total), ratio.data))
        wanted = tuple(range(ratio.total))
        there = bytes(encoded[number] for number in present)
        self.assertEqual([_dot(row, there) for row in recovery_rows(ratio, present, wanted)], encoded)


def _dot(row: bytes, data: bytes) -> int:
    total = 0
    for factor, value in zip(row, data, strict=True):
        total ^= products(factor)[value]
    return total
