"""An upload must become the needle that SeaweedFS makes of it, or be refused with its words.

The table was written by a Go program that handed the same requests to SeaweedFS 4.44's CreateNeedleFromRequest, with a
limit of 1000 bytes. The ETag in the results is the checksum of the stored bytes, so it holds the data too.
"""

from __future__ import annotations

import base64
import gzip
import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.format.needle import FLAG_COMPRESSED, FLAG_LAST_MODIFIED, FLAG_MIME, FLAG_NAME, FLAG_TTL
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.web.message.request import Headers, Request, make_request
from seaweedvol.web.syntax import gojson
from seaweedvol.web.syntax.mimetypes import MimeTypes
from seaweedvol.web.uploads import parsing
from seaweedvol.web.uploads.parsed import ParsedUpload
from seaweedvol.web.uploads.parsing import UploadParser, UploadRefused, UploadRules, written_ids
from seaweedvol.web.uploads.results import upload_result

T = b"/3,01637037d6"
HELLO = b"hello world"
DIGEST = base64.b64encode(hashlib.md5(HELLO).digest())
GZIPPED = gzip.compress(HELLO, mtime=0)
TEXT = b"the quick brown fox jumps over the lazy dog, and the quick brown fox jumps again and again. " * 3
FORM = [("Content-Type", b"multipart/form-data; boundary=B")]
LIMIT = 1000
BUILTIN_TYPES = MimeTypes((), (), {})


def part(data: bytes, disposition: bytes | None = None, **headers: bytes) -> bytes:
    """One part of a body whose boundary is ``B``."""
    out = b"--B\r\n"
    if disposition is not None:
        out += b'Content-Disposition: form-data; name="f"' + disposition + b"\r\n"
    for name, value in headers.items():
        out += name.replace("_", "-").encode() + b": " + value + b"\r\n"
    return out + b"\r\n" + data + b"\r\n"


# method, target, headers, body, JSON of the result or message of the refusal, flags or None
UPLOADS: tuple[tuple[str, bytes, list[tuple[str, bytes]], bytes, bytes, int | None], ...] = (
    ('PUT', T, [], HELLO, b'{"name":"3,01637037d6","size":11,"eTag":"c99465aa"}', 14),
    ('PUT', T, [('Content-Type', b'application/octet-stream')], HELLO,
     b'{"name":"3,01637037d6","size":11,"eTag":"c99465aa","mime":"application/octet-stream"}', 14),
    ('PUT', T, [('Content-Type', b'image/png')], b'\x89PNG',
     b'{"name":"3,01637037d6","size":4,"eTag":"187c9b2c","mime":"image/png"}', 14),
    ('PUT', T + b'.png', [('Content-Type', b'image/png')], b'\x89PNG',
     b'{"name":"3,01637037d6.png","size":4,"eTag":"187c9b2c","mime":"image/png"}', 14),
    ('PUT', T + b'.png', [], b'\x89PNG',
     b'{"name":"3,01637037d6.png","size":4,"eTag":"187c9b2c","mime":"image/png"}', 14),
    ('PUT', T, [('Content-Disposition', b'inline; filename="a b.txt"')], HELLO,
     b'{"name":"a b.txt","size":11,"eTag":"c99465aa","mime":"text/plain; charset=utf-8"}', 14),
    ('PUT', T, [('Content-Disposition', b'name=n.css')], HELLO,
     b'{"name":"n.css","size":11,"eTag":"c99465aa","mime":"text/css; charset=utf-8"}', 14),
    ('PUT', T, [('Content-Disposition', b'attachment; filename=C:\\x; filename=y')], HELLO,
     b'{"name":"3,01637037d6","size":11,"eTag":"c99465aa"}', 14),
    ('PUT', T, [('Content-Disposition', b'attachment; filename="C:\\dir\\x.txt"')], HELLO,
     b'{"name":"x.txt","size":11,"eTag":"c99465aa","mime":"text/plain; charset=utf-8"}', 14),
    ('PUT', T, [('Content-Disposition', b"attachment; filename*=utf-8''%e2%82%ac")], HELLO,
     b'{"name":"3,01637037d6","size":11,"eTag":"c99465aa"}', 14),
    ('PUT', T, [('Content-Type', b'multipart/form-data; boundary=B')], part(HELLO) + b'--B--',
     b'{"name":"3,01637037d6","size":25,"eTag":"387492f9","mime":"multipart/form-data; boundary=B"}', 14),
    ('PUT', T, [('Content-Type', b'text/plain')], TEXT,
     b'{"name":"3,01637037d6","size":276,"eTag":"18afd7b0","mime":"text/plain"}', 15),
    ('PUT', T + b'?type=replicate', [('Content-Type', b'text/plain')], TEXT,
     b'{"name":"3,01637037d6","size":276,"eTag":"8f249cc2","mime":"text/plain"}', 14),
    ('PUT', T, [('Content-Encoding', b'gzip')], GZIPPED, b'{"name":"3,01637037d6","size":11,"eTag":"4f8b4177"}', 15),
    ('PUT', T, [('Content-Encoding', b'gzip'), ('Content-MD5', DIGEST)], GZIPPED,
     b'{"name":"3,01637037d6","size":11,"eTag":"4f8b4177","contentMd5":"XrY7u+Ae7tCTyyK7j1rNww=="}', 15),
    ('PUT', T, [('Content-Encoding', b'gzip')], GZIPPED[:-1], b'{"name":"3,01637037d6","size":30,"eTag":"95eb53ad"}',
     15),
    ('PUT', T, [('Content-Encoding', b'GZIP')], GZIPPED, b'{"name":"3,01637037d6","size":31,"eTag":"4f8b4177"}', 14),
    ('PUT', T, [('Content-MD5', DIGEST)], HELLO,
     b'{"name":"3,01637037d6","size":11,"eTag":"c99465aa","contentMd5":"XrY7u+Ae7tCTyyK7j1rNww=="}', 14),
    ('PUT', T, [('Content-MD5', b'bogus')], HELLO,
     b'Content-MD5 did not match md5 of file data expected [bogus] received [XrY7u+Ae7tCTyyK7j1rNww==] size 11',
     None),
    ('PUT', T + b'?ts=77&ttl=3h&cm=true', [], b'{}', b'{"name":"3,01637037d6","size":2,"eTag":"297bd0aa"}', 158),
    ('PUT', T + b'?ts=-1&ttl=x&cm=yes', [], b'{}', b'{"name":"3,01637037d6","size":2,"eTag":"297bd0aa"}', 14),
    ('PUT', T, [('seaweed-foo-BAR', b'<v>'), ('Seaweed-', b'x'), ('Seaweedx', b'no')], HELLO,
     b'{"name":"3,01637037d6","size":11,"eTag":"c99465aa"}', 46),
    ('PUT', T, [('Seaweed-Big', b'z' * 65530)], HELLO, b'{"name":"3,01637037d6","size":11,"eTag":"c99465aa"}', 14),
    ('PUT', b'/3,01637037d6_5', [], HELLO, b'{"name":"3,01637037d6_5","size":11,"eTag":"c99465aa"}', 14),
    ('PUT', b'/3/01637037d6', [], HELLO,
     b'Parse needleId error: needle id /3/01 format error: strconv.ParseUint: parsing "/3/01": invalid syntax',
     None),
    ('PUT', b'/3,0163', [], HELLO, b'Invalid fid: 0163', None),
    ('PUT', b'/3,xx637037d6', [], HELLO,
     b'Parse needleId error: needle id xx format error: strconv.ParseUint: parsing "xx": invalid syntax', None),
    ('PUT', T, [('Content-Disposition', b'inline; filename=' + b'n' * 256), ('Content-Type', b't/' + b'y' * 254)],
     HELLO, b'{"size":11,"eTag":"c99465aa"}', 8),
    ('PUT', T, [], b'x' * 1001, b'file over the limited 1000 bytes', None),
    ('PUT', T, [], b'x' * 1000, b'{"name":"3,01637037d6","size":1000,"eTag":"7f6ec2eb"}', 15),
    ('POST', T, [], HELLO, b"request Content-Type isn't multipart/form-data", None),
    ('POST', T, [('Content-Type', b'text/css')], HELLO,
     b'{"name":"3,01637037d6","size":11,"eTag":"c99465aa","mime":"text/css"}', 14),
    ('POST', T, [('Content-Type', b'multipart/form-data')], HELLO, b'no multipart boundary param in Content-Type',
     None),
    ('POST', T, [('Content-Type', b'application/form-data')], HELLO,
     b"request Content-Type isn't multipart/form-data", None),
    ('POST', T, [('Content-Type', b'multipart/form-data; boundary=""')], HELLO, b'multipart: boundary is empty',
     None),
    ('POST', T, FORM, b'', b'multipart: NextPart: EOF', None),
    ('POST', T, FORM, b'--B--', b'EOF', None),
    ('POST', T, FORM, part(HELLO, b'; filename="d/a.txt"') + b'--B--',
     b'{"name":"a.txt","size":11,"eTag":"c99465aa","mime":"text/plain; charset=utf-8"}', 14),
    ('POST', T, FORM, part(HELLO, b'; filename="a.txt"', Content_Type=b'text/plain; charset=utf-8') + b'--B--',
     b'{"name":"a.txt","size":11,"eTag":"c99465aa","mime":"text/plain; charset=utf-8"}', 14),
    ('POST', T, FORM, part(HELLO, b'; filename="a.txt"', Content_Type=b'text/plain') + b'--B--',
     b'{"name":"a.txt","size":11,"eTag":"c99465aa","mime":"text/plain"}', 14),
    ('POST', T, FORM, part(HELLO, b'; filename="a.bin"', Content_Type=b'application/octet-stream') + b'--B--',
     b'{"name":"a.bin","size":11,"eTag":"c99465aa"}', 14),
    ('POST', T, FORM, part(HELLO, b'; filename="a.js"', Content_Type=b'application/octet-stream') + b'--B--',
     b'{"name":"a.js","size":11,"eTag":"c99465aa","mime":"text/javascript; charset=utf-8"}', 14),
    ('POST', T, FORM, part(HELLO, b'; filename="x.unknown"') + b'--B--',
     b'{"name":"x.unknown","size":11,"eTag":"c99465aa"}', 14),
    ('POST', T, FORM, part(HELLO, b'') + b'--B--', b'{"size":11,"eTag":"c99465aa"}', 14),
    ('POST', T, FORM,
     part(b'first', b'') + part(HELLO, b'; filename="second.txt"', Content_MD5=DIGEST)
     + part(b'third', b'; filename="3"') + b'--B--',
     b'{"name":"second.txt","size":11,"eTag":"c99465aa","mime":"text/plain; charset=utf-8",'
     b'"contentMd5":"XrY7u+Ae7tCTyyK7j1rNww=="}',
     14),
    ('POST', T, FORM, part(b'first', b'') + b'junk', b'unexpected EOF', None),
    ('POST', T, FORM, part(b'first', b'') + part(b'cut', b'; filename="second.txt"'), b'unexpected EOF', None),
    ('POST', T, FORM, part(HELLO, b'; filename="a.txt"', Content_MD5=b'bad') + b'--B--',
     b'Content-MD5 did not match md5 of file data expected [bad] received [XrY7u+Ae7tCTyyK7j1rNww==] size 11', None),
    ('POST', T, FORM, part(GZIPPED, b'; filename="a.txt"', Content_Encoding=b'gzip') + b'--B--',
     b'{"name":"a.txt","size":11,"eTag":"4f8b4177","mime":"text/plain; charset=utf-8"}', 15),
    ('POST', T, FORM,
     part(b'a=41=', b'; filename="a.txt"', Content_Transfer_Encoding=b'Quoted-Printable') + b'--B--',
     b'{"name":"a.txt","size":2,"eTag":"d14f541c","mime":"text/plain; charset=utf-8"}', 14),
    ('POST', T, FORM,
     part(b'a=\x01', b'; filename="a.txt"', Content_Transfer_Encoding=b'quoted-printable') + b'--B--',
     b'quotedprintable: invalid unescaped byte 0x01 in body', None),
    ('POST', T, FORM, part(b'x' * 1001, b'; filename="a.txt"') + b'--B--', b'file over the limited 1000 bytes',
     None),
    ('POST', T, FORM, part(TEXT, b'; filename="a.txt"') + b'--B--',
     b'{"name":"a.txt","size":276,"eTag":"18afd7b0","mime":"text/plain; charset=utf-8"}', 15),
    ('POST', T, FORM, part(b'<html>' + b'ab' * 60, b'') + b'--B--', b'{"size":126,"eTag":"e608e2c5"}', 15),
    ('POST', T, FORM, part(bytes(range(256)), b'; filename=".txt"') + b'--B--',
     b'{"name":".txt","size":256,"eTag":"9c44184b"}', 14),
    ('POST', T, FORM, part(HELLO, b'; filename="a.txt"')[:-2], b'unexpected EOF', None),
    ('POST', T, FORM, b'--B\r\nbad header\r\n\r\n', b'malformed MIME header: missing colon: "bad header"', None),
    ('POST', T + b'?cm=1', FORM, part(b'{}', b'; filename="m.json"', Content_Type=b'application/json') + b'--B--',
     b'{"name":"m.json","size":2,"eTag":"297bd0aa"}', 142),
)


def request(method: str, target: bytes, headers: list[tuple[str, bytes]]) -> Request:
    """A request with these headers."""
    return make_request(method, target, Headers((name, value.decode("latin-1")) for name, value in headers))


def parsed(method: str, target: bytes, headers: list[tuple[str, bytes]], body: bytes, *, step: int = 10**9,
           rules: UploadRules | None = None) -> ParsedUpload:
    """What becomes of an upload that is fed in steps.

    :raises UploadRefused: for a refused one.
    """
    parser = UploadParser(request(method, target, headers), rules or UploadRules(LIMIT, mime_types=BUILTIN_TYPES))
    for at in range(0, len(body), step):
        parser.feed(body[at:at + step])
    return parser.finish()


class GoVectorsTests(SynchronousTestCase):
    """Everything at once, as the reference server has it."""

    def test_results(self) -> None:
        """Each upload gives the reference's result and flags, or its refusal, however the body is cut."""
        for method, target, headers, body, result, flags in UPLOADS:
            for step in (3, 10**9):
                try:
                    found = parsed(method, target, headers, body, step=step)
                    written_ids(request(method, target, []).path)
                except UploadRefused as refusal:
                    self.assertEqual((str(refusal).encode(), None), (result, flags))
                else:
                    self.assertEqual((gojson.dumps(upload_result(found)), found.flags), (result, flags))


class FieldTests(SynchronousTestCase):
    """What the result does not show."""

    def test_query_values(self) -> None:
        """Time, life time and manifest mark come from the query."""
        found = parsed("PUT", T + b"?ts=77&ttl=3h&cm=true", [], b"{}")
        self.assertEqual((found.modified_time, found.ttl, found.is_manifest), (77, Ttl(3, 2), True))
        found = parsed("PUT", T + b"?ts=x&ttl=x&cm=yes", [], b"{}")
        self.assertEqual((found.modified_time, found.ttl, found.is_manifest), (0, Ttl(), False))

    def test_pairs(self) -> None:
        """Pairs are sorted JSON of the canonical names without prefix; too long ones are dropped altogether."""
        found = parsed("PUT", T, [("seaweed-b-C", b"<v>"), ("Seaweed-", b"\xe9")], HELLO)
        self.assertEqual(found.pairs_field, b'{"":"\\ufffd","B-C":"\\u003cv\\u003e"}')
        self.assertIsNone(parsed("PUT", T, [("Seaweed-A", b"z" * 65530)], HELLO).pairs_field)
        self.assertIsNone(parsed("PUT", T, [], HELLO).pairs_field)

    def test_draft(self) -> None:
        """A draft has what is stored; a missing time becomes now."""
        found = parsed("PUT", T + b"?ttl=3m", [("Content-Type", b"a/b")], HELLO)
        draft = found.to_draft(7, 9, now=1234)
        self.assertEqual((draft.key, draft.cookie, draft.name, draft.mime, draft.pairs, draft.last_modified, draft.ttl),
                         (7, 9, b"3,01637037d6", b"a/b", b"", 1234, Ttl(3, 1)))
        self.assertEqual(draft.flags, FLAG_NAME | FLAG_MIME | FLAG_LAST_MODIFIED | FLAG_TTL)
        self.assertEqual((b"".join(draft.body.chunks()), draft.body.length), (HELLO, 11))

    def test_draft_time(self) -> None:
        """Only five bytes of a time are kept; without a life time the draft has none."""
        draft = parsed("PUT", T + b"?ts=18446744073709551615", [], HELLO).to_draft(1, 1, now=5)
        self.assertEqual((draft.last_modified, draft.ttl), (2**40 - 1, None))

    def test_form_is_stored(self) -> None:
        """A form-urlencoded body is the file, where the reference server loses it."""
        found = parsed("POST", T + b"?ts=5", [("Content-Type", b"application/x-www-form-urlencoded")], b"ts=7&a=b;c")
        self.assertEqual((found.body.getvalue(), found.modified_time), (b"ts=7&a=b;c", 5))


class CompressionTests(SynchronousTestCase):
    """Gzip where it pays."""

    def test_reads_back(self) -> None:
        """Compressed bytes are the text, and both sizes are known."""
        found = parsed("PUT", T, [("Content-Type", b"text/plain")], TEXT)
        self.assertTrue(found.flags & FLAG_COMPRESSED)
        self.assertEqual((gzip.decompress(found.body.getvalue()), found.original_size), (TEXT, len(TEXT)))

    def test_large(self) -> None:
        """A text beyond the exact compressor's limit is compressed as well, out of a file."""
        text = TEXT * 5000
        self.assertGreater(len(text), parsing.EXACT_GZIP_LENGTH)
        rules = UploadRules(10**8, mime_types=BUILTIN_TYPES)
        found = parsed("PUT", T, [("Content-Type", b"text/plain")], text, step=65536, rules=rules)
        self.assertEqual((found.is_gzipped, gzip.decompress(found.body.getvalue()) == text), (True, True))
        found.close()

    def test_not_worth_it(self) -> None:
        """What gains less than a tenth stays as it is."""
        found = parsed("PUT", T, [("Content-Type", b"text/plain")], bytes(range(256)))
        self.assertEqual((found.is_gzipped, found.body.getvalue()), (False, bytes(range(256))))


class UprightTests(SynchronousTestCase):
    """Pictures that lie on their side."""

    PICTURE = b"\xff\xd8\xff picture"

    def upload(self, body: bytes, content_type: bytes = b"image/jpeg", name: bytes = b"") -> bytes:
        """What is stored, with a turner that reverses."""
        rules = UploadRules(LIMIT, upright=lambda data: data[::-1], mime_types=BUILTIN_TYPES)
        headers = [("Content-Type", content_type)] * bool(content_type)
        found = parsed("PUT", T + name, headers, body, rules=rules)
        self.assertEqual(found.original_size, len(body))
        return found.body.getvalue()

    def test_turned(self) -> None:
        """A JPEG by type or by name is turned."""
        self.assertEqual(self.upload(self.PICTURE), self.PICTURE[::-1])
        self.assertEqual(self.upload(self.PICTURE, b"a/b", b".JPG"), self.PICTURE[::-1])

    def test_left_alone(self) -> None:
        """Anything else is not, nor is what only claims to be a JPEG."""
        self.assertEqual(self.upload(self.PICTURE, b"image/png"), self.PICTURE)
        self.assertEqual(self.upload(b"text"), b"text")
        rules = UploadRules(LIMIT, mime_types=BUILTIN_TYPES)
        self.assertEqual(parsed("PUT", T, [("Content-Type", b"image/jpeg")], self.PICTURE, rules=rules).etag,
                         parsed("PUT", T, [], self.PICTURE, rules=rules).etag)


class RefusalTests(SynchronousTestCase):
    """Uploads that are not taken."""

    def test_known_early(self) -> None:
        """A refusal is known as soon as it is certain, and what comes after is dropped."""
        parser = UploadParser(request("PUT", T, []), UploadRules(10, mime_types=BUILTIN_TYPES))
        parser.feed(b"x" * 10)
        self.assertIsNone(parser.refusal)
        parser.feed(b"x")
        self.assertEqual(str(parser.refusal), "file over the limited 10 bytes")
        parser.feed(b"x")
        self.assertRaises(UploadRefused, parser.finish)

    def test_wants_more(self) -> None:
        """A form is read no further than its file; what is refused is read to its end."""
        rules = UploadRules(10, mime_types=BUILTIN_TYPES)
        parser = UploadParser(request("POST", T, FORM), rules)
        parser.feed(part(b"file", b'; filename="n"'))
        self.assertTrue(parser.wants_more)
        parser.feed(part(b"another", b'; filename="m"'))
        self.assertFalse(parser.wants_more)
        self.assertEqual(parser.finish().file_name, "n")
        parser = UploadParser(request("PUT", T, []), rules)
        parser.feed(b"x" * 11)
        self.assertTrue(parser.wants_more)

    def test_no_boundary(self) -> None:
        """A multipart body that is not described is refused before it comes."""
        parser = UploadParser(request("POST", T, []), UploadRules(10, mime_types=BUILTIN_TYPES))
        self.assertEqual(str(parser.refusal), "request Content-Type isn't multipart/form-data")

    def test_broken_off(self) -> None:
        """A body that cannot be read to its end is refused with the reason."""
        for headers, body in (([], b"abc"), (FORM, b"--B\r\n\r\nabc")):
            parser = UploadParser(request("POST" if headers else "PUT", T, headers),
                                  UploadRules(10, mime_types=BUILTIN_TYPES))
            parser.feed(body)
            self.assertEqual(str(self.assertRaises(UploadRefused, parser.finish, "why")), "why")

    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from(["POST", "PUT"]), st.binary(max_size=30),
           st.text(alphabet="mu/;=form-datBby \"", max_size=30), st.binary(max_size=100), st.booleans())
    def test_nothing_else(self, method: str, name: bytes, content_type: str, body: bytes, is_form: bool) -> None:
        """Any upload is parsed or refused."""
        headers = [("Content-Type", b"multipart/form-data; boundary=B" if is_form else content_type.encode()),
                   ("Content-Disposition", b"filename=" + name), ("Content-Encoding", b"gzip")]
        try:
            parsed(method, T, headers, b"--B\r\n\r\n" * is_form + body + b"\r\n--B--" * is_form)
        except UploadRefused:
            pass


class FormFieldTests(SynchronousTestCase):
    """Fields of the form around a file."""

    def form(self, *fields: tuple[bytes, bytes], has_file: bool = True) -> bytes:
        """A body with these fields before a file."""
        parts = [b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % field for field in fields]
        if has_file:
            parts.append(b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\nx\r\n')
        return b"".join(parts) + b"--B--\r\n"

    def test_say_what_the_query_says(self) -> None:
        """ts, ttl and cm before the file count as if they stood in the query, however the body is cut."""
        body = self.form((b"ts", b"1700000000"), (b"ttl", b"7d"), (b"cm", b"true"), (b"other", b"1"))
        for step in (1, 10**9):
            found = parsed("POST", T, FORM, body, step=step)
            self.assertEqual((found.modified_time, str(found.ttl), found.is_manifest), (1700000000, "1w", True))
            self.assertEqual(found.body.getvalue(), b"x")

    def test_query_wins(self) -> None:
        """The query goes before the form."""
        found = parsed("POST", T + b"?ts=5", FORM, self.form((b"ts", b"1700000000")))
        self.assertEqual(found.modified_time, 5)

    def test_without_a_file(self) -> None:
        """A form without a file is a file itself, as in Go, and its fields say nothing."""
        found = parsed("POST", T, FORM, self.form((b"ts", b"1700000000"), has_file=False))
        self.assertEqual((found.modified_time, found.body.getvalue()), (0, b"1700000000"))


class WrittenIdsTests(SynchronousTestCase):
    """Which needle a path writes."""

    def test_ids(self) -> None:
        """The ids stand between the last comma and the last dot."""
        for path in ("/3,01637037d6", "/3,01637037d6.jpg", "/3,x,01637037d6.a"):
            self.assertEqual(written_ids(path), (1, 0x637037d6), path)
        self.assertEqual(written_ids("/3,01637037d6_2"), (3, 0x637037d6))

    def test_refused(self) -> None:
        """Everything else is refused in Go's words."""
        self.assertEqual(str(self.assertRaises(UploadRefused, written_ids, "/3,01.x")), "Invalid fid: 01")
        self.assertRaises(UploadRefused, written_ids, "/3/01637037d6/name.txt")
