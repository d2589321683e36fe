"""Assign, grow, look up, delete."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.allocation import CallFailed
from seaweedvol.master.assign import AssignRefused, AssignRequest, WarmingUp
from seaweedvol.master.master import WARM_UP_SECONDS, Master
from seaweedvol.master.members import Layout, Wish
from seaweedvol.security.guard import Guard
from seaweedvol.security.jwt import check_token
from seaweedvol.storage.format.placement import parse_placement
from seaweedvol.storage.format.ttl import EMPTY_TTL
from seaweedvol.storage.ids import parse_file_id
from tests.master.worlds import PLAIN, World, beat, volume

TWICE = Layout("", parse_placement("001"), EMPTY_TTL, "")


class AssignTests(SynchronousTestCase):
    """File ids."""

    def setUp(self) -> None:
        """A master without servers."""
        self.world = World(self.mktemp())
        self.master = self.world.master

    def test_warming_up(self) -> None:
        """Right after the start clients are asked to wait; later a lack of servers is an error."""
        self.assertRaises(WarmingUp, self.master.assign, AssignRequest(PLAIN))
        self.world.now = WARM_UP_SECONDS
        error = self.assertRaises(AssignRefused, self.master.assign, AssignRequest(PLAIN))
        self.assertIn("No writable volumes and no free volumes left for", str(error))

    def test_ids_are_new_and_cookies_unpredictable(self) -> None:
        """Keys go up by the count that was asked for; the cookie is chance."""
        self.world.join(beat(volume(3), key=10))
        self.master.ledger.saw_key(10)
        first = self.master.assign(AssignRequest(PLAIN, count=5))
        ids = [parse_file_id(self.master.assign(AssignRequest(PLAIN)).file_id) for _ in range(20)]
        self.assertEqual(parse_file_id(first.file_id).key, 11)
        self.assertEqual([one.key for one in ids], list(range(16, 36)))
        self.assertGreater(len({one.cookie for one in ids}), 15)
        self.assertEqual({one.volume_id for one in ids}, {3})

    def test_existing_volumes_are_used_without_blocking(self) -> None:
        """Only when a volume must be made first is there nothing to answer at once."""
        self.assertIsNone(self.joined_empty().assign_now(AssignRequest(PLAIN)))
        self.master.assign(AssignRequest(PLAIN))
        self.assertIsNotNone(self.master.assign_now(AssignRequest(PLAIN)))

    def test_too_many_ids(self) -> None:
        """More ids than there are is a refusal, and takes none."""
        self.joined_empty().assign(AssignRequest(PLAIN))
        error = self.assertRaises(AssignRefused, self.master.assign, AssignRequest(PLAIN, count=2**64 - 1))
        self.assertEqual(str(error), "18446744073709551615 file ids are more than can be had")
        self.assertEqual(parse_file_id(self.master.assign(AssignRequest(PLAIN)).file_id).key, 2)

    def joined_empty(self) -> Master:
        """The master with one empty server."""
        self.world.join(beat())
        return self.master

    def test_growth_makes_three_and_keeps_room(self) -> None:
        """The first collection leaves slots for others; each layout grows by itself."""
        self.joined_empty().assign(AssignRequest(PLAIN))
        self.assertEqual([made[1] for made in self.world.servers.made], [1, 2, 3])
        other = Layout("c", PLAIN.placement, PLAIN.ttl, "")
        self.master.assign(AssignRequest(other))
        self.assertEqual([made[1:] for made in self.world.servers.made[3:]], [(4, other), (5, other)])

    def test_wanted_number_of_volumes(self) -> None:
        """A client may ask for more volumes at once than usual."""
        self.joined_empty().assign(AssignRequest(PLAIN, writable_count=6))
        self.assertEqual(len(self.world.servers.made), 6)

    def test_full_server(self) -> None:
        """Without a free slot the refusal says so."""
        self.world.join(beat(volume(1, read_only=True), slots=1))
        error = self.assertRaises(AssignRefused, self.master.assign, AssignRequest(PLAIN))
        self.assertIn("no free volumes left", str(error))

    def test_refusing_server(self) -> None:
        """What the server says reaches the client."""
        self.world.join(beat())
        self.world.servers.refusing.add("10.0.0.1:8080")
        error = self.assertRaises(AssignRefused, self.master.assign, AssignRequest(PLAIN))
        self.assertIn("none could be made: rpc error: code = Unavailable desc = refused", str(error))

    def test_replication_needs_servers(self) -> None:
        """One server cannot hold two copies; two can, and both are named."""
        self.world.join(beat())
        error = self.assertRaises(AssignRefused, self.master.assign, AssignRequest(TWICE))
        self.assertIn("Not enough data nodes found!", str(error))
        self.world.join(beat(port=8081))
        assigned = self.master.assign(AssignRequest(TWICE))
        self.assertEqual({node.port for node in assigned.nodes}, {8080, 8081})

    def test_half_made_volume_is_taken_back(self) -> None:
        """When one copy cannot be made, the others do not stay behind."""
        self.world.join(beat())
        self.world.join(beat(port=8081, slots=7))
        self.world.servers.refusing.add("10.0.0.1:8081")
        self.assertRaises(AssignRefused, self.master.assign, AssignRequest(TWICE))
        made, deleted = self.world.servers.made, self.world.servers.deleted
        self.assertEqual([(url, volume_id) for url, volume_id, _ in made], deleted)

    def test_token(self) -> None:
        """With a signing key every file id comes with a token for it, without none."""
        self.assertEqual(self.master.token("3,01"), "")
        master = World(self.mktemp(), guard=Guard(write_key=b"w", read_key=b"r")).master
        check_token(b"w", master.token("3,0102030405"), "3,0102030405")
        check_token(b"r", master.token("3,0102030405", is_write=False), "3,0102030405")


class GrowTests(SynchronousTestCase):
    """Volumes on demand."""

    def setUp(self) -> None:
        """A master with one empty server."""
        self.world = World(self.mktemp())
        self.master = self.world.master
        self.world.join(beat())

    def test_grow(self) -> None:
        """As many as asked for, or none when there is no room for all."""
        self.assertEqual(self.master.grow(PLAIN, Wish(), 2), 2)
        error = self.assertRaises(AssignRefused, self.master.grow, PLAIN, Wish(), 7)
        self.assertEqual(str(error), "only 6 volumes left, not enough for 7")

    def test_volume_ids_are_never_reused(self) -> None:
        """Neither after a failure nor below what a server holds."""
        self.world.servers.refusing.add("10.0.0.1:8080")
        self.assertRaises(AssignRefused, self.master.grow, PLAIN, Wish(), 1)
        self.world.servers.refusing.clear()
        self.master.grow(PLAIN, Wish(), 1)
        self.assertEqual(self.world.servers.made[0][1], 2)
        self.world.join(beat(volume(70), port=9))
        self.master.grow(PLAIN, Wish(), 1)
        self.assertEqual(self.world.servers.made[1][1], 71)

    def test_find(self) -> None:
        """A volume by its text; what is no number is unknown."""
        self.master.grow(PLAIN, Wish(), 1)
        self.assertEqual(self.master.find("1")[0][0].port, 8080)
        self.assertEqual(self.master.find("1", "c"), ([], "volume id 1 not found"))
        for text in ("", "x", "-1", "9" * 30):
            self.assertEqual(self.master.find(text), ([], f"Unknown volume id {text}"))

    def test_delete_collection(self) -> None:
        """Every server of the collection is told; the volumes are gone at once."""
        self.master.grow(Layout("c", PLAIN.placement, PLAIN.ttl, ""), Wish(), 2)
        self.assertEqual(self.master.collections(), ["c"])
        self.assertTrue(self.master.delete_collection("c"))
        self.assertEqual((self.world.servers.dropped, self.master.collections()), ([("10.0.0.1:8080", "c")], []))
        self.assertFalse(self.master.delete_collection("c"))

    def test_failed_delete_keeps_the_collection(self) -> None:
        """What a server did not delete is still there."""
        self.master.grow(Layout("c", PLAIN.placement, PLAIN.ttl, ""), Wish(), 1)
        self.world.servers.refusing.add("10.0.0.1:8080")
        self.assertRaises(CallFailed, self.master.delete_collection, "c")
        self.assertEqual(self.master.collections(), ["c"])
