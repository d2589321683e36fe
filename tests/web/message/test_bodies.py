"""Request bodies out of a buffer: every byte once, whatever the packets, and Go's words for what is wrong."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.message.bodies import BodyError, ChunkedBody, Framing, LengthBody

CHUNK = b"5\r\nhello\r\n"
END = b"0\r\n\r\n"
TOKENS = [b"0", b"1", b"5", b"\r\n", b"\r", b"\n", b"hello", b"x", b";a", b" ", b"\t", END, b"A: b\r\n", b"1\r\nx\r\n",
          CHUNK]
MALFORMED = (
    (b"\r\n", "empty hex number for chunk length"),
    (b";x\r\n", "empty hex number for chunk length"),
    (b"g\r\n", "invalid byte in chunk length"),
    (b"-1\r\n", "invalid byte in chunk length"),
    (b" 5\r\n", "invalid byte in chunk length"),
    (b"0x5\r\n", "invalid byte in chunk length"),
    (b"00000000000000005\r\n", "http chunk length too large"),
    (b"5\n", "chunked line ends with bare LF"),
    (b"5\rx\r\n", "invalid CR in chunked line"),
    (b"5;" + b"x" * 5000, "header line too long"),
    (CHUNK + b"x", ""),
    (b"5\r\nhelloXY", "malformed chunked encoding"),
    (b"5\r\nhello\n0", "malformed chunked encoding"),
    (b"0\r\nno colon\r\n\r\n", 'malformed MIME header: missing colon: "no colon"'),
    (b"0\r\n A: b\r\n\r\n", 'malformed MIME header initial line: " A: b"'),
    (b"0\r\nA: \x01\r\n\r\n", 'malformed MIME header line: "A: \\x01"'),
    (b"0\r\n" + b"A" * 5000, "http: suspiciously long trailer after chunked body"),
)


def take_all(body: Framing, pieces: list[bytes], limit: int = 1 << 20) -> tuple[bytes, bytes]:
    """The data of ``body`` when its bytes come in these pieces, and the bytes that are not its own."""
    buffer, data = bytearray(), b""
    for piece in pieces:
        buffer += piece
        while not body.is_complete and (taken := body.take(buffer, limit)):
            assert len(taken) <= limit
            data += taken
    return data, bytes(buffer)


class LengthBodyTests(SynchronousTestCase):
    """Bodies of a declared length."""

    def test_no_more_than_declared(self) -> None:
        """What follows is left alone."""
        body = LengthBody(5)
        self.assertEqual(take_all(body, [b"hel", b"lo", b"GET"], limit=2), (b"hello", b"GET"))
        self.assertTrue(body.is_complete)

    def test_cut_short(self) -> None:
        """The end of input before the end of the body has Go's name."""
        body = LengthBody(5)
        take_all(body, [b"hel"])
        self.assertEqual((body.is_complete, body.remaining, str(body.end_of_input())), (False, 2, "unexpected EOF"))

    def test_nothing(self) -> None:
        """No body is complete at once."""
        self.assertTrue(LengthBody(0).is_complete)


class ChunkedBodyTests(SynchronousTestCase):
    """Bodies in chunks."""

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.integers(1, 50), st.integers(1, 9))
    def test_any_packets(self, chunks: list[bytes], limit: int, packet: int) -> None:
        """The data come whole, however they are cut by sender, network and reader; what follows is left alone."""
        sent = b"".join(b"%X;e=\"x\"\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\nA: b\r\n\r\n"
        body = ChunkedBody()
        pieces = [sent[at:at + packet] for at in range(0, len(sent), packet)]
        self.assertEqual(take_all(body, pieces + [b"GET"], limit), (b"".join(chunks), b"GET"))
        self.assertTrue(body.is_complete)

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.sampled_from(TOKENS), max_size=12).map(b"".join))
    def test_any_nonsense(self, sent: bytes) -> None:
        """Byte by byte gives the same data, end and error as all at once."""
        found = []
        for pieces in ([sent], [sent[at:at + 1] for at in range(len(sent))]):
            body, buffer, data, words = ChunkedBody(), bytearray(), b"", ""
            try:
                for piece in pieces:
                    buffer += piece
                    while not body.is_complete and (taken := body.take(buffer, 100)):
                        data += taken
            except BodyError as error:
                words = str(error)
            found.append((data, words, body.is_complete, bytes(buffer) if body.is_complete else b""))
        self.assertEqual(*found)

    def test_trailer(self) -> None:
        """Lines behind the last chunk are skipped; blanks behind a length are none of it."""
        for sent in (b"5 \t\r\nhello\r\n0\r\n\r\n", CHUNK + b"000\r\nA: b\r\nC: d\r\n\r\n"):
            self.assertEqual(take_all(ChunkedBody(), [sent]), (b"hello", b""))

    def test_malformed(self) -> None:
        """Each mistake has Go's name, and is noticed when its byte comes."""
        for sent, words in MALFORMED:
            for pieces in ([sent], [sent[at:at + 1] for at in range(len(sent))]):
                try:
                    take_all(ChunkedBody(), pieces)
                    found = ""
                except BodyError as error:
                    found = str(error)
                self.assertEqual(found, words, sent[:40])

    def test_data_before_a_mistake(self) -> None:
        """What came before a mistake is given first."""
        body, buffer = ChunkedBody(), bytearray(CHUNK + b"zz\r\n")
        self.assertEqual(body.take(buffer, 100), b"hello")
        self.assertRaises(BodyError, body.take, buffer, 100)

    def test_mostly_decoration(self) -> None:
        """A body that is nearly all chunk lines is refused."""
        sent = (b"1;" + b"x" * 2000 + b"\r\ny\r\n") * 20
        self.assertRaisesRegex(BodyError, "too much non-data", take_all, ChunkedBody(), [sent], 1)
        self.assertRaisesRegex(BodyError, "too much non-data", take_all, ChunkedBody(), [sent])

    def test_cut_short(self) -> None:
        """The end of input has a name of its own within the trailer."""
        for sent, words in ((b"5\r\nhel", "unexpected EOF"), (CHUNK, "unexpected EOF"),
                            (CHUNK + b"0\r\n", "http: unexpected EOF reading trailer")):
            body = ChunkedBody()
            take_all(body, [sent])
            self.assertEqual((body.is_complete, str(body.end_of_input())), (False, words))
