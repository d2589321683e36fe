"""The master's two long conversations."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.streams import attend, follow
from seaweedvol.pb.master_pb2 import Heartbeat, KeepConnectedRequest, VolumeShortInformationMessage
from tests.master.worlds import LIMIT_MB, World, beat, volume


class AttendTests(SynchronousTestCase):
    """A volume server heartbeats."""

    def setUp(self) -> None:
        """A master."""
        self.world = World(self.mktemp())
        self.master = self.world.master

    def test_greeting_then_silence_then_gone(self) -> None:
        """The first beat is answered with the settings; the volumes are there as long as the stream is."""
        self.master.ledger.saw_volume_id(0)
        beats = [beat(volume(5), key=100), Heartbeat(new_volumes=[VolumeShortInformationMessage(id=6)])]
        answers = attend(self.master, iter(beats))
        first = next(answers)
        self.assertEqual((first.volume_size_limit, first.volume_digest_supported), (LIMIT_MB << 20, False))
        self.assertEqual(len(self.master.find("5")[0]), 1)
        self.assertEqual(self.master.ledger.next_keys(1), 101)
        self.assertEqual(list(answers), [])
        self.assertEqual(self.master.find("5"), ([], "volume id 5 not found"))
        self.assertEqual(self.master.max_volume_id, 6, "ids of servers that are gone are not given out again")

    def test_duplicate_directory(self) -> None:
        """The newcomer is told which directories, and its stream ends; the holder stays."""
        self.world.join(beat(uuid="u"))
        with self.assertLogs("seaweedvol.master.streams", "ERROR"):
            answers = list(attend(self.master, iter([beat(port=9, uuid="u"), beat(port=9, uuid="u")])))
        self.assertEqual([list(one.duplicated_uuids) for one in answers], [["u"]])
        self.assertEqual([node.port for node in self.master.topology.nodes()], [8080])

    def test_nameless_beats_are_passed_over(self) -> None:
        """A stream that begins without a name is not a server yet."""
        self.assertEqual(list(attend(self.master, iter([Heartbeat(has_no_ec_shards=True)]))), [])

    def test_followers_hear_of_a_lost_server(self) -> None:
        """Clients must not go on reading from a server that is gone."""
        follower = self.master.followers.add(KeepConnectedRequest(client_type="shell"))
        list(attend(self.master, iter([beat(volume(5))])))
        follower.end()
        told = [one.volume_location for one in follower.pending()][1:]
        self.assertEqual([(list(one.new_vids), list(one.deleted_vids)) for one in told], [([5], []), ([], [5])])


class FollowTests(SynchronousTestCase):
    """A client follows."""

    def setUp(self) -> None:
        """A master, and what is to be called when the client goes."""
        self.world = World(self.mktemp())
        self.endings: list[Callable[[], None]] = []

    def test_client_learns_the_leader_and_all_volumes(self) -> None:
        """The first message names the leader, even when there is no server yet."""
        request = KeepConnectedRequest(client_type="shell", client_address="x")
        messages = follow(self.world.master, iter([request]), self.endings.append)
        self.assertEqual(next(messages).volume_location.leader, "127.0.0.1:9333.777")
        self.world.join(beat(volume(1), volume(2)))
        messages = follow(self.world.master, iter([request]), self.endings.append)
        first = next(messages).volume_location
        self.assertEqual((first.leader, list(first.new_vids)), ("127.0.0.1:9333.777", [1, 2]))

    def test_stream_ends_with_the_client(self) -> None:
        """When gRPC says that the client is gone, the generator ends and the client is forgotten."""
        messages = follow(self.world.master, iter([KeepConnectedRequest(client_type="shell")]), self.endings.append)
        next(messages)
        self.endings[0]()
        self.assertEqual([one.HasField("cluster_node_update") for one in messages], [True])
        self.assertEqual(self.world.master.followers.list("shell", ""), [])

    def test_silent_client_is_none(self) -> None:
        """A stream that ends before it begins leaves nothing behind."""
        self.assertEqual(list(follow(self.world.master, iter(()), self.endings.append)), [])
