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

    def test_leading_zeros_keep_their_name(self) -> None:
        """The base stays as it was written, so that the files are found."""
        self.assertEqual(parse_base("007"), VolumeName("007", "", VolumeId(7)))

    def test_other_files_are_no_volumes(self) -> None:
        """Data files, shards and strangers do not name a volume, nor does an empty collection."""
        for name in ("7.dat", "7.ecx", "x.idx", "_7.idx", "c_.vif", ".idx", "vol_dir.uuid", "c_-1.idx"):
            self.assertIsNone(volume_of_file(name), name)
