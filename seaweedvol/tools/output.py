"""Files that a tool makes: written under another name, synced, then renamed into place; removed if it does not come
to that, whatever the reason.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Final

from seaweedvol.storage.backend import DiskFile, sync_directory

SUFFIX: Final = ".part"
_BUFFER_LENGTH: Final = 4 << 20


class NewFile:
    """One file in the making; bytes are appended."""

    def __init__(self, path: str, *, like: str | None = None, preallocate: int = 0) -> None:
        """Begin ``<path>.part``.

        :param like: a file whose owner and permissions it gets, if we may give them.
        :raises OSError: when it cannot be made.
        """
        self.path = path
        self.temporary = path + SUFFIX
        self.length = 0
        self._pieces: list[bytes] = []
        self._held = 0
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.temporary)
        self._file = DiskFile(self.temporary, create=True, role="tool")
        if like is not None:
            self._resemble(like)
        if preallocate:
            self._file.reserve(preallocate)

    def _resemble(self, like: str) -> None:
        try:
            status = os.stat(like)
        except FileNotFoundError:
            return
        os.chmod(self.temporary, status.st_mode & 0o777)
        with contextlib.suppress(PermissionError):
            os.chown(self.temporary, status.st_uid, status.st_gid)

    def append(self, data: bytes) -> int:
        """Add bytes; the offset at which they stand."""
        offset = self.length
        self._pieces.append(data)
        self._held += len(data)
        self.length += len(data)
        if self._held >= _BUFFER_LENGTH:
            self._write_out()
        return offset

    def _write_out(self) -> None:
        self._file.write_at(b"".join(self._pieces), self.length - self._held)
        self._pieces, self._held = [], 0

    def complete(self) -> None:
        """Have everything on the device."""
        self._write_out()
        self._file.sync()
        self._file.close()

    def discard(self) -> None:
        """Remove it."""
        self._file.close()
        with contextlib.suppress(OSError):
            os.unlink(self.temporary)


@contextlib.contextmanager
def discarding(files: list[NewFile]) -> Iterator[list[NewFile]]:
    """Remove those of ``files`` that are still under their temporary name when the block is left."""
    try:
        yield files
    finally:
        for file in files:
            file.discard()


def publish(files: Sequence[NewFile]) -> None:
    """Sync all, then rename them into place in this order, durably.

    :raises OSError: when one cannot be; those before it may be in place.
    """
    for file in files:
        file.complete()
    for file in files:
        os.replace(file.temporary, file.path)
    for directory in sorted({os.path.dirname(file.path) or "." for file in files}):
        sync_directory(directory)
