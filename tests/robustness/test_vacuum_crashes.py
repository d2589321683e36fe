"""The process ends at each step of a vacuum: what was acknowledged is there afterwards, and the next vacuum works."""

from __future__ import annotations

import pathlib

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import NeedleNotFound
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.needlemap import MapKind, MapSettings
from seaweedvol.store.location import Location
from tests.contracts.needlemaps import NO_LEVELDB
from tests.robustness.vacuums import NEEDLES, VOLUME, Ended, ended_vacuums
from tests.storage.volume.building import draft


class VacuumCrashTests(SynchronousTestCase):
    """Ended and loaded again."""

    def check(self, ended: Ended, kind: MapKind) -> None:
        """Twice in a row, as a second start finds what the first one did."""
        where = f"{ended.number} {ended.step}"
        for lap in range(2):
            location = Location(ended.directory, ended.directory, maps=MapSettings(kind))
            location.load()
            self.assertEqual(location.failed, {}, where)
            volume = location.volumes[VolumeId(VOLUME)]
            self.assertEqual(volume.read_only_reasons, set(), f"{where}: {volume.reason_text()}")
            for key, data in ended.known.items():
                if data is None:
                    self.assertRaises(NeedleNotFound, volume.read, key)
                else:
                    self.assertEqual(volume.read(key).data, data, f"{where}, needle {key}")
            left = [path.suffix for path in ended.directory.iterdir() if path.suffix.startswith(".cp")]
            self.assertEqual(left, [], where)
            volume.append(draft(100 + lap, b"after"))
            if lap:
                revision = volume.compaction_revision
                list(volume.compact())
                volume.commit_compaction()
                self.assertEqual(volume.compaction_revision, revision + 1)
                self.assertEqual(volume.read(100).data, b"after")
            location.close()

    def run_with(self, kind: MapKind) -> None:
        """All steps; the last one is the vacuum that came through."""
        every = list(ended_vacuums(pathlib.Path(self.mktemp()), kind))
        self.assertGreater(len(every), 40)
        self.assertEqual(every[-1].known, NEEDLES)
        for ended in every:
            self.check(ended, kind)

    def test_in_memory(self) -> None:
        """Volumes whose needle map is in memory."""
        self.run_with(MapKind.MEMORY)

    def test_on_disk(self) -> None:
        """Volumes whose needle map is a LevelDB."""
        self.run_with(MapKind.LEVELDB)

    if NO_LEVELDB:
        test_on_disk.skip = NO_LEVELDB  # type: ignore[attr-defined]
