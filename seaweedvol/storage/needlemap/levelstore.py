"""One LevelDB directory: opened, asked, written to, put to sleep and woken up, closed.

Knows bytes and nothing of needles. The only module that imports plyvel, which is installed with an extra; import it
when a LevelDB is wanted, not before.

plyvel crashes the process when a database is closed in the midst of a lookup. Therefore who looks leaves a mark in a
list for that long (appending and popping are atomic), and who closes takes the database out of sight first and then
waits until no mark is left. Lookups need no lock, and run beside one another.

goleveldb, with which Go opens the same directory, passes over what stands in the log from before the latest compaction;
Google's LevelDB does not, and compacts whenever it likes. So what Go must find has to be in tables: all, when the
directory is closed, and what it will not replay from the source, which :meth:`LevelStore.flush` is for. Go replays
unless there is a ``LOG`` newer than the source; therefore there is none while the directory is open here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

import plyvel

from seaweedvol.storage.errors import VolumeClosed
from seaweedvol.storage.needlemap.freshness import is_newer, make_newer
from seaweedvol.storage.needlemap.kinds import LevelSizes

# Go multiplies its 2 MiB by 10 from the first level below the newest.
_TABLE_LENGTH: Final = 20 << 20
# Where Go counts descriptors, these are tables whose index is kept in memory. LevelDB maps the first 1000 of a process,
# and limits descriptors by itself.
_TABLES_PER_OPEN_FILE: Final = 32
_WALK_STEP: Final = 4096
_PATIENCE_SECONDS: Final = 0.0005
_LOG: Final = "LOG"
_OLD_LOG: Final = "LOG.old"
# Beyond all keys: having this range compacted writes out what is in memory, and moves nothing.
_NO_KEYS: Final = (b"\xff" * 32, b"\xff" * 33)
_LOG_TAIL: Final = 4096
# The last words of goleveldb; each opening writes others after them.
_CLOSED_WORDS: Final = b"db@close done"

Pair = tuple[bytes, bytes | None]
"""A key and what to store under it; None to remove it."""


class LevelStore:
    """The LevelDB at ``path``, that mirrors the file ``source``. Any number of readers beside one writer.

    :raises OSError: from every method: when the disk fails, or another process has the directory.
    """

    __slots__ = (
        "path", "source", "was_closed", "_sizes", "_database", "_marks", "_lock", "_is_closed", "_is_used", "_is_sound",
        "_is_written", "__weakref__",
    )

    def __init__(self, path: str, source: str, sizes: LevelSizes) -> None:
        self.path = path
        self.source = source
        self._sizes = sizes
        self._marks: list[None] = []
        self._lock = threading.Lock()
        self._is_closed = False
        self._is_used = True
        self._is_sound = True
        self._is_written = False
        #: Whether it was closed in order and its source did not change since: then it holds all that it should.
        self.was_closed = is_newer(os.path.join(path, _LOG), source) and _says_closed(path)
        self._database: Any = self._open()

    @property
    def memory_bytes(self) -> int:
        """What it may take for blocks and writes while it is open; 0 while it is not."""
        return self._sizes.block_cache + self._sizes.write_buffer if self._database is not None else 0

    def get(self, key: bytes) -> bytes | None:
        """What is stored under ``key``.

        :raises VolumeClosed: after :meth:`close`.
        """
        database = self._in_use()
        try:
            value: bytes | None = database.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise _failure(self.path, error) from error
        finally:
            self._marks.pop()
        return value

    def write(self, pairs: Iterable[Pair]) -> None:
        """Store and remove, all at once or nothing. Neither synced nor flushed: the source can tell it again.

        :raises VolumeClosed: after :meth:`close`.
        """
        database = self._in_use()
        self._is_written = True
        try:
            with database.write_batch() as batch:
                for key, value in pairs:
                    if value is None:
                        batch.delete(key)
                    else:
                        batch.put(key, value)
        except plyvel.Error as error:
            # It may come back with the next opening, or not.
            self.distrust()
            raise _failure(self.path, error) from error
        finally:
            self._marks.pop()

    def distrust(self) -> None:
        """It may differ from its source; a close will not say that all is well."""
        self._is_sound = False

    def flush(self) -> None:
        """Return when all that was written is in tables on the device. May wait for compactions of other directories.

        :raises VolumeClosed: after :meth:`close`.
        """
        database = self._in_use()
        try:
            database.compact_range(start=_NO_KEYS[0], stop=_NO_KEYS[1])
        finally:
            self._marks.pop()

    def walk(self) -> Iterator[tuple[bytes, bytes]]:
        """All keys with what is stored under them, by key, as they are at the call.

        :raises VolumeClosed: from the walk too, when it is closed or put to sleep before the end.
        """
        database = self._in_use()
        try:
            return self._walk(database, database.snapshot())
        finally:
            self._marks.pop()

    def _walk(self, database: Any, snapshot: Any) -> Iterator[tuple[bytes, bytes]]:
        last = b""
        while True:
            in_use = self._in_use()
            try:
                if in_use is not database:
                    raise VolumeClosed(f"{self.path} was closed in the midst of a walk")
                with snapshot.iterator(start=last, include_start=not last, fill_cache=False) as iterator:
                    step = list(islice(iterator, _WALK_STEP))
            except plyvel.Error as error:
                raise _failure(self.path, error) from error
            finally:
                self._marks.pop()
            yield from step
            if len(step) < _WALK_STEP:
                return
            last = step[-1][0]

    def clear(self) -> None:
        """Remove all there is and begin anew."""
        with self._lock:
            self._put_out()
            shutil.rmtree(self.path)
            self.was_closed = False
            self._database = self._open()

    # -- life

    def take_use(self) -> bool:
        """Whether it was used since the last call of this; true while it sleeps, so that nobody closes it again."""
        was_used, self._is_used = self._is_used, False
        return was_used or self._database is None

    def unload(self) -> None:
        """Close the files until the next use. Waits for lookups under way. Never raises."""
        with self._lock, contextlib.suppress(OSError):
            self._put_out()

    def close(self) -> None:
        """Close the files for good. Waits for lookups under way; harmless when repeated."""
        with self._lock:
            self._is_closed = True
            self._put_out()

    def _in_use(self) -> Any:
        """The open database, with a mark set that the caller takes away."""
        marks = self._marks
        while True:
            marks.append(None)
            database = self._database
            if database is not None:
                self._is_used = True
                return database
            marks.pop()
            self._wake()

    def _wake(self) -> None:
        with self._lock:
            if self._is_closed:
                raise VolumeClosed(f"{self.path} is closed")
            if self._database is None:
                self._database = self._open()

    def _open(self) -> Any:
        try:
            database = self._make()
        except plyvel.IOError as error:
            raise _failure(self.path, error, errno.EBUSY) from error
        except plyvel.Error:
            # It is made of the source only: that has all that was in it.
            shutil.rmtree(self.path)
            self.was_closed = False
            database = self._make()
        # LevelDB has it open and goes on writing to it.
        with contextlib.suppress(FileNotFoundError):
            os.replace(os.path.join(self.path, _LOG), os.path.join(self.path, _OLD_LOG))
        self._is_written = False
        return database

    def _make(self) -> Any:
        sizes = self._sizes
        return plyvel.DB(
            self.path, create_if_missing=True, write_buffer_size=sizes.write_buffer, lru_cache_size=sizes.block_cache,
            max_open_files=_TABLES_PER_OPEN_FILE * sizes.open_files, max_file_size=_TABLE_LENGTH,
            # Go compresses with Snappy, which either side reads: that would halve the tables, but unpacking a block
            # makes a lookup seven times as long.
            compression=None,
        )

    def _put_out(self) -> None:
        database, self._database = self._database, None
        if database is None:
            return
        while self._marks:
            time.sleep(_PATIENCE_SECONDS)
        try:
            if self._is_written:
                database.compact_range(start=_NO_KEYS[0], stop=_NO_KEYS[1])
        finally:
            database.close()
        if self._is_sound:
            self._say_closed()

    def _say_closed(self) -> None:
        path = os.path.join(self.path, _LOG)
        with open(path, "wb") as file:
            file.write(time.strftime("%H:%M:%S ", time.gmtime()).encode() + _CLOSED_WORDS + b"\n")
        make_newer(path, self.source)


def _says_closed(path: str) -> bool:
    try:
        with open(os.path.join(path, _LOG), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_TAIL))
            return _CLOSED_WORDS in file.read().rstrip(b"\n").rpartition(b"\n")[2]
    except OSError:
        return False


def _failure(path: str, error: Exception, number: int = errno.EIO) -> OSError:
    words = error.args[0] if error.args else b""
    return OSError(number, words.decode(errors="replace") if isinstance(words, bytes) else str(error), path)
