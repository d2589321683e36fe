"""Media types and dispositions must be read and written as Go's ``mime`` package does.

The tables were written by a Go 1.26 program that called the functions themselves.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.syntax.disposition import InvalidParameter, MediaTypeError, format_media_type, parse_media_type

# text, type, parameters, error
READ: tuple[tuple[str, str | None, dict[str, str] | None, str | None], ...] = (
    ('text/plain', 'text/plain', {}, None),
    ('Text/HTML; Charset=UTF-8', 'text/html', {'charset': 'UTF-8'}, None),
    ('attachment; filename=a.txt', 'attachment', {'filename': 'a.txt'}, None),
    ('attachment; filename="a b.txt"', 'attachment', {'filename': 'a b.txt'}, None),
    ('attachment; filename="C:\\dir\\x.txt"', 'attachment', {'filename': 'C:\\dir\\x.txt'}, None),
    ('a; filename="q\\"q"', 'a', {'filename': 'q"q'}, None),
    ("a; filename*=utf-8''%e2%82%ac", 'a', {'filename': '€'}, None),
    ("a; filename*=iso-8859-1''%e4", 'a', {}, None),
    ('a; filename*0=foo; filename*1=bar', 'a', {'filename': 'foobar'}, None),
    ("a; filename*0*=utf-8''%E2%82; filename*1*=%AC", 'a', {'filename': '€'}, None),
    ('a; x=1; x=1', 'a', {'x': '1'}, None),
    ('a; x=1; x=2', None, None, 'mime: duplicate parameter name'),
    ('a;', 'a', {}, None),
    ('a; ;', None, None, 'mime: invalid media parameter'),
    ('a; x', None, None, 'mime: invalid media parameter'),
    ('a; x=', None, None, 'mime: invalid media parameter'),
    ('a; x="', None, None, 'mime: invalid media parameter'),
    ('', None, None, 'mime: no media type'),
    (';x', None, None, 'mime: no media type'),
    ('a/', None, None, 'mime: expected token after slash'),
    ('a b', None, None, 'mime: expected slash after first token'),
    ('a/b c', None, None, 'mime: unexpected content after media subtype'),
    ('/b', None, None, 'mime: no media type'),
    ('a; filename=é', None, None, 'mime: invalid media parameter'),
    ('a;x=y z', None, None, 'mime: invalid media parameter'),
    ('a ; x = y', 'a', {'x': 'y'}, None),
    ('a; X*1=b', 'a', {}, None),
)

# file name, disposition
WRITTEN = (
    ('a.txt', 'inline; filename=a.txt'),
    ('a b.txt', 'inline; filename="a b.txt"'),
    ('q"q\\.txt', 'inline; filename="q\\"q\\\\.txt"'),
    ('€.txt', "inline; filename*=utf-8''%E2%82%AC.txt"),
    ("aé b*'%.txt", "inline; filename*=utf-8''a%C3%A9%20b%2A%27%25.txt"),
    ('new\nline', "inline; filename*=utf-8''new%0Aline"),
    ('tab\there', 'inline; filename="tab\there"'),
    ('', 'inline; filename=""'),
    ('semi;colon', 'inline; filename="semi;colon"'),
    ('x=y', 'inline; filename="x=y"'),
    ('pl+us.txt', 'inline; filename=pl+us.txt'),
)


class ReadingTests(SynchronousTestCase):
    """ParseMediaType."""

    def test_go_vectors(self) -> None:
        """Types, parameters and complaints are Go's."""
        for text, kind, parameters, complaint in READ:
            if complaint is not None:
                error = self.assertRaises(MediaTypeError, parse_media_type, text)
                self.assertEqual(str(error), complaint, text)
            else:
                found = parse_media_type(text)
                self.assertEqual((found.kind, found.parameters), (kind, parameters), text)

    def test_type_survives(self) -> None:
        """A bad parameter does not hide the type."""
        error = self.assertRaises(InvalidParameter, parse_media_type, "Text/Plain; x")
        self.assertEqual(error.media_type, "text/plain")

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet='ab;=" /*01\'%\\utf-8\r\t\u20ac\udcff', max_size=40))
    def test_only_its_own_error(self, text: str) -> None:
        """Any text is a media type or a MediaTypeError."""
        for candidate in (text, "a; filename" + text):
            try:
                parse_media_type(candidate)
            except MediaTypeError:
                pass


class WritingTests(SynchronousTestCase):
    """FormatMediaType."""

    def test_go_vectors(self) -> None:
        """File names are quoted or encoded where Go does."""
        for name, expected in WRITTEN:
            self.assertEqual(format_media_type("inline", {"filename": name}), expected)

    def test_order_and_case(self) -> None:
        """Parameters come sorted, names and types in lower case."""
        self.assertEqual(format_media_type("Text/X", {"b": "1", "A": "2"}), "text/x; a=2; b=1")

    def test_no_token(self) -> None:
        """What cannot be written gives nothing."""
        self.assertEqual((format_media_type("a b", {}), format_media_type("a", {"x y": "1"}),
                          format_media_type("a/b/c", {})), ("", "", ""))

    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from(["inline", "Attachment", "text/X", "a b", "", "a/b/c", "a/"]),
           st.sampled_from(["filename", "Name", "x y", ""]),
           st.text(alphabet='ab.-_*%\'"\\\t\n\x7f/;= \u20ac\udcff\ud800', max_size=12))
    def test_one_parameter(self, kind: str, name: str, value: str) -> None:
        """One parameter alone, the usual case, is written as it is among others."""
        others = format_media_type(kind, {name: value, "~": "z"})
        self.assertEqual(format_media_type(kind, {name: value}), others.removesuffix("; ~=z"))

    @settings(max_examples=200, deadline=None)
    @given(st.binary(min_size=1, max_size=40))
    def test_file_names_return(self, raw: bytes) -> None:
        """A file name that was written reads back, and the text is fit for a header."""
        name = raw.decode("utf-8", "surrogateescape")
        text = format_media_type("attachment", {"filename": name})
        self.assertTrue(text.isascii() and "\n" not in text and "\r" not in text)
        self.assertEqual(parse_media_type(text).parameters, {"filename": name})
