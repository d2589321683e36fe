"""Runs our server on a disk that is slow where its standard input says. Started by a test, as a process of its own.

The calls of :mod:`os` that read and write files are replaced before anything of the product is loaded, so that every
road to the disk meets them and the product needs no door for it. What is not slow costs one comparison more.

Standard input is a stream socket, on which lines of JSON come; each goes back once it is in force.
``{"name": ".dat", "start": 0, "end": 100, "seconds": 0.2}`` makes these bytes of the files whose names end so cold:
they are in no page cache. A read that must not wait is refused there; one that may wait, and a ``sendfile``, takes that
long and leaves them warm. ``{"write_seconds": 0.2}`` makes every write to a ``.dat`` that long, and
``{"sync_seconds": 0.2}`` every ``fdatasync``.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import attrs


@attrs.frozen
class Cold:
    """Bytes of a file that are in no page cache."""

    name: str
    start: int
    end: int
    seconds: float

    def meets(self, descriptor: int, offset: int, length: int) -> bool:
        """Whether a read from there on touches them."""
        return offset < self.end and offset + length > self.start and name_of(descriptor).endswith(self.name)


class SlowDisk:
    """What is slow now, and the calls that feel it."""

    def __init__(self) -> None:
        self._cold: list[Cold] = []
        self._write_seconds = self._sync_seconds = 0.0
        self._preadv, self._pread, self._sendfile = os.preadv, os.pread, os.sendfile
        self._pwrite, self._pwritev, self._fdatasync = os.pwrite, os.pwritev, os.fdatasync

    def install(self) -> None:
        """Stand between the program and the system."""
        for name in ("preadv", "pread", "sendfile", "pwrite", "pwritev", "fdatasync"):
            setattr(os, name, getattr(self, name))

    def obey(self, line: dict[str, Any]) -> None:
        """Take over one line of standard input."""
        if "write_seconds" in line:
            self._write_seconds = line["write_seconds"]
        elif "sync_seconds" in line:
            self._sync_seconds = line["sync_seconds"]
        else:
            self._cold.append(Cold(**line))

    def preadv(self, descriptor: int, buffers: Sequence[Any], offset: int, flags: int = 0) -> int:
        """:func:`os.preadv`."""
        if self._cold:
            self._touch(descriptor, offset, sum(map(len, buffers)), may_wait=not flags & os.RWF_NOWAIT)
        return self._preadv(descriptor, buffers, offset, flags)

    def pread(self, descriptor: int, length: int, offset: int) -> bytes:
        """:func:`os.pread`."""
        if self._cold:
            self._touch(descriptor, offset, length)
        return self._pread(descriptor, length, offset)

    def sendfile(self, out: int, descriptor: int, offset: int | None, count: int) -> int:
        """:func:`os.sendfile`, which always may wait for the disk."""
        if self._cold and offset is not None:
            self._touch(descriptor, offset, count)
        return self._sendfile(out, descriptor, offset, count)

    def pwrite(self, descriptor: int, data: Any, offset: int) -> int:
        """:func:`os.pwrite`."""
        self._write(descriptor)
        return self._pwrite(descriptor, data, offset)

    def pwritev(self, descriptor: int, buffers: Sequence[Any], offset: int, flags: int = 0) -> int:
        """:func:`os.pwritev`."""
        self._write(descriptor)
        return self._pwritev(descriptor, buffers, offset, flags)

    def fdatasync(self, descriptor: int) -> None:
        """:func:`os.fdatasync`."""
        time.sleep(self._sync_seconds)
        self._fdatasync(descriptor)

    def _write(self, descriptor: int) -> None:
        if self._write_seconds and name_of(descriptor).endswith(".dat"):
            time.sleep(self._write_seconds)

    def _touch(self, descriptor: int, offset: int, length: int, *, may_wait: bool = True) -> None:
        for cold in [cold for cold in self._cold if cold.meets(descriptor, offset, length)]:
            if not may_wait:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            time.sleep(cold.seconds)
            if cold in self._cold:
                self._cold.remove(cold)


def name_of(descriptor: int) -> str:
    """The path of an open file."""
    return os.readlink(f"/proc/self/fd/{descriptor}")


def listen(disk: SlowDisk) -> None:
    """Obey standard input until it ends."""
    with socket.socket(fileno=sys.stdin.fileno()) as link, link.makefile("rw") as lines:
        for line in lines:
            disk.obey(json.loads(line))
            lines.write(line)
            lines.flush()


def run() -> int:
    """The server, on such a disk."""
    disk = SlowDisk()
    disk.install()
    threading.Thread(target=listen, args=(disk,), daemon=True).start()
    from seaweedvol.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(run())
