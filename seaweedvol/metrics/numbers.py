"""Numbers as Go's Prometheus client writes them, in values and in the ``le`` of buckets: queries compare the text."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Final

# Go writes exponents outside of these.
_LEAST_EXPONENT: Final = -4
_MOST_EXPONENT: Final = 5


def go_float(value: float) -> str:
    """As ``strconv.FormatFloat(value, 'g', -1, 64)``: 1, 0.0001, 1.6384, 1e+06, +Inf."""
    value = float(value)
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    if value == 0:
        return "0"
    # The shortest digits that give the same number back.
    shortest = Decimal(repr(abs(value)))
    exponent = shortest.adjusted()
    digits = "".join(map(str, shortest.as_tuple().digits)).strip("0")
    sign = "-" if value < 0 else ""
    if not _LEAST_EXPONENT <= exponent <= _MOST_EXPONENT:
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{rest}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole, part = digits[:exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1:]
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"
