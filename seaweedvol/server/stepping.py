"""Long work of a call, which ends when the caller goes or the server does.

The work runs in a thread of its own; whoever waits for it gets to look around every now and then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final, TypeVar

from seaweedvol.server.errors import Refused

if TYPE_CHECKING:
    from seaweedvol.store.store import Store

T = TypeVar("T")

STEP_SECONDS: Final = 0.25


def stepwise(
    store: Store, work: Callable[[Callable[[], None]], T], *, seconds: float = STEP_SECONDS,
) -> Generator[None, None, T]:
    """Do ``work``; gives None now and then, and returns what it returns. Closed before the end, it is ended and
    waited for.

    :param work: called with a check that it is to make often, and that raises :class:`Refused` when it is to end.
    """
    is_over = threading.Event()

    def check() -> None:
        if is_over.is_set():
            raise Refused("context canceled")
        if store.is_stopping:
            raise Refused("the volume server is stopping")

    with ThreadPoolExecutor(1, "long-work") as pool:
        future = pool.submit(work, check)
        try:
            while not wait((future,), timeout=seconds).done:
                yield None
            return future.result()
        finally:
            is_over.set()


def run_out(steps: Generator[None, None, T]) -> T:
    """What the work returns, for a caller who waits for it whatever happens."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
