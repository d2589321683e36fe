"""Chunk manifests are read as Go reads them."""

from __future__ import annotations

import gzip
import json

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.manifest import Chunk, Manifest, NoManifest, load, parse


class ManifestTests(SynchronousTestCase):
    """What is one, and what is none."""

    def test_chunks_in_order(self) -> None:
        """Chunks come out by offset; the length served is the sum of theirs."""
        data = json.dumps({"name": "n", "mime": "a/b", "size": 99, "chunks": [
            {"fid": "1,02", "offset": 4, "size": 5}, {"fid": "1,01", "offset": 0, "size": 4}]}).encode()
        whole = parse(data, is_compressed=False)
        self.assertEqual(whole, Manifest("n", "a/b", 99, (Chunk("1,01", 0, 4), Chunk("1,02", 4, 5))))
        self.assertEqual(whole.total, 9)
        self.assertEqual(parse(gzip.compress(data), is_compressed=True), whole)

    def test_lenient(self) -> None:
        """Names in any case, unknown ones, null for anything."""
        self.assertEqual(parse(b'{"NAME":"n","x":1,"chunks":null}', is_compressed=False), Manifest("n", "", 0, ()))
        self.assertEqual(parse(b"null", is_compressed=False), Manifest("", "", 0, ()))

    def test_no_manifest(self) -> None:
        """Other JSON, other types, no JSON."""
        for data in (b"", b"x", b"[]", b'{"size":1.5}', b'{"size":true}', b'{"size":9223372036854775808}',
                     b'{"name":1}', b'{"chunks":{}}', b'{"chunks":[1]}', b'{"size":NaN}', b"{}x", b"[" * 100000):
            self.assertIsNone(load(data, is_compressed=False), data[:30])
            self.assertRaises(NoManifest, parse, data, is_compressed=False)

    def test_damaged_gzip(self) -> None:
        """Damaged gzip is an empty text, as in Go."""
        error = self.assertRaises(NoManifest, parse, b"\x1f\x8bxx", is_compressed=True)
        self.assertEqual(str(error), "unexpected end of JSON input")
