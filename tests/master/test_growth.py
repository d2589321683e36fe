"""How many volumes, and where."""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.growth import NoRoom, choose_servers, volumes_to_grow
from seaweedvol.master.members import Node, Wish
from seaweedvol.master.topology import Topology
from seaweedvol.storage.format.placement import parse_placement
from tests.master.worlds import beat, joined


class VolumesToGrowTests(SynchronousTestCase):
    """The number of volumes made at once."""

    def test_bounded_by_what_is_free(self) -> None:
        """Three at most, half of the free slots at most, one at least."""
        for free, copies, count in ((100, 1, 3), (8, 1, 3), (5, 1, 2), (3, 1, 1), (1, 1, 1), (0, 1, 1), (8, 2, 2)):
            self.assertEqual(volumes_to_grow(free, copies), count, (free, copies))

    def test_eight_slots_serve_five_collections(self) -> None:
        """The usual eight slots are not all taken by the first collection."""
        free, collections = 8, 0
        while free:
            free -= volumes_to_grow(free, 1)
            collections += 1
        self.assertEqual(collections, 5)


class ChooseServersTests(SynchronousTestCase):
    """Where the copies go."""

    def setUp(self) -> None:
        """Two servers in one rack, one in another rack, one in another data center."""
        topology = Topology(1000)
        self.nodes = [joined(topology, beat(port=port, rack=rack, center=center, slots=slots)) for port, rack, center,
                      slots in ((1, "r1", "c1", 5), (2, "r1", "c1", 5), (3, "r2", "c1", 5), (4, "r3", "c2", 5))]

    def choose(self, placement: str, wish: Wish = Wish()) -> list[Node]:
        """A choice."""
        return choose_servers(self.nodes, parse_placement(placement), wish, "", random.Random(1))

    def test_distances(self) -> None:
        """Each digit of a placement asks for company at its distance."""
        self.assertEqual(len(self.choose("000")), 1)
        same_rack = self.choose("001")
        self.assertEqual({node.rack for node in same_rack}, {"r1"})
        self.assertEqual(len(same_rack), 2)
        self.assertEqual({node.rack for node in self.choose("010")}, {"r1", "r2"})
        self.assertEqual(len({node.data_center for node in self.choose("100")}), 2)
        everything = self.choose("111")
        self.assertEqual(len({node.url for node in everything}), 4)

    def test_wish_holds_for_the_first(self) -> None:
        """The first copy is where the client wants it."""
        self.assertEqual(self.choose("000", Wish(rack="r2"))[0].port, 3)
        self.assertEqual(self.choose("100", Wish("c2"))[0].port, 4)

    def test_no_room(self) -> None:
        """Go's words tell too few servers from servers at the wrong places."""
        for placement, wish, text in (("009", Wish(), "Not enough data nodes found!"),
                                      ("002", Wish(), "No matching data node found!"),
                                      ("000", Wish("c9"), "No matching data node found!")):
            self.assertEqual(str(self.assertRaises(NoRoom, self.choose, placement, wish)), text)

    def test_full_servers_are_left_out(self) -> None:
        """A server without a slot gets no volume."""
        self.nodes[2].max_counts = {"": 0}
        self.assertRaises(NoRoom, self.choose, "010")
