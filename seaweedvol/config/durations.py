"""Durations as Go writes and reads them: ``300ms``, ``1.5h``, ``1m30s``.

A duration is a whole number of nanoseconds. As in Go's ``time.ParseDuration``, with its words when it cannot.
"""

from __future__ import annotations

import re
from typing import Final

NANOSECONDS: Final = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # micro sign
    "\u03bcs": 1_000,  # Greek letter mu
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LARGEST: Final = 2**63
_PIECE = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^.0-9]*)")


def parse_duration(text: str) -> int:
    """Nanoseconds.

    :raises ValueError: with Go's words.
    """
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    if not rest:
        raise ValueError(f"time: invalid duration {_quote(text)}")
    total, at = 0, 0
    while at < len(rest):
        piece = _PIECE.match(rest, at)
        assert piece is not None
        total += _nanoseconds(text, piece)
        if total > _LARGEST:
            raise ValueError(f"time: invalid duration {_quote(text)}")
        at = piece.end()
    if text[0] == "-":
        return -total
    if total == _LARGEST:
        raise ValueError(f"time: invalid duration {_quote(text)}")
    return total


def _nanoseconds(text: str, piece: re.Match[str]) -> int:
    """One number with its unit."""
    whole, fraction, unit = piece[1], piece[2] or "", piece[3]
    # 19 digits hold every number below 2**63; Python refuses to read thousands.
    if not whole and not fraction or len(whole.lstrip("0")) > 19 or int(whole or "0") > _LARGEST:
        raise ValueError(f"time: invalid duration {_quote(text)}")
    if not unit:
        raise ValueError(f"time: missing unit in duration {_quote(text)}")
    scale = NANOSECONDS.get(unit)
    if scale is None:
        raise ValueError(f"time: unknown unit {_quote(unit)} in duration {_quote(text)}")
    value = int(whole.lstrip("0") or "0") * scale
    if value > _LARGEST:
        raise ValueError(f"time: invalid duration {_quote(text)}")
    if fraction:
        digits = fraction[:18]  # what follows is less than a nanosecond, even of an hour
        value += int(float(int(digits)) * (float(scale) / 10.0 ** len(digits)))
    return value


def _quote(text: str) -> str:
    """As Go's ``time`` quotes: bytes that are not printable ASCII as ``\\xNN``."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif " " <= char < "\x80":
            out.append(char)
        else:
            out.extend(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
    return '"' + "".join(out) + '"'
