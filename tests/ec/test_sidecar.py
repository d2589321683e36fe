"""Checksums of shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial import unittest

from seaweedvol.ec.layout import shard_length
from seaweedvol.ec.ratio import DEFAULT_RATIO, Ratio
from seaweedvol.ec.sidecar import (
    BLOCK_SIZE, ShardSums, Sidecar, bad_blocks, dump, load_sidecar, new_uuid, parse, save_sidecar,
    usable_sidecar, verify_shard,
)
from seaweedvol.pb.volume_server_pb2 import CHECKSUM_NONE, EcBitrotProtection
from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.checksum import crc32c
from tests.ec.encoded import sums_of
from tests.ec.strategies import ratios
from tests.golden.shards import CASES, DIRECTORY

MIB = 1 << 20


@st.composite
def sidecars(draw: st.DrawFn) -> Sidecar:
    """Sidecars as an encoder writes them."""
    ratio = draw(ratios)
    block = 1 << draw(st.integers(20, 26))
    covered = draw(st.integers(1, 5 * block))
    crcs = st.lists(st.integers(0, 0xFFFFFFFF), min_size=-(-covered // block), max_size=-(-covered // block))
    shards = {number: ShardSums(covered, tuple(draw(crcs))) for number in range(ratio.total)}
    return Sidecar(ratio, block, draw(st.integers(0, 9)), draw(st.binary(min_size=16, max_size=16)), shards)


def small(**changes: Any) -> Sidecar:
    """One that is right, but for the changes."""
    sums = ShardSums(MIB, (1,))
    return attrs.evolve(Sidecar(Ratio(2, 1), BLOCK_SIZE, 0, new_uuid(), dict.fromkeys(range(3), sums)), **changes)


class SidecarTests(unittest.SynchronousTestCase):
    """The bytes of the file."""

    def test_golden(self) -> None:
        """What Go wrote is read, and written again byte for byte."""
        for case in CASES:
            data = (DIRECTORY / f"{case.name}.ecsum").read_bytes()
            sidecar = parse(data)
            ratio = Ratio(case.data, case.parity)
            self.assertEqual((sidecar.ratio, sidecar.block_size, sidecar.generation), (ratio, BLOCK_SIZE, 0))
            self.assertEqual((sidecar.problem, len(sidecar.uuid)), ("", 16))
            self.assertEqual({sums.covered for sums in sidecar.shards.values()}, {shard_length(case.length, ratio)})
            self.assertEqual(dump(sidecar), data, case.name)

    @settings(max_examples=50, deadline=None)
    @given(sidecars())
    def test_round_trip(self, sidecar: Sidecar) -> None:
        """Nothing is lost, and nobody complains."""
        self.assertEqual(parse(dump(sidecar)), sidecar)

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_damage(self, data: st.DataObject) -> None:
        """One flipped bit, or a lost end, is noticed."""
        whole = dump(small())
        at = data.draw(st.integers(0, len(whole) * 8 - 1))
        flipped = bytearray(whole)
        flipped[at // 8] ^= 1 << at % 8
        self.assertRaises(FormatError, parse, bytes(flipped))
        self.assertRaises(FormatError, parse, whole[:at // 8])

    def test_not_a_message(self) -> None:
        """A right checksum over something else does not help."""
        payload = b"\xff\xff"
        data = b"ECSU\x00\x01" + len(payload).to_bytes(4, "big") + crc32c(payload).to_bytes(4, "big") + payload
        self.assertRaises(FormatError, parse, data)

    def test_words(self) -> None:
        """What is wrong is said as Go says it."""
        for data, words in (
            (b"ECSU", "bitrot sidecar too short (4 bytes)"),
            (b"XXXX" + bytes(10), "bitrot sidecar bad magic 0x58585858"),
            (b"ECSU\x00\x02" + bytes(8), "bitrot sidecar unsupported format version 2"),
            (b"ECSU\x00\x01\x00\x00\x00\x05" + bytes(4), "bitrot sidecar length mismatch: header 5, actual 0"),
        ):
            error = self.assertRaises(FormatError, parse, data)
            self.assertEqual(str(error), words)

    def test_problems(self) -> None:
        """A sidecar that cannot be right is read, with the reason why not to rely on it."""
        sums = ShardSums(MIB, (1,))
        for sidecar, words in (
            (small(block_size=MIB + 1), "invalid block_size 1048577"),
            (small(block_size=128 * MIB), "invalid block_size 134217728"),
            (small(ratio=None), "invalid active layout: data=0 parity=0"),
            (small(shards={0: sums}), "incomplete manifest: 1 shard entries, expected 3"),
            (small(shards={0: sums, 1: sums, 3: sums}), "shard id 3 out of range [0,3)"),
            (small(shards={0: sums, 1: sums, 2: ShardSums(0, ())}), "shard 2 has non-positive covered_size 0"),
            (small(shards={0: sums, 1: sums, 2: ShardSums(MIB, (1, 2))}), "shard 2 crc count mismatch: 8 bytes"),
        ):
            self.assertIn(words, parse(dump(sidecar)).problem)

    def test_twice_the_same_shard(self) -> None:
        """So is one with two entries for a shard, or with checksums of another kind."""
        for change, words in (
                ("shards", "duplicate shard id 1"), ("algorithm", "unsupported checksum algorithm CHECKSUM_NONE")):
            payload = dump(small())[14:]
            message = EcBitrotProtection.FromString(payload)
            if change == "shards":
                message.shards[2].shard_id = 1
            else:
                message.algorithm = CHECKSUM_NONE
            payload = message.SerializeToString()
            head = b"ECSU\x00\x01" + len(payload).to_bytes(4, "big") + crc32c(payload).to_bytes(4, "big")
            self.assertEqual(parse(head + payload).problem, words)


class UsableTests(unittest.SynchronousTestCase):
    """Which sidecar is about an encoding."""

    def setUp(self) -> None:
        """A name for it."""
        self.path = self.mktemp()

    def test_usable(self) -> None:
        """One of this ratio and generation is."""
        sidecar = small()
        save_sidecar(self.path, sidecar)
        self.assertEqual(usable_sidecar(self.path, Ratio(2, 1)), sidecar)
        self.assertEqual(load_sidecar(self.path), sidecar)

    def test_none(self) -> None:
        """No file, or one about another encoding, is none, even if that one is no good."""
        self.assertIsNone(usable_sidecar(None, Ratio(2, 1)))
        for sidecar in (small(), small(shards={}), small(ratio=None)):
            save_sidecar(self.path, sidecar)
            self.assertIsNone(usable_sidecar(self.path, DEFAULT_RATIO))
        save_sidecar(self.path, small(generation=3))
        self.assertIsNone(usable_sidecar(self.path, Ratio(2, 1)))
        self.assertIsNotNone(usable_sidecar(self.path, Ratio(2, 1), 3))

    def test_not_to_be_relied_on(self) -> None:
        """A damaged or impossible one is an error."""
        save_sidecar(self.path, small(shards={}))
        self.assertRaises(FormatError, usable_sidecar, self.path, Ratio(2, 1))
        Path(self.path).write_bytes(dump(small())[:-1])
        self.assertRaises(FormatError, usable_sidecar, self.path, Ratio(2, 1))


class VerifyTests(unittest.SynchronousTestCase):
    """Shards against their checksums."""

    def setUp(self) -> None:
        """A shard of three blocks, of which the last is not full."""
        self.path = Path(self.mktemp())
        self.data = bytes(range(256)) * 10240
        self.path.write_bytes(self.data)
        self.sums = sums_of(str(self.path), MIB)

    def test_right(self) -> None:
        """A shard that is as it was has no bad block."""
        self.assertIsNone(verify_shard(str(self.path), self.sums, MIB))

    def test_flipped_byte(self) -> None:
        """The block with it is named."""
        for at in (0, MIB - 1, MIB, len(self.data) - 1):
            changed = bytearray(self.data)
            changed[at] ^= 4
            self.path.write_bytes(changed)
            self.assertEqual(verify_shard(str(self.path), self.sums, MIB), at // MIB)
            self.assertEqual(bad_blocks(str(self.path), self.sums, MIB), [at // MIB])

    def test_other_length(self) -> None:
        """A shard that was cut or grew has no good block."""
        for data in (self.data[:-1], self.data + b"x", b""):
            self.path.write_bytes(data)
            self.assertEqual(bad_blocks(str(self.path), self.sums, MIB), [0, 1, 2])
            self.assertEqual(verify_shard(str(self.path), self.sums, MIB), 0)

    def test_missing(self) -> None:
        """A shard that is not there is an error of the system."""
        self.assertRaises(OSError, verify_shard, self.mktemp(), self.sums)
