"""A profile of what memory Python's objects hold, by where they were made (``tracemalloc``).

Only what is made while tracing is on is seen, and tracing makes everything slower: it is on from a request to its
answer, or for the whole life where a file was asked for. Memory of C libraries is not Python's and not seen.
"""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Final

from seaweedvol.profiling.samples import Call, Key, Samples

_DEPTH: Final = 16
_turn = threading.Lock()


def start_tracing() -> None:
    """Trace from now on."""
    tracemalloc.start(_DEPTH)


def traced(*, ends: bool = False) -> Samples:
    """What was made since tracing began and is still there.

    :param ends: whether to trace no more.
    """
    began_ns = time.time_ns()
    found: dict[Key, list[int]] = {}
    snapshot = tracemalloc.take_snapshot()
    if ends:
        # Before the work on what was found, which is so much the faster.
        tracemalloc.stop()
    for statistic in snapshot.statistics("traceback"):
        # Tracemalloc knows files and lines, no functions.
        stack = tuple(Call(frame.filename, f"{frame.filename}:{frame.lineno}", 0, frame.lineno)
                      for frame in reversed(statistic.traceback))
        values = found.setdefault(("", stack), [0, 0])
        values[0] += statistic.count
        values[1] += statistic.size
    return Samples((("inuse_objects", "count"), ("inuse_space", "bytes")), found, began_ns=began_ns)


def traced_for(seconds: float, sleep: Callable[[float], None] = time.sleep) -> Samples:
    """What is made within the next seconds and still there then; all there is where tracing is on anyway."""
    with _turn:
        if tracemalloc.is_tracing():
            return traced()
        start_tracing()
        try:
            sleep(seconds)
        except BaseException:
            tracemalloc.stop()
            raise
        return traced(ends=True)
