"""Lines in the log about who was refused, and why; a few of each kind, however many are refused.

Whoever is refused can try a thousand times in a second. Must not be given secrets: what is told here is in the log.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

#: So many lines of one kind in so many seconds; the rest is counted.
LINES: Final = 10
SECONDS: Final = 10.0

_log = logging.getLogger(__name__)


class _Window:
    """What was told of one kind since a moment."""

    __slots__ = ("began", "told", "untold")

    def __init__(self, began: float) -> None:
        self.began, self.told, self.untold = began, 0, 0


class Refusals:
    """The lines. Any thread.

    :param write: takes a line.
    """

    def __init__(self, write: Callable[[str], None] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write or (lambda line: _log.warning("%s", line))
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

    def tell(self, kind: str, text: str) -> None:
        """Somebody was refused.

        :param kind: one of few words: what it was refused by.
        :param text: who, what and why.
        """
        now = self._clock()
        with self._lock:
            window = self._windows.get(kind)
            if window is None or now - window.began >= SECONDS:
                untold = 0 if window is None else window.untold
                window = self._windows[kind] = _Window(now)
            else:
                untold = 0
            if window.told >= LINES:
                window.untold += 1
                return
            window.told += 1
        if untold:
            self._write(f"{kind}: {untold} more were refused before this one")
        self._write(f"{kind}: {text}")
