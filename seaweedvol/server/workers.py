"""A small pool of processes for work that keeps Python busy: one busy thread here would take most of the lane's pace.

The processes are made when there is work and end when there was none for a while; they also end when this one does,
however it does. They are spawned, so what they run must be a function of some module and take what can be pickled.
Where no process can be made the work is done in the caller's thread: slower for everybody, but done.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final, ParamSpec, TypeVar

import attrs

P = ParamSpec("P")
T = TypeVar("T")

LINGER: Final = 60.0
_TRIES: Final = 3
_NICENESS: Final = 10


class WorkerDied(OSError):
    """Raised when the process that did the work ended again and again."""


@attrs.define(eq=False)
class Workers:
    """Runs functions elsewhere. Callable from any thread; ``linger`` is how long an idle pool stays, in seconds."""

    count: int = attrs.field(factory=lambda: max(1, (os.cpu_count() or 1) // 2))
    linger: float = LINGER
    _pool: ProcessPoolExecutor | None = attrs.field(default=None, init=False)
    _users: int = attrs.field(default=0, init=False)
    _timer: threading.Timer | None = attrs.field(default=None, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What ``work`` returns or raises. It is begun again if its process dies, so doing it twice must be harmless.

        :raises WorkerDied: when the process died each time.
        """
        for _ in range(_TRIES):
            pool = self._enter()
            try:
                if pool is None:
                    return work(*arguments, **named)
                return pool.submit(work, *arguments, **named).result()
            except BrokenProcessPool:
                assert pool is not None
                self._forget(pool)
            finally:
                self._leave()
        raise WorkerDied("worker process ended unexpectedly")

    def close(self) -> None:
        """End the processes once they have done what they are at; later work makes new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
            if self._timer is not None:
                self._timer.cancel()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _enter(self) -> ProcessPoolExecutor | None:
        with self._lock:
            self._users += 1
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._pool is None:
                self._pool = _make_pool(self.count)
            return self._pool

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users or self._pool is None:
                return
            self._timer = threading.Timer(self.linger, self._end_if_idle)
            self._timer.daemon = True
            self._timer.start()

    def _end_if_idle(self) -> None:
        with self._lock:
            is_idle = not self._users
        if is_idle:
            self.close()

    def _forget(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is broken:
                self._pool = None
        broken.shutdown(wait=False)


def _make_pool(count: int) -> ProcessPoolExecutor | None:
    try:
        return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin)
    except (OSError, ImportError, NotImplementedError):
        # No semaphores here, as in a container without /dev/shm.
        return None


def _begin() -> None:
    """In the new process: give way to the server, and end with it."""
    os.nice(_NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
