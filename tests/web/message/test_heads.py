"""Request heads, taken and refused as Go's net/http takes and refuses them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.message.heads import HEAD_LIMIT, Head, HeadReader, Refusal, has_token

HOST = "Host: a\n"


def text(head: str) -> bytes:
    """A head with the line ends of the wire."""
    return head.replace("\n", "\r\n").encode("latin-1")


def get(lines: str = "", *, target: str = "/", version: str = "HTTP/1.1", method: str = "GET",
        host: str = HOST) -> bytes:
    """A whole head with these header lines."""
    return text(f"{method} {target} {version}\n{host}{lines}\n")


def read(data: bytes) -> Head:
    """The head that ``data`` begin with."""
    head = HeadReader().feed(bytearray(data))
    assert head is not None
    return head


REFUSED = (
    (get(host=""), "400 Bad Request: missing required Host header"),
    (get(HOST), "400 Bad Request"),
    (get(host="Host: a b\n"), "400 Bad Request: malformed Host header"),
    (get(host="Host: a\"b\n"), "400 Bad Request: malformed Host header"),
    (get("A B: c\n"), "400 Bad Request: invalid header name"),
    (get(version="HTTP/2.0"), "505 HTTP Version Not Supported: unsupported protocol version"),
    (get(version="HTTP/0.9"), "505 HTTP Version Not Supported: unsupported protocol version"),
    (get(version="HTTP/1.10"), "400 Bad Request"),
    (get(version="http/1.1"), "400 Bad Request"),
    (get(version="HTTP/1.1 "), "400 Bad Request"),
    (get(method=""), "400 Bad Request"),
    (get(method="G@T"), "400 Bad Request"),
    (get(target=""), "400 Bad Request"),
    (get(target="path"), "400 Bad Request"),
    (get(target="/%zz"), "400 Bad Request"),
    (get(target="/\x01"), "400 Bad Request"),
    (get(target="http://a:x/"), "400 Bad Request"),
    (get("colonless\n"), "400 Bad Request"),
    (get(": nameless\n"), "400 Bad Request"),
    (get("A: b\x01\n"), "400 Bad Request"),
    (get("A: b\0\n"), "400 Bad Request"),
    (get(host=" Host: a\n"), "400 Bad Request"),
    (get("Transfer-Encoding: gzip\n"), "501 Not Implemented"),
    (get("Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n"), "501 Not Implemented"),
    (get("Content-Length: x\n"), "400 Bad Request"),
    (get("Content-Length: -1\n"), "400 Bad Request"),
    (get("Content-Length: +1\n"), "400 Bad Request"),
    (get("Content-Length: 9223372036854775808\n"), "400 Bad Request"),
    (get("Content-Length: 1\nContent-Length: 2\n"), "400 Bad Request"),
    (get("Transfer-Encoding: chunked\nTrailer: Content-Length\n"), "400 Bad Request"),
    (b"\r\n" + get(), "400 Bad Request"),
    (b"\x16\x03\x01\x02\x00\x01\n", "400 Bad Request"),
)


class HeadReaderTests(SynchronousTestCase):
    """Tests for :class:`HeadReader`."""

    def test_fields(self) -> None:
        """Names get Go's spelling and keep their order; Host and Transfer-Encoding are not among them."""
        head = read(get("x-b: 1\nTransfer-Encoding: Chunked\nCONTENT-md5:  2 \t\nx-B:\n"))
        self.assertEqual(head.headers, (("X-B", "1"), ("Content-Md5", "2"), ("X-B", "")))
        self.assertEqual((head.method, head.raw_target, head.version), ("GET", b"/", (1, 1)))

    def test_refused(self) -> None:
        """Each mistake has Go's answer, after which the connection closes."""
        for data, status in REFUSED:
            refusal = self.assertRaises(Refusal, HeadReader().feed, bytearray(data))
            first, _, rest = refusal.answer.decode("latin-1").partition("\r\n")
            self.assertEqual(first, "HTTP/1.1 " + status, data)
            if not status.startswith("501"):
                self.assertEqual(rest.partition("\r\n\r\n")[2], status)
            self.assertIn("\r\nConnection: close\r\n", refusal.answer.decode("latin-1"))

    def test_byte_by_byte(self) -> None:
        """A head may come in single bytes, and takes nothing of what follows."""
        data = get("A: b\n c\nContent-Length: 4\n") + b"body"
        reader, buffer, head = HeadReader(), bytearray(), None
        for number in range(len(data)):
            buffer += data[number:number + 1]
            head = head or reader.feed(buffer)
        assert head is not None
        self.assertEqual((head.headers[0], head.content_length, bytes(buffer)), (("A", "b c"), 4, b"body"))

    def test_bare_line_feeds(self) -> None:
        """Lines may end as on Unix."""
        self.assertEqual(read(b"GET / HTTP/1.1\nHost: a\nB: c\n\n").headers, (("B", "c"),))

    def test_refused_early(self) -> None:
        """A line that cannot be right is refused before the head is whole."""
        self.assertRaises(Refusal, HeadReader().feed, bytearray(b"nonsense\r\n"))
        self.assertIsNone(HeadReader().feed(bytearray(b"nonsense")))

    def test_too_long(self) -> None:
        """A head may have one megabyte, and the client may read why it was refused."""
        start = get()[:-2] + b"A: "
        self.assertIsNone(HeadReader().feed(bytearray(start + b"x" * (HEAD_LIMIT - len(start) - 1))))
        refusal = self.assertRaises(Refusal, HeadReader().feed, bytearray(start + b"x" * HEAD_LIMIT))
        self.assertTrue(refusal.lingers)
        self.assertTrue(refusal.answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n"))

    def test_bodies(self) -> None:
        """How long the body is: nothing, a length (also when it is said twice), or unknown."""
        for lines, length in (("", 0), ("Content-Length: 5\n", 5), ("Content-Length: 5\nContent-Length: 5 \n", 5),
                              ("Transfer-Encoding: chunked\n", -1),
                              ("Transfer-Encoding: chunked\nContent-Length: 5\n", -1)):
            self.assertEqual(read(get(lines)).content_length, length, lines)
        self.assertEqual(read(get("Transfer-Encoding: chunked\n", version="HTTP/1.0")).content_length, 0)

    def test_ends(self) -> None:
        """Who wants the connection to end, and who wants to keep it."""
        for version, lines, closes, keeps in (
                ("HTTP/1.1", "", False, False), ("HTTP/1.1", "Connection: x, Close\n", True, False),
                ("HTTP/1.0", "", True, False), ("HTTP/1.0", "Connection: Keep-Alive\n", False, True),
                ("HTTP/1.9", "", False, False)):
            head = read(get(lines, version=version))
            self.assertEqual((head.wants_close, head.keeps_1_0), (closes, keeps), (version, lines))

    def test_expectations(self) -> None:
        """Who waits for ``100 Continue``, and who for something that nobody offers."""
        for lines, continues, other in (
                ("Expect: 100-Continue\nContent-Length: 1\n", True, False), ("Expect: 100-continue\n", False, False),
                ("Expect: more\n", False, True), ("", False, False)):
            head = read(get(lines))
            self.assertEqual((head.expects_continue, head.expects_other), (continues, other), lines)

    def test_next_protocol(self) -> None:
        """The preface of HTTP/2 is a request like any, and the last one."""
        head = read(b"PRI * HTTP/2.0\r\n\r\n")
        self.assertEqual((head.method, head.wants_close), ("PRI", True))


class TokenTests(SynchronousTestCase):
    """Tests for :func:`has_token`."""

    def test_between_separators(self) -> None:
        """A token counts by itself only."""
        for value, found in (("close", True), ("a, CLOSE", True), ("a\tclose b", True), ("closed", False),
                             ("x-close", False), ("", False)):
            self.assertEqual(has_token(value, "close"), found, value)
