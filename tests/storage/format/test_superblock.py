"""Tests for L{seaweedvol.storage.format.superblock}."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH, SuperBlock, decode_superblock
from seaweedvol.storage.format.ttl import DAY, YEAR, Ttl
from tests import strategies
from tests.golden import reading


class SuperBlockTests(SynchronousTestCase):
    """The block at the head of a .dat."""

    @given(strategies.superblocks(), st.binary(max_size=20))
    @settings(max_examples=200, deadline=None)
    def test_round_trip(self, block: SuperBlock, after: bytes) -> None:
        """What is written is read back, whatever follows; its length is where the first needle begins."""
        encoded = block.encode()
        self.assertEqual(len(encoded), block.block_length)
        self.assertEqual(decode_superblock(encoded + after), block)

    def test_bytes(self) -> None:
        """Each field is at its place."""
        block = SuperBlock(3, ReplicaPlacement(0, 1, 2), Ttl(15, DAY), 0x0102)
        self.assertEqual(block.encode(), bytes((3, 12, 15, 3, 1, 2, 0, 0)))

    def test_version_1_has_nothing_extra(self) -> None:
        """Version 1 ignores the length of what is extra, and writes none."""
        self.assertEqual(decode_superblock(bytes((1, 0, 0, 0, 0, 0, 0, 9))), SuperBlock(1))
        self.assertEqual(SuperBlock(1, extra=b"x").encode(), SuperBlock(1).encode())

    def test_malformed(self) -> None:
        """Too few bytes, a version nobody knows and a cut extra part are refused."""
        for data in (b"", bytes(7), bytes(8), b"\x04" + bytes(7), bytes((3, 0, 0, 0, 0, 0, 0, 2, 1))):
            self.assertRaises(FormatError, decode_superblock, data)

    @given(st.binary(max_size=40))
    @settings(max_examples=200, deadline=None)
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes are a block, or a L{FormatError}."""
        try:
            block = decode_superblock(data)
        except FormatError:
            return
        if block.version > 1:
            self.assertEqual(block.encode(), data[:block.block_length])

    def test_golden(self) -> None:
        """The blocks the Go server wrote say what was asked for, and come out byte for byte."""
        blocks = {}
        for path in reading.volumes():
            head = path.read_bytes()[:SUPERBLOCK_LENGTH]
            blocks[f"{path.parent.name}/{path.stem}"] = block = decode_superblock(head)
            self.assertEqual(block.encode(), head)
        self.assertEqual(blocks["needles/1"], SuperBlock())
        self.assertEqual(blocks["version1/1"].version, 1)
        self.assertEqual(blocks["version2/2"].version, 2)
        self.assertEqual(blocks["ttl/1"].ttl, Ttl(99, YEAR))
        self.assertEqual(blocks["compacted/1"].compaction_revision, 1)
        self.assertEqual(str(blocks["settings/6"].placement), "001")
