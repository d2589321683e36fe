"""Selecting from needles of a real store."""

from __future__ import annotations


from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import querying
from seaweedvol.server.errors import Refused
from seaweedvol.server.querying import Question, make_question, query
from seaweedvol.storage.errors import NeedleNotFound
from seaweedvol.storage.ids import FileId, NeedleId
from tests.server.building import COOKIE, VOLUME, new_volume, put, server_for, store_for

LINES = b'{"score":3}\n{"score":12}\n{"score":18}\n'


def question() -> Question:
    """High scores."""
    return make_question(["score"], "score", ">", "10")


class QueryTests(SynchronousTestCase):
    """A server with one needle of lines and an empty one."""

    def setUp(self) -> None:
        self.store = store_for(self)
        self.server = server_for(self, self.store)
        new_volume(self.store)
        put(self.store, 1, LINES)
        put(self.store, 2, b"")

    def _fid(self, key: int, cookie: int = COOKIE) -> str:
        return str(FileId(VOLUME, NeedleId(key), COOKIE)) if cookie == COOKIE else f"{VOLUME},{key:02x}{cookie:08x}"

    def test_files(self) -> None:
        """Each file gives its records; one without data none."""
        found = list(query(self.server, [self._fid(1), self._fid(2), self._fid(1)], question))
        self.assertEqual(found, [b"{score:12}{score:18}", b"", b"{score:12}{score:18}"])
        self.assertEqual(list(query(self.server, [self._fid(1)], lambda: None)), [])

    def test_cookie(self) -> None:
        """Another cookie ends it, without a word."""
        found = list(query(self.server, [self._fid(1), self._fid(1, 5), self._fid(1)], question))
        self.assertEqual(len(found), 1)

    def test_refusals(self) -> None:
        """Each has Go's words."""
        for fid, words in (
            ("", "Wrong fid format."), (",1", "Wrong fid format."), ("7", "Wrong fid format."),
            ("7,1", "Invalid fid: 1"), ("99," + "1" * 10, "volume 99 not found"),
            ("x," + "1" * 10, "volume 0 not found"), ("9" * 30 + "," + "1" * 10, "volume 4294967295 not found"),
        ):
            self.assertEqual(str(self.assertRaises(Refused, list, query(self.server, [fid], question))), words)
        self.assertRaises(NeedleNotFound, list, query(self.server, [self._fid(9)], question))

    def test_long(self) -> None:
        """A long text is gone through elsewhere, part by part, values longer than a part too."""
        text = LINES * 50 + b'{"score":99,"more":"' + b"x" * 2000 + b'"}\n' + LINES
        put(self.store, 3, text)
        whole = list(query(self.server, [self._fid(3)], question))
        self.assertEqual(whole, [b"{score:12}{score:18}" * 50 + b"{score:99}{score:12}{score:18}"])
        self.patch(querying, "SHORT_LENGTH", 10)
        self.patch(querying, "PART_LENGTH", 700)
        self.assertEqual(list(query(self.server, [self._fid(3)], question)), whole)

    def test_depth(self) -> None:
        """What only a deep stack could answer is refused."""
        put(self.store, 4, b'{"a":' * 5000 + b"1" + b"}" * 5000)
        asked = make_question(["@this"], ".".join("a" * 5000), "", "")
        self.assertRaises(Refused, list, query(self.server, [self._fid(4)], lambda: asked))
