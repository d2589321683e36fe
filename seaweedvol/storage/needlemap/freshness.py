"""Whether a file that was made from an .idx is as new as that: by its time of modification, as Go tells it."""

from __future__ import annotations

import os
import time


def is_newer(path: str, than: str) -> bool:
    """Whether ``path`` was modified after ``than``. False where one of them is missing."""
    try:
        return os.stat(path).st_mtime_ns > os.stat(than).st_mtime_ns
    except OSError:
        return False


def make_newer(path: str, than: str) -> None:
    """Have ``path`` be modified now, and in any case after ``than``, which may have been within the same tick."""
    now = max(time.time_ns(), os.stat(than).st_mtime_ns + 1)
    os.utime(path, ns=(now, now))
