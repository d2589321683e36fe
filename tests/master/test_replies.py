"""JSON as Go writes it."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.replies import json_text, lookup_reply, request_id


class JsonTests(SynchronousTestCase):
    """Texts of answers."""

    def test_forms(self) -> None:
        """Close together, or indented by two."""
        value = {"b": 1, "a": ["ä", None]}
        self.assertEqual(json_text(value), '{"b":1,"a":["ä",null]}'.encode())
        self.assertEqual(json_text({"a": 1}, is_pretty=True), b'{\n  "a": 1\n}')

    def test_what_html_would_read_is_escaped(self) -> None:
        """As Go's encoder does by default."""
        self.assertEqual(json_text("<a>&\u2028"), b'"\\u003ca\\u003e\\u0026\\u2028"')

    @settings(max_examples=100, deadline=None)
    @given(st.text())
    def test_every_text_can_be_read_again(self, text: str) -> None:
        """No text breaks an answer; what is no character becomes one that is."""
        read = json.loads(json_text(text))
        self.assertEqual(read, text.encode("utf-8", "replace").decode())

    def test_lookup_leaves_out_what_is_empty(self) -> None:
        """As Go's omitempty."""
        self.assertEqual(lookup_reply("", [], "why"), {"error": "why"})

    def test_request_ids_differ(self) -> None:
        """Upper case hexadecimal, never the same."""
        one, other = request_id(), request_id()
        self.assertNotEqual(one, other)
        self.assertRegex(one, r"\A[0-9A-F]{24}\Z")
