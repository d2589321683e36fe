"""Small plots, as SVG that needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from twisted.web.template import Tag, tags

HEIGHT: Final = 32
_STEP: Final = 4
_BAR: Final = 3


def bars(values: Sequence[int], label: str) -> Tag:
    """One bar for each value, the oldest first, the highest as high as the plot; ``label`` is for who cannot see it."""
    highest = max(values, default=0) or 1
    drawn = [_bar(at * _STEP, _height(value, highest)) for at, value in enumerate(values)]
    width = max(len(values) * _STEP, 1)
    return Tag("svg", attributes={
        "class": "plot", "viewBox": f"0 0 {width} {HEIGHT}", "preserveAspectRatio": "none", "role": "img",
        "aria-label": label,
    }, children=[Tag("title", children=[label]), *drawn])


def _height(value: int, highest: int) -> int:
    # Something is never drawn as nothing.
    return max(round(value * HEIGHT / highest), 1) if value > 0 else 0


def _bar(left: int, height: int) -> Tag:
    return Tag("rect", attributes={
        "x": str(left), "y": str(HEIGHT - height), "width": str(_BAR), "height": str(height)})


def meter(percentage: float, label: str, *, is_bad: bool = False) -> Tag:
    """A bar that is so far full, with a text beside it."""
    return tags.span(
        tags.span(tags.span(style=f"width:{percentage:.1f}%", class_="bad" if is_bad else "good"), class_="meter"),
        tags.span(label, class_="of"), class_="metered")
