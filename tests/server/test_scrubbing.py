"""Looking through the volumes of a real store."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb.volume_server_pb2 import VolumeServerState
from seaweedvol.server import scrubbing
from seaweedvol.server.errors import Refused
from seaweedvol.server.scrubbing import FULL, INDEX, LOCAL, scrub
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.recordchecking import check_records
from tests.server.building import VOLUME, new_volume, put, server_for, store_for
from tests.server.fakes import FakeMaster

OTHER = VolumeId(8)


class ScrubTests(SynchronousTestCase):
    """A server with two volumes of three needles each."""

    def setUp(self) -> None:
        self.store = store_for(self)
        self.master = FakeMaster()
        self.server = server_for(self, self.store, self.master)
        for volume_id in (VOLUME, OTHER):
            new_volume(self.store, volume_id)
            for key in (1, 2, 3):
                put(self.store, key, b"hello", volume_id=volume_id)

    def _spoil_index(self, volume_id: VolumeId) -> None:
        with open(self.store.get(volume_id).index_path, "ab") as file:
            file.write(b"xx")

    def _spoil_data(self, volume_id: VolumeId) -> None:
        with open(self.store.get(volume_id).data_path, "r+b") as file:
            file.seek(30)
            file.write(b"?")

    def test_sound(self) -> None:
        """All modes count volumes and rows, of all volumes where none is named."""
        for mode in (INDEX, FULL, LOCAL):
            found = scrub(self.server, (), mode)
            self.assertEqual((found.volumes, found.files, found.broken, found.details), (2, 6, [], []))
        self.assertEqual(scrub(self.server, (VOLUME, VOLUME), FULL).volumes, 2)

    def test_broken(self) -> None:
        """What is broken is named; records are looked at only by the modes that do."""
        self._spoil_data(VOLUME)
        self._spoil_index(OTHER)
        for mode, broken in ((INDEX, [OTHER]), (FULL, [VOLUME, OTHER]), (LOCAL, [VOLUME, OTHER])):
            found = scrub(self.server, (), mode)
            self.assertEqual([volume.id for volume in found.broken], broken)
        self.assertEqual(len(found.details), 2)
        self.assertFalse(self.store.get(OTHER).is_read_only)

    def test_marks(self) -> None:
        """When asked, broken volumes are read-only afterwards, for good, and the master is told."""
        self._spoil_index(OTHER)
        found = scrub(self.server, (), INDEX, mark_broken=True)
        self.assertEqual(found.details[-1], "volume 8 is now read-only")
        self.assertTrue(self.store.get(OTHER).is_read_only)
        self.assertTrue(self.store.get(OTHER).info.read_only)
        self.assertFalse(self.store.get(VOLUME).is_read_only)

    def test_maintenance(self) -> None:
        """Marking is refused in maintenance mode, looking is not."""
        self._spoil_index(OTHER)
        self.store.state.set(VolumeServerState(maintenance=True))
        self.assertEqual(len(scrub(self.server, (), FULL).broken), 1)
        error = self.assertRaises(Refused, scrub, self.server, (), FULL, mark_broken=True)
        self.assertIn("is in maintenance mode", str(error))

    def test_refusals(self) -> None:
        """Unknown volumes and modes, in the order in which Go looks."""
        for ids, mode, words in (
            ((VOLUME, 99), FULL, "volume id 99 not found"), ((99,), 77, "volume id 99 not found"),
            ((VOLUME,), 77, "unsupported volume scrub mode 77"), ((), 0, "unsupported volume scrub mode 0"),
        ):
            self.assertEqual(str(self.assertRaises(Refused, scrub, self.server, ids, mode)), words)

    def test_nothing_in_no_mode(self) -> None:
        """Where nothing is, any mode will do, as in Go."""
        for status in self.store.volume_statuses():
            self.store.unmount(VolumeId(status.id))
        self.assertEqual(scrub(self.server, (), 0).volumes, 0)

    def test_no_index(self) -> None:
        """An .idx that is gone, or that became empty, is a finding and no error."""
        volume = self.store.get(VOLUME)
        os.truncate(volume.index_path, 0)
        found = scrub(self.server, (VOLUME,), FULL)
        self.assertEqual(found.details, [f"zero-size IDX file for volume 7 with store size {volume.data_length}"])
        os.unlink(volume.index_path)
        path = volume.index_path
        found = scrub(self.server, (VOLUME,), INDEX)
        self.assertEqual(
            found.details,
            [f"failed to open IDX file {path} for volume 7: open {path}: no such file or directory"])
        self.assertEqual((found.volumes, found.files), (1, 0))

    def test_empty(self) -> None:
        """A volume never written to is sound."""
        new_volume(self.store, 9)
        self.assertEqual(scrub(self.server, (9,), FULL).details, [])

    def test_elsewhere(self) -> None:
        """Another process finds the same, of files that lost their names meanwhile too."""
        self._spoil_data(VOLUME)
        here = scrub(self.server, (VOLUME,), FULL).details
        self.patch(scrubbing, "SMALL_LENGTH", -1)
        self.assertEqual(scrub(self.server, (VOLUME,), FULL).details, here)
        held = self.store.get(VOLUME).hold_still()
        self.store.get(VOLUME).destroy()
        step = self.server.workers.run(check_records, held.still, 0)
        self.assertEqual(step.failures, here)

    def test_many_failures(self) -> None:
        """Beyond a number they are counted only."""
        self.patch(scrubbing, "MOST_FAILURES", 1)
        os.truncate(self.store.get(VOLUME).data_path, 8)
        found = scrub(self.server, (VOLUME,), FULL)
        self.assertEqual(found.details, [
            "failed to read needle 1 on volume 7: EOF", "2 more failures on volume 7"])

    def test_stopping(self) -> None:
        """A server that ends does not wait for it."""
        self.server.life.is_stopping = True
        self.assertRaises(Refused, scrub, self.server, (VOLUME,), FULL)
