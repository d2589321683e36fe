"""Walks through a .dat: which needles, in which order, and beside whom."""

from __future__ import annotations

import os

from seaweedvol.storage.errors import Corrupt, VolumeClosed
from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.storage.volume.walking import raw_records
from tests.storage.volume.building import COOKIE, Ground, VolumeTestCase, draft


class WalkTests(VolumeTestCase):
    """Volume.mapped_needles."""

    def keys(self, volume: Volume) -> list[int]:
        """Of all needles met."""
        return [needle.key for needle in volume.mapped_needles() if needle is not None]

    def test_order(self) -> None:
        """That of the .dat, each key once, with its newest data, in each version of the layout."""
        for version in NEEDLE_VERSIONS:
            volume = Ground.at(self.mktemp(), version=version).create()
            self.addCleanup(volume.close)
            for key, data in ((3, b"old"), (1, b"one"), (2, b"two"), (3, b"new"), (4, b"")):
                volume.append(draft(key, data))
            volume.delete(1, COOKIE)
            found = [needle for needle in volume.mapped_needles() if needle is not None]
            self.assertEqual([(needle.key, needle.data) for needle in found],
                             [(1, b"one"), (2, b"two"), (3, b"new"), (4, b"")])
            self.assertEqual(found[2].checksum, crc32c(b"new"))

    def test_long(self) -> None:
        """Records of any length, within a window and beyond it."""
        sizes = [10, (1 << 20) - 60, 5, 3 << 20, 1, (1 << 20) - 20, 0, 1 << 20]
        for key, size in enumerate(sizes, 1):
            self.volume.append(draft(key, os.urandom(size)))
        found = [needle for needle in self.volume.mapped_needles() if needle is not None]
        self.assertEqual([len(needle.data) for needle in found], sizes)
        for needle in found:
            self.assertEqual(needle.data, self.volume.read(needle.key).data)

    def test_breath(self) -> None:
        """Who walks over many that are not given gets a word in."""
        for number in range(600):
            self.volume.append(draft(1, b"%d" % number))
        walk = list(self.volume.mapped_needles())
        self.assertEqual(walk[:2], [None, None])
        self.assertEqual(len(walk), 3)

    def test_writers_beside(self) -> None:
        """What is written meanwhile is not met, and disturbs nothing; nor does the end of the volume."""
        for key in range(1, 4):
            self.volume.append(draft(key))
        walk = self.volume.mapped_needles()
        self.assertEqual(getattr(next(walk), "key"), 1)
        self.volume.append(draft(9))
        self.volume.close()
        self.assertEqual([getattr(needle, "key") for needle in walk], [2, 3])
        self.assertRaises(VolumeClosed, self.keys, self.volume)

    def test_damaged(self) -> None:
        """A damaged needle comes with the checksum that it should have."""
        for key in (1, 2):
            self.volume.append(draft(key, b"data"))
        found = self.volume.locate(1)
        assert found is not None
        with open(self.volume.data_path, "r+b") as file:
            file.seek(found[0] + 20)
            file.write(b"DATA")
        needles = [needle for needle in self.volume.mapped_needles() if needle is not None]
        self.assertEqual([(needle.data, needle.checksum) for needle in needles],
                         [(b"DATA", crc32c(b"data")), (b"data", crc32c(b"data"))])

    def test_torn(self) -> None:
        """A record that is cut short ends the walk; what is no record is an error."""
        codec = NEEDLE_VERSIONS[3]
        whole = bytes(8) + codec.encode(self.volume.append(draft(1, b"data")).needle)

        def walk(data: bytes) -> list[int]:
            return [record.key for record in raw_records(lambda n, at: data[at:at + n], codec, 8, len(data))]

        for length in range(9, len(whole)):
            self.assertEqual(walk(whole + whole[8:length]), [1])
        self.assertEqual(walk(whole + whole[8:]), [1, 1])
        self.assertRaises(Corrupt, walk, whole + b"\xff" * 40)
