"""Heads that are made once: when they are not, what is remembered, and that nothing of one gets into another."""

from __future__ import annotations

import itertools
import json

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.format.fields import FLAG_MANIFEST, encode_fields
from seaweedvol.storage.format.needle import FLAG_COMPRESSED, FLAG_LAST_MODIFIED, FLAG_MIME, FLAG_NAME, FLAG_PAIRS
from seaweedvol.storage.format.ttl import EMPTY_TTL
from seaweedvol.web.express.headformats import HeadFormats, Kind
from seaweedvol.web.express.headlines import CLOSE, CORS

NOW = 1_700_000_000
FILLING = {Kind.WHOLE: (5, 7, b"ID", b"DATE"), Kind.HEAD: (5, 7, b"ID", b"DATE"),
           Kind.PART: (5, b"bytes 0-4/9", 7, b"ID", b"DATE"), Kind.NOT_MODIFIED: (b"ID", b"DATE")}


def fields(*, name: bytes = b"", mime: bytes = b"", pairs: object = None, flags: int = 0, time: int = NOW) -> bytes:
    """As they stand in a record."""
    stored = b"" if pairs is None else json.dumps(pairs).encode()
    flags |= FLAG_NAME * bool(name) | FLAG_MIME * bool(mime) | FLAG_PAIRS * bool(stored)
    flags |= FLAG_LAST_MODIFIED * bool(time)
    return encode_fields(flags, name, mime, stored, time, EMPTY_TTL)


class HeadFormatsTests(SynchronousTestCase):
    """Everything that is said below is of these."""

    def setUp(self) -> None:
        """With nothing remembered."""
        self.formats = HeadFormats("test")

    def filled(self, stored: bytes, kind: int = Kind.WHOLE, variation: int = 0, *, sniffed: bytes = b"") -> bytes:
        """The head of a reply."""
        found = self.formats.format_of(self.formats.describe(stored), kind, variation)
        assert found is not None
        form, is_sniffed = found
        self.assertEqual(is_sniffed, bool(sniffed))
        return form % (*FILLING[kind], *((sniffed,) if sniffed else ()))

    def test_whole(self) -> None:
        """All that is stored is said."""
        head = self.filled(fields(name=b"a%b.bin", mime=b"x/%d"))
        self.assertEqual(head.partition(b"\r\n")[0], b"HTTP/1.1 200 OK")
        for line in (b'Content-Disposition: inline; filename=a%b.bin', b"Content-Length: 5", b"Content-Type: x/%d",
                     b'Etag: "00000007"', b"X-Amz-Request-Id: ID", b"Date: DATE", b"Server: test",
                     b"Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT"):
            self.assertIn(b"\r\n" + line + b"\r\n", head)
        self.assertEqual(head[-4:], b"\r\n\r\n")

    def test_kinds(self) -> None:
        """Every kind in every variation, remembered or not."""
        for kind, cors, close in itertools.product(FILLING, (0, CORS), (0, CLOSE)):
            for name in (b"a.bin", b"b.bin"):
                stored = fields(name=name, mime=b"a/b")
                head = self.filled(stored, kind, cors | close)
                self.assertEqual(head, self.filled(stored, kind, cors | close))
                self.assertEqual(b"\r\nAccess-Control-Allow-Origin: *\r\n" in head, bool(cors))
                self.assertEqual(b"\r\nConnection: close\r\n" in head, bool(close))
                self.assertEqual(name in head, kind is not Kind.NOT_MODIFIED)

    def test_missing(self) -> None:
        """A 404 says nothing of any needle."""
        for is_head in (False, True):
            found = self.formats.missing(0, is_head=is_head)
            assert found is not None
            self.assertTrue((found[0] % (b"ID", b"DATE")).startswith(b"HTTP/1.1 404 Not Found\r\n"))

    def test_sniffed(self) -> None:
        """A type that nobody told is asked for."""
        for mime in (b"", b"application/octet-stream"):
            head = self.filled(fields(mime=mime), sniffed=b"guessed/type")
            self.assertIn(b"\r\nContent-Type: guessed/type\r\n", head)

    def test_pairs(self) -> None:
        """Pairs are headers, of that needle alone."""
        head = self.filled(fields(mime=b"a/b", pairs={"Color": "100% blue", "Cache-Control": "no-store"}))
        self.assertIn(b"\r\nColor: 100% blue\r\n", head)
        self.assertNotIn(b"Color", self.filled(fields(mime=b"a/b", pairs={"Shape": "round"})))
        self.assertNotIn(b"Color", self.filled(fields(mime=b"a/b")))

    def test_refused_pairs(self) -> None:
        """Pairs that decide about other headers, or look like our marks, are the general road's."""
        for pairs in ({"Content-Length": "3"}, {"Etag": "own"}, {"Date": "own"}, {"X": str(0x5EA_F00D_5EA_F00D)},
                      {"Last-Modified": "Thu, 01 Jan 1970 00:00:00 GMT"}, {"X-Amz-Request-Id": "own"}):
            found = self.formats.format_of(self.formats.describe(fields(mime=b"a/b", pairs=pairs)), Kind.WHOLE, 0)
            if found is not None:
                # What is not refused has each mark once, where it belongs.
                head = found[0] % FILLING[Kind.WHOLE]
                self.assertEqual(head.count(b"\r\nContent-Length: 5\r\n"), 1, pairs)
                self.assertEqual((head.count(b"ID"), head.count(b"DATE")), (1, 1), pairs)
        for name in ("X-Amz-Request-Id", "Date"):
            self.assertIsNone(self.formats.format_of(
                self.formats.describe(fields(mime=b"a/b", pairs={name: "own"})), Kind.WHOLE, 0), name)

    def test_epoch(self) -> None:
        """A needle of the first second of time does not look like a mark."""
        self.assertNotIn(b"\x00", self.filled(fields(mime=b"a/b", time=1)))
        self.assertEqual(self.filled(fields(mime=b"a/b", time=0)).count(b"DATE"), 1)

    def test_special(self) -> None:
        """What is not sent as it is stored is told."""
        packed = self.formats.describe(fields(flags=FLAG_COMPRESSED))
        manifest = self.formats.describe(fields(flags=FLAG_MANIFEST))
        plain = self.formats.describe(fields())
        self.assertEqual([one.is_special for one in (packed, manifest, plain)], [True, True, False])
        self.assertEqual([one.is_refused for one in (packed, manifest, plain)], [False, True, False])

    def test_packed(self) -> None:
        """What goes out as gzip says so, and no other reply does."""
        described = self.formats.describe(fields(mime=b"a/b", flags=FLAG_COMPRESSED))
        for is_packed in (True, False):
            found = self.formats.format_of(described, Kind.WHOLE, 0, is_packed=is_packed)
            assert found is not None
            self.assertEqual(b"\r\nContent-Encoding: gzip\r\n" in found[0], is_packed)

    def test_bounded(self) -> None:
        """However many fields come, and however long they are, little is remembered."""
        for number in range(20_000):
            self.formats.describe(fields(time=number + 1))
            self.formats.note_plain(fields(time=number + 1), b"", is_sniffed=number % 2 == 1)
        for memory in (self.formats.known, self.formats.plain, self.formats.guessed):
            self.assertLessEqual(len(memory), 8192)
            memory.clear()
        long = fields(mime=b"a/b", pairs={"X": "x" * 5000})
        self.assertIn(b"x" * 5000, self.filled(long))
        self.formats.note_plain(long, b"", is_sniffed=False)
        self.assertEqual((len(self.formats.known), len(self.formats.plain)), (0, 0))
