"""Volumes that were decoded elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server import staging
from seaweedvol.server.errors import Refused
from tests.server.building import VOLUME, open_store, put
from tests.server.erasing import fill, names_in

STAGED = {"dat.copying", "idx.copying", "vif.copying"}


class AdoptTests(SynchronousTestCase):
    """Files that were pushed."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.store = open_store(self.directory)
        self.addCleanup(self.store.close)
        fill(self.store)
        self.store.unmount(VOLUME)
        self.place = self.store.locations[0].directory
        for suffix in (".dat", ".idx", ".vif"):
            os.rename(self.place / f"7{suffix}", self.place / f"7{suffix}.copying")

    def refused(self, disk_type: str = "", collection: str = "") -> str:
        """Why they are not taken over."""
        return str(self.assertRaises(Refused, staging.adopt, self.store, VOLUME, collection, disk_type))

    def test_adopted(self) -> None:
        """They are a volume, which takes needles."""
        staging.adopt(self.store, VOLUME, "", "HDD")
        self.assertEqual(self.store.get(VOLUME).read(3).data, b"\3" * 3000)
        put(self.store, 9, b"more")
        self.assertEqual(names_in(self.place), {"dat", "idx", "vif"})
        self.assertEqual(self.refused(), "staged volume 7 already exists on this server")

    def test_refused(self) -> None:
        """In Go's words, when they are not there or not whole."""
        self.assertEqual(self.refused("ssd"), "staged volume 7: no .dat.copying found on a ssd disk")
        self.assertEqual(self.refused(collection="c"), "staged volume 7: no .dat.copying found on a  disk")
        os.unlink(self.place / "7.vif.copying")
        self.assertEqual(self.refused(), "staged volume 7 missing .vif.copying")
        self.assertEqual(names_in(self.place), STAGED - {"vif.copying"})

    def test_no_volume(self) -> None:
        """What cannot be served is staged as before."""
        (self.place / "7.dat.copying").write_bytes(b"no volume")
        self.assertIn("mount staged volume 7: volume 7 not found on disk", self.refused())
        self.assertEqual(names_in(self.place), STAGED)

    def test_unmounted_volume(self) -> None:
        """A volume that lies here unmounted is not replaced."""
        (self.place / "7.dat").write_bytes(b"precious")
        self.assertIn("already exists", self.refused())
        self.assertEqual((self.place / "7.dat").read_bytes(), b"precious")
