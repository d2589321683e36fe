"""Calls to masters, with channels that lie in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from twisted.internet import defer
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.locations import GrpcLookup
from seaweedvol.cluster.master import MasterClient
from seaweedvol.cluster.peers import Peers
from seaweedvol.pb.master_pb2 import GetMasterConfigurationResponse, LookupVolumeResponse, PingResponse
from seaweedvol.pb.volume_server_pb2 import BatchDeleteResponse
from seaweedvol.server.interfaces import DeleteResult, LookupFailed, MarkedVolume, RemoteCallFailed
from tests.cluster.fakechannels import FakeChannels
from tests.cluster.test_calls import FakeError, FakeFuture, Reactor

ONE, TWO = "10.0.0.1:9333", "10.0.0.2:9333.7777"
VOLUME = MarkedVolume(volume_id=3, collection="c", placement=1, ttl=2, disk_type="ssd")
NOT_LEADER = FakeError(grpc.StatusCode.UNKNOWN, "raft.Server: Not current leader")

Answer = Callable[[str, Any], Any]


class FakeCall:
    """One method of a server in memory."""

    def __init__(self, target: str, method: str, answer: Callable[[str, str, Any], Any]) -> None:
        self._target, self._method, self._answer = target, method, answer

    def __call__(self, request: Any, timeout: float | None = None) -> Any:
        """The blocking call."""
        answer = self._answer(self._target, self._method, request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def future(self, request: Any, timeout: float | None = None) -> FakeFuture:
        """The call under way; over already."""
        future = FakeFuture()
        answer = self._answer(self._target, self._method, request)
        future.error, future.outcome = (answer, None) if isinstance(answer, Exception) else (None, answer)
        future.add_done_callback = lambda callback: callback(future)  # type: ignore[method-assign]
        return future


class FakeChannel:
    """A channel to a server in memory."""

    def __init__(self, target: str, answer: Callable[[str, str, Any], Any]) -> None:
        self._target, self._answer = target, answer

    def unary_unary(self, path: str, *_: object, **__: object) -> FakeCall:
        """One method."""
        return FakeCall(self._target, path.rpartition("/")[2], self._answer)

    stream_stream = unary_stream = stream_unary = unary_unary


class Servers:
    """Servers in memory: answers by target and method, and what was asked."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Any] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.channels = FakeChannels(lambda target: FakeChannel(target, self.answer))

    def answer(self, target: str, method: str, request: Any) -> Any:
        """The answer, or that nobody is there."""
        self.asked.append((target, method, request))
        return self.answers.get((target, method), FakeError(grpc.StatusCode.UNAVAILABLE, "nobody there"))


class MasterClientTests(SynchronousTestCase):
    """Who is asked, and what is said when it fails."""

    def setUp(self) -> None:
        """Two masters in memory, nobody answering yet."""
        self.servers = Servers()
        self.client = MasterClient([ONE, TWO], "10.0.0.9", 8080, self.servers.channels)

    def test_leader_is_the_heartbeats(self) -> None:
        """Before the heartbeat knows one it is the first configured."""
        self.assertEqual(self.client.leader(), ONE)
        self.client.follow(lambda: TWO, lambda: None)
        self.assertEqual(self.client.leader(), TWO)

    def test_is_master_compares_the_http_form(self) -> None:
        """Configured and current masters are known, with or without their gRPC port; nobody else is."""
        self.client.follow(lambda: "10.0.0.3:9333", lambda: None)
        for address in (ONE, "10.0.0.2:9333", "10.0.0.1:9333.1", "10.0.0.3:9333"):
            self.assertTrue(self.client.is_master(address), address)
        for address in ("", "10.0.0.4:9333", "10.0.0.1:9334"):
            self.assertFalse(self.client.is_master(address), address)

    def test_mark_reaches_the_current_master(self) -> None:
        """All that the master needs to find the volume goes along."""
        self.servers.answers["10.0.0.1:19333", "VolumeMarkReadonly"] = None
        self.client.notify_readonly(VOLUME, True)
        request = self.servers.asked[0][2]
        self.assertEqual((request.ip, request.port, request.volume_id, request.collection, request.replica_placement,
                          request.ttl, request.disk_type, request.is_readonly),
                         ("10.0.0.9", 8080, 3, "c", 1, 2, "ssd", True))

    def test_mark_finds_the_leader(self) -> None:
        """A follower refuses; the leader that a configured master names gets the mark."""
        self.servers.answers |= {
            ("10.0.0.1:19333", "VolumeMarkReadonly"): NOT_LEADER,
            ("10.0.0.2:7777", "GetMasterConfiguration"): GetMasterConfigurationResponse(leader="10.0.0.3:9333"),
            ("10.0.0.3:19333", "VolumeMarkReadonly"): None}
        self.client.notify_readonly(VOLUME, False)
        self.assertEqual([(target, method) for target, method, _ in self.servers.asked], [
            ("10.0.0.1:19333", "VolumeMarkReadonly"), ("10.0.0.1:19333", "GetMasterConfiguration"),
            ("10.0.0.2:7777", "GetMasterConfiguration"), ("10.0.0.3:19333", "VolumeMarkReadonly")])

    def test_failures_have_gos_words(self) -> None:
        """Operators search for these texts."""
        error = self.assertRaises(RemoteCallFailed, self.client.notify_readonly, VOLUME, True)
        self.assertEqual(str(error), "grpc VolumeMarkReadonly with master 10.0.0.1:9333: set volume 3 to read only on "
                         "master: rpc error: code = Unavailable desc = nobody there")
        self.servers.answers["10.0.0.1:19333", "VolumeMarkReadonly"] = NOT_LEADER
        error = self.assertRaises(RemoteCallFailed, self.client.notify_readonly, VOLUME, True)
        self.assertEqual(str(error), "heartbeat master 10.0.0.1:9333 rejected mark-readonly and leader lookup failed: "
                         "lookup raft leader from 2 master peer(s): rpc error: code = Unavailable desc = nobody there")

    def test_empty_leader_is_no_leader(self) -> None:
        """A master that knows no leader does not help."""
        for target in ("10.0.0.1:19333", "10.0.0.2:7777"):
            self.servers.answers[target, "GetMasterConfiguration"] = GetMasterConfigurationResponse()
        error = self.assertRaises(RemoteCallFailed, self.client.find_leader)
        self.assertIn("master 10.0.0.2:9333 returned empty leader", str(error))

    def test_ping(self) -> None:
        """The time of the other side, or why there is none."""
        self.servers.answers["10.0.0.2:7777", "Ping"] = PingResponse(start_time_ns=5)
        self.assertEqual(self.client.ping(TWO), 5)
        self.assertRaises(RemoteCallFailed, self.client.ping, ONE)

    def test_stop_heartbeat_is_handed_on(self) -> None:
        """A leave is the heartbeat's business."""
        left: list[int] = []
        self.client.stop_heartbeat()
        self.client.follow(lambda: ONE, lambda: left.append(1))
        self.client.stop_heartbeat()
        self.assertEqual(left, [1])


class AsynchronousCallTests(SynchronousTestCase):
    """Calls made from the reactor's thread."""

    def setUp(self) -> None:
        """Servers in memory."""
        self.servers, self.reactor = Servers(), Reactor()

    def outcome(self, work: Any) -> defer.Deferred[Any]:
        """Run to the end."""
        deferred = defer.Deferred.fromCoroutine(work)
        self.reactor.turn()
        return deferred

    def test_lookup(self) -> None:
        """The current master is asked for the one volume; its silence is a LookupFailed."""
        lookup = GrpcLookup(lambda: TWO, self.servers.channels, self.reactor)
        self.failureResultOf(self.outcome(lookup(3)), LookupFailed)
        answer = self.servers.answers["10.0.0.2:7777", "LookupVolume"] = LookupVolumeResponse()
        self.assertIs(self.successResultOf(self.outcome(lookup(3))), answer)
        self.assertEqual(list(self.servers.asked[0][2].volume_or_file_ids), ["3"])

    def test_batch_delete(self) -> None:
        """Another server deletes without a look at cookies; a failed call is one failure."""
        peers = Peers(self.servers.channels, self.reactor)
        self.failureResultOf(self.outcome(peers.batch_delete("v:8080", ["3,01"])), RemoteCallFailed)
        answer = self.servers.answers["v:18080", "BatchDelete"] = BatchDeleteResponse()
        answer.results.add(file_id="3,01", status=202, size=7, version=3)
        self.assertEqual(self.successResultOf(self.outcome(peers.batch_delete("v:8080", ["3,01"]))),
                         [DeleteResult("3,01", 202, "", 7, 3)])
        self.assertTrue(self.servers.asked[0][2].skip_cookie_check)
