"""A profile of where time goes, by looking at the stacks of all threads many times a second.

What a thread has used of a processor since the last look counts for the stack it has now; the kernel tells that for
each thread. A thread that waits costs nothing and is not in the profile.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Final

from seaweedvol.profiling.samples import Call, Key, Samples, Stack

#: Seconds between two looks, as Go's.
INTERVAL: Final = 0.01
_DEPTH: Final = 128

Used = Callable[[int], int]
"""Nanoseconds of processor time that a thread of the system has used so far."""


def processor_time(native_id: int) -> int:
    """By the kernel's table; 0 when the thread is gone."""
    try:
        with open(f"/proc/self/task/{native_id}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


class Sampler:
    """Looks until it is told to stop.

    :param frames: the innermost frame of each thread, by Python's number of it.
    """

    def __init__(self, used: Used = processor_time,
                 frames: Callable[[], Mapping[int, FrameType]] = sys._current_frames) -> None:
        self._used, self._frames = used, frames
        self._found: dict[Key, list[int]] = {}
        self._before: dict[int, int] = {}
        self._stopped = threading.Event()
        self._began_ns = time.time_ns()
        self._since = time.perf_counter_ns()
        self._thread = threading.Thread(target=self._run, name="profile", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self.look()
        self._thread.start()

    def stop(self) -> Samples:
        """End, and tell what was seen."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        return Samples((("samples", "count"), ("cpu", "nanoseconds")), dict(self._found), int(INTERVAL * 1e9),
                       self._began_ns, time.perf_counter_ns() - self._since)

    def look(self) -> None:
        """Count for each stack what its thread has used."""
        own = threading.get_ident()
        names = {thread.ident: (thread.name, thread.native_id) for thread in threading.enumerate()}
        for ident, frame in self._frames().items():
            name, native_id = names.get(ident, ("", None))
            if native_id is None or ident == own:
                continue
            now = self._used(native_id)
            used = now - self._before.get(native_id, now)
            self._before[native_id] = now
            if used > 0:
                values = self._found.setdefault((name, stack_of(frame)), [0, 0])
                values[0] += 1
                values[1] += used

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            self.look()


def stack_of(frame: FrameType | None) -> Stack:
    """The stack that ends with ``frame``."""
    calls: list[Call] = []
    while frame is not None and len(calls) < _DEPTH:
        code = frame.f_code
        calls.append(Call(code.co_filename, f"{frame.f_globals.get('__name__', '?')}.{code.co_qualname}",
                          code.co_firstlineno, frame.f_lineno or 0))
        frame = frame.f_back
    return tuple(calls)


def thread_stacks() -> Samples:
    """Where each thread is now; Go's "goroutine" profile."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    found: dict[Key, list[int]] = {}
    for ident, frame in sys._current_frames().items():
        found.setdefault((names.get(ident, "?"), stack_of(frame)), [0])[0] += 1
    return Samples((("thread", "count"),), found, began_ns=time.time_ns())
