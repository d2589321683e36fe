"""What the log hears of calls that failed."""

from __future__ import annotations

from typing import Any

from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.rpc import failures, gates
from seaweedvol.server.errors import InMaintenance, Kind, Refused
from seaweedvol.server.interfaces import RemoteCallFailed
from seaweedvol.storage.errors import VolumeBusy, VolumeNotFound


class FailuresTests(SynchronousTestCase):
    """Tests for :func:`tell`."""

    def told(self, name: str, request: object, error: Exception) -> tuple[object, str]:
        """Level and text of the one line."""
        with capturedLogs() as events:
            failures.tell(name, request, error)
        event, = events
        return event["log_level"], formatEvent(event)

    def test_line(self) -> None:
        """A line has the call, the volume and the reason, as the caller gets it."""
        wanted: list[tuple[str, Any, Exception, str]] = [
            ("VacuumVolumeCompact", pb.VacuumVolumeCompactRequest(volume_id=7), VolumeBusy("volume 7 is compacting"),
             "VacuumVolumeCompact of volume 7 failed: volume 7 is compacting"),
            ("VolumeCopy", pb.VolumeCopyRequest(volume_id=7), RemoteCallFailed("x:1: gone", code="UNAVAILABLE"),
             "VolumeCopy of volume 7 failed: x:1: gone"),
            ("VolumeTierMoveDatToRemote", pb.VolumeTierMoveDatToRemoteRequest(volume_id=7),
             OSError(28, "full", "/d/7.dat"),
             "VolumeTierMoveDatToRemote of volume 7 failed: /d/7.dat: no space left on device"),
            ("DeleteCollection", pb.DeleteCollectionRequest(collection="c"), OSError(5, "?"),
             "DeleteCollection of collection c failed: input/output error"),
            ("ScrubVolume", pb.ScrubVolumeRequest(), Refused("one\ntwo"), "ScrubVolume failed: one\ntwo"),
            ("ScrubVolume", pb.ScrubVolumeRequest(volume_ids=range(1, 13)), Refused("x"),
             "ScrubVolume of volumes 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more failed: x"),
            ("ReceiveFile", iter(()), Refused("x"), "ReceiveFile failed: x"),
        ]
        for name, request, error, text in wanted:
            self.assertEqual(self.told(name, request, error), (LogLevel.warn, text))

    def test_of_the_caller(self) -> None:
        """Mistakes of the caller are no warnings, and whom the white list refuses is told of by that."""
        request = pb.VacuumVolumeCommitRequest(volume_id=7)
        for error, level in (
                (Refused("x", Kind.ABSENT), LogLevel.info), (Refused("x", Kind.INVALID), LogLevel.info),
                (InMaintenance("me"), LogLevel.info), (VolumeNotFound("x"), LogLevel.info),
                (Refused("x", Kind.DENIED), LogLevel.debug), (Refused("x", Kind.PRECONDITION), LogLevel.warn)):
            self.assertEqual(self.told("VacuumVolumeCommit", request, error)[0], level, error)

    def test_questions(self) -> None:
        """Of questions only the caller hears, unless the fault is ours."""
        request = pb.ReadNeedleBlobRequest(volume_id=7)
        self.assertEqual(self.told("ReadNeedleBlob", request, OSError(5, "?")), (
            LogLevel.debug, "ReadNeedleBlob of volume 7 failed: input/output error"))
        self.assertEqual(self.told("ReadNeedleBlob", request, KeyError(1)), (
            LogLevel.critical, "ReadNeedleBlob of volume 7 failed"))
        self.flushLoggedErrors(KeyError)

    def test_names(self) -> None:
        """All chores are calls that there are, and all that change volumes at a shell's or master's word are chores."""
        self.assertLessEqual(failures.CHORES, gates.GATES.keys())
        guarded = {name for name, gate in gates.GATES.items() if gate.is_guarded}
        self.assertEqual(guarded - failures.CHORES, {"BatchDelete", "ReadAllNeedles", "VolumeNeedleStatus"})
