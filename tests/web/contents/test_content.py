"""Content is described and cut into ranges the way SeaweedFS does it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.contents.content import deliver, describe
from seaweedvol.web.message.reply import BodyStream, BytesSource, Reply, Slice
from seaweedvol.web.message.request import Headers, Request, make_request

DATA = b"hello world"


def request(target: bytes = b"/", method: str = "GET", **headers: str) -> Request:
    """A request."""
    return make_request(method, target, Headers(headers.items()))


def delivered(asked: Request, reply: Reply | None = None) -> Reply:
    """The reply to it."""
    return deliver(asked, reply or Reply(200), source=BytesSource(DATA), total=len(DATA), mime="a/b",
                   entropy=lambda length: b"\xab" * length)


class DescribeTests(SynchronousTestCase):
    """Headers about the content."""

    def test_by_name(self) -> None:
        """Without a stored type the file name decides."""
        reply = Reply(200)
        self.assertEqual(describe(request(), reply, filename="a.html", mime=""), "text/html; charset=utf-8")
        self.assertEqual(reply.headers, [
            ("Content-Type", "text/html; charset=utf-8"), ("Accept-Ranges", "bytes"),
            ("Content-Disposition", "inline; filename=a.html")])

    def test_overrides(self) -> None:
        """The query may say otherwise, in any case of its names."""
        reply = Reply(200)
        target = b"/?Response-Content-Type=x%2Fy&response-content-disposition=&response-expires=now&dl=1"
        self.assertEqual(describe(request(target), reply, filename="a.txt", mime="a/b"), "a/b")
        self.assertEqual((reply.get("Content-Type"), reply.get("Expires"), reply.get("Content-Disposition")),
                         ("x/y", "now", "attachment; filename=a.txt"))

    def test_not_ascii(self) -> None:
        """Names travel as bytes of UTF-8, which a header shows as latin-1."""
        reply = Reply(200)
        describe(request(), reply, filename="", mime="a/ä")
        self.assertEqual(reply.get("Content-Type").encode("latin-1"), "a/ä".encode())


class DeliverTests(SynchronousTestCase):
    """Which bytes."""

    def test_whole(self) -> None:
        """Everything, with its length."""
        reply = delivered(request())
        self.assertEqual((reply.status, reply.get("Content-Length")), (200, "11"))
        self.assertEqual(reply.body, BodyStream(BytesSource(DATA), (Slice(0, 11),)))

    def test_head(self) -> None:
        """HEAD does not look at ranges."""
        reply = delivered(request(method="HEAD", Range="bytes=0-1"))
        self.assertEqual((reply.status, reply.get("Content-Length"), reply.body), (200, "11", None))

    def test_one_range(self) -> None:
        """A range is a 206 that says which."""
        reply = delivered(request(Range="bytes=2-4"))
        self.assertEqual((reply.status, reply.get("Content-Length"), reply.get("Content-Range")),
                         (206, "3", "bytes 2-4/11"))

    def test_several(self) -> None:
        """Several are a multipart, whose length is not told when the content is encoded."""
        reply = delivered(request(Range="bytes=0-1,3-4"))
        assert isinstance(reply.body, BodyStream)
        self.assertEqual((reply.status, reply.get("Content-Type")),
                         (206, "multipart/byteranges; boundary=" + "ab" * 30))
        self.assertEqual(reply.get("Content-Length"), str(reply.body.length))
        packed = delivered(request(Range="bytes=0-1,3-4"), Reply(200, [("Content-Encoding", "gzip")]))
        self.assertEqual(packed.get("Content-Length"), "")

    def test_too_much(self) -> None:
        """Ranges that add up to more than there is give nothing at all."""
        reply = delivered(request(Range="bytes=0-10,0-10"))
        self.assertEqual((reply.status, reply.body, reply.get("Content-Length")), (200, None, ""))

    def test_not_satisfiable(self) -> None:
        """Nonsense is refused in plain text, with the headers that were set before."""
        reply = delivered(request(Range="x"), Reply(200, [("Etag", "e")]))
        self.assertEqual((reply.status, reply.body, reply.get("Etag")), (416, b"invalid range\n", "e"))
