"""Small plots."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.template import Tag, flattenString

from seaweedvol.web.ui.plots import HEIGHT, bars, meter


class PlotTests(SynchronousTestCase):
    """As HTML."""

    def html(self, tag: Tag) -> str:
        """What a browser gets."""
        return self.successResultOf(flattenString(None, tag)).decode("utf-8")

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.integers(0, 1 << 40), max_size=60))
    def test_bars(self, values: list[int]) -> None:
        """One for each value, none higher than the plot, the highest as high; only nothing is not to be seen."""
        heights = [int(height) for height in re.findall(r'height="(\d+)"', self.html(bars(values, "some")))]
        self.assertEqual(len(heights), len(values))
        self.assertTrue(all(0 <= height <= HEIGHT for height in heights))
        self.assertEqual([height > 0 for height in heights], [value > 0 for value in values])
        if any(values):
            self.assertEqual(heights[values.index(max(values))], HEIGHT)

    def test_label(self) -> None:
        """Who cannot see the plot is told of it; what it is told cannot become markup."""
        html = self.html(bars([1], '<b> & "'))
        self.assertIn("&lt;b&gt; &amp;", html)
        self.assertNotIn("<b>", html)

    def test_meter(self) -> None:
        """So far full, and marked when that is bad."""
        self.assertIn('style="width:12.3%"', self.html(meter(12.34, "12 %")))
        self.assertIn('class="bad"', self.html(meter(99.0, "99 %", is_bad=True)))
