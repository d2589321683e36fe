"""What makes a directory ours: a lock that no second process can hold, and an id that travels with the disk.

Knows two small files, no volume.

``.seaweedvol.lock``
    Held with ``flock`` as long as the server runs. The kernel lets go of it however the process ends, so a file that is
    left behind means nothing; its text, the process id, is only for the message. (Go has no such lock.)
``vol_dir.uuid``
    36 characters of a random UUID, as in SeaweedFS ``storage/disk_location.go`` (``GenerateDirUuid``). The master
    compares them over all servers, so that one disk is not mounted twice.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path
from typing import Final

from seaweedvol.storage.backend.disk import write_aside
from seaweedvol.storage.errors import DirectoryInUse

LOCK_NAME: Final = ".seaweedvol.lock"
UUID_NAME: Final = "vol_dir.uuid"


class DirectoryLock:
    """The right to use one directory. :meth:`release` gives it up; so does the end of the process."""

    def __init__(self, directory: Path) -> None:
        """Take the lock at once or not at all.

        :raises DirectoryInUse: when another process, or another place in this one, has it.
        :raises OSError: when the lock file cannot be opened.
        """
        path = directory / LOCK_NAME
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(self._fd, 0)
            os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)
        except BlockingIOError:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip()
            self.release()
            raise DirectoryInUse(f"{directory} is in use by process {holder or 'unknown'}") from None
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let others have the directory. The file stays: removing it could let two processes in."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def directory_uuid(directory: Path) -> str:
    """The id of the directory, kept when there is one, else made and written.

    :raises OSError: when the file can be neither read nor written.
    """
    path = directory / UUID_NAME
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        text = ""
    if not text:
        text = str(uuid.uuid4())
        write_aside(str(path), text.encode("ascii"))
    return text
