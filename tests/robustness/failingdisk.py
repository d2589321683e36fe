"""Runs our server with disks that break when a test says so. Started by a test, as a process of its own.

As in :mod:`tests.robustness.slowdisk` the calls of :mod:`os` are replaced, so that the product needs no door for it. A
disk is a data directory; it is broken as long as there is a file beside it with its name and ``.broken``. Then each
read and write of a file of a volume on it ends with EIO.
"""

from __future__ import annotations

import errno
import os
import pathlib
import sys
from typing import Any

CALLS = ("pread", "preadv", "pwrite", "pwritev", "fdatasync", "ftruncate")


def is_broken(descriptor: int) -> bool:
    """Whether an open file is on a broken disk."""
    path = pathlib.Path(os.readlink(f"/proc/self/fd/{descriptor}"))
    return path.suffix in (".dat", ".idx") and path.parent.with_suffix(".broken").exists()


def breaking(name: str, *, place: int = 0) -> None:
    """Have a call of :mod:`os` fail on broken disks; ``place`` is that of the descriptor among its arguments."""
    real = getattr(os, name)

    def call(*arguments: Any) -> Any:
        if is_broken(arguments[place]):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*arguments)

    setattr(os, name, call)


def run() -> int:
    """The server, on such disks."""
    for name in CALLS:
        breaking(name)
    breaking("sendfile", place=1)
    from seaweedvol.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(run())
