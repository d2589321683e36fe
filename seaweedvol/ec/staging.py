"""Files that are written under another name, and take their places together once all of them are whole and on disk.

Knows bytes and names only. What is left aside after a crash is in nobody's way: it is found by
:meth:`~seaweedvol.ec.names.EcPaths.asides`, and made anew by whoever needs the name again. As long as somebody here
writes under such a name nobody else does: who is first would put the other's half of a file in its place.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Iterable, Iterator

from seaweedvol.ec.names import aside
from seaweedvol.storage import failpoints
from seaweedvol.storage.backend.disk import FILE_MODE, reserve_blocks, sync_directory

_taken: set[str] = set()
_taking = threading.Lock()


class Staged:
    """A new file for ``path``, of ``length`` bytes, to which several threads may write.

    :raises OSError: when it cannot be made, or there is no room for it; EBUSY while there is another for this path.
    """

    def __init__(self, path: str, length: int = 0) -> None:
        self.path = path
        self._reserved = length
        self.descriptor = -1
        self._aside: str | None = None
        name = os.path.abspath(aside(path))
        with _taking:
            if name in _taken:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), path)
            _taken.add(name)
        self._taken_name: str | None = name
        try:
            self._open()
        except BaseException:
            self.discard()
            raise

    def _open(self) -> None:
        self._aside = aside(self.path)
        # Whoever has the remains of an earlier attempt open shall not write to this one.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._aside)
        self.descriptor = os.open(self._aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE_MODE)
        self._reserve()

    def _reserve(self) -> None:
        if self._reserved:
            reserve_blocks(self.descriptor, self._reserved)

    @property
    def aside(self) -> str:
        """The name it has until then."""
        return self._aside or self.path

    def write_at(self, data: memoryview, offset: int) -> None:
        """All of ``data``.

        :raises OSError: when it cannot be written.
        """
        written = os.pwrite(self.descriptor, data, offset)
        while written < len(data):
            data, offset = data[written:], offset + written
            written = os.pwrite(self.descriptor, data, offset)
            if not written:
                raise OSError(errno.EIO, "nothing more could be written", self.path)

    def clear(self) -> None:
        """Take back all that was written; the room stays.

        :raises OSError: when it cannot be had again.
        """
        if os.fstat(self.descriptor).st_size:
            # This gives up the blocks too.
            os.ftruncate(self.descriptor, 0)
            self._reserve()

    def sync(self) -> None:
        """Have the bytes on disk."""
        failpoints.reach("staged.sync")
        os.fsync(self.descriptor)

    def settle(self) -> None:
        """Take the place of ``path``; not durable before its directory is synced."""
        failpoints.reach("staged.rename")
        assert self._aside is not None
        os.replace(self._aside, self.path)
        self._aside = None

    def close(self) -> None:
        """Let go of it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        self._give_back()

    def discard(self) -> None:
        """Close it, and remove it unless it is in its place."""
        if self._aside is not None:
            # Before the name is another's.
            with contextlib.suppress(OSError):
                os.unlink(self._aside)
            self._aside = None
        self.close()

    def _give_back(self) -> None:
        with _taking:
            # Once: afterwards it may be another's.
            if self._taken_name is not None:
                _taken.remove(self._taken_name)
                self._taken_name = None


def publish(files: Iterable[Staged]) -> None:
    """Put files in their places, in this order, none before all are on disk.

    :raises OSError: when that fails; some may be in their places then, each of them whole.
    """
    files = list(files)
    for file in files:
        file.sync()
    for file in files:
        file.settle()
    failpoints.reach("staged.settled")
    for directory in dict.fromkeys(os.path.dirname(file.path) or "." for file in files):
        sync_directory(directory)
    failpoints.reach("staged.published")


@contextlib.contextmanager
def discarding(files: list[Staged]) -> Iterator[list[Staged]]:
    """Close what the list holds at the end, and remove it on failure, unless it was published."""
    try:
        yield files
    except Exception:
        for file in files:
            file.discard()
        raise
    finally:
        for file in files:
            file.close()
