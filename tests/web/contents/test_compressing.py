"""Compression decisions must be SeaweedFS's, and gzip must survive whatever is sent as gzip."""

from __future__ import annotations

import gzip
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.contents.compressing import (
    CHUNK, GZIP_HEADER, BadGzip, gunzip, gunzip_chunks, gzip_chunks, is_compressible, is_gzip, is_worth_it,
)

# extension (SeaweedFS passes the base name), media type, verdict
KINDS = (
    ("", "text/plain", True), (".zip", "text/x", True), (".svg", "", True), (".bmp", "image/bmp", True),
    (".wav", "", True), ("", "image/svg+xml", False), (".txt", "image/png", False), (".gz", "application/xml", False),
    (".zst", "", False), (".br", "", False), (".pdf", "", True), (".json", "application/octet-stream", True),
    (".hpp", "", True), (".png", "application/xml", False), ("", "application/xml", True),
    ("", "application/rss+xml", True), ("", "application/javascript", True), ("", "application/json", False),
    ("", "application/zstd", False), ("", "application/vnd.rar", False), ("", "application/x-xmlx", False),
    ("", "audio/wav", True), ("", "audio/x-pn-wav", True), ("", "audio/mpeg", False), ("", "video/mp4", False),
    ("a.txt", "", False), ("", "", False), (".TXT", "", False),
)


class DecisionTests(SynchronousTestCase):
    """What is compressed."""

    def test_kinds(self) -> None:
        """The rules of IsCompressableFileType, in their order."""
        for ext, mime, expected in KINDS:
            self.assertEqual(is_compressible(ext, mime), expected, (ext, mime))

    def test_worth(self) -> None:
        """Exactly a tenth is not enough."""
        self.assertEqual((is_worth_it(89, 100), is_worth_it(90, 100), is_worth_it(0, 0)), (True, False, False))

    def test_magic(self) -> None:
        """Two bytes make gzip."""
        self.assertEqual([is_gzip(head) for head in (b"", b"\x1f", b"\x1f\x8b", b"\x1f\x8bxyz", b"x\x1f\x8b")],
                         [False, False, True, True, False])


class GzipTests(SynchronousTestCase):
    """Both directions."""

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.binary(max_size=200), max_size=6))
    def test_returns(self, chunks: list[bytes]) -> None:
        """What is compressed reads back, here and elsewhere, behind the header Go writes."""
        packed = b"".join(gzip_chunks(chunks))
        self.assertEqual((gunzip(packed), gzip.decompress(packed)), (b"".join(chunks),) * 2)
        self.assertTrue(packed.startswith(GZIP_HEADER))

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.binary(max_size=100), min_size=1, max_size=3), st.integers(1, 40))
    def test_members(self, members: list[bytes], step: int) -> None:
        """Members one after the other are one content, however they are cut."""
        packed = b"".join(map(gzip.compress, members))
        pieces = (packed[at:at + step] for at in range(0, len(packed), step))
        self.assertEqual(b"".join(gunzip_chunks(pieces)), b"".join(members))

    def test_small_pieces(self) -> None:
        """A little gzip that holds much comes out in pieces of bounded size."""
        packed = gzip.compress(b"\0" * (10 * CHUNK + 1))
        lengths = [len(piece) for piece in gunzip_chunks([packed])]
        self.assertEqual((max(lengths), sum(lengths)), (CHUNK, 10 * CHUNK + 1))

    def test_damage(self) -> None:
        """Cut, altered or followed by something else, it is refused."""
        packed = gzip.compress(b"hello")
        for data in (b"", packed[:-1], packed[:5], packed + b"x", packed + b"\0" * 20, b"hello",
                     packed[:-5] + b"\xff" + packed[-4:]):
            self.assertRaises(BadGzip, gunzip, data)

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=100), st.binary(max_size=20))
    def test_only_bad_gzip(self, tail: bytes, data: bytes) -> None:
        """Any bytes are gzip or refused."""
        for candidate in (tail, GZIP_HEADER + tail, zlib.compress(data, wbits=31) + tail):
            try:
                gunzip(candidate)
            except BadGzip:
                pass
