"""Numbers for operators and masters."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb.volume_server_pb2 import VolumeServerState
from seaweedvol.server import leaving, state, status
from seaweedvol.server.errors import InMaintenance, Refused
from seaweedvol.storage.errors import NeedleNotFound, StateConflict
from seaweedvol.storage.format.checksum import crc32c, legacy_mask
from seaweedvol.storage.format.needle import FLAG_LAST_MODIFIED, FLAG_TTL
from seaweedvol.storage.format.ttl import parse_ttl
from seaweedvol.storage.ids import NeedleId
from tests.server.building import COOKIE, VOLUME, new_volume, put, server_over, store_for
from tests.server.fakes import FakeMaster


class StatusCase(SynchronousTestCase):
    """One volume in one store."""

    def setUp(self) -> None:
        self.store = store_for(self)
        new_volume(self.store, collection="photos", replication="001")


class VolumeTests(StatusCase):
    """Of one volume."""

    def test_volume_status(self) -> None:
        """The count of files includes those that were deleted."""
        put(self.store, 1, b"hello")
        put(self.store, 2, b"hello")
        volume = self.store.get(VOLUME)
        volume.delete(NeedleId(1), COOKIE)
        self.assertEqual(
            status.volume_status(self.store, VOLUME),
            status.VolumeStatus(False, os.stat(volume.data_path).st_size, 2, 1))

    def test_sync_status(self) -> None:
        """Texts of the superblock, lengths of the files."""
        put(self.store, 1, b"hello")
        volume = self.store.get(VOLUME)
        self.assertEqual(status.sync_status(self.store, VOLUME), status.SyncStatus(
            VOLUME, "photos", "001", "", os.stat(volume.data_path).st_size, 16, 0, 3))

    def test_missing(self) -> None:
        """Go's words."""
        for ask in (status.volume_status, status.sync_status):
            self.assertEqual(str(self.assertRaises(Refused, ask, self.store, 99)), "not found volume id 99")


class NeedleTests(StatusCase):
    """Of one needle."""

    def test_needle(self) -> None:
        """Header size, masked checksum, TTL in its shortest words."""
        put(self.store, 5, b"hello", flags=FLAG_LAST_MODIFIED | FLAG_TTL, last_modified=1_700_000_000,
            ttl=parse_ttl("7d"))
        found = status.needle_status(self.store, VOLUME, NeedleId(5))
        self.assertEqual((found.key, found.cookie, found.last_modified, found.ttl), (5, COOKIE, 1_700_000_000, "1w"))
        self.assertEqual(found.checksum, legacy_mask(crc32c(b"hello")))
        self.assertEqual(found.size, 4 + 5 + 1 + 5 + 2)

    def test_empty(self) -> None:
        """Of an empty needle Go knows nothing but that it is there."""
        put(self.store, 5, b"")
        self.assertEqual(status.needle_status(self.store, VOLUME, NeedleId(5)),
                         status.NeedleStatus(5, 0, 0, 0, legacy_mask(0), ""))

    def test_missing(self) -> None:
        """Go's words, which differ from those of other calls."""
        error = self.assertRaises(Refused, status.needle_status, self.store, 99, 5)
        self.assertEqual(str(error), "volume not found 99")
        missing = self.assertRaises(NeedleNotFound, status.needle_status, self.store, VOLUME, 5)
        self.assertEqual(str(missing), "not found")


class ServerTests(StatusCase):
    """Of the machine, and of the server as a whole."""

    def test_server_status(self) -> None:
        """Numbers that are there on every machine are not 0."""
        found = status.server_status(server_over(self.store))
        (disk,) = found.disks
        self.assertEqual(disk.directory, os.path.abspath(self.store.locations[0].directory))
        self.assertTrue(disk.all > 0 and disk.free > 0)
        self.assertTrue(found.memory.threads > 0 and found.memory.resident > 0 and found.memory.total > 0)
        self.assertEqual((found.data_center, found.rack), ("dc1", "r1"))
        self.assertTrue(found.version.startswith("30GB 4.44 "))

    def test_state(self) -> None:
        """Each change counts the version up; a stale one is refused; None changes nothing."""
        self.assertEqual(state.get_state(self.store), VolumeServerState())
        self.assertEqual(state.set_state(self.store, VolumeServerState(maintenance=True)),
                         VolumeServerState(maintenance=True, version=1))
        self.assertRaises(StateConflict, state.set_state, self.store, VolumeServerState())
        self.assertEqual(state.set_state(self.store, None).version, 1)
        self.assertRaises(InMaintenance, state.check_not_in_maintenance, self.store)

    def test_leave(self) -> None:
        """The heartbeat stops once, however often it is asked for; the server is not ready any more."""
        master = FakeMaster()
        server = server_over(self.store, master)
        server.life.first_beat_sent = True
        self.assertTrue(server.life.is_ready)
        self.assertEqual([leaving.leave(server), leaving.leave(server)], [True, False])
        self.assertEqual((master.stops, server.life.is_ready), (1, False))
