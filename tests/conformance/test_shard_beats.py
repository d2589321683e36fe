"""What a Go master hears of shards that come and go on Go's server and on ours, and how soon."""

from __future__ import annotations

import pathlib
import tempfile
import time
from typing import Any

import grpc
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from seaweedvol.pb import master_pb2, master_pb2_grpc
from seaweedvol.pb import volume_server_pb2 as pb
from tests.conformance.servers import WEED, Server, launch
from tests.conformance.test_shard_starts import Layout, known_of
from tests.ec.encoded import make_encoded

#: A change is announced at once; what is not shows in the next beat, after five seconds.
AT_ONCE = 3.0
NEXT_BEAT = 9.0


class ShardBeatTests(SynchronousTestCase):
    """Two servers under one master, each with two disks and the same shards on them."""

    def setUp(self) -> None:
        """Start them."""
        if not WEED:
            raise SkipTest("no Go server to compare with: set WEED_BINARY")
        base = tempfile.TemporaryDirectory(prefix="beats")
        self.addCleanup(base.cleanup)
        self.root = pathlib.Path(base.name)
        make_encoded(self.root / "seed", count=20)
        self.servers: list[Server] = []
        for kind in ("go", "ours"):
            disks = [self.root / kind / "one", self.root / kind / "two"]
            for disk in disks:
                disk.mkdir(parents=True)
            layout = Layout(self.root / "seed", disks, "pics_7")
            layout.put(0, ".ecx", ".vif", shards=range(7))
            layout.put(1, ".ecx", ".vif", shards=range(7, 14))
            master = self.servers[0].master_port if self.servers else None
            server = launch(kind, self.root / kind, flags=(f"-dir={disks[0]},{disks[1]}", "-max=8"), master=master)
            self.addCleanup(server.stop)
            self.servers.append(server)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.servers[0].master_port + 10000}")
        self.addCleanup(self.channel.close)
        self.expect({0: 0x7F, 1: 0x3F80}, NEXT_BEAT)

    def reported(self, server: Server) -> list[Any]:
        """What the master says of the shards of a server."""
        stub: Any = master_pb2_grpc.SeaweedStub(self.channel)
        topology = stub.VolumeList(master_pb2.VolumeListRequest()).topology_info
        return known_of(server, topology).get(7, [])

    def expect(self, bits: dict[int, int], within: float) -> None:
        """Both servers come to be known for these shards, by disk, and for the same of each."""
        deadline = time.monotonic() + within
        while True:
            reports = [self.reported(server) for server in self.servers]
            if all({report[1]: report[3] for report in found} == bits for found in reports):
                break
            self.assertLess(time.monotonic(), deadline, reports)
            time.sleep(0.1)
        self.assertEqual(reports[0], reports[1])

    def on_each(self, name: str, request: object) -> None:
        """The same call to both."""
        for server in self.servers:
            getattr(server.stub(), name)(request)

    def test_mount_and_unmount(self) -> None:
        """Both are told at once, with disk, lengths and encoding."""
        self.on_each("VolumeEcShardsUnmount", pb.VolumeEcShardsUnmountRequest(volume_id=7, shard_ids=(1, 2, 9)))
        self.expect({0: 0x79, 1: 0x3D80}, AT_ONCE)
        self.on_each("VolumeEcShardsUnmount", pb.VolumeEcShardsUnmountRequest(volume_id=7, shard_ids=range(7, 14)))
        self.expect({0: 0x79}, AT_ONCE)
        self.on_each("VolumeEcShardsMount", pb.VolumeEcShardsMountRequest(
            volume_id=7, collection="pics", shard_ids=(2, 9)))
        self.expect({0: 0x7D, 1: 0x200}, AT_ONCE)

    def test_other_disk_type(self) -> None:
        """Shards mounted for a volume that was on another kind of disk are counted there."""
        self.on_each("VolumeEcShardsUnmount", pb.VolumeEcShardsUnmountRequest(volume_id=7, shard_ids=range(14)))
        self.expect({}, AT_ONCE)
        self.on_each("VolumeEcShardsMount", pb.VolumeEcShardsMountRequest(
            volume_id=7, collection="pics", shard_ids=(2, 9), source_disk_type="ssd"))
        self.expect({0: 4, 1: 0x200}, AT_ONCE)
        self.assertEqual([[report[5] for report in self.reported(server)] for server in self.servers],
                         [["ssd", "ssd"]] * 2)

    def test_delete_collection(self) -> None:
        """Shards go with their collection."""
        self.on_each("DeleteCollection", pb.DeleteCollectionRequest(collection="pics"))
        self.expect({}, NEXT_BEAT)

    def test_lookup(self) -> None:
        """A client finds the holders of each shard."""
        stub: Any = master_pb2_grpc.SeaweedStub(self.channel)
        self.on_each("VolumeEcShardsUnmount", pb.VolumeEcShardsUnmountRequest(volume_id=7, shard_ids=(3,)))
        self.expect({0: 0x77, 1: 0x3F80}, AT_ONCE)
        found = stub.LookupEcVolume(master_pb2.LookupEcVolumeRequest(volume_id=7)).shard_id_locations
        # Numbers without holders are listed too.
        holders = {each.shard_id: sorted(location.url for location in each.locations)
                   for each in found if each.locations}
        both = sorted(f"127.0.0.1:{server.port}" for server in self.servers)
        self.assertEqual(holders, {number: both for number in range(14) if number != 3})
