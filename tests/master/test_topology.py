"""What the master makes of heartbeats."""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.members import Change, Layout, Wish
from seaweedvol.master.topology import DuplicateDirectories, Topology
from seaweedvol.pb.master_pb2 import Heartbeat, VolumeEcShardInformationMessage, VolumeShortInformationMessage
from seaweedvol.storage.format.placement import parse_placement
from seaweedvol.storage.format.ttl import EMPTY_TTL
from tests.master.worlds import PLAIN, beat, joined, volume

LIMIT = 1000


class TopologyCase(SynchronousTestCase):
    """A world with a small volume size limit."""

    def setUp(self) -> None:
        """Nobody there."""
        self.topology = Topology(LIMIT, random.Random(1))

    def urls(self, volume_id: int, collection: str = "") -> list[str]:
        """Where a volume is."""
        return [node.url for node in self.topology.lookup(volume_id, collection)]

    def writable(self, layout: Layout = PLAIN) -> list[int]:
        """The volumes of a layout that take files."""
        return self.topology.layouts().get(layout, [])


class MembershipTests(TopologyCase):
    """Servers come and go."""

    def test_first_beat_makes_a_server(self) -> None:
        """Names, ports and places are those of the beat, with Go's defaults."""
        node = joined(self.topology, beat(volume(1)))
        self.assertEqual((node.url, node.grpc_target, node.public_url, node.node_id, node.data_center, node.rack),
                         ("10.0.0.1:8080", "10.0.0.1:18080", "pub:8080", "10.0.0.1:8080", "DefaultDataCenter",
                          "DefaultRack"))
        self.assertEqual(self.urls(1), ["10.0.0.1:8080"])

    def test_leave_forgets_the_volumes(self) -> None:
        """With the last stream the server and all it held are gone."""
        node = joined(self.topology, beat(volume(1), volume(2)))
        self.assertEqual(self.topology.leave(node), Change(deleted=frozenset({1, 2})))
        self.assertEqual((self.topology.nodes(), self.urls(1)), ([], []))

    def test_quick_reconnect_keeps_the_volumes(self) -> None:
        """A new stream before the end of the old one is the same server, not a duplicate."""
        node = joined(self.topology, beat(volume(1)))
        self.assertIs(joined(self.topology, beat(volume(1))), node)
        self.assertFalse(self.topology.leave(node))
        self.assertEqual(self.urls(1), ["10.0.0.1:8080"])

    def test_directory_of_two_servers_is_refused(self) -> None:
        """Two servers on one directory would destroy it."""
        joined(self.topology, beat(uuid="same"))
        error = self.assertRaises(DuplicateDirectories, self.topology.join, beat(port=8081, uuid="same"))
        self.assertEqual(error.uuids, ["same"])

    def test_ipv6(self) -> None:
        """An IPv6 address is written with brackets."""
        node = self.topology.join(Heartbeat(ip="::1", port=80))
        self.assertEqual((node.url, node.grpc_target), ("[::1]:80", "[::1]:10080"))


class BeatTests(TopologyCase):
    """Full lists and deltas."""

    def setUp(self) -> None:
        """A server with two volumes."""
        super().setUp()
        self.node = joined(self.topology, beat(volume(1), volume(2)))

    def test_full_list_is_the_whole_truth(self) -> None:
        """What a full list does not name is gone."""
        change = self.topology.apply(self.node, beat(volume(2), volume(3)))
        self.assertEqual(change, Change(new=frozenset({3}), deleted=frozenset({1})))

    def test_delta_changes_only_what_it_names(self) -> None:
        """A beat with new or deleted volumes leaves the rest."""
        change = self.topology.apply(self.node, Heartbeat(
            new_volumes=[VolumeShortInformationMessage(id=9, collection="c")],
            deleted_volumes=[VolumeShortInformationMessage(id=1)]))
        self.assertEqual(change, Change(new=frozenset({9}), deleted=frozenset({1})))
        self.assertEqual((self.urls(2), self.urls(9, "c"), self.urls(9, "d")), (["10.0.0.1:8080"],) * 2 + ([],))

    def test_changed_volumes_replace_what_was_known(self) -> None:
        """A volume that grew over the limit takes no files any more."""
        self.topology.apply(self.node, Heartbeat(changed_volumes=[volume(1, size=LIMIT)]))
        self.assertEqual(self.writable(), [2])

    def test_empty_beat_changes_nothing(self) -> None:
        """A beat that says nothing of volumes is no empty server."""
        self.assertFalse(self.topology.apply(self.node, Heartbeat(ip="10.0.0.1", port=8080)))
        self.assertEqual(self.writable(), [1, 2])

    def test_made_volume_waits_for_the_servers_word(self) -> None:
        """A volume just made is there at once, and once only when the server tells its disk."""
        self.topology.add_volume(self.node, volume(3))
        self.assertIn(3, self.writable())
        self.topology.apply(self.node, Heartbeat(new_volumes=[VolumeShortInformationMessage(id=3, disk_id=2)]))
        self.assertEqual([key for key in self.node.volumes if key[1] == 3], [(2, 3)])
        self.topology.add_volume(self.node, volume(3))
        self.assertEqual(len([key for key in self.node.volumes if key[1] == 3]), 1)

    def test_shards(self) -> None:
        """Erasure coded volumes are found, grow and shrink by their bits, and go with the last one."""
        first, second = (VolumeEcShardInformationMessage(id=7, ec_index_bits=bits) for bits in (1, 2))
        change = self.topology.apply(self.node, Heartbeat(new_ec_shards=[first, second]))
        self.assertEqual((change.new_ec, self.node.shards[0, 7].ec_index_bits), (frozenset({7}), 3))
        self.assertEqual(self.urls(7), ["10.0.0.1:8080"])
        gone = VolumeEcShardInformationMessage(id=7, ec_index_bits=3)
        self.assertEqual(self.topology.apply(self.node, Heartbeat(deleted_ec_shards=[gone])).deleted_ec,
                         frozenset({7}))

    def test_mark(self) -> None:
        """A volume can be closed and opened again between beats; one that is not there is not found."""
        self.assertTrue(self.topology.mark("10.0.0.1", 8080, 1, True))
        self.assertEqual(self.writable(), [2])
        self.assertTrue(self.topology.mark("10.0.0.1", 8080, 1, False))
        self.assertEqual(self.writable(), [1, 2])
        self.assertFalse(self.topology.mark("10.0.0.1", 8080, 99, True))
        self.assertFalse(self.topology.mark("10.0.0.2", 8080, 1, True))


class PickTests(TopologyCase):
    """Which volumes take files."""

    def test_full_and_read_only_volumes_are_left_out(self) -> None:
        """Neither is ever assigned."""
        joined(self.topology, beat(volume(1, size=LIMIT), volume(2, read_only=True), volume(3, size=LIMIT - 1)))
        self.assertEqual(self.writable(), [3])

    def test_layouts_do_not_mix(self) -> None:
        """Collection, placement and disk type all have to fit; hdd is the disk type without a name."""
        joined(self.topology, beat(volume(1, collection="c"), volume(2, disk_type="ssd"), volume(3, disk_type="hdd")))
        plain, none, empty = parse_placement("000"), EMPTY_TTL, ""
        self.assertEqual(self.writable(Layout("c", plain, none, empty)), [1])
        self.assertEqual(self.writable(Layout(empty, plain, none, "ssd")), [2])
        self.assertEqual(self.writable(PLAIN), [3])

    def test_all_copies_must_be_there(self) -> None:
        """A replicated volume is writable when as many servers hold it as its placement says."""
        layout = Layout("", parse_placement("001"), EMPTY_TTL, "")
        joined(self.topology, beat(volume(1, placement="001")))
        self.assertEqual(self.writable(layout), [])
        joined(self.topology, beat(volume(1, placement="001"), port=8081))
        self.assertEqual(self.writable(layout), [1])
        picked = self.topology.pick(layout, Wish(), 0)
        assert picked is not None
        self.assertEqual({node.port for node in picked[1]}, {8080, 8081})

    def test_two_disks_of_one_server_are_one_copy(self) -> None:
        """The same volume twice on one server is not replicated."""
        joined(self.topology, beat(volume(1, placement="001"), volume(1, placement="001", disk_id=1)))
        self.assertEqual(self.writable(Layout("", parse_placement("001"), EMPTY_TTL, "")), [])

    def test_promised_bytes_fill_a_volume_until_its_next_report(self) -> None:
        """What clients are about to write counts, so that one burst does not overfill a volume."""
        node = joined(self.topology, beat(volume(1)))
        self.assertIsNotNone(self.topology.pick(PLAIN, Wish(), LIMIT))
        self.assertIsNone(self.topology.pick(PLAIN, Wish(), 0))
        self.topology.apply(node, beat(volume(1, size=500)))
        self.assertIsNotNone(self.topology.pick(PLAIN, Wish(), 0))

    def test_wishes(self) -> None:
        """A client may name data center, rack or server, by id or address."""
        joined(self.topology, beat(volume(1), rack="r1", center="c1"))
        joined(self.topology, beat(volume(2), port=8081, rack="r2", center="c1"))
        for wish, ids in ((Wish("c1"), {1, 2}), (Wish("c1", "r2"), {2}), (Wish(data_node="10.0.0.1:8080"), {1}),
                          (Wish("c2"), set())):
            picked = {found[0] for _ in range(30) if (found := self.topology.pick(PLAIN, wish, 0))}
            self.assertEqual(picked, ids, wish)

    def test_free_slots(self) -> None:
        """Slots are counted by disk type, where the client wants them, and never below zero."""
        joined(self.topology, beat(volume(1), slots=3, rack="r1"))
        joined(self.topology, beat(volume(2), volume(3), port=8081, slots=1, rack="r2"))
        self.assertEqual(self.topology.free_slots(""), 2)
        self.assertEqual(self.topology.free_slots("ssd"), 0)
        self.assertEqual(self.topology.free_slots("", Wish(rack="r2")), 0)
        self.assertEqual(self.topology.max_volume_id(), 3)

    def test_dropped_collection(self) -> None:
        """A deleted collection is gone at once."""
        node = joined(self.topology, beat(volume(1, collection="c"), volume(2)))
        self.assertEqual(self.topology.drop_collection(node, "c"), Change(deleted=frozenset({1})))

    def test_dropped_encoded_collection(self) -> None:
        """So are its encoded volumes; until then they take room, and their server is one of the collection's."""
        node = joined(self.topology, beat(volume(2)))
        free = node.free_slots("")
        self.topology.apply(node, Heartbeat(new_ec_shards=[
            VolumeEcShardInformationMessage(id=7, ec_index_bits=0x7FF, collection="c", disk_type="hdd")]))
        self.assertEqual((node.free_slots(""), node.collections()), (free - 2, {"", "c"}))
        self.assertEqual(self.topology.drop_collection(node, "c"), Change(deleted_ec=frozenset({7})))
        self.assertEqual(node.free_slots(""), free)
        self.assertEqual((self.urls(1), self.urls(2)), ([], ["10.0.0.1:8080"]))
