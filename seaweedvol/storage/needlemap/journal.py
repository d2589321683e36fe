"""The growing end of an .idx, for maps whose needles are elsewhere: rows are appended whole or not at all."""

from __future__ import annotations

from seaweedvol.storage.backend import IVolumeFile
from seaweedvol.storage.format.index import OffsetWidth


class Journal:
    """One .idx with a single writer."""

    __slots__ = ("file", "width", "length", "_entry_length")

    def __init__(self, file: IVolumeFile, width: OffsetWidth) -> None:
        self.file = file
        self.width = width
        self.length = file.length()
        self._entry_length = width.entry_length

    @property
    def row_count(self) -> int:
        """How many whole rows there are."""
        return self.length // self._entry_length

    def append(self, rows: bytes) -> None:
        """Write whole rows.

        :raises OSError: when they could not all be written; then none is there.
        """
        end = self.length
        try:
            self.file.write_at(rows, end)
        except OSError:
            self._cut(end)
            raise
        self.length = end + len(rows)

    def take_back(self, count: int) -> None:
        """Remove the last ``count`` rows.

        :raises OSError: when the file could not be cut; the next row is written over them all the same.
        """
        self.length -= count * self._entry_length
        self.file.truncate(self.length)

    def _cut(self, end: int) -> None:
        try:
            self.file.truncate(end)
        except OSError:
            # The next row is written over the rest, and a load cuts it.
            return
