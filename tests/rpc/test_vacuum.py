"""The calls of a vacuum."""

from __future__ import annotations

import grpc

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server import vacuuming
from tests.rpc.test_calls import CallsCase
from tests.server.building import COOKIE, VOLUME, put


class VacuumTests(CallsCase):
    """Over a store with one volume."""

    def test_steps(self) -> None:
        """As a master makes them."""
        self.patch(vacuuming, "REPORT_EVERY", 100)
        for key in (1, 2, 3):
            put(self.store, key, b"data" * 40)
        self.store.get(VOLUME).delete(1, COOKIE)
        found = self.call("VacuumVolumeCheck", pb.VacuumVolumeCheckRequest(volume_id=VOLUME))
        self.assertAlmostEqual(found.garbage_ratio, 1 / 3)
        progress = self.call("VacuumVolumeCompact", pb.VacuumVolumeCompactRequest(volume_id=VOLUME))
        self.assertEqual([one.processed_bytes > 0 for one in progress], [True] * 2)
        done = self.call("VacuumVolumeCommit", pb.VacuumVolumeCommitRequest(volume_id=VOLUME))
        self.assertEqual((done.is_read_only, done.volume_size), (False, self.store.get(VOLUME).data_length))
        self.call("VacuumVolumeCleanup", pb.VacuumVolumeCleanupRequest(volume_id=VOLUME))
        status = self.call("VolumeStatus", pb.VolumeStatusRequest(volume_id=VOLUME))
        self.assertEqual((status.file_count, status.file_deleted_count), (2, 0))

    def test_missing(self) -> None:
        """A volume that is not here."""
        for name, purpose in (
            ("Check", "check compact"), ("Compact", "compact"), ("Commit", "commit compact"),
            ("Cleanup", "cleaning up"),
        ):
            request = getattr(pb, f"VacuumVolume{name}Request")(volume_id=99)
            self.assertEqual(
                self.refusal(f"VacuumVolume{name}", request),
                (grpc.StatusCode.UNKNOWN, f"volume id 99 is not found during {purpose}"))

    def test_nothing_to_commit(self) -> None:
        """A commit without compaction does no harm."""
        put(self.store, 1, b"data")
        self.assertEqual(
            self.refusal("VacuumVolumeCommit", pb.VacuumVolumeCommitRequest(volume_id=VOLUME)),
            (grpc.StatusCode.UNKNOWN, "volume 7 compact swap aborted: missing .cpd/.cpx"))
        self.assertEqual(self.store.get(VOLUME).read(1).data, b"data")
