"""Tests for L{seaweedvol.storage.format.checksum}."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.format import checksum
from tests import strategies


class ChecksumTests(SynchronousTestCase):
    """CRC32C and its stored forms."""

    def test_known_values(self) -> None:
        """The check values of RFC 3720, appendix B.4, and of the polynomial."""
        self.assertEqual(checksum.crc32c(b"123456789"), 0xE3069283)
        self.assertEqual(checksum.crc32c(bytes(32)), 0x8A9136AA)
        self.assertEqual(checksum.crc32c(b"\xff" * 32), 0x62A8AB43)
        self.assertEqual(checksum.crc32c(b""), 0)

    @given(st.binary(), st.binary())
    @settings(max_examples=100, deadline=None)
    def test_continued(self, first: bytes, second: bytes) -> None:
        """In pieces, and over any kind of buffer, it is the same."""
        piecewise = checksum.crc32c(memoryview(second), checksum.crc32c(bytearray(first)))
        self.assertEqual(piecewise, checksum.crc32c(first + second))

    def test_masked(self) -> None:
        """The masked form is LevelDB's: turned by 15 bits, plus a constant."""
        self.assertEqual(checksum.legacy_mask(0), 0xA282EAD8)
        self.assertEqual(checksum.legacy_mask(0x00008000), 0xA282EAD9)
        self.assertEqual(checksum.legacy_mask(0xFFFFFFFF), 0xA282EAD7)

    @given(strategies.uint32s)
    @settings(max_examples=100, deadline=None)
    def test_matches_both_forms(self, crc: int) -> None:
        """Both forms are accepted, another value is not."""
        self.assertTrue(checksum.checksum_matches(crc, crc))
        self.assertTrue(checksum.checksum_matches(checksum.legacy_mask(crc), crc))
        self.assertFalse(checksum.checksum_matches(crc ^ 1, crc) and checksum.legacy_mask(crc) != crc ^ 1)

    def test_etag(self) -> None:
        """Eight digits, leading zeros kept, no quotes."""
        self.assertEqual(checksum.etag(0xABC), "00000abc")
