"""Closing what nobody has asked for hours: Go's ``-index.leveldbTimeout``.

Has no clock: whoever has one calls :meth:`IdleWatch.note_hour`. Differs from SeaweedFS ``needle_map_leveldb.go``, which
counts hours since it opened a LevelDB and so closes busy ones too; the help of the option promises what is done here.
"""

from __future__ import annotations

import threading
from typing import Protocol
from weakref import WeakKeyDictionary

import attrs


class Sleeper(Protocol):
    """What can be put to sleep and wakes up by itself when it is asked."""

    def take_use(self) -> bool:
        """Whether it was asked since the last call of this."""

    def unload(self) -> None:
        """Go to sleep. Never raises."""


@attrs.define(eq=False)
class IdleWatch:
    """Counts, for each of its sleepers, the hours in a row in which nobody asked.

    :ivar hours: so many put it to sleep.
    """

    hours: int
    _idle: WeakKeyDictionary[Sleeper, int] = attrs.field(factory=WeakKeyDictionary, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def add(self, sleeper: Sleeper) -> None:
        """Watch it for as long as it lives."""
        with self._lock:
            self._idle[sleeper] = 0

    def note_hour(self) -> None:
        """Another hour is over. Blocks while what is put to sleep is closed."""
        with self._lock:
            tired = []
            for sleeper, count in list(self._idle.items()):
                self._idle[sleeper] = count = 0 if sleeper.take_use() else count + 1
                if count >= self.hours:
                    tired.append(sleeper)
        for sleeper in tired:
            sleeper.unload()
