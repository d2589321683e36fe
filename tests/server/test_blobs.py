"""Records handed over between servers, and Go's words for what cannot be."""

from __future__ import annotations


from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import blobs
from seaweedvol.server.errors import Refused
from seaweedvol.storage.errors import Corrupt
from tests.server.building import COOKIE, VOLUME, new_volume, put, store_for


class BlobTests(SynchronousTestCase):
    """A store with one needle."""

    def setUp(self) -> None:
        self.store = store_for(self)
        new_volume(self.store)
        put(self.store, 1, b"hello")
        found = self.store.get(VOLUME).locate(1)
        assert found is not None
        self.offset, self.size = found

    def test_round_trip(self) -> None:
        """A record read is a record that can be written under another key."""
        blob = blobs.read_blob(self.store, VOLUME, self.offset, self.size)
        blobs.write_blob(self.store, VOLUME, 2, blob, self.size)
        self.assertEqual(self.store.get(VOLUME).read(2).data, b"hello")
        self.assertEqual(blobs.read_meta(self.store, VOLUME, self.offset, self.size).cookie, COOKIE)

    def test_refusals(self) -> None:
        """The words that Go's clients search for."""
        for words, function, arguments in (
            ("not found volume id 9", blobs.read_blob, (9, 8, 1)),
            ("not found volume id 9", blobs.write_blob, (9, 8, b"", 1)),
            ("not found volume id 9 and read needle metadata at ec shards is not supported", blobs.read_meta,
             (9, 8, 1)),
            ("read needle blob offset 1099511627776 size 5: EOF", blobs.read_blob, (VOLUME, 1 << 40, 5)),
            ("write blob needle 2 size 5: needle 2 blob of 0 bytes is shorter than a needle header", blobs.write_blob,
             (VOLUME, 2, b"", 5)),
        ):
            error = self.assertRaises(Refused, function, self.store, *arguments)
            self.assertEqual(str(error), words)
        self.assertRaises(Corrupt, blobs.read_meta, self.store, VOLUME, 1 << 40, 5)
