"""How a tool speaks: results on standard output, everything else on standard error, and how far it has come.

On a terminal that is a bar with the time that is left, else one line every ten seconds, and nothing at all from what
is done sooner.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import BinaryIO, Final, TextIO

import attrs

LINE_INTERVAL: Final = 10.0
BAR_INTERVAL: Final = 0.2
_BAR_LENGTH: Final = 24
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


def size_text(count: float) -> str:
    """A number of bytes for people: ``1.5 MiB``."""
    unit = 0
    while count >= 1024 and unit < len(_UNITS) - 1:
        count /= 1024
        unit += 1
    return f"{count:.1f} {_UNITS[unit]}" if unit else f"{count:.0f} B"


def time_text(seconds: float) -> str:
    """A span for people: ``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@attrs.define(eq=False)
class Console:
    """Where a tool's words go.

    :ivar out: bytes of results. :ivar err: lines for the operator.
    :ivar monotonic: seconds of a clock that only goes forward.
    """

    out: BinaryIO
    err: TextIO
    name: str = ""
    monotonic: Callable[[], float] = time.monotonic
    _bar: str = ""

    def write(self, data: bytes) -> None:
        """Put bytes of the result on standard output."""
        self.out.write(data)

    def say(self, text: str) -> None:
        """Put a line of the result on standard output."""
        self.out.write((text + "\n").encode("utf-8", "surrogateescape"))

    def note(self, text: str) -> None:
        """Tell the operator something, on standard error."""
        self._clear()
        printable = text.encode("utf-8", "backslashreplace").decode()
        self.err.write(f"{self.name}: {printable}\n" if self.name else f"{printable}\n")
        self.err.flush()

    def progress(self, what: str, total: int) -> Progress:
        """A counter for work on ``total`` bytes."""
        return Progress(self, what, total)

    def show_bar(self, text: str) -> None:
        """Put ``text`` in the place of the bar that is there."""
        width = shutil.get_terminal_size().columns - 1
        text = text[:width]
        self.err.write("\r" + text + " " * max(0, len(self._bar) - len(text)))
        self.err.flush()
        self._bar = text

    def _clear(self) -> None:
        if self._bar:
            self.err.write("\r" + " " * len(self._bar) + "\r")
            self._bar = ""

    def close(self) -> None:
        """Leave the terminal as it should be, and send what is still held back.

        :raises OSError: when results could not be written.
        """
        self._clear()
        self.out.flush()
        self.err.flush()


class Progress:
    """How far one piece of work has come. :meth:`reach` is cheap enough for every needle."""

    def __init__(self, console: Console, what: str, total: int) -> None:
        self._console = console
        self._what = what
        self._total = total
        self._is_terminal = console.err.isatty()
        self._interval = BAR_INTERVAL if self._is_terminal else LINE_INTERVAL
        self._started = console.monotonic()
        self._due = self._started + self._interval

    def reach(self, done: int) -> None:
        """``done`` of the bytes are done."""
        now = self._console.monotonic()
        if now < self._due:
            return
        self._due = now + self._interval
        text = self._text(done, now - self._started)
        if self._is_terminal:
            self._console.show_bar(text)
        else:
            self._console.note(text)

    def _text(self, done: int, seconds: float) -> str:
        share = min(1.0, done / self._total) if self._total else 1.0
        speed = done / seconds if seconds > 0 else 0.0
        left = time_text((self._total - done) / speed) if speed else "?"
        bar = ""
        if self._is_terminal:
            filled = round(share * _BAR_LENGTH)
            bar = f" [{'#' * filled}{'.' * (_BAR_LENGTH - filled)}]"
        return (f"{self._what}{bar} {share:.0%}, {size_text(done)} of {size_text(self._total)}, "
                f"{size_text(speed)}/s, {left} left")
