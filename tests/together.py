"""Many threads that do the same thing at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable


def run_together(work: Callable[[int], object], numbers: Iterable[int]) -> None:
    """Call ``work`` with each number, each in a thread of its own; returns when all are through."""
    threads = [threading.Thread(target=work, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
