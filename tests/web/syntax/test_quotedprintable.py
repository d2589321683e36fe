"""Quoted-printable must be undone, and refused, as Go's ``mime/quotedprintable`` does.

The table was written by a Go 1.26 program that read parts of multipart bodies.
"""

from __future__ import annotations

import quopri

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.syntax.quotedprintable import QuotedPrintableDecoder

# encoded, decoded up to the error, error or ""
TEXTS = (
    (b'a=41b', b'aAb', ''),
    (b'soft=\r\nbreak', b'softbreak', ''),
    (b'soft= \t\r\nbreak', b'softbreak', ''),
    (b'trailing  \r\nspace \t\nx  ', b'trailing\r\nspace\nx', ''),
    (b'=zz', b'=zz', ''),
    (b'=', b'', 'quotedprintable: invalid bytes after =: ""'),
    (b'a=', b'a', ''),
    (b'a=4', b'a=4', ''),
    (b'a==', b'a', 'unexpected EOF'),
    (b'==\r\n', b'', 'unexpected EOF'),
    (b'=\rx\r\n', b'', 'quotedprintable: invalid hex byte 0x0d'),
    (b'\x00', b'', 'quotedprintable: invalid unescaped byte 0x00 in body'),
    (b'x\x7f', b'x', 'quotedprintable: invalid unescaped byte 0x7f in body'),
    (b'\xe9=e9=E9', b'\xe9\xe9\xe9', ''),
    (b'a=b c= d\r\n', b'a=b c= d\r\n', ''),
    (b'line=\nx', b'linex', ''),
    (b'a' * 4096 + b'b', b'a' * 4096, 'bufio: buffer full'),
    (b'bad= x=\t y=\r\n', b'bad= x=\t y', ''),
    (b'x=\t', b'x', ''),
)


def decode(data: bytes, step: int) -> tuple[bytes, str]:
    """Everything that comes out of a decoder fed in steps, and its complaint."""
    decoder = QuotedPrintableDecoder()
    out = b""
    for at in range(0, len(data), step):
        piece, error = decoder.feed(data[at:at + step])
        out += piece
        if error is not None:
            return out, str(error)
    piece, error = decoder.finish()
    return out + piece, str(error or "")


class DecodeTests(SynchronousTestCase):
    """The decoder."""

    def test_go_vectors(self) -> None:
        """Data and complaints are Go's, however the input is cut."""
        for encoded, data, complaint in TEXTS:
            for step in (1, 3, 10000):
                self.assertEqual(decode(encoded, step), (data, complaint), encoded[:40])

    def test_broken_off(self) -> None:
        """Only at a true end may a bare equals sign stand last."""
        decoder = QuotedPrintableDecoder()
        decoder.feed(b"a=")
        data, error = decoder.finish(is_whole=False)
        self.assertEqual((data, str(error)), (b"a", 'quotedprintable: invalid bytes after =: ""'))

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=200), st.integers(1, 50))
    def test_undoes_encoding(self, data: bytes, step: int) -> None:
        """What Python encodes reads back (it leaves a carriage return bare, which at a line's end means nothing)."""
        data = data.replace(b"\r", b"")
        encoded = quopri.encodestring(data, quotetabs=True)
        self.assertEqual(decode(encoded, step), (data, ""))

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=60), st.integers(1, 10))
    def test_cut_does_not_matter(self, data: bytes, step: int) -> None:
        """Any input gives the same whole or cut."""
        self.assertEqual(decode(data, step), decode(data, 1000))
