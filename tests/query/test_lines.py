"""Which lines are meant, and what of them is. What is expected here, Go said."""

from __future__ import annotations

import json

from hypothesis import given, settings, strategies
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.query import Question, answer, answer_part

LINES = b"""{"score":3,"name":"Ann","tags":["x","y"],"ok":true,"sub":{"a.b":1}}
{"score":12.5,"name":"Bob\\u0021","tags":[],"ok":false,"none":null}
{"name":"Cy","tags":[{"k":1,"v":"one"},{"k":2,"v":"two"}]}
"""

JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats(allow_nan=False)
    | strategies.text(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner), max_leaves=20)


def ask(text: bytes, *selections: bytes, where: bytes = b"name", operator: bytes = b"", wanted: bytes = b"") -> bytes:
    """The records."""
    return answer(text, Question(selections, where, operator, wanted))


class ConditionTests(SynchronousTestCase):
    """Which lines."""

    def test_operators(self) -> None:
        """By the kind of the value: strings octet by octet and by wildcards, numbers, truths."""
        for where, operator, wanted, names in (
            (b"score", b">", b"3", "Bob"), (b"score", b">=", b"3", "Ann Bob"), (b"score", b"=", b"0x1.9p3", "Bob"),
            (b"score", b"!=", b"3", "Bob"), (b"score", b"<", b"no number", ""), (b"score", b"<=", b"1_0", "Ann"),
            (b"score", b"%", b"3", ""), (b"score", b"", b"", "Ann Bob"), (b"score", b"~", b"3", ""),
            (b"name", b"%", b"*b!", "Bob"), (b"name", b"!%", b"?n*", "Bob Cy"), (b"name", b"%", b"A\\*n", ""),
            (b"name", b"=", b"Bob!", "Bob"), (b"name", b"<", b"B", "Ann"), (b"name", b"%", b"\\", ""),
            (b"ok", b"=", b"true", "Ann"), (b"ok", b"!=", b"true", "Bob"), (b"ok", b">", b"false", "Ann"),
            (b"ok", b">=", b"?", "Ann"), (b"ok", b"<=", b"?", "Bob"), (b"ok", b"<", b"true", "Bob"),
            (b"none", b"", b"", "Bob"), (b"none", b"=", b"null", ""), (b"tags", b"=", b"[]", ""), (b"", b"", b"", ""),
        ):
            found = ask(LINES, b"name", where=where, operator=operator, wanted=wanted)
            expected = "".join({"Ann": '{name:"Ann"}', "Bob": '{name:"Bob\\u0021"}', "Cy": '{name:"Cy"}'}[name]
                               for name in names.split())
            self.assertEqual(found.decode(), expected, (where, operator, wanted))


class PathTests(SynchronousTestCase):
    """What of them."""

    def test_paths(self) -> None:
        """Each way to say where a value is."""
        for path, found in (
            (b"name", b'"Ann"'), (b"n?me", b'"Ann"'), (b"t*.1", b'"y"'), (b"tags.#", b"2"), (b"tags.9", b""),
            (b"sub.a\\.b", b"1"), (b"sub|a\\.b", b"1"), (b"tags.@reverse", b'["y","x"]'), (b"tags|@reverse|0", b'"y"'),
            (b"{name,\"n\":score}", b'{"name":"Ann","n":3}'), (b"[score,none,ok].1", b"true"), (b"!\"x\"", b'"x"'),
            (b"@keys", b'["score","name","tags","ok","sub"]'), (b"..0.score", b"3"), (b"..#", b"1"),
            (b"@values|#", b"5"), (b"@this.ok", b"true"), (b"@nope", b""), (b"[name", b""), (b"none", b""),
            (b"name.@tostr", b'"\\"Ann\\""'), (b"sub.@pretty", b'{\n  "a.b": 1\n}\n'),
            (b"name.@tostr.@fromstr", b'"Ann"'),
            (b"tags.@ugly", b'["x","y"]'), (b"@dig:a\\.b", b"[1]"), (b"tags.@join", b"{}"), (b"@valid.score", b"3"),
        ):
            self.assertEqual(ask(LINES.splitlines()[0], path), b"{" + path + b":" + found + b"}")

    def test_conditions(self) -> None:
        """Elements of an array that meet a condition: the first, or all."""
        for path, found in (
            (b"tags.#(k=2).v", b'"two"'), (b"tags.#(k>0)#.v", b'["one","two"]'), (b"tags.#(k>9)#", b"[]"),
            (b"tags.#(k>9)", b""), (b"tags.#.v", b'["one","two"]'), (b"tags.#[v%\"t*\"].k", b"2"),
            (b"tags.#(none=~null)#|#", b"2"), (b"tags.#(k=~true)#.k", b"[1,2]"), (b"tags.#.k|@reverse", b"[2,1]"),
            (b"tags.@group", b""), (b"tags.@flatten|1.v", b'"two"'),
        ):
            self.assertEqual(ask(LINES.splitlines()[2], path), b"{" + path + b":" + found + b"}")

    def test_words(self) -> None:
        """Names have no quotes, null and what is not there is nothing, records are not separated, nothing selected is
        an empty record.
        """
        self.assertEqual(ask(LINES, b"none", b"score", where=b"score"), b"{none:,score:3}{none:,score:12.5}")
        self.assertEqual(ask(LINES), b"{}{}{}")
        self.assertEqual(ask(b"", b"a"), b"")


class LenienceTests(SynchronousTestCase):
    """What is no JSON lines."""

    def test_not_lines(self) -> None:
        """Values need no lines, and what begins none is passed over."""
        self.assertEqual(ask(b'x{"name":1}{"name" 2},,{name:3}"name" [{"name":4', b"name"), b"{name:1}{name:2}")
        self.assertEqual(ask(b'{"name":"never ends', b"name"), b"")
        self.assertEqual(ask(b'{"name":1}\n"never ends\n{"name":2}', b"name"), b"{name:1}")

    @settings(max_examples=200, deadline=None)
    @given(strategies.binary(max_size=80), strategies.binary(max_size=30), strategies.binary(max_size=30))
    def test_anything(self, text: bytes, path: bytes, where: bytes) -> None:
        """Nothing that can be written is an error."""
        ask(text, path, where=where)

    @settings(max_examples=200, deadline=None)
    @given(JSON)
    def test_whole(self, value: object) -> None:
        """A value comes out as it stands in the text."""
        text = json.dumps([value]).encode()
        found = ask(text, b"0", where=b"@this")
        self.assertEqual(found, b"{0:" + (b"" if value is None else text[1:-1]) + b"}")

    @settings(max_examples=200, deadline=None)
    @given(strategies.lists(JSON, max_size=6), strategies.integers(1, 40))
    def test_parts(self, values: list[object], length: int) -> None:
        """Parts of a text give what the whole gives, however it is cut."""
        text = b"\n".join(json.dumps(value).encode() for value in values)
        question = Question((b"@this", b"0"), b"@this")
        pieces, at, size = [], 0, length
        while at < len(text):
            records, seen = answer_part(text[at:at + size], question, is_last=at + size >= len(text))
            pieces.append(records)
            at, size = at + seen, length if seen else size * 2
        self.assertEqual(b"".join(pieces), answer(text, question))
