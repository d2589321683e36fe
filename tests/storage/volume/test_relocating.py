"""The index moves while the volume is read and written."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest import mock

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import NeedleNotFound, VolumeBusy, VolumeError
from seaweedvol.storage.volume.loading import load_volume
from seaweedvol.storage.volume.volume import Volume
from tests.storage.volume.building import COOKIE, VolumeTestCase, draft, fail_with


class RelocateTests(VolumeTestCase):
    """Volume.relocate_index."""

    def setUp(self) -> None:
        """A volume with needles, whose index lies beside its data."""
        super().setUp()
        for key in (1, 2, 3):
            self.volume.append(draft(key, b"needle %d" % key))
        self.volume.delete(2, COOKIE)
        self.target = Path(self.mktemp())
        self.target.mkdir()
        self.old = self.volume.index_path

    def check(self, volume: Volume, place: Path) -> None:
        """Everything is there, and the index where it should be."""
        self.assertEqual(volume.index_path.parent, place)
        self.assertTrue(volume.index_path.exists())
        self.assertEqual((volume.read(1).data, volume.read(3).data), (b"needle 1", b"needle 3"))
        self.assertRaises(NeedleNotFound, volume.read, 2)

    def test_moved(self) -> None:
        """It is in one place only, and grows there."""
        self.volume.relocate_index(str(self.target))
        self.check(self.volume, self.target)
        self.assertFalse(self.old.exists())
        self.volume.append(draft(4))
        self.assertEqual(self.volume.index_path.stat().st_size, 5 * 16)
        self.volume.close()
        self.volume = load_volume(self.volume.directory, self.target, "", self.volume.id)
        self.check(self.volume, self.target)

    def test_twice(self) -> None:
        """Once there it stays."""
        for _ in range(2):
            self.volume.relocate_index(str(self.target))
        self.check(self.volume, self.target)

    def test_other_disk(self) -> None:
        """Where it cannot be renamed to, it is copied."""
        rename = os.replace

        def replace(source: str, target: str) -> None:
            if os.path.dirname(source) != os.path.dirname(target):
                raise OSError(errno.EXDEV, "")
            rename(source, target)

        with mock.patch("os.replace", replace):
            self.volume.relocate_index(str(self.target))
        self.check(self.volume, self.target)
        self.assertEqual((self.old.exists(), os.listdir(self.target)), (False, [self.old.name]))

    def test_failure(self) -> None:
        """What fails leaves it where it was."""
        with failpoints.armed("relocate", fail_with(28)):
            error = self.assertRaises(VolumeError, self.volume.relocate_index, str(self.target))
        self.assertEqual(str(error), "relocate index for volume 3: move .idx: no space left on device")
        self.check(self.volume, self.old.parent)
        with mock.patch("seaweedvol.storage.volume.relocating.open_needles", side_effect=OSError(5, "")):
            self.assertRaises(OSError, self.volume.relocate_index, str(self.target))
        self.check(self.volume, self.old.parent)
        self.volume.append(draft(4))
        self.assertEqual(self.volume.read(4).data, b"data")

    def test_compaction(self) -> None:
        """Not while the volume is compacted."""
        self.volume._core.is_compacting = True
        self.assertRaises(VolumeBusy, self.volume.relocate_index, str(self.target))
        self.volume._core.is_compacting = False
