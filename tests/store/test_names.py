"""Tests of :mod:`seaweedvol.store.names`."""

from __future__ import annotations

from twisted.trial import unittest

from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.names import VolumeName, parse_base, volume_of_file


class NamesTests(unittest.SynchronousTestCase):
    """File names are read as Go reads them."""

    def test_volume_without_collection(self) -> None:
        """A number alone is a volume of the default collection."""
        self.assertEqual(volume_of_file("7.idx"), VolumeName("7", "", VolumeId(7)))

    def test_last_underscore_separates(self) -> None:
        """A collection may have underscores itself."""
        self.assertEqual(volume_of_file("a_b_12.vif"), VolumeName("a_b_12", "a_b", VolumeId(12)))

    def test_names_that_no_server_writes(self) -> None:
        """A second way to write an id would stand for another volume's files."""
        for base in ("007", "a_07", "4294967303"):
            self.assertIsNone(parse_base(base), base)

    def test_other_files_are_no_volumes(self) -> None:
        """Data files, shards and strangers do not name a volume, nor does an empty collection."""
        for name in ("7.dat", "7.ecx", "x.idx", "_7.idx", "c_.vif", ".idx", "vol_dir.uuid", "c_-1.idx"):
            self.assertIsNone(volume_of_file(name), name)
