"""Chunk manifests are read as Go reads them."""

from __future__ import annotations

import gzip
import json

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.contents.manifest import Chunk, Manifest, NoManifest, load, parse


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

    def test_repeated(self) -> None:
        """Of repeated members the last one counts, but ``null`` does not; a repeated list fills in."""
        data = (b'{"name":"a","NAME":"b","name":null,"chunks":[{"fid":"1,01","size":4},{"fid":"x"}],'
                b'"chunks":[{"size":5}]}')
        self.assertEqual(parse(data, is_compressed=False), Manifest("b", "", 0, (Chunk("1,01", 0, 5),)))

    def test_null_chunk(self) -> None:
        """A ``null`` among the chunks is none."""
        self.assertEqual(parse(b'{"chunks":[null,{"fid":"x"},null]}', is_compressed=False).chunks, (Chunk("x", 0, 0),))

    def test_not_text(self) -> None:
        """Bytes and escapes that are no text become replacement characters, one for each."""
        data = b'{"name":"\xe2\x82 \\ud800 \\ud83d\\ude00"}'
        self.assertEqual(parse(data, is_compressed=False).name, "\ufffd\ufffd \ufffd \U0001f600")

    def test_complaints(self) -> None:
        """What does not fit is named as Go names it."""
        for data, complaint in (
            (b"5", "number into Go value of type operation.ChunkManifest"),
            (b"[]", "array into Go value of type operation.ChunkManifest"),
            (b'{"name":5}', "number into Go struct field ChunkManifest.name of type string"),
            (b'{"name":{}}', "object into Go struct field ChunkManifest.name of type string"),
            (b'{"size":1e1}', "number 1e1 into Go struct field ChunkManifest.size of type int64"),
            (b'{"size":"5"}', "string into Go struct field ChunkManifest.size of type int64"),
            (b'{"chunks":true}', "bool into Go struct field ChunkManifest.chunks of type operation.ChunkList"),
            (b'{"chunks":[[]]}', "array into Go struct field ChunkManifest.chunks of type operation.ChunkInfo"),
            (b'{"chunks":[{"size":10.0}]}', "number 10.0 into Go struct field ChunkInfo.chunks.size of type int64"),
        ):
            error = self.assertRaises(NoManifest, parse, data, is_compressed=False)
            self.assertEqual(str(error), "json: cannot unmarshal " + complaint)

    def test_damaged_gzip(self) -> None:
        """Damaged gzip is an empty text, as in Go."""
        error = self.assertRaises(NoManifest, parse, b"\x1f\x8bxx", is_compressed=True)
        self.assertEqual(str(error), "unexpected end of JSON input")
