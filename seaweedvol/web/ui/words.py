"""Numbers as people read them."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def readable(size: int) -> str:
    """A number of bytes: ``1.50 GiB``."""
    value = float(size)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            return f"{value:.2f} {unit}" if unit != "B" else f"{size} B"
        value /= 1024
    raise AssertionError("unreachable")


def legible(text: str) -> str:
    """A name out of a file system, which may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def up_time(seconds: int) -> str:
    """A length of time as Go writes it: ``1h2m3s``."""
    hours, rest = divmod(max(seconds, 0), 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


def ago(now: float, then: float | None) -> str:
    """How long it is since a moment, both in seconds since 1970; "never" when there was none."""
    return "never" if then is None else f"{up_time(int(now - then))} ago"


def percent(part: float, whole: float) -> float:
    """From 0 to 100; nothing of nothing is 0."""
    return min(max(100.0 * part / whole, 0.0), 100.0) if whole > 0 else 0.0
