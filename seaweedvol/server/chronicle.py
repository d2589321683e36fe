"""What was last done to each volume since the server started: vacuums and scrubs. Any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

import attrs


@attrs.frozen
class Event:
    """Something that ended: when, in seconds since 1970, and in a word how."""

    at: float
    outcome: str
    is_good: bool = True


@attrs.define
class Chronicle:
    """By volume id; one event of each kind for each volume that ever was here.

    :param clock: seconds since 1970.
    """

    _clock: Callable[[], float]
    _vacuums: dict[int, Event] = attrs.field(factory=dict, init=False)
    _scrubs: dict[int, Event] = attrs.field(factory=dict, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def note_vacuum(self, volume_id: int, outcome: str, *, is_good: bool = True) -> None:
        """A vacuum has ended."""
        with self._lock:
            self._vacuums[volume_id] = Event(self._clock(), outcome, is_good)

    def note_scrub(self, volume_id: int, mode: str, failures: int) -> None:
        """A volume, or its shards, have been looked through, and so many things were found to be wrong."""
        outcome = f"{mode}, {failures or 'nothing'} wrong"
        with self._lock:
            self._scrubs[volume_id] = Event(self._clock(), outcome, not failures)

    def last_vacuum(self, volume_id: int) -> Event | None:
        """None: not since the start."""
        return self._vacuums.get(volume_id)

    def last_scrub(self, volume_id: int) -> Event | None:
        """None: not since the start."""
        return self._scrubs.get(volume_id)
