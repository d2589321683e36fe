"""Replies to changes: made once, filled in often, and nothing of one in another."""

from __future__ import annotations

import itertools
import json

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.volume.batching import Put
from seaweedvol.web.express.changereplies import ChangeReplies
from seaweedvol.web.express.headlines import CLOSE, CORS
from tests.conformance.exchange import Response
from tests.web.serving import NOW, answers_in, make_world


class ChangeRepliesTests(SynchronousTestCase):
    """Everything that is said below is of these."""

    def setUp(self) -> None:
        """With nothing remembered."""
        self.replies = ChangeReplies(make_world(self).server, lambda: int(NOW * 1e9), lambda length: bytes(length))

    def answer(self, data: bytes) -> Response:
        """The one answer that the bytes are."""
        answer, = answers_in(data, ["POST"])
        return answer

    def put(self, size: int = 5, checksum: int = 0xABC) -> Put:
        """What was stored."""
        return Put(1, 2, b"x" * size, checksum, b"", 0)

    def test_created(self) -> None:
        """Name, size, ETag and type are those of the needle, whatever characters they have."""
        names = (b"a.bin", b"a b-c,d_e.x", b"", "é%s.bin".encode(), b'q"<&>\\.x', b"%d%b", b"\x7fname", b"\xff\xfe.bin")
        for name, mime, size, variation in itertools.product(
                names, (b"", b"a/b", b"a/%d%b", b"x/1999999999", b"caf\xe9/x"), (0, 5, 70_000), (0, CORS, CLOSE)):
            for _ in range(2):
                answer = self.answer(self.replies.created(self.put(size), name, mime, variation))
                told = json.loads(answer.body)
                self.assertEqual((answer.status, told["size"] if size else 0, told["eTag"]), (201, size, "00000abc"))
                self.assertEqual(told.get("name", ""), name.decode("utf-8", "replace"))
                self.assertEqual(told.get("mime", ""), mime.decode("utf-8", "replace"))
                self.assertEqual(answer.header("Etag"), '"00000abc"')
                self.assertEqual(answer.header("Content-Length"), str(len(answer.body)))
                self.check_style(answer, variation)

    def test_deleted(self) -> None:
        """How much that freed."""
        for size, variation in itertools.product((0, 5, 70_000), (0, CORS, CLOSE, CORS | CLOSE)):
            for _ in range(2):
                answer = self.answer(self.replies.deleted(size, variation))
                self.assertEqual((answer.status, json.loads(answer.body)), (202, {"size": size}))
                self.check_style(answer, variation)

    def test_failures(self) -> None:
        """What another server said, in full."""
        for error, variation in itertools.product(("[a:1]: no <room>", "x" * 3000), (0, CORS, CLOSE)):
            answer = self.answer(self.replies.not_replicated(3, error, variation))
            self.assertEqual(answer.status, 500)
            self.assertIn(error, json.loads(answer.body)["error"])
            self.check_style(answer, variation)
            answer = self.answer(self.replies.not_deleted(error, variation))
            self.assertEqual((answer.status, json.loads(answer.body)), (500, {"error": f"Deletion Failed: {error}"}))
            self.check_style(answer, variation)

    def check_style(self, answer: Response, variation: int) -> None:
        """What the variation changes."""
        self.assertEqual(answer.header("Access-Control-Allow-Origin") is not None, bool(variation & CORS))
        self.assertEqual(answer.header("Connection"), "close" if variation & CLOSE else None)
        self.assertEqual(answer.header("Date"), "Tue, 14 Nov 2023 22:13:20 GMT")

    def test_bounded(self) -> None:
        """However many types come, few are remembered."""
        for number in range(3000):
            self.replies.created(self.put(), b"a", b"a/%d" % number, number % 8)
        for memory in (value for value in vars(self.replies).values() if isinstance(value, dict)):
            self.assertLessEqual(len(memory), 256)
