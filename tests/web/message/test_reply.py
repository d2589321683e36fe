"""Replies must have the shape SeaweedFS gives them."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.message.reply import (
    BodyStream, BytesSource, Reply, Slice, common_headers, empty, json_error, json_reply, make_text_error,
    may_have_body, new_request_id, options_reply, text_error,
)
from seaweedvol.web.message.request import Headers, Request, make_request


def request(target: bytes = b"/", *, is_public: bool = False, **headers: str) -> Request:
    """A GET."""
    return make_request("GET", target, Headers(headers.items()), is_public=is_public)


class JsonTests(SynchronousTestCase):
    """JSON replies."""

    def test_plain(self) -> None:
        """Type, nosniff and the text, without a line end."""
        reply = json_reply(request(), 202, {"size": 3})
        self.assertEqual((reply.status, reply.headers, reply.body), (
            202, [("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff")], b'{"size":3}'))

    def test_pretty(self) -> None:
        """``pretty`` indents by two spaces."""
        self.assertEqual(json_reply(request(b"/?pretty=y"), 200, {"a": 1}).body, b'{\n  "a": 1\n}')

    def test_error(self) -> None:
        """An error is an object with the message, escaped as Go escapes."""
        self.assertEqual(json_error(request(), 400, "a <b>").body, b'{"error":"a \\u003cb\\u003e"}')

    def test_nothing(self) -> None:
        """No value is no text; a status without body leaves Go's default, an empty 200."""
        self.assertEqual(json_reply(request(), 200, None).body, b"")
        for status in (204, 304, 101):
            self.assertEqual(json_reply(request(), status, {}), Reply(200))

    def test_body_allowed(self) -> None:
        """Informational, 204 and 304 end with their headers."""
        self.assertEqual([may_have_body(status) for status in (100, 199, 200, 204, 304, 404)],
                         [False, False, True, False, False, True])


class ReplyTests(SynchronousTestCase):
    """The value itself."""

    def test_headers(self) -> None:
        """Names are spelt as Go spells them, and set again or removed whatever their case."""
        reply = Reply(200, [("content-md5", "x"), ("ETag", '"a"')])
        self.assertEqual(reply.headers, [("Content-Md5", "x"), ("Etag", '"a"')])
        reply.set("CONTENT-MD5", "y")
        reply.remove("etag")
        self.assertEqual((reply.headers, reply.get("content-Md5"), reply.get("x")), ([("Content-Md5", "y")], "y", ""))

    def test_etag(self) -> None:
        """An etag is quoted once, an empty one not set."""
        reply = empty(200)
        reply.set_etag("")
        self.assertEqual(reply.headers, [])
        reply.set_etag("ab")
        self.assertEqual(reply.get("ETag"), '"ab"')
        reply.set_etag('"cd"')
        self.assertEqual(reply.headers, [("Etag", '"cd"')])

    def test_stream_length(self) -> None:
        """The length of a plan is that of its literals and slices."""
        stream = BodyStream(BytesSource(b"0123456789"), (b"abc", Slice(2, 4), b"d"))
        self.assertEqual((stream.length, Reply(200, [], stream).body_length, Reply(200, [], b"xy").body_length,
                          Reply(200).body_length), (8, 8, 2, 0))
        self.assertEqual(stream.source.read(8, 5), b"89")


class TextErrorTests(SynchronousTestCase):
    """Go's http.Error."""

    def test_new(self) -> None:
        """Plain text with a line end."""
        reply = text_error(416, "invalid range")
        self.assertEqual((reply.status, reply.headers, reply.body), (
            416, [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")],
            b"invalid range\n"))

    def test_over_headers(self) -> None:
        """Headers that were set stay, but for length and type; the first reply is not touched."""
        first = Reply(200, [("Content-Length", "5"), ("Etag", "x"), ("Content-Type", "a/b")], b"12345")
        reply = make_text_error(first, 416, "m")
        self.assertEqual((reply.get("Etag"), reply.get("Content-Length"), reply.get("Content-Type"), reply.body),
                         ("x", "", "text/plain; charset=utf-8", b"m\n"))
        self.assertEqual(first.get("Content-Length"), "5")


class CommonTests(SynchronousTestCase):
    """What each reply carries."""

    def test_request_id(self) -> None:
        """Nanoseconds and four random bytes, in capitals."""
        self.assertEqual(new_request_id(0x17D0A1B2C3D4E5F6, lambda count: b"\x0a\xbc\xde\xff"[:count]),
                         "17D0A1B2C3D4E5F60ABCDEFF")

    def test_request_ids_of_the_system(self) -> None:
        """With the system's randomness, which is drawn for many at once, the form is the same and no two are alike."""
        ids = [new_request_id(0x17D0A1B2C3D4E5F6, os.urandom) for _ in range(2000)]
        for text in ids:
            self.assertRegex(text, r"\A17D0A1B2C3D4E5F6[0-9A-F]{8}\Z")
        # Of 2,000 out of 2**32, two are alike once in 2,000 runs; ten are not.
        self.assertGreater(len(set(ids)), 1990)

    def test_headers(self) -> None:
        """Server and id always, CORS for whoever names an origin."""
        plain = [("Server", "s"), ("X-Amz-Request-Id", "i")]
        self.assertEqual(common_headers(request(), server="s", request_id="i"), plain)
        self.assertEqual(common_headers(request(Origin="x"), server="s", request_id="i"), plain + [
            ("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Credentials", "true")])

    def test_options(self) -> None:
        """The public port offers reading only."""
        self.assertEqual(options_reply(request()).get("Access-Control-Allow-Methods"),
                         "PUT, POST, GET, DELETE, OPTIONS")
        reply = options_reply(request(is_public=True))
        self.assertEqual((reply.get("Access-Control-Allow-Methods"), reply.get("Access-Control-Allow-Headers")),
                         ("GET, OPTIONS", "*"))
