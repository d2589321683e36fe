"""What is made of header blocks, and how much is remembered of them."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.express.headlines import CLOSE, CORS, GZIP, Facts, HeadLines
from seaweedvol.web.message.heads import HeadReader, Refusal
from tests.web.roadscripts import LINES

LIMIT = 1024


def block(*lines: str) -> bytes:
    """A header block with a Host."""
    return "\r\n".join(("Host: volume:8080", *lines, "", "")).encode("latin-1")


class HeadLinesTests(SynchronousTestCase):
    """Everything that is said below is of these."""

    def facts(self, *lines: str) -> Facts:
        """What is understood, the second time as the first."""
        known = HeadLines()
        found = [known.facts_of(block(*lines)) for _ in range(2)]
        one, other = found
        assert one is not None and other is not None, lines
        self.assertEqual((one.variation, one.range, one.length), (other.variation, other.range, other.length))
        return one

    def test_nothing(self) -> None:
        """Other headers mean nothing."""
        facts = self.facts("User-Agent: x", "Accept: */*", "X-Any: thing")
        self.assertEqual((facts.variation, facts.range, facts.length, facts.content_type), (0, "", -1, ""))
        self.assertEqual((facts.is_plain, facts.is_special, facts.has_extras), (True, False, False))

    def test_variations(self) -> None:
        """What changes the head of a reply."""
        for lines, expected in (
                (("Accept-Encoding: br, gzip",), GZIP), (("accept-encoding:gzip",), GZIP),
                (("Accept-Encoding: br",), 0), (("Accept-Encoding: br", "Accept-Encoding: gzip"), 0),
                (("Accept-Encoding:", "Accept-Encoding: gzip"), 0),
                (("Origin: http://a",), CORS), (("Origin:",), 0), (("Connection: close",), CLOSE),
                (("connection: Close",), CLOSE), (("Connection: keep-alive",), 0),
                (("Origin: a", "Connection: close", "Accept-Encoding: gzip"), GZIP | CORS | CLOSE)):
            self.assertEqual(self.facts(*lines).variation, expected, lines)

    def test_reads(self) -> None:
        """What wants less than everything."""
        self.assertEqual(self.facts("Range: bytes=0-1", "Range: x").range, "bytes=0-1")
        for line in ("Range: bytes=0-1", "If-None-Match: x", "If-Modified-Since: x"):
            self.assertTrue(self.facts(line).is_special)
        self.assertEqual(self.facts("If-None-Match: \"x\"").headers.get("If-None-Match"), '"x"')

    def test_uploads(self) -> None:
        """What is said of a body."""
        facts = self.facts("Content-Length: 12", "Content-Type: a/b")
        self.assertEqual((facts.length, facts.content_type, facts.has_extras), (12, "a/b", False))
        for line in ("Seaweed-A: b", "seaweed-:", "Content-MD5: x", "content-encoding: gzip",
                     "Content-Disposition: x"):
            self.assertTrue(self.facts(line).has_extras, line)

    def test_tokens(self) -> None:
        """Where tokens may be; the first Authorization counts, even an empty one."""
        self.assertEqual(self.facts("Authorization: a", "Authorization: b").get("Authorization"), "a")
        self.assertEqual(self.facts("Authorization:", "Authorization: b").get("Authorization"), "")
        self.assertEqual(self.facts("Cookie: a=b", "Cookie: c=d").cookies, ["a=b", "c=d"])

    def test_refused(self) -> None:
        """What the parser of all heads has to judge."""
        for lines in (("Expect: 100-continue",), ("Trailer: x",), ("Transfer-Encoding: chunked",), ("Host: other",),
                      ("Connection: upgrade",), ("Connection: close, x",), ("Connection:",), ("no colon",),
                      (" folded",), ("X: a", "\tfolded"), ("Bad Name: x",), (": x",), ("X: a\x00b",), ("X: a\nY: b",),
                      ("Content-Length: +1",), ("Content-Length:",), ("Content-Length: 1", "Content-Length: 1"),
                      ("Content-Length: " + "1" * 20,), ("Content-Type: a/b", "Content-Type: a/b"),
                      ("Content-Type:",), ("Content-Type:", "Content-Type: a/b")):
            self.assertIsNone(HeadLines().facts_of(block(*lines)), lines)
        self.assertIsNone(HeadLines().facts_of(b"X: no host\r\n\r\n"))
        self.assertIsNone(HeadLines().facts_of(b"Host: a b\r\n\r\n"))

    def test_very_long(self) -> None:
        """A head that may be too long for Go is not judged."""
        self.assertIsNone(HeadLines().facts_of(block(*(f"X-{number}: {'x' * 1000}" for number in range(300)))))

    def test_bounded(self) -> None:
        """However many lines and blocks come, and however long they are, little is remembered."""
        known = HeadLines()
        memories = known.blocks, known._lines, known._judged
        for number in range(3 * LIMIT):
            lines = (f"X-Odd: {number}", f"Cookie: a={number}", f"Content-Length: {number}",
                     f"Content-Type: a/{number}")
            self.assertIsNotNone(known.facts_of(block(*lines)))
            self.assertIsNotNone(known.facts_of(block(f"Range: {number:0>5000}")))
        for memory in memories:
            self.assertLessEqual(len(memory), LIMIT)
            self.assertLess(sum(len(str(key)) for key in memory), LIMIT * 1200)
        self.assertFalse(any(b"Content-" in line for line in known._lines))

    def test_tokens_not_remembered(self) -> None:
        """Tokens are each request's own."""
        known = HeadLines()
        for number in range(10):
            facts = known.facts_of(block(f"Authorization: Bearer {number}"))
            assert facts is not None
            self.assertEqual(facts.get("Authorization"), f"Bearer {number}")
        self.assertEqual(len(known.blocks), 0)

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.sampled_from(LINES), max_size=5))
    def test_as_the_parser(self, lines: list[str]) -> None:
        """What is understood is what the parser of all heads understands."""
        data = block(*lines)
        facts = HeadLines().facts_of(data)
        if facts is None:
            return
        try:
            head = HeadReader().feed(bytearray(b"PUT /1,0123456789 HTTP/1.1\r\n" + data))
        except Refusal:
            self.fail(f"taken, but refused: {lines}")
        assert head is not None
        first: dict[str, str] = {}
        for name, value in head.headers:
            first.setdefault(name, value)
        self.assertEqual(max(facts.length, 0), head.content_length)
        self.assertEqual(bool(facts.variation & CLOSE), head.wants_close)
        self.assertEqual(facts.range, first.get("Range", "").strip())
        self.assertEqual(facts.content_type, first.get("Content-Type", "").strip())
        self.assertEqual(bool(facts.variation & GZIP), "gzip" in first.get("Accept-Encoding", ""))
        self.assertEqual(bool(facts.variation & CORS), bool(first.get("Origin", "").strip()))
