"""Answers of other volume servers, whole, in pieces and broken."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.peeranswer import MAX_ANSWER, BadAnswer, BrokenBody, PeerAnswer, parse_answer

COUNTED = b"HTTP/1.1 201 Created\r\nDate: x\r\ncontent-LENGTH:  5 \r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
TRAILED = CHUNKED[:-2] + b"A: b\r\nC: d\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + COUNTED
BODILESS = b"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n"
KEPT = (COUNTED, CHUNKED, TRAILED, INTERIM, BODILESS)


class AnswerTests(SynchronousTestCase):
    """What an answer says, and when it is all there."""

    def test_every_form_of_body(self) -> None:
        """Counted, chunked, with trailers, after interim answers, none at all."""
        self.assertEqual([parse_answer(one) for one in KEPT], [
            PeerAnswer(201, b"hello", True), PeerAnswer(200, b"hello", True), PeerAnswer(200, b"hello", True),
            PeerAnswer(201, b"hello", True), PeerAnswer(204, b"", True)])

    def test_nothing_is_said_before_all_is_there(self) -> None:
        """Each beginning of an answer waits for more; each has an error when nothing more comes."""
        for whole in KEPT:
            for length in range(len(whole)):
                self.assertIsNone(parse_answer(whole[:length]), whole[:length])
                with self.assertRaises((BadAnswer, BrokenBody)) as caught:
                    parse_answer(whole[:length], True)
                self.assertIn("unexpected EOF", str(caught.exception))

    def test_connection_is_kept_only_when_both_want_it(self) -> None:
        """Not after "close", not by HTTP/1.0, not when there is more than was asked for."""
        for answer in (COUNTED.replace(b"Date: x", b"connection: Foo, Close"), COUNTED.replace(b"1.1", b"1.0"),
                       COUNTED + b"H", CHUNKED + b"H", BODILESS + b"H"):
            found = parse_answer(answer)
            assert found is not None
            self.assertFalse(found.keeps, answer)
        kept = parse_answer(COUNTED.replace(b"Date: x", b"Connection: Keep-Alive"))
        self.assertEqual(kept, PeerAnswer(201, b"hello", True))

    def test_body_without_a_length_ends_with_the_connection(self) -> None:
        """Whatever came until then."""
        answer = b"HTTP/1.1 500 Oh\r\n\r\nso sorry"
        self.assertIsNone(parse_answer(answer))
        self.assertEqual(parse_answer(answer, True), PeerAnswer(500, b"so sorry", False))

    def test_what_is_no_answer(self) -> None:
        """Is told as Go tells it, as soon as it shows."""
        for answer, text in (
                (b"SSH-2.0-OpenSSH\r\n", r'malformed HTTP response "SSH-2.0-OpenSSH"'),
                (b"HTTP/1.1 abc\r\n\r\n", 'malformed HTTP response "HTTP/1.1 abc"'),
                (b"HTTP/1.1 \xb2\xb2\xb2 x\r\n\r\n", "malformed HTTP response"),
                (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "bad Content-Length"),
                (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", "bad Content-Length")):
            self.assertIn(text, str(self.assertRaises(BadAnswer, parse_answer, answer)))

    def test_damaged_chunks(self) -> None:
        """A length that is none, a chunk that is longer than it says."""
        head = CHUNKED.partition(b"3;")[0]
        for rest, text in ((b"x\r\n", "invalid byte in chunk length"), (b"2\r\nhello", "malformed chunked encoding")):
            self.assertEqual(str(self.assertRaises(BrokenBody, parse_answer, head + rest)), text)

    def test_length_has_a_limit(self) -> None:
        """However it is told; nobody waits for what is too long."""
        for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MAX_ANSWER,
                       b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % MAX_ANSWER,
                       b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MAX_ANSWER), b"HTTP/1.1 200 " + b"x" * MAX_ANSWER):
            self.assertRaises(BadAnswer, parse_answer, answer)

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.sampled_from((
        b"HTTP/1.1 ", b"200", b" OK", b"\r\n", b"\r\n\r\n", b"Content-Length: 3", b"Transfer-Encoding: chunked", b"0",
        b"3", b"abc", b"HTTP/1.1 100 C", b"\n", b"Connection: close", b"\xff"))).map(b"".join), st.booleans())
    def test_anything_is_an_answer_an_error_or_a_beginning(self, received: bytes, has_ended: bool) -> None:
        """Nothing else comes out, and the end always decides."""
        try:
            answer = parse_answer(received, has_ended)
        except (BadAnswer, BrokenBody):
            return
        if has_ended:
            self.assertIsNotNone(answer)
