"""Complaints about broken JSON must be those of Go's ``encoding/json``.

The expected texts were written by Go 1.26.
"""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.syntax.jsonfaults import END, complaint

GO = {
    b'': "unexpected end of JSON input",
    b'{nope': "invalid character 'n' looking for beginning of object key string",
    b'{': "unexpected end of JSON input",
    b'[1,': "unexpected end of JSON input",
    b'[1 2]': "invalid character '2' after array element",
    b'{"a" 1}': "invalid character '1' after object key",
    b'{"a":1 "b"}': "invalid character '\"' after object key:value pair",
    b'{"a":1,}': "invalid character '}' looking for beginning of object key string",
    b'{}x': "invalid character 'x' after top-level value",
    b'tru': "invalid character ' ' in literal true (expecting 'e')",
    b'trux': "invalid character 'x' in literal true (expecting 'e')",
    b'nulL': "invalid character 'L' in literal null (expecting 'l')",
    b'"\x01"': "invalid character '\\x01' in string literal",
    b'"\\x"': "invalid character 'x' in string escape code",
    b'"\\u12g4"': "invalid character 'g' in \\u hexadecimal character escape",
    b'-': "invalid character ' ' in numeric literal",
    b'-x': "invalid character 'x' in numeric literal",
    b'01': "invalid character '1' after top-level value",
    b'1.': "invalid character ' ' after decimal point in numeric literal",
    b'1.x': "invalid character 'x' after decimal point in numeric literal",
    b'1e': "invalid character ' ' in exponent of numeric literal",
    b'1e+x': "invalid character 'x' in exponent of numeric literal",
    b"'": "invalid character '\\'' looking for beginning of value",
    b'"abc': "unexpected end of JSON input",
    b'[': "unexpected end of JSON input",
    b'[,': "invalid character ',' looking for beginning of value",
    b'\xff': "invalid character '\u00ff' looking for beginning of value",
}


class ComplaintTests(SynchronousTestCase):
    """:func:`complaint`"""

    def test_equals_go(self) -> None:
        """Each place where a text can go wrong has Go's words."""
        self.assertEqual({text: complaint(text) for text in GO}, GO)

    @settings(max_examples=200, deadline=None)
    @given(st.text('{}[]",: 01tn-.e\\u', max_size=20))
    def test_agrees_with_a_reader(self, text: str) -> None:
        """What another reader takes has no complaint of its own; what it refuses has one."""
        found = complaint(text.encode())
        try:
            json.loads(text)
        except ValueError:
            self.assertTrue(found.startswith("invalid character") or found == END)
        else:
            self.assertEqual(found, END)
