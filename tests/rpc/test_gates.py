"""Who may call what, and when."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis.strategies import text
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.rpc import gates, servicer
from seaweedvol.server.errors import InMaintenance, Kind, Refused
from tests.rpc.fakes import FakeServer


class TableTests(SynchronousTestCase):
    """The table against the service and against the counts of SeaweedFS 4.44."""

    def test_every_call_has_a_gate(self) -> None:
        """No call of the service is forgotten, none is invented."""
        self.assertEqual(set(gates.GATES), {method.name for method in servicer.SERVICE.methods})

    def test_counts(self) -> None:
        """30 calls ask the white list, 19 refuse in maintenance mode before they look at anything."""
        found = gates.GATES.values()
        self.assertEqual(sum(gate.is_guarded for gate in found), 30)
        self.assertEqual(sum(gate.stops_in_maintenance for gate in found), 19)

    def test_marking_looks_its_volume_up_first(self) -> None:
        """A volume that is not there is reported as such even in maintenance mode."""
        self.assertFalse(gates.GATES["VolumeMarkReadonly"].stops_in_maintenance)
        self.assertFalse(gates.GATES["VolumeMarkWritable"].stops_in_maintenance)


class PeerHostTests(SynchronousTestCase):
    """grpcio's words for a peer."""

    def test_forms(self) -> None:
        """Hosts come out the way Go prints an IP address; what is none comes out unchanged."""
        for peer, host in {
            "ipv4:10.1.2.3:4711": "10.1.2.3",
            "ipv6:[::1]:4711": "::1",
            "ipv6:%5B2001:db8:0:0:0:0:0:1%5D:4711": "2001:db8::1",
            "ipv6:%5Bfe80::1%25eth0%5D:4711": "fe80::1",
            "ipv6:[::ffff:10.1.2.3]:4711": "10.1.2.3",
            "unix:/run/socket": "unix:/run/socket",
            "ipv4:": "ipv4:",
            "": "",
        }.items():
            self.assertEqual(gates.peer_host(peer), host, peer)

    @given(text())
    @settings(max_examples=200, deadline=None)
    def test_anything(self, peer: str) -> None:
        """No peer, however odd, is more than text."""
        self.assertIsInstance(gates.peer_host(peer), str)


class CheckTests(SynchronousTestCase):
    """The gates as they open and close."""

    def setUp(self) -> None:
        self.fake = FakeServer()
        self.server = self.fake.as_server()

    def test_listed_peer_passes(self) -> None:
        """Somebody in the white list may change things."""
        gates.check("VolumeDelete", self.server, "ipv4:127.0.0.1:1")

    def test_stranger_is_denied(self) -> None:
        """Somebody else may not, and is told under which address he came."""
        error = self.assertRaises(Refused, gates.check, "VolumeDelete", self.server, "ipv4:10.0.0.9:1")
        self.assertEqual((str(error), error.kind), ("not authorized: 10.0.0.9", Kind.DENIED))

    def test_nobody_is_denied(self) -> None:
        """A call without a peer is refused."""
        error = self.assertRaises(Refused, gates.check, "SetState", self.server, "")
        self.assertEqual((str(error), error.kind), ("no peer info", Kind.DENIED))

    def test_stranger_may_do_what_peers_do(self) -> None:
        """Calls between volume servers, which no white list names, stay open."""
        for name in ("CopyFile", "ReceiveFile", "VolumeStatus", "Ping"):
            gates.check(name, self.server, "ipv4:10.0.0.9:1")

    def test_maintenance(self) -> None:
        """In maintenance mode changes stop and questions do not."""
        self.fake.store.state.value.maintenance = True
        error = self.assertRaises(InMaintenance, gates.check, "VolumeDelete", self.server, "ipv4:127.0.0.1:1")
        self.assertEqual(str(error), "volume server here:8080 is in maintenance mode")
        self.assertRaises(InMaintenance, gates.check, "WriteNeedleBlob", self.server, "ipv4:10.0.0.9:1")
        gates.check("VolumeMount", self.server, "ipv4:127.0.0.1:1")
        gates.check("VolumeStatus", self.server, "ipv4:127.0.0.1:1")

    def test_white_list_comes_first(self) -> None:
        """A stranger is not told that the server is in maintenance mode."""
        self.fake.store.state.value.maintenance = True
        error = self.assertRaises(Refused, gates.check, "VolumeDelete", self.server, "ipv4:10.0.0.9:1")
        self.assertEqual(error.kind, Kind.DENIED)
