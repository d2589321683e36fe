"""Servers of both kinds that have shards of one volume: indexes that are fetched, deletions that others know of."""

from __future__ import annotations

from typing import Sequence

import grpc

from seaweedvol.pb import master_pb2, master_pb2_grpc
from seaweedvol.pb import volume_server_pb2 as pb
from tests.conformance.clients import ask
from tests.conformance.fleets import Fleet, address
from tests.conformance.servers import Server
from tests.conformance.test_shell import FleetTestCase

ALL = tuple(range(14))


def content(key: int) -> bytes:
    """What is stored."""
    return bytes((key,)) * (key * 1000)


def fid(volume: int, key: int) -> str:
    """A file id."""
    return f"{volume},{key:x}deadbeef"


class PeerTests(FleetTestCase):
    """One of Go's and one of ours."""

    kinds = ("go", "ours")

    def start(self) -> tuple[Fleet, Server, Server]:
        """The fleet; Go's server, ours."""
        fleet = self.assemble(count=2, is_filled=False)
        return fleet, fleet.servers[0], fleet.servers[1]

    def encode(self, server: Server, volume: int, shards: Sequence[int]) -> None:
        """Five needles in shards, of which some are mounted; nothing else."""
        server.allocate(volume)
        for key in range(1, 6):
            self.assertEqual(ask(server.port, f"/{fid(volume, key)}", "PUT", content(key)).status, 201)
        stub = server.stub()
        stub.VolumeEcShardsGenerate(pb.VolumeEcShardsGenerateRequest(volume_id=volume))
        self.mount(server, volume, shards)
        stub.VolumeDelete(pb.VolumeDeleteRequest(volume_id=volume))

    def mount(self, server: Server, volume: int, shards: Sequence[int], *, recover: bool = False) -> None:
        """Serve shards, perhaps after their index was fetched."""
        server.stub().VolumeEcShardsMount(pb.VolumeEcShardsMountRequest(
            volume_id=volume, shard_ids=shards, recover_missing_index=recover), timeout=60)

    def copy(self, source: Server, target: Server, volume: int, shards: Sequence[int]) -> None:
        """Copy shards with all that belongs to them, and serve them there."""
        target.stub().VolumeEcShardsCopy(pb.VolumeEcShardsCopyRequest(
            volume_id=volume, shard_ids=shards, source_data_node=address(source), copy_ecx_file=True,
            copy_ecj_file=True, copy_vif_file=True, copy_ecsum_file=True), timeout=60)
        self.mount(target, volume, shards)

    def known(self, fleet: Fleet, volume: int) -> set[tuple[int, int]]:
        """Shards and the ports of their holders, as the master knows them."""
        with grpc.insecure_channel(f"127.0.0.1:{fleet.master + 10000}") as channel:
            stub = master_pb2_grpc.SeaweedStub(channel)
            try:
                found = stub.LookupEcVolume(master_pb2.LookupEcVolumeRequest(volume_id=volume), timeout=10)
            except grpc.RpcError:
                return set()
        return {(each.shard_id, int(at.url.rpartition(":")[2]))
                for each in found.shard_id_locations for at in each.locations}

    def test_indexes(self) -> None:
        """Shards whose index is lost get it from the other server, whichever kind that is, and are served again."""
        fleet, go, ours = self.start()
        for volume, holder, orphan in ((901, go, ours), (902, ours, go)):
            self.encode(holder, volume, ALL[:10])
            self.copy(holder, orphan, volume, ALL[10:])
            wanted = {(shard, holder.port if shard < 10 else orphan.port) for shard in ALL}
            self.wait("copied", lambda: self.known(fleet, volume) == wanted)
            orphan.stub().VolumeEcShardsUnmount(
                pb.VolumeEcShardsUnmountRequest(volume_id=volume, shard_ids=ALL[10:]))
            for suffix in (".ecx", ".ecj", ".vif"):
                (orphan.directory / f"{volume}{suffix}").unlink(missing_ok=True)
            self.assertRaises(grpc.RpcError, self.mount, orphan, volume, ALL[10:])
            self.mount(orphan, volume, (), recover=True)
            self.wait("served again", lambda: self.known(fleet, volume) == wanted)
            for key in range(1, 6):
                self.assertEqual(ask(orphan.port, f"/{fid(volume, key)}").body, content(key))

    def test_deletions(self) -> None:
        """What only Go's server knows to be deleted stays deleted when ours decodes."""
        fleet, go, ours = self.start()
        self.encode(ours, 903, ALL)
        self.copy(ours, go, 903, ALL[:4])
        self.wait("copied", lambda: (0, go.port) in self.known(fleet, 903))
        go.stub().VolumeEcBlobDelete(pb.VolumeEcBlobDeleteRequest(volume_id=903, file_key=2, version=3))
        stub = ours.stub()
        stub.VolumeEcShardsToVolume(pb.VolumeEcShardsToVolumeRequest(volume_id=903), timeout=60)
        stub.VolumeMount(pb.VolumeMountRequest(volume_id=903))
        for each in (go, ours):
            each.stub().VolumeEcShardsUnmount(pb.VolumeEcShardsUnmountRequest(volume_id=903, shard_ids=ALL))
        for key in range(1, 6):
            found = ask(ours.port, f"/{fid(903, key)}")
            self.assertEqual((found.status, found.body), (404, b"") if key == 2 else (200, content(key)))

    def test_server_that_is_gone(self) -> None:
        """A server that the master still names, and that is down, is done without."""
        fleet, go, ours = self.start()
        self.encode(ours, 904, ALL)
        self.copy(ours, go, 904, ALL[:4])
        self.wait("copied", lambda: (0, go.port) in self.known(fleet, 904))
        go.processes[-1].stop()
        stub = ours.stub()
        stub.VolumeEcShardsToVolume(pb.VolumeEcShardsToVolumeRequest(volume_id=904), timeout=90)
        stub.VolumeMount(pb.VolumeMountRequest(volume_id=904))
        self.assertEqual(ask(ours.port, f"/{fid(904, 3)}").body, content(3))
