"""What makes a directory ours: a lock that no second process can hold, and an id that travels with the disk.

Knows two small files, no volume.

``.seaweedvol.lock``
    Held with ``flock`` as long as the server runs. The kernel lets go of it however the process ends, so a file that is
    left behind means nothing; its text, the process id, is only for the message. (Go has no such lock.) The directory
    itself is locked besides, where that can be done: a full disk may have no room for this file.
``vol_dir.uuid``
    36 characters of a random UUID, as in SeaweedFS ``storage/disk_location.go`` (``GenerateDirUuid``). The master
    compares them over all servers, so that one disk is not mounted twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from seaweedvol.storage.backend.disk import write_aside
from seaweedvol.storage.errors import DirectoryInUse
from seaweedvol.storage.volume.faults import BROKEN, NO_ROOM

LOCK_NAME: Final = ".seaweedvol.lock"
UUID_NAME: Final = "vol_dir.uuid"


class DirectoryLock:
    """The right to use one directory. :meth:`release` gives it up; so does the end of the process."""

    def __init__(self, directory: Path) -> None:
        """Take the lock at once or not at all.

        :raises DirectoryInUse: when another process, or another place in this one, has it.
        :raises OSError: when the lock file cannot be opened.
        """
        self._fds: list[int] = []
        try:
            self._lock_file(directory / LOCK_NAME)
            self._lock_directory(directory)
            self._tell_process()
        except BlockingIOError:
            holder = self._holder()
            self.release()
            raise DirectoryInUse(f"{directory} is in use by process {holder or 'unknown'}") from None
        except BaseException:
            self.release()
            raise

    def _holder(self) -> str:
        try:
            return os.pread(self._fds[0], 32, 0).decode("ascii", "replace").strip()
        except OSError:
            # It is the directory that is locked, or its disk fails.
            return ""

    def _lock_file(self, path: Path) -> None:
        try:
            self._fds.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644))
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            return
        fcntl.flock(self._fds[0], fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _lock_directory(self, directory: Path) -> None:
        has_file = bool(self._fds)
        self._fds.append(os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        try:
            fcntl.flock(self._fds[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            # Some network file systems lock no directories.
            if not has_file:
                raise

    def _tell_process(self) -> None:
        text = b"%d\n" % os.getpid()
        if len(self._fds) == 2:
            with _unless(NO_ROOM | BROKEN):
                os.truncate(self._fds[0], os.pwrite(self._fds[0], text, 0))

    def release(self) -> None:
        """Let others have the directory. The file stays: removing it could let two processes in."""
        while self._fds:
            os.close(self._fds.pop())


@contextlib.contextmanager
def _unless(numbers: frozenset[int]) -> Iterator[None]:
    """What fails with one of these errors need not be done."""
    try:
        yield
    except OSError as error:
        if error.errno not in numbers:
            raise


def directory_uuid(directory: Path) -> str:
    """The id of the directory, kept when there is one, else made and written, if there is room for it; then
    :func:`keep_uuid` may write it later.

    :raises OSError: when the file can be neither read nor written.
    """
    path = directory / UUID_NAME
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        text = ""
    if not text:
        text = str(uuid.uuid4())
        keep_uuid(directory, text)
    return text


def keep_uuid(directory: Path, text: str) -> bool:
    """Write the id if none is there; whether one is there now. There is none as long as the disk is full.

    :raises OSError: when it cannot be written for another reason.
    """
    path = directory / UUID_NAME
    with _unless(NO_ROOM):
        if not path.exists() or not path.stat().st_size:
            write_aside(str(path), text.encode("utf-8"))
        return True
    return False
