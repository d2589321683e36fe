"""Volumes on their way: aside, into their places, or nowhere."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import Corrupt, VolumeBusy
from seaweedvol.storage.format.index import OffsetWidth, encode_entry
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.volume.arriving import Arrival
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.vouching import vouch
from tests.storage.volume.building import COOKIE, Ground, draft, fail_with


class ArrivalTests(SynchronousTestCase):
    """Arrival."""

    def setUp(self) -> None:
        self.data, self.index = Path(self.mktemp()), Path(self.mktemp())
        self.data.mkdir()
        self.index.mkdir()
        self.arrival = Arrival(VolumePaths(str(self.data), str(self.index), "c", 7))

    def fill(self) -> None:
        """All three files."""
        for extension in (".dat", ".idx", ".vif"):
            file = self.arrival.open(extension)
            file.write_at(extension.encode(), 0)
            file.close()

    def files(self) -> list[str]:
        """Names in both directories."""
        return sorted(os.listdir(self.data) + ["index/" + name for name in os.listdir(self.index)])

    def test_publish(self) -> None:
        """Each in its place; what lay there of the volume is gone, and so is the note."""
        for name in ("c_7.dat", "c_7.sdx", "c_7.idx"):
            self.data.joinpath(name).write_bytes(b"old")
        self.fill()
        notes: list[bytes] = []
        with failpoints.armed("arriving.rename", lambda: notes.append(self.data.joinpath("c_7.note").read_bytes())):
            self.arrival.publish("copying from x")
        self.assertEqual(self.files(), ["c_7.dat", "c_7.vif", "index/c_7.idx"])
        self.assertEqual(self.data.joinpath("c_7.dat").read_bytes(), b".dat")
        self.assertEqual(notes, [b"copying from x"] * 3)

    def test_failure(self) -> None:
        """Nothing is left, wherever it fails."""
        for name in ("arriving.note", "arriving.rename", "arriving.settled"):
            self.fill()
            with failpoints.armed(name, fail_with(5)):
                self.assertRaises(OSError, self.arrival.publish, "x")
            self.assertEqual(self.files(), [])

    def test_drop(self) -> None:
        """Nothing of what came, and not what somebody else is copying."""
        self.fill()
        other = Arrival(self.arrival.paths)
        self.assertRaises(VolumeBusy, other.open, ".dat")
        other.drop()
        self.assertEqual(len(self.files()), 3)
        self.arrival.forget(".vif")
        self.arrival.drop()
        self.arrival.drop()
        self.assertEqual(self.files(), [])


class VouchTests(SynchronousTestCase):
    """vouch."""

    def setUp(self) -> None:
        self.volume = Ground.at(self.mktemp()).create()
        for key in range(1, 30):
            self.volume.append(draft(key, b"needle %d" % key))
        self.volume.delete(3, COOKIE)
        self.volume.close()

    def vouch(self) -> list[tuple[int, int]]:
        """The doubtful ones."""
        return vouch(str(self.volume.index_path), str(self.volume.data_path), NEEDLE_VERSIONS[3], OffsetWidth.FOUR)

    def test_sound(self) -> None:
        """Nothing is doubtful in what belongs together, be it empty."""
        self.assertEqual(self.vouch(), [])
        self.volume.index_path.write_bytes(b"")
        self.assertEqual(self.vouch(), [])

    def test_damaged(self) -> None:
        """A record whose bytes are not what they were, and a row that leads into another record."""
        content = self.volume.data_path.read_bytes()
        self.volume.data_path.write_bytes(content.replace(b"needle 7", b"NEEDLE 7"))
        ((offset, size),) = self.vouch()
        self.assertEqual(content[offset + 20:offset + 28], b"needle 7")
        with open(self.volume.index_path, "ab") as file:
            file.write(encode_entry(OffsetWidth.FOUR, 1, offset + 8, size))
        self.assertIn((offset + 8, size), self.vouch())

    def test_out_of_the_data(self) -> None:
        """A row that leads out of the .dat."""
        os.truncate(self.volume.data_path, self.volume.data_path.stat().st_size - 8)
        self.assertRaises(Corrupt, self.vouch)
