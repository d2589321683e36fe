"""Request heads must be understood as SeaweedFS on Go's ``net/http`` understands them.

The tables were written by a Go 1.26 program that called the functions themselves.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.message.request import (
    Headers, canonical_name, form_error, make_request, parse_bool, parse_int, parse_needle_path, parse_uint,
    strict_int,
)

# path, (vid, fid, filename, ext, is_volume_only)
NEEDLE_PATHS = (
    ('/3,01637037d6', ('3', '01637037d6', '', '', False)),
    ('/3,01637037d6.jpg', ('3', '01637037d6', '', '.jpg', False)),
    ('/3/01637037d6', ('3', '01637037d6', '', '', False)),
    ('/3/01637037d6.jpg', ('3', '01637037d6', '', '.jpg', False)),
    ('/3/01637037d6/my.photo.jpg', ('3', '01637037d6', 'my.photo.jpg', '.jpg', False)),
    ('/3/01637037d6/noext', ('3', '01637037d6', 'noext', '', False)),
    ('/3/.hidden', ('3', '.hidden', '', '', False)),
    ('/3', ('3', '', '', '', True)),
    ('/', ('', '', '', '', True)),
    ('/3,', ('3', '', '', '', False)),
    ('/,01', ('', '01', '', '', False)),
    ('/a/b/c/123456789,01637037d6', ('123', '56789,01637037d6', '', '', False)),
    ('/3,01637037d6_2.tar.gz', ('3', '01637037d6_2.tar', '', '.gz', False)),
    ('/3/a.b/', ('3', 'a.b', '', '', False)),
    ('//3', ('', '3', '', '', False)),
    ('/x/y/z/w', ('w', '', '', '', True)),
    ('/a.b', ('a.b', '', '', '', True)),
)

# text, Atoi's value, ParseInt's value or None for an error, ParseUint's value
NUMBERS = (
    ('0', 0, 0, 0),
    ('7', 7, 7, 7),
    ('-7', -7, -7, 0),
    ('+7', 7, 7, 0),
    ('007', 7, 7, 7),
    ('', 0, None, 0),
    ('-', 0, None, 0),
    ('1_0', 0, None, 0),
    (' 1', 0, None, 0),
    ('1x', 0, None, 0),
    ('9223372036854775807', 9223372036854775807, 9223372036854775807, 9223372036854775807),
    ('9223372036854775808', 9223372036854775807, None, 9223372036854775808),
    ('-9223372036854775808', -9223372036854775808, -9223372036854775808, 0),
    ('-9223372036854775809', -9223372036854775808, None, 0),
    ('18446744073709551615', 9223372036854775807, None, 18446744073709551615),
    ('18446744073709551616', 9223372036854775807, None, 18446744073709551615),
    ('99999999999999999999x', 9223372036854775807, None, 18446744073709551615),
    ('99999999999999999999999999999999999999999999999999', 9223372036854775807, None, 18446744073709551615),
    ('٣', 0, None, 0),
)

# header name, Go's spelling
NAMES = (
    ('content-md5', 'Content-Md5'),
    ('ETAG', 'Etag'),
    ('x-amz-request-id', 'X-Amz-Request-Id'),
    ('a b', 'a b'),
    ('', ''),
    ('fé', 'fé'),
    ('a--b', 'A--B'),
    ('www-authenticate', 'Www-Authenticate'),
    ('3d-x', '3d-X'),
)


class HeadersTests(SynchronousTestCase):
    """Header fields."""

    def test_spelling(self) -> None:
        """Names get Go's canonical spelling."""
        for name, expected in NAMES:
            self.assertEqual(canonical_name(name), expected)

    def test_any_case(self) -> None:
        """Fields are found whatever the case of their names; the first value wins."""
        headers = Headers([("content-MD5", "a"), ("Content-Md5", "b"), ("x", "y")])
        self.assertEqual((headers.get("CONTENT-md5"), headers.get_all("content-md5"), headers.get("z")),
                         ("a", ["a", "b"], ""))
        self.assertIn("X", headers)
        self.assertNotIn("z", headers)
        self.assertEqual(list(headers), [("Content-Md5", "a"), ("Content-Md5", "b"), ("X", "y")])

    def test_text(self) -> None:
        """A value is latin-1 as it is, and UTF-8 when asked for as text."""
        headers = Headers([("a", "\xc3\xa9"), ("b", "\xe9")])
        self.assertEqual((headers.get("a"), headers.get_text("a"), headers.get_text("b")),
                         ("\xc3\xa9", "\xe9", "\udce9"))


class FormErrorTests(SynchronousTestCase):
    """What Go's ParseForm would say."""

    def error(self, method: str, target: bytes, content_type: str = "") -> str | None:
        """The complaint about a request."""
        headers = Headers([("Content-Type", content_type)] if content_type else [])
        return form_error(make_request(method, target, headers))

    def test_texts(self) -> None:
        """The media type is looked at first, and only when there is a body to expect."""
        self.assertEqual(self.error("POST", b"/a?x=%zz"), 'invalid URL escape "%zz"')
        self.assertEqual(self.error("POST", b"/a?x=%zz", "a/"), "mime: expected token after slash")
        self.assertEqual(self.error("GET", b"/a?x=%zz", "a/"), 'invalid URL escape "%zz"')
        self.assertEqual(self.error("PUT", b"/a?x;y"), "invalid semicolon separator in query")
        self.assertEqual(self.error("PUT", b"/a", "a/b; x"), "mime: invalid media parameter")
        self.assertIsNone(self.error("POST", b"/a?x=1"))

    def test_form_is_a_file(self) -> None:
        """A form-urlencoded content type is no error; its body is not read as a form."""
        self.assertIsNone(self.error("POST", b"/a", "application/x-www-form-urlencoded"))


class NeedlePathTests(SynchronousTestCase):
    """Paths of needles."""

    def test_go_vectors(self) -> None:
        """The parts are those of SeaweedFS, odd offsets included."""
        for path, (vid, fid, filename, ext, is_volume_only) in NEEDLE_PATHS:
            found = parse_needle_path(path)
            self.assertEqual((found.vid, found.fid, found.filename, found.ext, found.is_volume_only),
                             (vid, fid, filename, ext, is_volume_only), path)

    def test_where_go_panics(self) -> None:
        """Paths on which Go's handler panics name no volume."""
        for path in ("/a/b/c/d/3,01637037d6", "/3.5,01637037d6", "*", ""):
            self.assertFalse(parse_needle_path(path).vid.isdigit(), path)

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=40))
    def test_never_fails(self, data: bytes) -> None:
        """Any path can be split."""
        parse_needle_path("/" + data.decode("utf-8", "surrogateescape"))


class ValueTests(SynchronousTestCase):
    """Values of arguments."""

    def test_numbers(self) -> None:
        """Numbers are read, refused and limited as Go's strconv does."""
        for text, lenient, strict, unsigned in NUMBERS:
            self.assertEqual((parse_int(text), strict_int(text), parse_uint(text)), (lenient, strict, unsigned), text)

    def test_enormous(self) -> None:
        """Thousands of digits are a large number and not a fault of ours."""
        self.assertEqual((parse_int("9" * 5000), parse_uint("0" * 5000 + "1"), strict_int("-" + "9" * 5000)),
                         (2**63 - 1, 1, None))

    def test_bool(self) -> None:
        """Exactly six words are true."""
        self.assertTrue(all(map(parse_bool, ("1", "t", "T", "true", "TRUE", "True"))))
        self.assertFalse(any(map(parse_bool, ("", "0", "f", "yes", "tRUE", "on", " true"))))

    @settings(max_examples=200, deadline=None)
    @given(st.text(max_size=30))
    def test_never_fails(self, text: str) -> None:
        """Any text has values."""
        parse_int(text), parse_uint(text), strict_int(text), parse_bool(text)


class RequestTests(SynchronousTestCase):
    """Requests as a whole."""

    def test_pretty(self) -> None:
        """Any non-empty ``pretty`` asks for indented JSON."""
        for target, expected in ((b"/?pretty=y", True), (b"/?pretty=0", True), (b"/?pretty", False), (b"/", False)):
            self.assertEqual(make_request("GET", target, Headers()).is_pretty, expected)

    def test_parts(self) -> None:
        """Path and query are decoded, the target is kept."""
        request = make_request("GET", b"/3,01%36?a=%20", Headers(), peer_host="h", is_public=True)
        self.assertEqual((request.path, request.query.get("a"), request.target, request.peer_host, request.is_public),
                         ("/3,016", " ", b"/3,01%36?a=%20", "h", True))
