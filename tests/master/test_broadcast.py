"""Clients that follow the master."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.broadcast import BACKLOG, Followers
from seaweedvol.master.members import Change
from seaweedvol.master.topology import Topology
from seaweedvol.pb.master_pb2 import KeepConnectedRequest, KeepConnectedResponse
from tests.master.worlds import beat, joined


class FollowersTests(SynchronousTestCase):
    """Who is told what."""

    def setUp(self) -> None:
        """One filer."""
        self.followers = Followers()
        self.filer = self.followers.add(KeepConnectedRequest(
            client_type="filer", client_address="f:8888", filer_group="g", version="v", data_center="d", rack="r"))

    def drained(self) -> list[KeepConnectedResponse]:
        """What the filer was told until now."""
        self.filer.end()
        return list(self.filer.pending())

    def test_changes_reach_everybody(self) -> None:
        """New and deleted volumes are told with the server's addresses; nothing is told of nothing."""
        node = joined(Topology(1), beat())
        self.followers.tell_change(node, Change(new=frozenset({2, 1}), deleted=frozenset({3})))
        self.followers.tell_change(node, Change())
        _, told = self.drained()
        at = told.volume_location
        self.assertEqual((at.url, at.public_url, at.grpc_port, list(at.new_vids), list(at.deleted_vids)),
                         ("10.0.0.1:8080", "pub:8080", 18080, [1, 2], [3]))

    def test_members_are_announced(self) -> None:
        """A group hears who comes and who goes, and can be listed."""
        other = self.followers.add(KeepConnectedRequest(client_type="filer", client_address="f2", filer_group="g"))
        self.assertEqual([one.address for one in self.followers.list("filer", "g")], ["f:8888", "f2"])
        self.followers.remove(other)
        self.followers.remove(other)
        self.assertEqual(list(other.pending())[-1].cluster_node_update.address, "f2")
        updates = [one.cluster_node_update for one in self.drained()]
        self.assertEqual([(one.address, one.is_add) for one in updates],
                         [("f:8888", True), ("f2", True), ("f2", False)])
        self.assertEqual(self.followers.list("filer", ""), [])

    def test_client_that_takes_nothing_is_cut_off(self) -> None:
        """A full queue ends instead of growing for ever or blocking the others."""
        for _ in range(BACKLOG + 1):
            self.followers.tell(KeepConnectedResponse())
        self.assertLess(len(list(self.filer.pending())), BACKLOG)

    def test_close_ends_all(self) -> None:
        """When the master stops, no stream waits on."""
        self.followers.close()
        self.assertEqual(len(list(self.filer.pending())), 1)
