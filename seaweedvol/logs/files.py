"""Files of the log: one for each level, with what is at least of that level, followed by others when they are full or
old. Names, order and number are Go's (``glog/glog_file.go``).

Knows lines and files. What goes wrong with them reaches nobody who tells something: what cannot be written is lost.
"""

from __future__ import annotations

import getpass
import gzip
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable
from typing import BinaryIO, Final

import attrs

from seaweedvol.logs.lines import SEVERITIES

_HOUR: Final = 3600.0


@attrs.frozen
class Shelf:
    """Where files are, what they are called, and when the next one is due."""

    directory: str
    program: str = "seaweed-volume"
    max_bytes: int = 1800 << 20
    max_files: int = 5
    rotate_hours: int = 168
    compresses: bool = False

    def begin(self, severity: str) -> str:
        """``program.host.user.log.INFO.``, what all names of a level begin with."""
        host = socket.gethostname().partition(".")[0] or "unknownhost"
        return f"{self.program}.{host}.{_user()}.log.{severity}."

    def name(self, severity: str, seconds: float) -> str:
        """The name of a file that is begun now."""
        return f"{self.begin(severity)}{time.strftime('%Y%m%d-%H%M%S', time.localtime(seconds))}.{os.getpid()}"


class LogFiles:
    """The files of all levels. Safe in any thread."""

    def __init__(self, shelf: Shelf, seconds: Callable[[], float] = time.time) -> None:
        self._lock = threading.Lock()
        self._files = [_LevelFile(shelf, severity, seconds) for severity in SEVERITIES]

    def write(self, severity: int, line: str) -> None:
        """Into the file of this level and of those below."""
        data = line.encode("utf-8", "replace")
        with self._lock:
            for file in self._files[:severity + 1]:
                file.write(data)

    def close(self) -> None:
        """Close what is open; the next line begins new files. For whoever moves files away."""
        with self._lock:
            for file in self._files:
                file.close()


class _LevelFile:
    """The current file of one level."""

    def __init__(self, shelf: Shelf, severity: str, seconds: Callable[[], float]) -> None:
        self._shelf, self._severity, self._seconds = shelf, severity, seconds
        self._file: BinaryIO | None = None
        self._path = ""
        self._length = 0
        self._began = 0.0

    def write(self, data: bytes) -> None:
        try:
            if self._file is not None and self._is_due(len(data)):
                self.close()
                if self._shelf.compresses:
                    threading.Thread(target=_compress, args=(self._path,), name="compress log", daemon=True).start()
            if self._file is None:
                self._begin()
            assert self._file is not None
            self._file.write(data)
            self._length += len(data)
        except OSError:
            self.close()

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _is_due(self, more: int) -> bool:
        shelf = self._shelf
        is_old = shelf.rotate_hours > 0 and self._seconds() - self._began >= shelf.rotate_hours * _HOUR
        return is_old or self._length + more > shelf.max_bytes

    def _begin(self) -> None:
        shelf, self._began = self._shelf, self._seconds()
        self._remove_old()
        name = shelf.name(self._severity, self._began)
        path = os.path.join(shelf.directory, name)
        number = 1
        while os.path.exists(path) or os.path.exists(path + ".gz"):
            # A second file within the second.
            name = f"{shelf.name(self._severity, self._began)}.{number}"
            path = os.path.join(shelf.directory, name)
            number += 1
        self._file = open(path, "xb", buffering=0)
        self._path, self._length = path, 0
        _link(name, os.path.join(shelf.directory, f"{shelf.program}.{self._severity}"))

    def _remove_old(self) -> None:
        """Make room for the next: with it there are as many as shall be."""
        beginning = self._shelf.begin(self._severity)
        found: dict[str, list[str]] = {}
        for name in os.listdir(self._shelf.directory):
            if name.startswith(beginning):
                found.setdefault(name.removesuffix(".gz"), []).append(name)
        for bare in sorted(found)[:max(len(found) - self._shelf.max_files + 1, 0)]:
            for name in found[bare]:
                os.unlink(os.path.join(self._shelf.directory, name))


def _link(name: str, path: str) -> None:
    """The short name of the newest file; only a comfort."""
    try:
        if os.path.islink(path):
            os.unlink(path)
        os.symlink(name, path)
    except OSError:
        pass


def _compress(path: str) -> None:
    try:
        with open(path, "rb") as plain, gzip.open(path + ".gz.tmp", "wb") as packed:
            shutil.copyfileobj(plain, packed)
        os.rename(path + ".gz.tmp", path + ".gz")
        os.unlink(path)
    except OSError:
        pass


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknownuser"
