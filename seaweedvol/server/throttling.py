"""Holding background work to a rate; as ``WriteThrottler`` in SeaweedFS ``util/throttler.go``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import attrs

_WINDOW: Final = 0.1


@attrs.define
class Throttle:
    """Whoever moves bytes says so, and waits when he was faster than allowed. For one thread.

    :ivar rate: bytes in a second; 0: no limit.
    """

    rate: int
    _clock: Callable[[], float] = time.monotonic
    _sleep: Callable[[float], None] = time.sleep
    _count: int = attrs.field(default=0, init=False)
    _since: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._since = self._clock()

    @property
    def step(self) -> int:
        """So many bytes at once go well with the rate; at least 1. Meaningless without a limit."""
        return max(1, int(self.rate * _WINDOW))

    def note(self, count: int) -> None:
        """``count`` bytes were moved. May block."""
        if self.rate <= 0:
            return
        self._count += count
        now = self._clock()
        due = self._count / self.rate - (now - self._since)
        if due > _WINDOW / 2:
            self._sleep(due)
        if self._clock() - self._since >= _WINDOW:
            self._count, self._since = 0, self._clock()
