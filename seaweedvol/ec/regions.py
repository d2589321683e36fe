"""Work on a long file, region by region, by more than one thread.

What is done for each byte (reading, arithmetic, checksums, writing) leaves Python's lock, so two threads are twice as
fast as one. A thread takes the next region when it is done with one.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Final, TypeVar

THREADS: Final = 2

State = TypeVar("State")


def in_regions(count: int, prepare: Callable[[], State], work: Callable[[State, int], None]) -> None:
    """Call ``work`` with each number below ``count``, with what ``prepare`` made for the thread it is called in.

    :raises BaseException: the first that any of these raised, once no thread is at work any more; regions that were not
        begun are left out then.
    """
    if count <= 1:
        if count:
            work(prepare(), 0)
        return
    numbers = itertools.count()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            state = prepare()
            while not failures and (number := next(numbers)) < count:
                work(state, number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, name=f"ec-{number}", daemon=True) for number in range(THREADS - 1)]
    for thread in threads:
        thread.start()
    run()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
