"""Tests of :mod:`seaweedvol.profiling.samples`."""

from __future__ import annotations

import gzip

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import profile_pb2
from seaweedvol.profiling.samples import Call, Samples

INNER, OUTER = Call("a.py", "a.inner", 3, 5), Call("a.py", "a.outer", 10, 12)


class SamplesTests(SynchronousTestCase):
    """How profiles are written down."""

    def setUp(self) -> None:
        found = {("one", (INNER, OUTER)): [2, 700], ("", (OUTER,)): [1, 900]}
        self.samples = Samples((("samples", "count"), ("cpu", "nanoseconds")), found, 10_000_000, 5, 6, "a comment")

    def test_encoded(self) -> None:
        """Every stack is there with its values and its thread, and equal functions and places are there once."""
        profile = profile_pb2.Profile.FromString(gzip.decompress(self.samples.encoded()))
        texts = profile.string_table
        self.assertEqual(texts[0], "")
        self.assertEqual([(texts[kind.type], texts[kind.unit]) for kind in profile.sample_type],
                         [("samples", "count"), ("cpu", "nanoseconds")])
        functions = {each.id: each for each in profile.function}
        places = {each.id: each for each in profile.location}
        self.assertEqual((len(functions), len(places), len(profile.mapping)), (2, 2, 1))
        first, second = profile.sample
        self.assertEqual([texts[functions[places[number].line[0].function_id].name] for number in first.location_id],
                         ["a.inner", "a.outer"])
        self.assertEqual((list(first.value), places[second.location_id[0]].line[0].line), ([2, 700], 12))
        self.assertEqual([(texts[label.key], texts[label.str]) for label in first.label], [("thread", "one")])
        self.assertEqual(list(second.label), [])
        self.assertEqual((profile.period, texts[profile.period_type.type], profile.duration_nanos),
                         (10_000_000, "cpu", 6))
        self.assertEqual([texts[number] for number in profile.comment], ["a comment"])

    def test_no_samples(self) -> None:
        """A profile of nothing is one."""
        profile = profile_pb2.Profile.FromString(gzip.decompress(Samples((("a", "b"),), {}).encoded()))
        self.assertEqual(len(profile.sample), 0)

    def test_text(self) -> None:
        """As text the largest comes first, with files and lines."""
        text = self.samples.text()
        self.assertIn("1600 cpu nanoseconds in 2 stacks", text)
        self.assertLess(text.index("900 cpu"), text.index("700 cpu"))
        self.assertIn("a.inner\n      a.py:5\n", text)
        self.assertIn("thread one", text)
