"""Targets, queries and paths must come out as Go's ``net/url``, ``path`` and ServeMux read them.

The tables were written by a Go 1.26 program that called the functions themselves.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.syntax.urls import (
    MAX_QUERY_PARAMETERS, BadTarget, Query, base_name, bytes_of, clean, cleaned_location, escape_path, extension,
    parse_target, text_of, unescape,
)

# raw query, values, error
QUERIES: tuple[tuple[bytes, dict[str, list[str]], str | None], ...] = (
    (b'', {}, None),
    (b'a=1&b=2', {'a': ['1'], 'b': ['2']}, None),
    (b'a=1&a=2', {'a': ['1', '2']}, None),
    (b'a', {'a': ['']}, None),
    (b'a=', {'a': ['']}, None),
    (b'=v', {'': ['v']}, None),
    (b'&&a=1&', {'a': ['1']}, None),
    (b'a=1;b=2', {}, 'invalid semicolon separator in query'),
    (b'a=1;b&c=3', {'c': ['3']}, 'invalid semicolon separator in query'),
    (b'a=%zz', {}, 'invalid URL escape "%zz"'),
    (b'a=%4', {}, 'invalid URL escape "%4"'),
    (b'%zz=1&b=%C3%A9', {'b': ['é']}, 'invalid URL escape "%zz"'),
    (b'a=b+c%2Bd', {'a': ['b c+d']}, None),
    (b'%41=%00', {'A': ['\x00']}, None),
    (b'a=%ff', {'a': ['\udcff']}, None),
    (b'x=%zz&y=1;2', {}, 'invalid semicolon separator in query'),
    (b'y=1;2&x=%zz', {}, 'invalid semicolon separator in query'),
    (b'a=b=c', {'a': ['b=c']}, None),
    (b'a=\xc3\xa9', {'a': ['é']}, None),
)

# target, (path, escaped path, raw query)
TARGETS = (
    (b'/3,01637037d6', ('/3,01637037d6', '/3,01637037d6', b'')),
    (b'/a%20b', ('/a b', '/a%20b', b'')),
    (b'/a%2fb?x=1', ('/a/b', '/a%2fb', b'x=1')),
    (b'/a%zz', None),
    (b'/caf\xc3\xa9', ('/café', '/caf%C3%A9', b'')),
    (b'/caf%C3%A9', ('/café', '/caf%C3%A9', b'')),
    (b"/a!b'(c)*", ("/a!b'(c)*", "/a!b'(c)*", b'')),
    (b'/[x]', ('/[x]', '/[x]', b'')),
    (b'/a b', ('/a b', '/a%20b', b'')),
    (b'*', ('*', '*', b'')),
    (b'', None),
    (b'a/b', None),
    (b'http://h/p?q', ('/p', '/p', b'q')),
    (b'http://h', ('', '', b'')),
    (b'mailto:x', ('', '', b'')),
    (b':x', None),
    (b'/a\x01', None),
    (b'/a#b', ('/a#b', '/a%23b', b'')),
    (b'/?', ('/', '/', b'')),
    (b'/a?b?c', ('/a', '/a', b'b?c')),
    (b'1http://h', None),
    (b'//h/p', ('//h/p', '//h/p', b'')),
    (b'/%ff', ('/\udcff', '/%ff', b'')),
)

# target, where ServeMux redirects to
REDIRECTS = (
    (b'/a', None),
    (b'/a/b/', None),
    (b'//a', '/a'),
    (b'/a/../b', '/b'),
    (b'/a/./b', '/a/b'),
    (b'/a//b/?x=1', '/a/b/?x=1'),
    (b'/a/..', '/'),
    (b'//a%20b', '/a%2520b'),
    (b'/a%2F..%2Fb', None),
    (b'http://h', '/'),
    (b'/..//%C3%A9', '/%25C3%25A9'),
    (b'/a/.', '/a'),
    (b'//a?\xc3\xa9', '/a?\xc3\xa9'),
)

# path, path.Clean, path.Base, filepath.Ext
PATHS = (
    ('', '.', '.', ''),
    ('/', '/', '/', ''),
    ('//', '/', '/', ''),
    ('a', 'a', 'a', ''),
    ('a/', 'a', 'a', ''),
    ('/a/b/../c', '/a/c', 'c', ''),
    ('../a', '../a', 'a', ''),
    ('a/../..', '..', '..', '.'),
    ('/..', '/', '..', '.'),
    ('a.txt', 'a.txt', 'a.txt', '.txt'),
    ('/d.x/e', '/d.x/e', 'e', ''),
    ('e.tar.gz', 'e.tar.gz', 'e.tar.gz', '.gz'),
    ('.x', '.x', '.x', '.x'),
    ('/a//b/', '/a/b', 'b', ''),
    ('x/..', '.', '..', '.'),
)


class QueryTests(SynchronousTestCase):
    """Query strings."""

    def test_go_vectors(self) -> None:
        """Values and complaints are Go's."""
        for raw, values, error in QUERIES:
            query = Query(raw)
            self.assertEqual((dict(query.items()), query.error), (values, error), raw)

    def test_first_value(self) -> None:
        """A name that comes twice answers with its first value, an absent one with the default."""
        query = Query(b"a=1&a=2")
        self.assertEqual((query.get("a"), query.get_all("a"), query.get("b"), query.get("b", "x")),
                         ("1", ["1", "2"], "", "x"))
        self.assertIn("a", query)
        self.assertNotIn("b", query)

    def test_too_many(self) -> None:
        """Beyond ten thousand pairs none is read and Go complains."""
        self.assertEqual(Query(b"&" * (MAX_QUERY_PARAMETERS - 1)).error, None)
        query = Query(b"a=1" + b"&" * MAX_QUERY_PARAMETERS)
        self.assertEqual((list(query.items()), query.error),
                         ([], "number of URL query parameters exceeded limit"))

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=60))
    def test_never_fails(self, raw: bytes) -> None:
        """Whatever stands there, a query can be read."""
        Query(raw)


class TargetTests(SynchronousTestCase):
    """Request targets."""

    def test_go_vectors(self) -> None:
        """Path, escaped path and query are Go's; what Go refuses is refused."""
        for raw, expected in TARGETS:
            if expected is None:
                self.assertRaises(BadTarget, parse_target, raw)
            else:
                target = parse_target(raw)
                self.assertEqual((target.path, target.escaped_path, target.raw_query), expected, raw)

    def test_connect(self) -> None:
        """The authority of a CONNECT is no path."""
        self.assertEqual(parse_target(b"host:80", is_connect=True).path, "")

    def test_redirects(self) -> None:
        """Unclean paths lead where Go's mux sends them, doubled escapes included."""
        for raw, expected in REDIRECTS:
            self.assertEqual(cleaned_location(parse_target(raw)), expected, raw)

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=40))
    def test_only_bad_target(self, raw: bytes) -> None:
        """Any bytes give a target or BadTarget, and each target has a verdict of the mux."""
        try:
            cleaned_location(parse_target(raw))
        except BadTarget:
            pass

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=40))
    def test_escapes_return(self, path: bytes) -> None:
        """What is escaped comes back when it is unescaped."""
        self.assertEqual(unescape(escape_path(path)), path)


class PathTests(SynchronousTestCase):
    """Operations on slash-separated paths."""

    def test_go_vectors(self) -> None:
        """Clean, base and extension are Go's."""
        for path, cleaned, base, ext in PATHS:
            self.assertEqual((clean(path), base_name(path), extension(path)), (cleaned, base, ext), path)

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=40))
    def test_text_keeps_bytes(self, data: bytes) -> None:
        """Any bytes survive being text."""
        self.assertEqual(bytes_of(text_of(data)), data)

    def test_foreign_surrogate(self) -> None:
        """Text that stands for no bytes still becomes bytes."""
        self.assertEqual(bytes_of("a\ud800"), b"a?")
