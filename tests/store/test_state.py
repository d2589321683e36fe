"""Tests of :mod:`seaweedvol.store.state`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial import unittest

from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import FormatError, StateConflict
from seaweedvol.storage.format.state import VolumeServerState
from seaweedvol.store.state import ServerState


class ServerStateTests(unittest.SynchronousTestCase):
    """The state changes only under the version its writer has seen."""

    def setUp(self) -> None:
        """A place for the file."""
        directory = Path(self.mktemp())
        directory.mkdir(parents=True)
        self.path = directory / "state.pb"

    def test_fresh_server(self) -> None:
        """Without a file: version 0, no maintenance, and nothing is written."""
        state = ServerState(self.path)
        self.assertEqual(state.get(), VolumeServerState())
        self.assertFalse(state.is_maintenance)
        self.assertFalse(self.path.exists())

    def test_change_survives_a_restart(self) -> None:
        """What was set is there again, one version later."""
        state = ServerState(self.path)
        changed = state.set(VolumeServerState(maintenance=True))
        self.assertEqual(changed, VolumeServerState(maintenance=True, version=1))
        again = ServerState(self.path)
        self.assertEqual(again.get(), changed)
        self.assertTrue(again.is_maintenance)

    def test_file_is_the_message(self) -> None:
        """Go reads the file: field 1 maintenance, field 2 version."""
        ServerState(self.path).set(VolumeServerState(maintenance=True))
        self.assertEqual(self.path.read_bytes(), b"\x08\x01\x10\x01")

    def test_stale_version_is_refused(self) -> None:
        """Who has not seen the last change is told so in Go's words, and nothing changes."""
        state = ServerState(self.path)
        state.set(VolumeServerState(maintenance=True))
        error = self.assertRaises(StateConflict, state.set, VolumeServerState(version=7))
        self.assertEqual(str(error), "version mismatch for VolumeServerState (got 1, want 7)")
        self.assertEqual(state.get().version, 1)

    def test_nothing_changes_nothing(self) -> None:
        """A request without a state is answered with the present one."""
        self.assertEqual(ServerState(self.path).set(None), VolumeServerState())
        self.assertFalse(self.path.exists())

    def test_failed_save_changes_nothing(self) -> None:
        """What could not be saved is not in force either."""
        state = ServerState(self.path)

        def fail() -> None:
            raise OSError(28, "No space left on device")

        failpoints.arm("aside.sync", fail)
        self.addCleanup(failpoints.disarm, "aside.sync")
        self.assertRaises(OSError, state.set, VolumeServerState(maintenance=True))
        self.assertEqual(state.get(), VolumeServerState())

    def test_copies_are_handed_out(self) -> None:
        """Changing what one was given changes nothing here."""
        state = ServerState(self.path)
        state.get().maintenance = True
        self.assertFalse(state.is_maintenance)

    def test_damaged_file(self) -> None:
        """A file that is no state is not overlooked."""
        self.path.write_bytes(b"\xff\xff\xff")
        error = self.assertRaises(FormatError, ServerState, self.path)
        self.assertIn("failed to parse store state from", str(error))
