"""Heads of replies: what Go's net/http adds to them, and how the end of the body is told."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.message.framing import Framing, frame, status_line
from seaweedvol.web.message.heads import Head, HeadReader

TEXT = b"plain words"
DATE = "Date: Thu, 01 Jan 1970 00:00:00 GMT"
TYPE = "Content-Type: text/plain; charset=utf-8"


def request(method: str = "GET", version: str = "HTTP/1.1", connection: str = "") -> Head:
    """The head that is answered."""
    lines = f"Connection: {connection}\r\n" if connection else ""
    head = HeadReader().feed(bytearray(f"{method} / {version}\r\nHost: a\r\n{lines}\r\n".encode("ascii")))
    assert head is not None
    return head


def framed(status: int = 200, *headers: tuple[str, str], start: bytes = TEXT, whole: int | None = len(TEXT),
           to: Head | None = None) -> Framing:
    """A plan for a reply."""
    return frame(to or request(), status, list(headers), start=start, whole=whole)


def lines(plan: Framing) -> list[str]:
    """What it sends before the body."""
    head, end, rest = plan.encode(0.0).decode("latin-1").partition("\r\n\r\n")
    assert end and not rest
    return head.split("\r\n")


class LengthTests(SynchronousTestCase):
    """How the end of the body is told."""

    def test_short(self) -> None:
        """A short body gets its length, and the type it seems to have."""
        self.assertEqual(lines(framed()), ["HTTP/1.1 200 OK", DATE, "Content-Length: 11", TYPE])

    def test_long(self) -> None:
        """A long one whose length nobody told goes in chunks."""
        plan = framed(whole=2049)
        self.assertEqual(lines(plan), ["HTTP/1.1 200 OK", DATE, TYPE, "Transfer-Encoding: chunked"])
        self.assertEqual((plan.is_chunked, plan.length, plan.closes), (True, None, False))

    def test_declared(self) -> None:
        """A length that was told is kept; one that is none leaves the length open."""
        plan = framed(200, ("Content-Length", "5"))
        self.assertEqual((plan.length, plan.is_chunked), (5, False))
        for nonsense in ("x", "-5", "9" * 20):
            plan = framed(200, ("Content-Length", nonsense))
            self.assertEqual((plan.length, plan.is_chunked), (None, True))
            self.assertNotIn("Content-Length", "".join(lines(plan)))

    def test_old_clients(self) -> None:
        """HTTP/1.0 knows no chunks: there the connection ends with the body."""
        plan = framed(whole=None, to=request(version="HTTP/1.0", connection="keep-alive"))
        self.assertEqual(lines(plan), ["HTTP/1.0 200 OK", DATE, TYPE])
        self.assertEqual((plan.is_chunked, plan.closes), (False, True))

    def test_no_body(self) -> None:
        """Statuses without a body say nothing of one."""
        for status in (204, 304):
            plan = framed(status, ("Content-Length", "5"), start=b"", whole=0)
            self.assertEqual(lines(plan)[1:], [DATE])

    def test_head(self) -> None:
        """A HEAD is told the length of what a GET gets, unless nobody knows."""
        self.assertIn("Content-Length: 11", lines(framed(to=request("HEAD"))))
        plan = framed(start=b"", whole=None, to=request("HEAD"))
        self.assertEqual((lines(plan)[1:], plan.is_chunked), ([DATE], False))

    def test_empty(self) -> None:
        """Nothing has a length of 0, and no type."""
        self.assertEqual(lines(framed(start=b"", whole=0)), ["HTTP/1.1 200 OK", DATE, "Content-Length: 0"])


class ConnectionTests(SynchronousTestCase):
    """What is said of the connection."""

    def test_kept(self) -> None:
        """HTTP/1.1 is kept without a word, 1.0 with one, when the client wants it."""
        self.assertFalse(framed().closes)
        plan = framed(to=request(version="HTTP/1.0", connection="keep-alive"))
        self.assertIn("Connection: keep-alive", lines(plan))
        self.assertFalse(plan.closes)

    def test_closed(self) -> None:
        """Who asks to close is told so once; 1.0 needs no word."""
        for plan in (framed(to=request(connection="close")), framed(200, ("Connection", "close"))):
            self.assertEqual(lines(plan).count("Connection: close"), 1)
            self.assertTrue(plan.closes)
        plan = framed(to=request(version="HTTP/1.0"))
        self.assertTrue(plan.closes)
        self.assertNotIn("Connection", "".join(lines(plan)))

    def test_too_big(self) -> None:
        """A body that is not read to its end closes the connection, whatever was said."""
        plan = framed(200, ("Connection", "keep-alive"))
        plan.is_too_big = plan.closes = True
        self.assertEqual([line for line in lines(plan) if line.startswith("Connection")], ["Connection: close"])


class HeaderTests(SynchronousTestCase):
    """What else stands there."""

    def test_order(self) -> None:
        """Own headers come first, sorted by name, values of a name in their order."""
        found = lines(framed(200, ("X-B", "2"), ("Etag", '"e"'), ("X-B", "1")))
        self.assertEqual(found[1:4], ['Etag: "e"', "X-B: 2", "X-B: 1"])

    def test_one_line_each(self) -> None:
        """No value reaches beyond its line, and what is no name is left out."""
        found = lines(framed(200, ("A", " b\r\nSet-Cookie: c\t"), ("no name", "x"), ("", "y"), ("N\r\nO", "z")))
        self.assertEqual(found[1], "A: b  Set-Cookie: c")
        self.assertEqual(len(found), 5)

    def test_own_date_and_type(self) -> None:
        """What the application says is not said again."""
        found = lines(framed(200, ("Date", "today"), ("Content-Type", "a/b")))
        self.assertEqual(found, ["HTTP/1.1 200 OK", "Content-Type: a/b", "Date: today", "Content-Length: 11"])

    def test_no_guess(self) -> None:
        """Encoded data are not guessed at."""
        self.assertNotIn("Content-Type", "".join(lines(framed(200, ("Content-Encoding", "gzip")))))

    def test_words(self) -> None:
        """Go's words for a status, and its way out without any."""
        for status, words in ((413, "Request Entity Too Large"), (416, "Requested Range Not Satisfiable"),
                              (499, "status code 499"), (429, "Too Many Requests")):
            self.assertEqual(status_line(status, is_1_1=True), f"HTTP/1.1 {status} {words}")
        self.assertEqual(status_line(200, is_1_1=False), "HTTP/1.0 200 OK")
