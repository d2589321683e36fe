"""``/debug/pprof/``: which profile a path asks for, and what is answered. The paths are Go's (``net/http/pprof``).

Sans-io but for the looking itself; blocking for as long as the profile takes.
"""

from __future__ import annotations

import cProfile
import io
import os
import pstats
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from seaweedvol.profiling import PREFIX
from seaweedvol.profiling.memory import traced_for
from seaweedvol.profiling.samples import Samples
from seaweedvol.profiling.sampling import Sampler, thread_stacks

_MOST_SECONDS: Final = 600.0
_AT_ONCE: Final = 4
_TEXT: Final = "text/plain; charset=utf-8"

OnReactor = Callable[[Callable[[], object]], object]
"""Has something called in the reactor's thread, some time."""


@attrs.frozen
class Page:
    """An answer; ``file_name`` is what a browser should call it, "" for what it should show."""

    status: int
    content_type: str
    body: bytes
    file_name: str = ""


class Pages:
    """All of them.

    :param on_reactor: for the profile of the reactor's thread.
    :param sleep: for tests.
    """

    def __init__(self, on_reactor: OnReactor, sleep: Callable[[float], None] = time.sleep) -> None:
        self._on_reactor, self._sleep = on_reactor, sleep
        self._tracing = threading.Lock()
        # Each holds a thread that needles would be read in.
        self._places = threading.Semaphore(_AT_ONCE)
        self._pages: dict[str, tuple[str, Callable[[Mapping[str, str]], Page]]] = {
            "": ("this list", self._index),
            "profile": ("processor time by stack, for ?seconds=30", self._profile),
            "heap": ("memory that Python objects made within ?seconds=5 hold", self._heap),
            "allocs": ("the same", self._heap),
            "goroutine": ("where each thread is; there are no goroutines in Python", self._threads),
            "threadcreate": ("the same", self._threads),
            "trace": ("each call of the reactor's thread within ?seconds=1, by cProfile, as text", self._trace),
            "cmdline": ("how the program was started", self._cmdline),
            "symbol": ("nothing: names are in the profiles", self._symbol),
            "block": ("nothing: Python does not tell", self._nothing),
            "mutex": ("nothing: Python does not tell", self._nothing),
        }

    def answer(self, path: str, query: Mapping[str, str]) -> Page:
        """What is below :data:`PREFIX`. Blocking, for as long as the query says.

        :param query: ``seconds``, and ``debug`` for text instead of a protocol buffer.
        """
        found = self._pages.get(path.removeprefix(PREFIX))
        if found is None:
            return Page(404, _TEXT, b"Unknown profile\n")
        if not self._places.acquire(blocking=False):
            return Page(500, _TEXT, b"too many profiles at once\n")
        try:
            return found[1](query)
        except ValueError as error:
            return Page(400, _TEXT, f"{error}\n".encode())
        finally:
            self._places.release()

    def _index(self, query: Mapping[str, str]) -> Page:
        rows = "".join(f"<tr><td><a href='{name}?debug=1'>{name}</a><td>{what}\n"
                       for name, (what, _) in self._pages.items() if name)
        text = ("<!DOCTYPE html>\n<title>/debug/pprof/</title>\n<p>Profiles of a Python program. Without "
                f"<code>debug=1</code> they are for <code>go tool pprof</code>.\n<table>\n{rows}</table>\n")
        return Page(200, "text/html; charset=utf-8", text.encode())

    def _profile(self, query: Mapping[str, str]) -> Page:
        seconds = _seconds(query, 30)
        sampler = Sampler()
        sampler.start()
        self._sleep(seconds)
        return _shown(sampler.stop(), query, "profile")

    def _heap(self, query: Mapping[str, str]) -> Page:
        return _shown(traced_for(_seconds(query, 5), self._sleep), query, "heap")

    def _threads(self, query: Mapping[str, str]) -> Page:
        return _shown(thread_stacks(), query, "goroutine")

    def _nothing(self, query: Mapping[str, str]) -> Page:
        return _shown(Samples((("contentions", "count"), ("delay", "nanoseconds")), {}), query, "nothing")

    def _trace(self, query: Mapping[str, str]) -> Page:
        seconds = _seconds(query, 1)
        if not self._tracing.acquire(blocking=False):
            return Page(500, _TEXT, b"Could not enable tracing: tracing already enabled\n")
        try:
            profile = cProfile.Profile()
            ended = threading.Event()
            self._on_reactor(profile.enable)
            self._sleep(seconds)

            def end() -> None:
                profile.disable()
                ended.set()

            self._on_reactor(end)
            ended.wait(_MOST_SECONDS)
        finally:
            self._tracing.release()
        text = io.StringIO()
        pstats.Stats(profile, stream=text).sort_stats("cumulative").print_stats(100)
        return Page(200, _TEXT, text.getvalue().encode())

    def _cmdline(self, query: Mapping[str, str]) -> Page:
        return Page(200, _TEXT, b"\0".join(os.fsencode(word) for word in sys.argv))

    def _symbol(self, query: Mapping[str, str]) -> Page:
        return Page(200, _TEXT, b"num_symbols: 1\n")


def _seconds(query: Mapping[str, str], default: float) -> float:
    """How long to look; Go takes nonsense for nothing said, and so do we."""
    try:
        seconds = float(query.get("seconds", ""))
    except ValueError:
        return default
    if not 0 < seconds <= _MOST_SECONDS:
        raise ValueError(f"seconds must be above 0 and at most {_MOST_SECONDS:.0f}")
    return seconds


def _shown(samples: Samples, query: Mapping[str, str], name: str) -> Page:
    if query.get("debug", "0") not in ("", "0"):
        return Page(200, _TEXT, samples.text().encode("utf-8", "replace"))
    return Page(200, "application/octet-stream", samples.encoded(), f"{name}.pb.gz")
