"""The master's gRPC surface: one short method for each call it serves; every other call is UNIMPLEMENTED.

Knows the messages of ``master_pb`` and the use cases. Plain errors become UNKNOWN with their text, as they do in Go.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final, NoReturn

import grpc

from seaweedvol.config.address import ServerAddress
from seaweedvol.master import listing, streams
from seaweedvol.master.admin_locks import AlreadyLocked
from seaweedvol.master.allocation import CallFailed
from seaweedvol.master.assign import AssignRefused, AssignRequest, WarmingUp
from seaweedvol.master.broadcast import Follower
from seaweedvol.master.master import MIB, Master
from seaweedvol.master.members import Node, Wish
from seaweedvol.master.shards import shard_numbers
from seaweedvol.pb import master_pb2 as pb
from seaweedvol.pb.master_pb2_grpc import SeaweedServicer
from seaweedvol.storage.errors import InvalidSetting

Context = grpc.ServicerContext
_PLAIN: Final = (InvalidSetting, AssignRefused, CallFailed, AlreadyLocked)
_VOLUME_SERVER, _MASTER = "volumeServer", "master"


class MasterServicer(SeaweedServicer):
    """Converts, calls, converts back."""

    def __init__(self, master: Master) -> None:
        self._master = master

    # --- streams ---

    def SendHeartbeat(self, request_iterator: Iterator[pb.Heartbeat],
                      context: Context) -> Iterator[pb.HeartbeatResponse]:
        """A volume server reports."""
        yield from streams.attend(self._master, _until_cancelled(request_iterator))

    def KeepConnected(self, request_iterator: Iterator[pb.KeepConnectedRequest],
                      context: Context) -> Iterator[pb.KeepConnectedResponse]:
        """A client follows."""
        yield from streams.follow(self._master, request_iterator, context.add_callback)

    def StreamAssign(self, request_iterator: Iterator[pb.AssignRequest],
                     context: Context) -> Iterator[pb.AssignResponse]:
        """Assign again and again; what will pass is told in the answer and does not end the stream."""
        for request in request_iterator:
            try:
                yield self._assign(request)
            except WarmingUp as error:
                yield pb.AssignResponse(error=str(error))
            except _PLAIN as error:
                _abort(context, error)

    # --- assign and look up ---

    def Assign(self, request: pb.AssignRequest, context: Context) -> pb.AssignResponse:
        """File ids to write to."""
        try:
            return self._assign(request)
        except WarmingUp as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        except _PLAIN as error:
            _abort(context, error)

    def _assign(self, request: pb.AssignRequest) -> pb.AssignResponse:
        layout = self._master.layout(request.collection, request.replication, request.ttl, request.disk_type)
        assigned = self._master.assign(AssignRequest(
            layout, Wish(request.data_center, request.rack, request.data_node), request.count or 1,
            request.writable_volume_count, request.expected_data_size))
        first, *others = map(_location, assigned.nodes)
        return pb.AssignResponse(fid=assigned.file_id, count=assigned.count, location=first, replicas=others,
                                 auth=self._master.token(assigned.file_id))

    def LookupVolume(self, request: pb.LookupVolumeRequest, context: Context) -> pb.LookupVolumeResponse:
        """Where volumes are; a token for what is a whole file id."""
        answer = pb.LookupVolumeResponse()
        for asked in request.volume_or_file_ids:
            volume, comma, _ = asked.partition(",")
            nodes, error = self._master.find(volume if volume else asked, request.collection)
            answer.volume_id_locations.add(
                volume_or_file_id=volume or asked, locations=map(_location, nodes), error=error,
                auth=self._master.token(asked) if comma and volume else "")
        return answer

    def LookupEcVolume(self, request: pb.LookupEcVolumeRequest, context: Context) -> pb.LookupEcVolumeResponse:
        """Which server holds which shards."""
        answer = pb.LookupEcVolumeResponse(volume_id=request.volume_id)
        by_shard: dict[int, list[Node]] = {}
        for node in self._master.topology.nodes():
            for shard in list(node.shards.values()):
                if shard.id == request.volume_id:
                    for number in shard_numbers(shard):
                        by_shard.setdefault(number, []).append(node)
        if not by_shard:
            context.abort(grpc.StatusCode.UNKNOWN, f"ec volume {request.volume_id} not found")
        for number, nodes in sorted(by_shard.items()):
            answer.shard_id_locations.add(shard_id=number, locations=map(_location, nodes))
        return answer

    # --- volumes and collections ---

    def VolumeGrow(self, request: pb.VolumeGrowRequest, context: Context) -> pb.VolumeGrowResponse:
        """Make volumes."""
        try:
            layout = self._master.layout(request.collection, request.replication, request.ttl, request.disk_type)
            wish = Wish(request.data_center, request.rack, request.data_node)
            self._master.grow(layout, wish, request.writable_volume_count)
        except _PLAIN as error:
            _abort(context, error)
        return pb.VolumeGrowResponse()

    def VolumeMarkReadonly(self, request: pb.VolumeMarkReadonlyRequest,
                           context: Context) -> pb.VolumeMarkReadonlyResponse:
        """Take files to a volume no longer, or again."""
        self._master.topology.mark(request.ip, request.port, request.volume_id, request.is_readonly)
        return pb.VolumeMarkReadonlyResponse()

    def VolumeList(self, request: pb.VolumeListRequest, context: Context) -> pb.VolumeListResponse:
        """Everything there is."""
        return pb.VolumeListResponse(topology_info=listing.topology_info(self._master.topology, request),
                                     volume_size_limit_mb=self._master.volume_size_limit_mb)

    def VolumeListStream(self, request: pb.VolumeListRequest,
                         context: Context) -> Iterator[pb.VolumeListStreamResponse]:
        """The same, the volumes apart from what holds them."""
        yield from listing.streamed(self.VolumeList(request, context))

    def CollectionList(self, request: pb.CollectionListRequest, context: Context) -> pb.CollectionListResponse:
        """The names of collections."""
        names: set[str] = set()
        if request.include_normal_volumes:
            names |= set(self._master.collections())
        if request.include_ec_volumes:
            names |= {shard.collection for node in self._master.topology.nodes() for shard in node.shards.values()}
        return pb.CollectionListResponse(collections=[pb.Collection(name=name) for name in sorted(names)])

    def CollectionDelete(self, request: pb.CollectionDeleteRequest, context: Context) -> pb.CollectionDeleteResponse:
        """Remove a collection everywhere; one that is not there is removed."""
        try:
            self._master.delete_collection(request.name)
        except CallFailed as error:
            _abort(context, error)
        return pb.CollectionDeleteResponse()

    def CollectionStatistics(self, request: pb.CollectionStatisticsRequest,
                             context: Context) -> pb.CollectionStatisticsResponse:
        """Sums of each collection."""
        answer = pb.CollectionStatisticsResponse()
        for name in self._master.collections():
            sums = listing.totals(self._master.topology, name)
            answer.collections.add(
                collection=name, file_count=sums.files, delete_count=sums.deletes,
                deleted_byte_count=sums.deleted_bytes, size=sums.logical_size, physical_size=sums.size,
                volume_count=sums.volumes)
        return answer

    def Statistics(self, request: pb.StatisticsRequest, context: Context) -> pb.StatisticsResponse:
        """Sums of a collection, and what is free."""
        nodes = self._master.topology.nodes()
        total = sum(sum(node.max_counts.values()) for node in nodes) * self._master.volume_size_limit_mb * MIB
        everything = listing.totals(self._master.topology, None)
        sums = listing.totals(self._master.topology, request.collection) if request.collection else everything
        try:
            copies = self._master.layout("", request.replication, "", "").placement.copy_count
        except InvalidSetting:
            copies = 1
        free = max(0, total - everything.size) // copies
        return pb.StatisticsResponse(total_size=total, used_size=sums.size, file_count=sums.files,
                                     logical_total_size=sums.logical_size + free, logical_used_size=sums.logical_size)

    # --- the master itself ---

    def GetMasterConfiguration(self, request: pb.GetMasterConfigurationRequest,
                               context: Context) -> pb.GetMasterConfigurationResponse:
        """The settings; this master always leads."""
        return pb.GetMasterConfigurationResponse(
            default_replication=self._master.replication, leader=self._master.address,
            volume_size_limit_m_b=self._master.volume_size_limit_mb)

    def ListClusterNodes(self, request: pb.ListClusterNodesRequest, context: Context) -> pb.ListClusterNodesResponse:
        """The clients of a kind that follow."""
        found = self._master.followers.list(request.client_type, request.filer_group)
        return pb.ListClusterNodesResponse(cluster_nodes=map(_cluster_node, found[:request.limit or None]))

    def RaftListClusterServers(self, request: pb.RaftListClusterServersRequest,
                               context: Context) -> pb.RaftListClusterServersResponse:
        """The masters: this one."""
        one = pb.RaftListClusterServersResponse.ClusterServers(
            id=self._master.address, address=self._master.address, suffrage="Voter", isLeader=True)
        return pb.RaftListClusterServersResponse(cluster_servers=[one])

    def Ping(self, request: pb.PingRequest, context: Context) -> pb.PingResponse:
        """The time here, and at a server that is known here."""
        answer = pb.PingResponse(start_time_ns=time.time_ns())
        if request.target:
            answer.remote_time_ns = self._ping(request, context)
        answer.stop_time_ns = time.time_ns()
        return answer

    def _ping(self, request: pb.PingRequest, context: Context) -> int:
        wanted = ServerAddress(request.target).http
        if request.target_type == _MASTER and wanted == ServerAddress(self._master.address).http:
            return time.time_ns()
        for node in self._master.topology.nodes():
            if request.target_type == _VOLUME_SERVER and node.url == wanted:
                try:
                    return self._master.servers.ping(node)
                except CallFailed as error:
                    context.abort(grpc.StatusCode.UNKNOWN, f"ping {request.target_type} {request.target}: {error}")
        context.abort(grpc.StatusCode.INVALID_ARGUMENT,
                      f"unknown ping target {request.target} of type {request.target_type}")

    # --- who administers ---

    def LeaseAdminToken(self, request: pb.LeaseAdminTokenRequest, context: Context) -> pb.LeaseAdminTokenResponse:
        """Take or renew the right to administer."""
        try:
            lease = self._master.locks.lease(request.lock_name, request.client_name, request.message,
                                             request.previous_token, request.previous_lock_time)
        except AlreadyLocked as error:
            _abort(context, error)
        return pb.LeaseAdminTokenResponse(token=lease.token, lock_ts_ns=lease.since_ns)

    def ReleaseAdminToken(self, request: pb.ReleaseAdminTokenRequest,
                          context: Context) -> pb.ReleaseAdminTokenResponse:
        """Give it back."""
        self._master.locks.release(request.lock_name, request.previous_token, request.previous_lock_time)
        return pb.ReleaseAdminTokenResponse()

    def GetAdminLockStatus(self, request: pb.GetAdminLockStatusRequest,
                           context: Context) -> pb.GetAdminLockStatusResponse:
        """Who has it."""
        lease = self._master.locks.holder(request.lock_name)
        if lease is None:
            return pb.GetAdminLockStatusResponse()
        return pb.GetAdminLockStatusResponse(is_locked=True, client_name=lease.client, message=lease.message)


def _abort(context: Context, error: Exception) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _location(node: Node) -> pb.Location:
    return pb.Location(url=node.url, public_url=node.public_url, grpc_port=node.grpc_port,
                       data_center=node.data_center)


def _cluster_node(follower: Follower) -> pb.ListClusterNodesResponse.ClusterNode:
    return pb.ListClusterNodesResponse.ClusterNode(
        address=follower.address, version=follower.version, created_at_ns=follower.since_ns,
        data_center=follower.data_center, rack=follower.rack)


def _until_cancelled(beats: Iterator[pb.Heartbeat]) -> Iterator[pb.Heartbeat]:
    """The beats of a stream; a stream that breaks ends like one that is closed."""
    try:
        yield from beats
    except grpc.RpcError:
        return
