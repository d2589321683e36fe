"""Rows of the .idx file, the journal from which the needle map is replayed.

::

    offsets of 4 bytes (rows of 16)      offsets of 5 bytes (rows of 17)
    0  key u64                           0  key u64
    8  offset / 8 u32                    8  offset / 8, its low 32 bits u32
    12 size i32                          12 offset / 8, its high 8 bits u8
                                         13 size i32

The width was fixed when the Go program was built; nothing in the file tells it. Size -1 is a tombstone, whose offset is
that of the deleting record in the .dat. As in SeaweedFS ``idx/walk.go`` and ``types/offset_*.go``; .ecx and .sdx files
consist of the same rows.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy

from seaweedvol.storage.errors import FormatError, VolumeFull

TOMBSTONE_SIZE: Final = -1
ALIGNMENT: Final = 8
"""Records begin at multiples of this, in bytes; offsets are stored divided by it."""

_GUESS_ROWS: Final = 4096
_SMALLEST_RECORD: Final = 24


class OffsetWidth(enum.Enum):
    """How many bytes an offset takes in a row."""

    FOUR = 4
    FIVE = 5

    @property
    def bytes(self) -> int:
        """Bytes of one offset."""
        return self.value

    @property
    def entry_length(self) -> int:
        """Bytes of one row."""
        return 12 + self.value

    @property
    def max_volume_length(self) -> int:
        """Where, in bytes, the part of a .dat ends that offsets of this width reach: 32 GiB or 8 TiB."""
        return ALIGNMENT << 8 * self.value


_FOUR = struct.Struct(">QIi")
_FIVE = struct.Struct(">QIBi")
assert _FOUR.size == OffsetWidth.FOUR.entry_length
assert _FIVE.size == OffsetWidth.FIVE.entry_length

NUMPY_ENTRY: Final[dict[OffsetWidth, numpy.dtype[Any]]] = {
    OffsetWidth.FOUR: numpy.dtype([("key", ">u8"), ("offset", ">u4"), ("size", ">i4")]),
    OffsetWidth.FIVE: numpy.dtype([("key", ">u8"), ("offset", ">u4"), ("offset_high", "u1"), ("size", ">i4")]),
}
"""A row as a NumPy record: ``offset`` and ``offset_high`` are the parts of the byte offset divided by 8."""


def encode_entry(width: OffsetWidth, key: int, offset: int, size: int) -> bytes:
    """One row; ``offset`` in bytes, a multiple of 8.

    :raises VolumeFull: when offsets of this width do not reach ``offset``.
    """
    units, rest = divmod(offset, ALIGNMENT)
    if rest:
        raise ValueError(f"offset {offset} is not a multiple of {ALIGNMENT}")
    if not 0 <= offset < width.max_volume_length:
        raise VolumeFull(f"Volume Size {offset} Exceeded {width.max_volume_length}")
    if width is OffsetWidth.FOUR:
        return _FOUR.pack(key, units, size)
    return _FIVE.pack(key, units & 0xFFFFFFFF, units >> 32, size)


def encode_entries(width: OffsetWidth, entries: Iterable[tuple[int, int, int]]) -> bytes:
    """The rows of (key, byte offset, size), one after the other; offsets must be within reach."""
    if width is OffsetWidth.FOUR:
        pack = _FOUR.pack
        return b"".join([pack(key, offset >> 3, size) for key, offset, size in entries])
    return b"".join([encode_entry(width, *entry) for entry in entries])


def decode_entry(width: OffsetWidth, data: bytes, at: int = 0) -> tuple[int, int, int]:
    """The row that begins at byte ``at`` of ``data``: key, offset in bytes, signed size.

    :raises FormatError: when ``data`` ends within the row.
    """
    try:
        if width is OffsetWidth.FOUR:
            key, units, size = _FOUR.unpack_from(data, at)
            return key, units * ALIGNMENT, size
        key, low, high, size = _FIVE.unpack_from(data, at)
    except struct.error:
        raise FormatError(f"an index row has {width.entry_length} bytes, found {max(len(data) - at, 0)}") from None
    return key, (high << 32 | low) * ALIGNMENT, size


def iterate(width: OffsetWidth, data: bytes) -> Iterator[tuple[int, int, int]]:
    """The rows of ``data`` in the order of the file; an incomplete row at its end is left out."""
    rows = memoryview(data)[:len(data) // width.entry_length * width.entry_length]
    if width is OffsetWidth.FOUR:
        for key, units, size in _FOUR.iter_unpack(rows):
            yield key, units * ALIGNMENT, size
    else:
        for key, low, high, size in _FIVE.iter_unpack(rows):
            yield key, (high << 32 | low) * ALIGNMENT, size


def guess_width(data: bytes, data_file_length: int) -> OffsetWidth | None:
    """Which width makes sense of the first rows of an .idx whose .dat has ``data_file_length`` bytes.

    A row makes sense when the record it points at lies within the .dat. ``None`` when neither width explains more
    than half of the rows, or both do equally well.
    """
    four, five = (_score(width, data, data_file_length) for width in OffsetWidth)
    if four == five or max(four, five) <= (0.5, False):
        return None
    return OffsetWidth.FOUR if four > five else OffsetWidth.FIVE


def _score(width: OffsetWidth, data: bytes, data_file_length: int) -> tuple[float, bool]:
    count = min(len(data) // width.entry_length, _GUESS_ROWS)
    if not count:
        return 0.0, False
    rows = numpy.frombuffer(data, NUMPY_ENTRY[width], count)
    offsets = rows["offset"].astype(numpy.int64)
    if width is OffsetWidth.FIVE:
        offsets |= rows["offset_high"].astype(numpy.int64) << 32
    sizes = rows["size"].astype(numpy.int64)
    ends = offsets * ALIGNMENT + numpy.maximum(sizes, 0) + _SMALLEST_RECORD
    is_record = (offsets > 0) & (sizes >= TOMBSTONE_SIZE) & (ends <= data_file_length)
    is_bare_tombstone = (offsets == 0) & (sizes == TOMBSTONE_SIZE)
    sound = numpy.count_nonzero(is_record | is_bare_tombstone)
    return float(sound) / count, not len(data) % width.entry_length
