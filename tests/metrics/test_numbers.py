"""Tests for seaweedvol.metrics.numbers."""

from __future__ import annotations

import math

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.metrics.numbers import go_float


class GoFloatTests(SynchronousTestCase):
    """Numbers look as Go's."""

    def test_as_go(self) -> None:
        """What Go 1.24 prints of these."""
        printed = {
            0: "0", 1: "1", 10: "10", 123456: "123456", 999999: "999999", 1000000: "1e+06", 1234567: "1.234567e+06",
            123456789.5: "1.234567895e+08", 1e21: "1e+21", 0.0001: "0.0001", 0.00001: "1e-05", 838.8608: "838.8608",
            1.795296506e9: "1.795296506e+09", 270553174016: "2.70553174016e+11", -2.5: "-2.5",
            2.0 ** 64: "1.8446744073709552e+19", math.inf: "+Inf", -math.inf: "-Inf", math.nan: "NaN",
        }
        self.assertEqual({value: go_float(value) for value in printed}, printed)

    @given(st.floats(allow_nan=False))
    @settings(max_examples=200, deadline=None)
    def test_same_number(self, value: float) -> None:
        """The text is that of the very same number."""
        self.assertEqual(float(go_float(value)), value)
