"""JSON must be byte for byte what Go's ``encoding/json`` writes.

The tables were written by a Go 1.26 program that called the functions themselves.
"""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.syntax.gojson import Float32, Struct, dumps, omit_empty

# names and values of a map, Marshal, MarshalIndent with two spaces
MAPS = (
    (('a', '<b>&"\\/'), b'{"a":"\\u003cb\\u003e\\u0026\\"\\\\/"}',
     b'{\n  "a": "\\u003cb\\u003e\\u0026\\"\\\\/"\n}'),
    (('k', '\u2028\u2029€😀'), b'{"k":"\\u2028\\u2029\xe2\x82\xac\xf0\x9f\x98\x80"}',
     b'{\n  "k": "\\u2028\\u2029\xe2\x82\xac\xf0\x9f\x98\x80"\n}'),
    (('k', '\x08\x0c\n\r\t\x00\x1f\x7f'), b'{"k":"\\b\\f\\n\\r\\t\\u0000\\u001f\x7f"}',
     b'{\n  "k": "\\b\\f\\n\\r\\t\\u0000\\u001f\x7f"\n}'),
    (('z', '1', 'a', '2', 'é', '3', 'B', '4'), b'{"B":"4","a":"2","z":"1","\xc3\xa9":"3"}',
     b'{\n  "B": "4",\n  "a": "2",\n  "z": "1",\n  "\xc3\xa9": "3"\n}'),
    (('k', b'\xff\xc3('), b'{"k":"\\ufffd\\ufffd("}',
     b'{\n  "k": "\\ufffd\\ufffd("\n}'),
    (('', ''), b'{"":""}',
     b'{\n  "": ""\n}'),
)

# number, as float64, as float32
FLOATS = (
    (0, b'0', b'0'),
    (1, b'1', b'1'),
    (-1.5, b'-1.5', b'-1.5'),
    (0.1, b'0.1', b'0.1'),
    (1e20, b'100000000000000000000', b'100000000000000000000'),
    (1e21, b'1e+21', b'1e+21'),
    (1e-6, b'0.000001', b'0.000001'),
    (1e-7, b'1e-7', b'1e-7'),
    (123456789.125, b'123456789.125', b'123456790'),
    (1.5e-10, b'1.5e-10', b'1.5e-10'),
    (3.4028234e38, b'3.4028234e+38', b'3.4028235e+38'),
    (33.333333, b'33.333333', b'33.333332'),
    (1e100, b'1e+100', b''),
    (5e-324, b'5e-324', b'0'),
)


class StringTests(SynchronousTestCase):
    """Text, and maps of it."""

    def test_go_vectors(self) -> None:
        """Escapes, order and indentation are Go's."""
        for items, compact, indented in MAPS:
            texts = [x.decode("utf-8", "surrogateescape") if isinstance(x, bytes) else x for x in items]
            value = dict(zip(texts[::2], texts[1::2]))
            self.assertEqual((dumps(value), dumps(value, indent="  ")), (compact, indented))

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
    def test_reads_back(self, text: str) -> None:
        """Any text reads back, in plain and indented form."""
        value = {"k": text, text: [text]}
        for indent in ("", "  "):
            self.assertEqual(json.loads(dumps(value, indent=indent)), value)


class NumberTests(SynchronousTestCase):
    """Numbers."""

    def test_floats(self) -> None:
        """Fractions have as many digits as Go gives them."""
        for number, wide, narrow in FLOATS:
            self.assertEqual(dumps(float(number)), wide)
            if narrow:                          # Go refuses what is no float32
                self.assertEqual(dumps(Float32(float(number))), narrow)

    def test_integers(self) -> None:
        """Integers are not rounded; truth values are words."""
        self.assertEqual(dumps([2**64 - 1, -1, True, False, None]), b"[18446744073709551615,-1,true,false,null]")

    def test_not_a_number(self) -> None:
        """Neither NaN nor infinity has JSON."""
        for number in (float("nan"), float("inf"), -float("inf")):
            self.assertRaises(ValueError, dumps, number)


class ShapeTests(SynchronousTestCase):
    """Structs, sequences, bytes."""

    def test_struct(self) -> None:
        """A struct keeps the order of its fields, a map does not."""
        self.assertEqual(dumps(Struct((("b", 1), ("a", {"z": 1, "y": 2})))), b'{"b":1,"a":{"y":2,"z":1}}')

    def test_omit_empty(self) -> None:
        """Empty fields are left out when the struct says so."""
        value = omit_empty(("s", ""), ("n", 0), ("x", "1"), ("l", []), ("f", Float32(0.0)), ("b", False))
        self.assertEqual(dumps(value), b'{"x":"1"}')

    def test_indented_nesting(self) -> None:
        """Nested values are indented deeper; empty ones stay on their line."""
        self.assertEqual(dumps({"a": [1, {}], "b": []}, indent="  "),
                         b'{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}')

    def test_bytes(self) -> None:
        """Bytes are base64."""
        self.assertEqual(dumps(b"\xff\x00"), b'"/wA="')

    def test_unknown(self) -> None:
        """What Go's types have no counterpart for is refused."""
        self.assertRaises(TypeError, dumps, {"a": object()})
