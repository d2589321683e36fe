"""Where the bytes of an upload wait until they are stored: in memory up to 1 MiB, then in an unnamed temporary file.

Takes checksums while it is written. Knows nothing of HTTP or needles; has the shape that storage wants of a body.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Final

from seaweedvol.storage.format.checksum import crc32c

MEMORY_LIMIT: Final = 1 << 20
CHUNK: Final = 1 << 18


class Spool:
    """Bytes that were written once and can be read again and again, from any thread.

    :ivar length: bytes written.
    :ivar checksum: their CRC32C.
    """

    def __init__(self, *, memory_limit: int = MEMORY_LIMIT, directory: str | None = None,
                 with_md5: bool = False) -> None:
        self.length = 0
        self.checksum = 0
        self._memory_limit = memory_limit
        self._directory = directory
        self._md5 = hashlib.md5(usedforsecurity=False) if with_md5 else None
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None

    @property
    def is_in_memory(self) -> bool:
        """True while there is no file."""
        return self._file is None

    @property
    def md5(self) -> bytes:
        """The MD5 digest, for a spool that was asked for it; b"" otherwise."""
        return self._md5.digest() if self._md5 else b""

    def write(self, data: bytes) -> None:
        """Append ``data``.

        :raises OSError: when it must go to the disk and cannot.
        """
        if not data:
            return
        self.length += len(data)
        self.checksum = crc32c(data, self.checksum)
        if self._md5 is not None:
            self._md5.update(data)
        if self._file is not None:
            _write_fully(self._file, data)
            return
        self._pieces.append(data)
        if self.length > self._memory_limit:
            self._move_to_file()

    def write_all(self, chunks: Iterable[bytes]) -> None:
        """Append all of ``chunks``."""
        for chunk in chunks:
            self.write(chunk)

    def _move_to_file(self) -> None:
        self._file = tempfile.TemporaryFile(dir=self._directory, buffering=0)
        pieces, self._pieces = self._pieces, []
        for piece in pieces:
            _write_fully(self._file, piece)

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset`` on."""
        if self._file is None:
            if len(self._pieces) > 1:
                self._pieces = [b"".join(self._pieces)]
            return self._pieces[0][offset:offset + length] if self._pieces else b""
        return os.pread(self._file.fileno(), length, offset)

    def chunks(self) -> Iterator[bytes]:
        """All the bytes, in pieces of at most :data:`CHUNK`."""
        for offset in range(0, self.length, CHUNK):
            yield self.read(offset, min(CHUNK, self.length - offset))

    def getvalue(self) -> bytes:
        """All the bytes at once."""
        return self.read(0, self.length) if self.is_in_memory else b"".join(self.chunks())

    def close(self) -> None:
        """Give the memory or the file back. Harmless when done twice."""
        self._pieces = []
        if self._file is not None:
            self._file.close()


def _write_fully(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view):]
