"""The compressor against what Go's ``compress/gzip`` wrote for the same input, and against zlib's reader."""

from __future__ import annotations

import gzip
import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.deflate import gzip_fastest


def words(count: int) -> bytes:
    """Text with many repetitions near and far, from a generator that every language can repeat."""
    state, out = 1, []
    for _ in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        out.append(f"w{(state >> 16) % 211} ")
    return "".join(out).encode()


def noise(count: int) -> bytes:
    """Bytes that do not compress."""
    return hashlib.shake_256(b"noise").digest(count)


#: Input, and length and SHA-256 (first 16 digits) of the output of Go 1.26 at BestSpeed.
GO = [
    (b"", 23, "81da0491c5af5635"),
    (b"a", 29, "2b3843da9cf68521"),
    (b"a" * 16, 44, "6cb1b14c709fdd21"),
    (b"ab" * 30, 47, "f58c661daa5c9760"),
    (b"a" * 127, 51, "0d9a1b5d22a008ee"),
    (b"a" * 128, 38, "7e03d838e2cbe79f"),
    (b"a" * 70000, 123, "0ea169d9a4d10e1b"),
    (words(30), 96, "b4611027fbacba31"),
    (words(200), 390, "cb026e0921cd7041"),
    (words(3000), 4963, "e920ca4e9d986077"),
    (words(60000), 96870, "e610b5bc477a3317"),
    (noise(100), 128, "1665c4c03cd0066a"),
    (noise(4000), 4028, "56fd50668dec9532"),
    (noise(70000), 70033, "ccefb1867b2e8d67"),
    (words(500) + noise(500) + words(500), 1695, "e21e6839c73ceaad"),
    (bytes(range(256)) * 3, 322, "ceaf3bcd41a7c12a"),
    (noise(65535) + b"tail", 65572, "b629ad97930e9d63"),
]


class GzipFastestTests(SynchronousTestCase):
    """:func:`gzip_fastest`"""

    def test_equals_go(self) -> None:
        """Stored, literal and matched blocks, one and several of them, come out byte for byte as Go's."""
        for data, length, digest in GO:
            squeezed = gzip_fastest(data)
            self.assertEqual((len(squeezed), hashlib.sha256(squeezed).hexdigest()[:16]), (length, digest))

    @settings(max_examples=150, deadline=None)
    @given(
        st.one_of(
            st.binary(max_size=5000),
            st.text("ab \n", max_size=3000).map(str.encode),
            st.integers(0, 30000).map(words),
        )
    )
    def test_is_gzip(self, data: bytes) -> None:
        """Whatever goes in, any gzip reader gets it back."""
        self.assertEqual(gzip.decompress(gzip_fastest(data)), data)
