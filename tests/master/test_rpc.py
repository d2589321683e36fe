"""The gRPC surface, called without gRPC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.rpc import MasterServicer
from seaweedvol.pb import master_pb2 as pb
from seaweedvol.security.guard import Guard
from seaweedvol.security.jwt import check_token
from tests.master.worlds import LIMIT_MB, World, beat, volume


class Aborted(Exception):
    """The call ended with a status."""


class Context:
    """A call's context that remembers how it ended."""

    def __init__(self) -> None:
        self.status: grpc.StatusCode | None = None
        self.text = ""
        self.endings: list[Callable[[], None]] = []

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """Remember."""
        self.status, self.text = code, details
        raise Aborted(details)

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Remember."""
        self.endings.append(callback)
        return True


class MasterServicerTests(SynchronousTestCase):
    """Every call, and how it fails."""

    def setUp(self) -> None:
        """A master with one server that holds volume 3, and one of a collection."""
        self.world = World(self.mktemp(), guard=Guard(write_key=b"w"))
        self.world.join(beat(volume(3, size=100, files=2), volume(4, collection="c", size=50)))
        self.servicer: Any = MasterServicer(self.world.master)

    def call(self, method: str, request: Any) -> Any:
        """The answer to a call."""
        return getattr(self.servicer, method)(request, Context())

    def refusal(self, method: str, request: Any) -> tuple[grpc.StatusCode | None, str]:
        """How a call fails."""
        context = Context()
        self.assertRaises(Aborted, getattr(self.servicer, method), request, context)
        return context.status, context.text

    def test_assign(self) -> None:
        """A file id, a server and a token for it."""
        answer = self.call("Assign", pb.AssignRequest())
        self.assertTrue(answer.fid.startswith("3,"))
        self.assertEqual((answer.count, answer.location.url, answer.location.public_url, answer.location.grpc_port,
                          answer.location.data_center),
                         (1, "10.0.0.1:8080", "pub:8080", 18080, "DefaultDataCenter"))
        check_token(b"w", answer.auth, answer.fid)

    def test_assign_refusals(self) -> None:
        """Plain errors have status UNKNOWN as in Go; a master without servers asks to come again."""
        for request, text in ((pb.AssignRequest(replication="zzz"), "unexpected replication type: zzz"),
                              (pb.AssignRequest(ttl="xd"), "strconv"),
                              (pb.AssignRequest(replication="001"), "No writable volumes")):
            status, said = self.refusal("Assign", request)
            self.assertEqual(status, grpc.StatusCode.UNKNOWN)
            self.assertIn(text, said)
        self.servicer = MasterServicer(World(self.mktemp()).master)
        self.assertEqual(self.refusal("Assign", pb.AssignRequest()),
                         (grpc.StatusCode.UNAVAILABLE, "master is warming up, topology is still loading"))

    def test_stream_assign(self) -> None:
        """One stream, many ids; a passing refusal does not end it, a lasting one does."""
        answers = self.servicer.StreamAssign(iter([pb.AssignRequest()] * 3), Context())
        self.assertEqual(len({one.fid for one in answers}), 3)
        self.assertRaises(Aborted, list, self.servicer.StreamAssign(iter([pb.AssignRequest(ttl="xd")]), Context()))
        cold: Any = MasterServicer(World(self.mktemp()).master)
        answers = list(cold.StreamAssign(iter([pb.AssignRequest()] * 2), Context()))
        self.assertEqual([bool(one.error) for one in answers], [True, True])

    def test_lookup(self) -> None:
        """Volumes and file ids, found or not; only whole file ids get a token."""
        answer = self.call("LookupVolume", pb.LookupVolumeRequest(volume_or_file_ids=["3", "4,0102030405", "9", "x"]))
        found = answer.volume_id_locations
        self.assertEqual([(one.volume_or_file_id, len(one.locations), one.error, bool(one.auth)) for one in found], [
            ("3", 1, "", False), ("4", 1, "", True), ("9", 0, "volume id 9 not found", False),
            ("x", 0, "Unknown volume id x", False)])

    def test_ec_lookup(self) -> None:
        """Which server has which shard; a volume without shards is an error."""
        self.assertEqual(self.refusal("LookupEcVolume", pb.LookupEcVolumeRequest(volume_id=7)),
                         (grpc.StatusCode.UNKNOWN, "ec volume 7 not found"))
        message = beat(port=9)
        message.ec_shards.add(id=7, ec_index_bits=0b101)
        self.world.join(message)
        answer = self.call("LookupEcVolume", pb.LookupEcVolumeRequest(volume_id=7))
        self.assertEqual([one.shard_id for one in answer.shard_id_locations], [0, 2])

    def test_grow(self) -> None:
        """Volumes are made; too many are refused with Go's words."""
        self.call("VolumeGrow", pb.VolumeGrowRequest(writable_volume_count=2))
        self.assertEqual(len(self.world.servers.made), 2)
        self.assertEqual(self.refusal("VolumeGrow", pb.VolumeGrowRequest(writable_volume_count=100)),
                         (grpc.StatusCode.UNKNOWN, "only 4 volumes left, not enough for 100"))

    def test_mark_readonly(self) -> None:
        """A volume that is marked is not assigned."""
        self.call("VolumeMarkReadonly", pb.VolumeMarkReadonlyRequest(
            ip="10.0.0.1", port=8080, volume_id=3, is_readonly=True))
        self.assertNotEqual(self.call("Assign", pb.AssignRequest()).fid.partition(",")[0], "3")

    def test_lists(self) -> None:
        """Volumes at once and streamed, and collections."""
        listed = self.call("VolumeList", pb.VolumeListRequest())
        self.assertEqual((listed.volume_size_limit_mb, listed.topology_info.diskInfos[""].volume_count), (LIMIT_MB, 2))
        parts = list(self.servicer.VolumeListStream(pb.VolumeListRequest(), Context()))
        self.assertEqual([one.id for one in parts[1].volume_infos], [3, 4])
        names = self.call("CollectionList", pb.CollectionListRequest(include_normal_volumes=True)).collections
        self.assertEqual([one.name for one in names], ["", "c"])
        self.assertFalse(self.call("CollectionList", pb.CollectionListRequest(include_ec_volumes=True)).collections)

    def test_collection_delete(self) -> None:
        """The servers delete it; a refusal is told; what is not there is deleted."""
        self.call("CollectionDelete", pb.CollectionDeleteRequest(name="c"))
        self.assertEqual(self.world.servers.dropped, [("10.0.0.1:8080", "c")])
        self.call("CollectionDelete", pb.CollectionDeleteRequest(name="c"))
        self.world.servers.refusing.add("10.0.0.1:8080")
        self.assertEqual(self.refusal("CollectionDelete", pb.CollectionDeleteRequest(name=""))[0],
                         grpc.StatusCode.UNKNOWN)

    def test_statistics(self) -> None:
        """Sums of everything and of one collection; what is free is shared by the copies."""
        everything = self.call("Statistics", pb.StatisticsRequest())
        total = 8 * LIMIT_MB << 20
        self.assertEqual((everything.total_size, everything.used_size, everything.file_count,
                          everything.logical_total_size), (total, 150, 2, total))
        one = self.call("Statistics", pb.StatisticsRequest(collection="c", replication="001"))
        self.assertEqual((one.used_size, one.logical_total_size), (50, 50 + (total - 150) // 2))
        self.call("Statistics", pb.StatisticsRequest(replication="zzz"))
        each = self.call("CollectionStatistics", pb.CollectionStatisticsRequest()).collections
        self.assertEqual([(one.collection, one.size, one.volume_count) for one in each], [("", 100, 1), ("c", 50, 1)])

    def test_the_master_itself(self) -> None:
        """It always leads, and says so."""
        answer = self.call("GetMasterConfiguration", pb.GetMasterConfigurationRequest())
        self.assertEqual((answer.leader, answer.default_replication, answer.volume_size_limit_m_b),
                         ("127.0.0.1:9333.777", "000", LIMIT_MB))
        servers = self.call("RaftListClusterServers", pb.RaftListClusterServersRequest()).cluster_servers
        self.assertEqual([(one.address, one.isLeader) for one in servers], [("127.0.0.1:9333.777", True)])

    def test_ping(self) -> None:
        """Itself, a known volume server, and nobody else."""
        self.assertGreater(self.call("Ping", pb.PingRequest()).start_time_ns, 0)
        itself = self.call("Ping", pb.PingRequest(target="127.0.0.1:9333", target_type="master"))
        self.assertGreater(itself.remote_time_ns, 0)
        server = pb.PingRequest(target="10.0.0.1:8080.18080", target_type="volumeServer")
        self.assertEqual(self.call("Ping", server).remote_time_ns, 77)
        self.assertEqual(self.refusal("Ping", pb.PingRequest(target="evil:1", target_type="volumeServer")),
                         (grpc.StatusCode.INVALID_ARGUMENT, "unknown ping target evil:1 of type volumeServer"))
        self.world.servers.refusing.add("10.0.0.1:8080")
        self.assertEqual(self.refusal("Ping", server)[0], grpc.StatusCode.UNKNOWN)

    def test_admin_lock(self) -> None:
        """Leased, shown, refused to others, released."""
        lease = self.call("LeaseAdminToken", pb.LeaseAdminTokenRequest(lock_name="l", client_name="one"))
        self.assertEqual(self.refusal("LeaseAdminToken", pb.LeaseAdminTokenRequest(lock_name="l", client_name="two")),
                         (grpc.StatusCode.UNKNOWN, "already locked by one: "))
        self.assertTrue(self.call("GetAdminLockStatus", pb.GetAdminLockStatusRequest(lock_name="l")).is_locked)
        self.call("ReleaseAdminToken", pb.ReleaseAdminTokenRequest(
            lock_name="l", previous_token=lease.token, previous_lock_time=lease.lock_ts_ns))
        self.assertFalse(self.call("GetAdminLockStatus", pb.GetAdminLockStatusRequest(lock_name="l")).is_locked)

    def test_followers_are_listed(self) -> None:
        """Filers that follow are the cluster's filers."""
        context = Context()
        request = pb.KeepConnectedRequest(client_type="filer", client_address="f:8888", version="v")
        stream = self.servicer.KeepConnected(iter([request]), context)
        next(stream)
        nodes = self.call("ListClusterNodes", pb.ListClusterNodesRequest(client_type="filer")).cluster_nodes
        self.assertEqual([(one.address, one.version) for one in nodes], [("f:8888", "v")])
        context.endings[0]()
        self.assertFalse(self.call("ListClusterNodes", pb.ListClusterNodesRequest(client_type="filer")).cluster_nodes)

    def test_broken_heartbeat_is_a_lost_server(self) -> None:
        """A stream that breaks ends like one that is closed: without a traceback."""
        def broken() -> Any:
            yield beat(volume(9), port=9)
            raise grpc.RpcError("cancelled")
        self.assertEqual(len(list(self.servicer.SendHeartbeat(broken(), Context()))), 1)
        self.assertEqual(self.world.master.find("9"), ([], "volume id 9 not found"))
