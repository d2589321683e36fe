"""Tests for L{seaweedvol.storage.format.state}."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb.volume_server_pb2 import VolumeServerState
from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.state import dump_state, load_state
from tests import strategies
from tests.golden import reading


class StateTests(SynchronousTestCase):
    """The state.pb file."""

    @given(st.booleans(), strategies.uint32s)
    @settings(max_examples=50, deadline=None)
    def test_round_trip(self, maintenance: bool, version: int) -> None:
        """What is written is read back."""
        state = VolumeServerState(maintenance=maintenance, version=version)
        self.assertEqual(load_state(dump_state(state)), state)

    def test_golden(self) -> None:
        """The state of a Go server in maintenance is understood and comes out byte for byte."""
        data = (reading.DIRECTORY / "settings" / "state.pb").read_bytes()
        state = load_state(data)
        self.assertEqual(state, VolumeServerState(maintenance=True, version=1))
        self.assertEqual(dump_state(state), data)

    def test_initial(self) -> None:
        """No bytes are the state of a server that never saved one."""
        self.assertEqual(load_state(b""), VolumeServerState())
        self.assertEqual(dump_state(VolumeServerState()), b"")

    @given(st.binary(max_size=30))
    @settings(max_examples=200, deadline=None)
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes are a state, or a L{FormatError}."""
        try:
            load_state(data)
        except FormatError:
            pass
