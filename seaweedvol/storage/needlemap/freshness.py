"""Whether a file that was made from an .idx is as new as that: by its time of modification, as Go tells it."""

from __future__ import annotations

import contextlib
import os


def is_newer(path: str, than: str) -> bool:
    """Whether ``path`` was modified after ``than``. False where one of them is missing."""
    try:
        return os.stat(path).st_mtime_ns > os.stat(than).st_mtime_ns
    except OSError:
        return False


def make_newer(path: str, than: str) -> None:
    """Have ``path``, that was written just now, be modified after ``than``: both may have been within one tick. Best
    effort: where it fails, ``path`` is made anew at the next start.
    """
    if is_newer(path, than):
        return
    with contextlib.suppress(OSError):
        modified = os.stat(than).st_mtime_ns + 1
        os.utime(path, ns=(modified, modified))
