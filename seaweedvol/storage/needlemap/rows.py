"""The rows of an .idx as NumPy columns in the order of the file: what replay, checks and repairs work on.

Ten million rows are read in half a second. Never hand such arrays to a needle map: a NumPy view forbids the
``array.array`` under it to grow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import attrs
import numpy
from numpy.typing import NDArray

from seaweedvol.storage.backend import IVolumeFile
from seaweedvol.storage.format.index import ALIGNMENT, NUMPY_ENTRY, OffsetWidth

_CHUNK_ROWS: Final = 1 << 20

Mask = NDArray[numpy.bool_]


@attrs.frozen(eq=False)
class Rows:
    """Rows in file order: ``keys`` u64, ``units`` u64 or u32 (offset divided by 8), ``sizes`` i32; equally long."""

    width: OffsetWidth
    keys: NDArray[numpy.uint64]
    units: NDArray[Any]
    sizes: NDArray[numpy.int32]

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, at: int) -> tuple[int, int, int]:
        """Key, offset in bytes and signed size of one row."""
        return int(self.keys[at]), int(self.units[at]) * ALIGNMENT, int(self.sizes[at])

    def ends(self, fixed_length: int) -> NDArray[numpy.int64]:
        """Where in the .dat the record of each row ends, in bytes; a deletion's record is that of an empty needle.

        :param fixed_length: bytes of a record besides its body and padding.
        """
        lengths = numpy.maximum(self.sizes, 0).astype(numpy.int64)
        lengths += fixed_length
        lengths //= ALIGNMENT
        lengths += 1
        lengths += self.units.astype(numpy.int64)
        lengths *= ALIGNMENT
        return lengths

    def farthest_end(self, fixed_length: int, *, only_filled: bool = False) -> int:
        """The greatest of :meth:`ends`, rows without offset aside, with ``only_filled`` deletions and empty needles
        too; 0 if there is none.
        """
        farthest = 0
        for start in range(0, len(self), _CHUNK_ROWS):
            part = self.where(slice(start, start + _CHUNK_ROWS))
            counts = part.units != 0
            if only_filled:
                counts &= part.sizes > 0
            farthest = max(farthest, int(part.ends(fixed_length).max(where=counts, initial=0)))
        return farthest

    def last_per_offset(self) -> NDArray[numpy.intp]:
        """Positions of the rows that have an offset, by offset; of several with the same the last one counts."""
        placed = numpy.flatnonzero(self.units != 0)
        ordered = placed[numpy.argsort(self.units[placed], kind="stable")]
        is_last = numpy.ones(len(ordered), numpy.bool_)
        numpy.not_equal(self.units[ordered[1:]], self.units[ordered[:-1]], out=is_last[:-1])
        return ordered[is_last]

    def where(self, chosen: Mask | NDArray[numpy.intp] | slice) -> Rows:
        """The rows at which a mask is true, or at these positions in this order."""
        return Rows(self.width, self.keys[chosen], self.units[chosen], self.sizes[chosen])

    def followed_by(self, other: Rows) -> Rows:
        """These rows and then ``other``."""
        if not len(other):
            return self
        return Rows(
            self.width,
            numpy.concatenate((self.keys, other.keys)),
            numpy.concatenate((self.units, other.units)),
            numpy.concatenate((self.sizes, other.sizes)),
        )

    def encode(self) -> bytes:
        """The bytes of the .idx."""
        packed = numpy.empty(len(self), NUMPY_ENTRY[self.width])
        packed["key"], packed["size"] = self.keys, self.sizes
        packed["offset"] = self.units & 0xFFFFFFFF
        if self.width is OffsetWidth.FIVE:
            packed["offset_high"] = self.units >> 32
        return packed.tobytes()


def make_rows(width: OffsetWidth, entries: Iterable[tuple[int, int, int]]) -> Rows:
    """Rows from (key, offset in bytes, size)."""
    listed = list(entries)
    return Rows(
        width,
        numpy.array([key for key, _, _ in listed], numpy.uint64),
        numpy.array([offset // ALIGNMENT for _, offset, _ in listed], _unit_type(width)),
        numpy.array([size for _, _, size in listed], numpy.int32),
    )


def read_rows(file: IVolumeFile, width: OffsetWidth) -> Rows:
    """All whole rows of an .idx; an incomplete one at its end is left out.

    :raises OSError: when the file cannot be read, or ends earlier than it said.
    """
    count = file.length() // width.entry_length
    keys = numpy.empty(count, numpy.uint64)
    units = numpy.empty(count, _unit_type(width))
    sizes = numpy.empty(count, numpy.int32)
    for start in range(0, count, _CHUNK_ROWS):
        end = min(start + _CHUNK_ROWS, count)
        data = file.read_at((end - start) * width.entry_length, start * width.entry_length)
        if len(data) != (end - start) * width.entry_length:
            raise OSError(f"{file.path} ends before its length of {file.length()} bytes")
        chunk = numpy.frombuffer(data, NUMPY_ENTRY[width])
        keys[start:end], units[start:end], sizes[start:end] = chunk["key"], chunk["offset"], chunk["size"]
        if width is OffsetWidth.FIVE:
            units[start:end] |= chunk["offset_high"].astype(numpy.uint64) << numpy.uint64(32)
    return Rows(width, keys, units, sizes)


def _unit_type(width: OffsetWidth) -> type[numpy.uint32] | type[numpy.uint64]:
    return numpy.uint32 if width is OffsetWidth.FOUR else numpy.uint64
