"""What SHARDS.rst says, held against the code and the golden files."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial import unittest

from seaweedvol import ec
from seaweedvol.ec.layout import Interval, locate, shard_length
from seaweedvol.ec.matrix import encoding_matrix, products, recovery_rows
from seaweedvol.ec.ratio import DEFAULT_RATIO
from tests.golden.shards import DIRECTORY, MIB

TEXT = (Path(ec.__file__).parent / "SHARDS.rst").read_text(encoding="utf-8")


class ExampleTests(unittest.SynchronousTestCase):
    """The numbers in it are right."""

    def test_needle(self) -> None:
        """The record is where the text says."""
        self.assertEqual(shard_length(25 * MIB, DEFAULT_RATIO), 3 * MIB)
        found = locate(DEFAULT_RATIO, 25 * MIB, 13_631_448, 100)
        self.assertEqual(found, [Interval(2, 2_097_112, 40), Interval(3, 1_048_576, 60)])
        for number in ("13,631,448", "1,048,536", "2,097,112", "1,048,576"):
            self.assertIn(number, TEXT)

    def test_matrix(self) -> None:
        """The coefficients are those of the code."""
        for number, row in enumerate(encoding_matrix(DEFAULT_RATIO)[10:], 10):
            self.assertIn(f".ec{number}   " + " ".join(f"{factor:3}" for factor in row), TEXT)

    def test_parity(self) -> None:
        """The first bytes of the shards of the golden volume, and the way back."""
        firsts = [products(row[0])[3] for row in encoding_matrix(DEFAULT_RATIO)[10:]]
        self.assertEqual(bytes(firsts).hex(" "), "9e a7 dc 67")
        row = recovery_rows(DEFAULT_RATIO, tuple(range(1, 11)), (0,))[0]
        self.assertIn(" ".join(str(factor) for factor in row), TEXT)
        self.assertEqual(products(row[9])[0x9E], 3)

    def test_checksums(self) -> None:
        """The bytes are those of the golden file."""
        lines = re.findall(r"^    [0-9a-f]{2}  ((?:[0-9a-f]{2} ?)+)(?:  |$)", TEXT, re.MULTILINE)
        self.assertEqual(bytes.fromhex("".join(lines)), (DIRECTORY / "1+1-1.ecsum").read_bytes())
