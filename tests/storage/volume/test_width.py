"""Tests of :mod:`seaweedvol.storage.volume.width`."""

from __future__ import annotations

import os

from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.volumeinfo import VolumeInfo
from seaweedvol.storage.volume.width import width_by_looks, width_of
from tests.storage.volume.building import VolumeTestCase, draft


class WidthTests(VolumeTestCase):
    """A volume of three needles, with offsets of four bytes."""

    def setUp(self) -> None:
        """Close it."""
        super().setUp()
        for key in range(1, 4):
            self.volume.append(draft(key))
        self.length = self.volume.data_length
        self.volume.close()

    def test_told(self) -> None:
        """The .vif counts, whatever the .idx looks like."""
        self.assertIs(width_of(self.volume.paths, VolumeInfo(bytes_offset=5), self.length), OffsetWidth.FIVE)

    def test_looked_at(self) -> None:
        """Where the .vif says nothing the .idx is looked at; without one nobody knows."""
        self.assertIs(width_of(self.volume.paths, VolumeInfo(), self.length), OffsetWidth.FOUR)
        self.assertIs(width_by_looks(self.volume.paths.index, self.length), OffsetWidth.FOUR)
        os.unlink(self.volume.paths.index)
        self.assertIsNone(width_of(self.volume.paths, VolumeInfo(), self.length))
        self.assertRaises(FileNotFoundError, width_by_looks, self.volume.paths.index, self.length)

    def test_nonsense(self) -> None:
        """There are no offsets of six bytes."""
        error = self.assertRaises(FormatError, width_of, self.volume.paths, VolumeInfo(bytes_offset=6), self.length)
        self.assertEqual(str(error), f"{self.volume.paths.info}: BytesOffset 6")
