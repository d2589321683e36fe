"""Whatever a client sends: it gets HTTP or nothing, nobody else notices, and nothing is left behind."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.web.serving import IDLE_SECONDS, Client, World, fid, make_world

# With this cookie needles are only read below.
SECRET = "feedface"
KEPT = {0x701: b"small", 0x702: b"text that compresses " * 40, 0x703: bytes(range(256)) * 5000}

NEEDLES = [fid(key) for key in range(1, 7)]
PATHS = NEEDLES + [
    "/", "/1", "/1,", "/1,01", fid(3) + ".txt", f"/1/02{fid(2)[-8:]}/name.png", fid(9, 9), "/4294967296,015eaf00d5",
    "/status", "/healthz", "/ui/index.html", "/favicon.ico", "/seaweedfsstatic/", "/seaweedfsstatic", "//1,01",
    "/a/../b", "/%", "/%zz", "/1,01%2e", "/%00", "/1,%0a", "*", "", "http://a/1,01", "a:b", "/\u6d77"]
CHANGING = ["/status", "/ui/index.html"]
READ_PATHS = PATHS + [fid(key, cookie=SECRET) for key in KEPT]
QUERIES = [
    "?", "?ttl=3m", "?ttl=\xff", "?ts=99999999999999999999", "?type=replicate", "?cm=true", "?cm=false", "?fsync=true",
    "?pretty=y", "?width=20&height=-1", "?crop_x1=1", "?readDeleted=true", "?dl=1", "?response-content-type=a%0d%0ab",
    "?a=%zz", "?a;b", "?proxied=true", "?jwt=x.y.z"]
SEGMENTS = ["%", "a", "01", "5eaf00d5", ",", "/", "//", ".", "..", "_", "-", "%2f", "%0a", "%00", "%ff", "%25", "\xe9",
            "~", "+", " ", ";", "&", "=", "?", "#", "@", ":", "[", "]"]
READING = ["GET", "GET", "HEAD", "OPTIONS"]
METHODS = READING + ["POST", "POST", "PUT", "PUT", "DELETE"]
WRONG_METHODS = ["PATCH", "CONNECT", "PRI", "get", "G T", ""]
VERSIONS = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.9"]
WRONG_VERSIONS = ["HTTP/0.9", "HTTP/2.0", "HTTP/1.1 ", "http/1.1", "HTTP/1.10", ""]
FIELDS = [
    "Connection: close", "Connection: keep-alive", "Connection: Upgrade", "Expect: 100-continue", "Range: bytes=0-1",
    "Range: bytes=-1", "Range: bytes=5-2", "Range: bytes=0-0,2-3,-1", "Range: bytes=", "Range: lines=1-2",
    "Range: bytes=0-99999999999999999999", "Content-Type: text/plain", "Content-Type: multipart/form-data",
    "Content-Type: multipart/form-data; boundary=b", "Content-Type: application/x-www-form-urlencoded",
    "Content-Type: multipart/form-data; boundary=\"\xff", "Content-Type: form-data;;", "Content-Encoding: gzip",
    "Content-Encoding: zstd", "Content-Disposition: attachment; filename=\"a\"",
    "Content-Disposition: inline; filename*=utf-8''%e6%zz", "Content-Disposition: name=", "Content-MD5: x",
    "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==", "Accept-Encoding: gzip", "If-None-Match: *", "If-None-Match: \"0\", x",
    "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT", "If-Modified-Since: yesterday", "Seaweed-Pair: value",
    "Seaweed-Pair: \xff\xfe", "Seaweed-: ", "Cookie: AT=x", "Cookie: ;;=", "Authorization: Bearer x",
    "Origin: http://a", "Trailer: A"]
WRONG_FIELDS = [
    "Content-Length: 3", "Content-Length: -1", "Content-Length: +5", "Content-Length: 5, 5", "Content-Length: 1048577",
    "Content-Length: 99999999999999999999", "Transfer-Encoding: identity", "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked", "Expect: 200-ok", "Trailer: Content-Length", "Host: again", "\tcontinued: x",
    "Bad Name: x", ": nameless", "colonless"]
BODIES = [b"", b"hello", b"x" * 100, gzip.compress(b"packed"), b"\x1f\x8b\x08broken", b"5\r\nhello\r\n0\r\n\r\n",
          b"5;ext=1\r\nhello\r\n0\r\nTrailer: 1\r\n\r\n", b"5\r\nhelloX\n0\r\n\r\n",
          b"ffffffffffffffffff\r\n", b"-1\r\n\r\n",
          b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.txt\"\r\n\r\ndata\r\n--b--\r\n",
          b"--b\r\nContent-Disposition: form-data\r\n\r\ndata", b"--b--\r\n", b"--b\r\nX\r\n\r\n\r\n--b",
          b'{"name":"m","size":9,"chunks":[{"fid":"1,02","offset":0,"size":9}]}']


@st.composite
def requests(draw: st.DrawFn, methods: Sequence[str] = METHODS, paths: Sequence[str] = READ_PATHS) -> bytes:
    """A request that is valid, or nearly so.

    :param paths: for methods that change nothing.
    """
    def rarely(wrong: Sequence[str], right: Sequence[str]) -> str:
        return draw(st.sampled_from(right if draw(st.integers(0, 24)) else wrong))

    method, version = rarely(WRONG_METHODS, methods), rarely(WRONG_VERSIONS, VERSIONS)
    if not draw(st.integers(0, 7)):
        paths = ["/1," + "".join(draw(st.lists(st.sampled_from(SEGMENTS), max_size=8)))]
    target = draw(st.sampled_from(paths if method in READING else PATHS)) + rarely(QUERIES, [""] * 3 + QUERIES)
    lines = [rarely(WRONG_FIELDS, FIELDS) for _ in range(draw(st.integers(0, 4)))]
    body = draw(st.sampled_from(BODIES)) if method not in READING or not draw(st.integers(0, 3)) else b""
    lines.append(rarely(WRONG_FIELDS, [f"Content-Length: {len(body)}"] * 3 + ["Transfer-Encoding: chunked"]))
    lines.insert(0, rarely(["X: y", "Host: a b"], ["Host: here"]))
    end = rarely(["\n"], ["\r\n"])
    head = end.join([f"{method} {target} {version}", *lines, "", ""])
    return head.encode("utf-8") + body


SPOILING = st.binary(max_size=2) | st.sampled_from([b"\r\n", b" ", b":", b"%"])


@st.composite
def conversations(draw: st.DrawFn, methods: Sequence[str] = METHODS, paths: Sequence[str] = READ_PATHS) -> bytes:
    """Some requests one after the other, with a few bytes wrong, missing or too many."""
    data = bytearray(b"".join(draw(st.lists(requests(methods, paths), min_size=1, max_size=3))))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        data[at:at + draw(st.integers(0, 2))] = draw(SPOILING)
    return bytes(data)


def whole(client: Client, data: bytes) -> None:
    """Send everything at once."""
    client.write(data)


def bytewise(client: Client, data: bytes) -> None:
    """Send each byte by itself."""
    for number in range(len(data)):
        client.write(data[number:number + 1])


def half_close(world: World, client: Client) -> None:
    """The client says that this was all, and must get an end then."""
    client.half_close()
    assert client.is_closed


def fall_silent(world: World, client: Client) -> None:
    """The client does nothing more, and must be thrown out in time."""
    world.clock.pump([IDLE_SECONDS] * 3)
    assert client.is_closed


def go_away(world: World, client: Client) -> None:
    """The client is gone."""


deliveries = st.sampled_from([whole, bytewise])
endings = st.sampled_from([half_close, fall_silent, go_away])
Delivery = Callable[[Client, bytes], None]
Ending = Callable[[World, Client], None]

EXAMPLES = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


class RobustInputTests(SynchronousTestCase):
    """One server for all examples of a test, as for all clients of a real one."""

    def setUp(self) -> None:
        self.world = make_world(self)
        self.world.allocate()
        for key, data in KEPT.items():
            answer = self.world.ask("PUT", fid(key, cookie=SECRET), data)
            self.assertEqual(answer.status, 201)
        self.world.put(1, b"one")
        self.world.put(2, b"two", ("Content-Type", "text/plain"))
        self.addCleanup(self.check_kept)

    def talk(self, data: bytes, delivery: Delivery, ending: Ending, *, is_public: bool = False) -> bytes:
        """Send ``data``, then end, and check everything that is promised; what came back."""
        client = self.world.client(is_public=is_public)
        delivery(client, data)
        ending(self.world, client)
        client.leave()
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertTrue(client.received == b"" or client.received.startswith(b"HTTP/1."), client.received)
        self.assertNotIn(b"Traceback", client.received)
        self.assertNotIn(b".py", client.received)
        server = self.world.server
        self.assertEqual((server.upload_limit.in_flight, server.download_limit.in_flight), (0, 0))
        self.world.clients.clear()
        return client.received

    def check_kept(self) -> None:
        """What was stored before is unchanged."""
        for key, data in KEPT.items():
            self.assertEqual(self.world.ask("GET", fid(key, cookie=SECRET)).body, data)

    @EXAMPLES
    @given(st.binary(max_size=300), deliveries, endings)
    def test_anything(self, data: bytes, delivery: Delivery, ending: Ending) -> None:
        """Arbitrary bytes are refused or ignored."""
        self.talk(data, delivery, ending)

    @EXAMPLES
    @given(conversations(), deliveries, endings, st.sampled_from([False] * 4 + [True]))
    def test_nearly_valid(self, data: bytes, delivery: Delivery, ending: Ending, is_public: bool) -> None:
        """Requests with mistakes are answered or refused, whatever follows."""
        self.talk(data, delivery, ending, is_public=is_public)

    @EXAMPLES
    @given(conversations(), st.integers(0, 400), endings)
    def test_cut_short(self, data: bytes, length: int, ending: Ending) -> None:
        """Clients may go at any point."""
        self.talk(data[:length], whole, ending)

    @EXAMPLES
    @given(conversations(READING, [path for path in READ_PATHS if path not in CHANGING]))
    def test_packets_do_not_matter(self, data: bytes) -> None:
        """Byte by byte gives what all at once gives."""
        at_once, singly = (self.talk(data, delivery, half_close) for delivery in (whole, bytewise))
        self.assertEqual(without_chance(at_once), without_chance(singly))


def without_chance(answers: bytes) -> bytes:
    """The same without what is new each time."""
    answers = re.sub(rb"X-Amz-Request-Id: [0-9A-F]+", b"", answers)
    return re.sub(rb"[0-9a-f]{60}", b"", answers)
