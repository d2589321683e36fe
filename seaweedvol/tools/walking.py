"""Walking over a .dat from record to record as its headers say, as ``ScanVolumeFileFrom`` of SeaweedFS does."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any, Final

import attrs
import numpy

from seaweedvol.storage.backend import IVolumeFile
from seaweedvol.storage.format.index import ALIGNMENT, OffsetWidth
from seaweedvol.storage.format.needle import HEADER_LENGTH, NeedleVersion, decode_header
from seaweedvol.storage.needlemap import Rows
from seaweedvol.tools.errors import ToolError

_WINDOW_LENGTH: Final = 4 << 20


@attrs.define(eq=False)
class Window:
    """Reads a file of fixed length, ahead of who asks in order."""

    _file: IVolumeFile
    length: int
    _bytes: bytes = b""
    _at: int = 0

    def read(self, offset: int, length: int) -> bytes:
        """``length`` bytes, fewer where the file ends.

        :raises OSError: when it cannot be read.
        """
        start = offset - self._at
        if not 0 <= start <= len(self._bytes) - length:
            if offset >= self.length:
                return b""
            self._bytes = self._file.read_at(max(min(length, self.length - offset), _WINDOW_LENGTH), offset)
            self._at, start = offset, 0
        return self._bytes[start:start + length]


@attrs.frozen
class Header:
    """What stands at the head of a record, and where by that the next one begins (beyond the end if it is torn)."""

    offset: int
    end: int
    cookie: int
    key: int
    size: int


def headers(window: Window, codec: NeedleVersion, start: int) -> Iterator[Header]:
    """The records from ``start`` on, until the file ends.

    :raises ToolError: at a header that no record can have: where the next one begins is not known then.
    """
    offset = start
    while True:
        head = window.read(offset, HEADER_LENGTH)
        if len(head) < HEADER_LENGTH:
            return
        cookie, key, size = decode_header(head)
        if size < -1:
            raise ToolError(f"the record at {offset} says that it has {size} bytes; salvage gets past that")
        end = offset + codec.record_length(size)
        yield Header(offset, end, cookie, key, size)
        offset = end


class Log:
    """Key, offset and size of records in the order of the .dat, at 20 bytes each."""

    def __init__(self) -> None:
        self.keys, self.units, self.sizes = array("Q"), array("Q"), array("i")

    def add(self, key: int, offset: int, size: int) -> None:
        """Append one; ``offset`` in bytes."""
        self.keys.append(key)
        self.units.append(offset // ALIGNMENT)
        self.sizes.append(size)

    def rows(self, width: OffsetWidth) -> Rows:
        """All as rows of an index."""
        return Rows(
            width, numpy.array(self.keys, numpy.uint64), numpy.array(self.units, numpy.uint64),
            numpy.array(self.sizes, numpy.int32),
        )


def last_of_each_key(rows: Rows) -> numpy.ndarray[Any, numpy.dtype[numpy.intp]]:
    """Positions, ascending, of the rows that no later one with the same key follows."""
    _, places = numpy.unique(rows.keys[::-1], return_index=True)
    return numpy.sort(len(rows) - 1 - places)
