"""Amounts of bytes (``10GiB``, ``42 MB``), and the two-faced option that is either percent or an amount.

As in SeaweedFS ``util/bytes.go`` and ``util/minfreespace.go``.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

from seaweedvol.config.values import parse_float

_PREFIXES: Final = "kmgtpe"
_UNITS: Final = {
    "": 1, "b": 1,
    **{prefix + tail: 1024 ** power for power, prefix in enumerate(_PREFIXES, 1) for tail in ("i", "ib")},
    **{prefix + tail: 1000 ** power for power, prefix in enumerate(_PREFIXES, 1) for tail in ("", "b")},
}
_NUMBER = re.compile(r"[0-9.,]*")
_LEAST_AMOUNT: Final = 100


@attrs.frozen
class MinFreeSpace:
    """How much of a file system must stay free: ``percent`` of it, or ``amount`` bytes when that is not None."""

    percent: float = 1.0
    amount: int | None = None


def parse_bytes(text: str) -> int:
    """An amount with an optional unit, of 1000 (``kB``) or 1024 (``KiB``); commas between digits are skipped.

    :raises ValueError: when it is none, or does not fit in 64 bits.
    """
    found = _NUMBER.match(text)
    number = found[0] if found else ""
    unit = text[len(number):].strip().lower()
    value = parse_float(number.replace(",", ""))
    if unit not in _UNITS:
        raise ValueError(f"unhandled size name: {unit}")
    value *= _UNITS[unit]
    if value >= 2.0**64:
        raise ValueError(f"too large: {text}")
    return int(value)


def parse_min_free_space(text: str) -> MinFreeSpace:
    """A plain number is percent, 0 to 100; with a unit it is an amount of more than 100 bytes.

    :raises ValueError: when it is neither.
    """
    text = text.strip()
    try:
        percent = parse_float(text)
    except ValueError:
        amount = parse_bytes(text)
        if amount <= _LEAST_AMOUNT:
            raise ValueError("minFreeSpace is invalid") from None
        return MinFreeSpace(amount=amount)
    if not 0 <= percent <= 100:
        raise ValueError("minFreeSpace is invalid")
    return MinFreeSpace(percent=percent)
