"""The calls about encoded volumes, through the door."""

from __future__ import annotations

from typing import Any

import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb
from tests.rpc.fakes import Aborted, FakeContext, call
from tests.server.building import VOLUME, store_for
from tests.server.erasing import ALL, erasing_server, fill, names_in


class ErasureCallTests(SynchronousTestCase):
    """One volume, from its .dat to its shards and back."""

    def setUp(self) -> None:
        self.store = store_for(self)
        self.server = erasing_server(self.store)

    def call(self, name: str, **fields: Any) -> Any:
        """One call about the volume."""
        return call(self.server, name, getattr(pb, f"{name}Request")(volume_id=VOLUME, **fields))

    def refused(self, name: str, **fields: Any) -> tuple[grpc.StatusCode, str]:
        """Its status."""
        context = FakeContext()
        request = getattr(pb, f"{name}Request")(volume_id=VOLUME, **fields)
        self.assertRaises(Aborted, call, self.server, name, request, context)
        return context.code, context.details

    def test_there_and_back(self) -> None:
        """Every call does its part."""
        fill(self.store)
        self.call("VolumeEcShardsGenerate")
        self.call("VolumeEcShardsMount", shard_ids=ALL)
        self.assertEqual(len(self.call("VolumeEcShardsInfo").ec_shard_infos), 14)
        self.call("VolumeUnmount")
        piece, = self.call("VolumeEcShardRead", size=8)
        self.assertEqual(piece.data[:1], b"\3")
        self.call("VolumeEcBlobDelete", file_key=2)
        piece, = self.call("VolumeEcShardRead", size=8, file_key=2)
        self.assertTrue(piece.is_deleted)
        self.call("VolumeEcShardsUnmount", shard_ids=(1,))
        self.call("VolumeEcShardsDelete", shard_ids=(1,))
        self.assertEqual(self.call("VolumeEcShardsRebuild").rebuilt_shard_ids, [1])
        self.call("VolumeEcShardsMount", shard_ids=(1,))
        self.call("VolumeEcShardsToVolume")
        self.call("VolumeMount")
        self.assertEqual(self.call("VolumeStatus").file_count, 4)
        self.assertTrue(self.call("VolumeEcShardsDelete", full_teardown=True).full_teardown_done)
        self.assertEqual(names_in(self.store.locations[0].directory), {"dat", "idx", "vif"})

    def test_refusals(self) -> None:
        """Plain errors come as UNKNOWN, as Go's; a volume without anything alive has a code of its own."""
        unknown = grpc.StatusCode.UNKNOWN
        for name, fields, words in (
            ("VolumeEcShardsGenerate", {}, "volume 7 not found"),
            ("VolumeEcShardsToVolume", {}, "ec volume 7 not found"),
            ("VolumeEcShardsToVolume", {"from_staged": True, "disk_type": "hdd"},
             "staged volume 7: no .dat.copying found on a hdd disk"),
            ("VolumeEcShardsCopy", {"disk_id": 5}, "invalid disk_id 5: only have 1 disks"),
            ("VolumeEcShardsCopy", {"source_data_node": "gone:1", "shard_ids": (0,)},
             "VolumeEcShardsCopy volume 7: failed to start copying volume 7 .ec00 file: "
             "rpc error: code = Unavailable desc = nobody"),
            ("VolumeEcShardsMount", {"shard_ids": (0,)},
             "mount 7.0: MountEcShards 7.0: no .ecx index found on any local disk"),
            ("VolumeEcShardRead", {}, "not found ec shard 7.0"),
            ("VolumeEcShardsInfo", {}, "VolumeEcShardsInfo: EC volume 7 not found"),
        ):
            self.assertEqual(self.refused(name, **fields), (unknown, words))
        fill(self.store, 1)
        self.call("VolumeEcShardsGenerate")
        self.call("VolumeEcShardsMount", shard_ids=ALL)
        self.call("VolumeEcBlobDelete", file_key=1)
        self.assertEqual(self.refused("VolumeEcShardsToVolume"),
                         (grpc.StatusCode.FAILED_PRECONDITION, "ec volume 7 has no live entries"))

    def test_nothing_to_do(self) -> None:
        """What Go has nothing to do for is no error."""
        self.assertEqual(self.call("VolumeEcShardsRebuild").rebuilt_shard_ids, [])
        self.call("VolumeEcShardsDelete", shard_ids=(0, 1))
        self.call("VolumeEcShardsUnmount", shard_ids=(0, 1))
        self.call("VolumeEcBlobDelete", file_key=1)
        self.call("VolumeEcShardsMount", recover_missing_index=True)
