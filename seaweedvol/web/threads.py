"""Blocking work, away from the reactor: ``await in_thread(work, ...)``.

The pool is chosen once, by whoever wires the server; tests run the work where it is awaited. What may wait for other
servers has a pool of its own: were it full of such waiting, all else would go on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any, Final, Protocol, TypeVar

from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

POOL_SIZE: Final = 16
#: For work that may wait for other servers, each of which may take long to answer.
FAR_POOL_SIZE: Final = 64

T = TypeVar("T")


class InThread(Protocol):
    """Runs blocking work and gives its result, or raises what it raised."""

    def __call__(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> Awaitable[T]:
        ...


def new_pool(name: str = "needles", size: int = POOL_SIZE) -> ThreadPool:
    """A pool of up to ``size`` threads, by default that for needle I/O; not started."""
    return ThreadPool(minthreads=0, maxthreads=size, name=name)


def pooled(reactor: Any, pool: ThreadPool) -> InThread:
    """Work done in ``pool``."""
    def run(work: Callable[..., T], *args: Any, **kwargs: Any) -> Awaitable[T]:
        # The log tells on whose behalf the work is done.
        return deferToThreadPool(reactor, pool, copy_context().run, work, *args, **kwargs)
    return run


def inline(work: Callable[..., T], *args: Any, **kwargs: Any) -> Awaitable[T]:
    """Work done here and now, for tests."""
    async def run() -> T:
        return work(*args, **kwargs)
    return run()
