"""Gzip undone on the way: as much as asked for, forward and back, and never all of it at once."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterable, Iterator

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import ChecksumMismatch
from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.web.contents import unpacking
from seaweedvol.web.contents.compressing import BadGzip, gunzip_chunks
from seaweedvol.web.contents.unpacking import KEPT_LENGTH, Unpacked, unpacked
from seaweedvol.web.message.reply import BytesSource

CONTENT = random.Random(3).randbytes(70_000) + bytes(200_000) + b"end"
PACKED = gzip.compress(CONTENT[:100_000]) + gzip.compress(CONTENT[100_000:])
LARGE = bytes(range(256)) * (KEPT_LENGTH // 256 + 1)


class UnpackedTests(SynchronousTestCase):
    """Tests for :class:`Unpacked`."""

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, len(CONTENT) + 9), st.integers(0, 90_000)), max_size=5))
    def test_any_reads(self, reads: list[tuple[int, int]]) -> None:
        """Every read gives what stands there, in any order."""
        source = Unpacked(BytesSource(PACKED), len(PACKED))
        for offset, length in reads:
            self.assertTrue(source.read(offset, length) == CONTENT[offset:offset + length], (offset, length))

    def test_damaged(self) -> None:
        """Damage is an error where it stands."""
        source = Unpacked(BytesSource(PACKED[:-9]), len(PACKED) - 9)
        self.assertEqual(source.read(0, 5), CONTENT[:5])
        self.assertRaises(BadGzip, source.read, 0, len(CONTENT))


class UnpackTests(SynchronousTestCase):
    """Tests for :func:`unpacked`."""

    def test_small(self) -> None:
        """Content that fits is kept."""
        source, length = unpacked(BytesSource(PACKED), len(PACKED))
        self.assertIsInstance(source, BytesSource)
        self.assertTrue(source.read(0, length) == CONTENT)

    def test_large(self) -> None:
        """More is unpacked anew when it is sent."""
        packed = gzip.compress(LARGE, 1)
        source, length = unpacked(BytesSource(packed), len(packed), crc32c(packed))
        self.assertEqual((type(source), length), (Unpacked, len(LARGE)))
        self.assertTrue(source.read(KEPT_LENGTH - 5, 99) == LARGE[KEPT_LENGTH - 5:][:99])

    def test_damaged(self) -> None:
        """Damaged data hold nothing, at whatever length the damage stands."""
        for content in (CONTENT, LARGE):
            packed = gzip.compress(content, 1)[:-1]
            source, length = unpacked(BytesSource(packed), len(packed), crc32c(packed))
            self.assertEqual((source.read(0, 10), length), (b"", 0))

    def test_checksum(self) -> None:
        """The checksum covers all that is packed, damaged gzip or not."""
        for packed in (PACKED, PACKED[:-9], PACKED + b"more" * 100_000):
            unpacked(BytesSource(packed), len(packed), crc32c(packed))
            self.assertRaises(ChecksumMismatch, unpacked, BytesSource(packed), len(packed), crc32c(packed) ^ 1)

    def test_cut_short(self) -> None:
        """A source with less than was promised is an error."""
        self.assertRaises(EOFError, unpacked, BytesSource(PACKED), len(PACKED) + 1)

    def test_memory(self) -> None:
        """What holds much is read in pieces."""
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
        longest = 0

        def watched(pages: Iterable[bytes]) -> Iterator[bytes]:
            nonlocal longest
            for piece in gunzip_chunks(pages):
                longest = max(longest, len(piece))
                yield piece

        self.patch(unpacking, "gunzip_chunks", watched)
        source, length = unpacked(BytesSource(packed), len(packed))
        self.assertEqual((length, source.read(length - 9, 99)), (64 << 20, bytes(9)))
        self.assertLessEqual(longest, 1 << 16)
