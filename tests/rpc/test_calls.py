"""The calls themselves: wire messages in, a real store behind, wire messages out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.rpc import servicer
from seaweedvol.storage.format.checksum import crc32c, legacy_mask
from tests.rpc.fakes import Aborted, FakeContext, call
from tests.server.building import COOKIE, VOLUME, put, server_over, store_for
from tests.server.fakes import FakeMaster

ANY_REVISION = 0xFFFFFFFF


class CallsCase(SynchronousTestCase):
    """A server with one volume."""

    def setUp(self) -> None:
        self.store = store_for(self)
        self.master = FakeMaster()
        self.server = server_over(self.store, self.master)
        self.call("AllocateVolume", pb.AllocateVolumeRequest(volume_id=VOLUME, replication="000", version=3))

    def call(self, name: str, request: Any) -> Any:
        """One call, its response as a client decodes it."""
        response = call(self.server, name, request)
        return response if isinstance(response, list) else type(response).FromString(response.SerializeToString())

    def refusal(self, name: str, request: Any) -> tuple[grpc.StatusCode, str]:
        """Code and words of a call that is refused."""
        context = FakeContext()
        self.assertRaises(Aborted, call, self.server, name, request, context)
        return context.code, context.details


class TableTests(SynchronousTestCase):
    """What is offered."""

    def test_calls_exist(self) -> None:
        """Every entry of the table is a call of the service."""
        self.assertEqual(set(servicer.CALLS) - {method.name for method in servicer.SERVICE.methods}, set())


class LifecycleTests(CallsCase):
    """Whole volumes."""

    def test_there_and_back(self) -> None:
        """The order in which the master and the shell use these calls."""
        put(self.store, 1, b"hello")
        status = self.call("VolumeStatus", pb.VolumeStatusRequest(volume_id=VOLUME))
        self.assertEqual((status.file_count, status.is_read_only), (1, False))
        self.assertEqual(status.volume_size, self.store.get(VOLUME).data_length)
        self.call("VolumeMarkReadonly", pb.VolumeMarkReadonlyRequest(volume_id=VOLUME))
        self.assertTrue(self.call("VolumeStatus", pb.VolumeStatusRequest(volume_id=VOLUME)).is_read_only)
        self.call("VolumeMarkWritable", pb.VolumeMarkWritableRequest(volume_id=VOLUME))
        self.call("VolumeUnmount", pb.VolumeUnmountRequest(volume_id=VOLUME))
        self.assertEqual(self.refusal("VolumeStatus", pb.VolumeStatusRequest(volume_id=VOLUME)),
                         (grpc.StatusCode.UNKNOWN, "not found volume id 7"))
        self.call("VolumeMount", pb.VolumeMountRequest(volume_id=VOLUME))
        self.call("VolumeDelete", pb.VolumeDeleteRequest(volume_id=VOLUME))
        self.call("DeleteCollection", pb.DeleteCollectionRequest(collection="none"))

    def test_version(self) -> None:
        """One byte of it counts, as in Go."""
        self.call("AllocateVolume", pb.AllocateVolumeRequest(volume_id=VOLUME + 1, version=259))
        self.assertEqual(
            self.refusal("AllocateVolume", pb.AllocateVolumeRequest(volume_id=VOLUME + 2, version=0xFFFFFFFF)),
            (grpc.StatusCode.UNKNOWN, "volume super block version 255 is not supported"))

    def test_duplicate(self) -> None:
        """Storage's refusals come with their words."""
        self.assertEqual(
            self.refusal("AllocateVolume", pb.AllocateVolumeRequest(volume_id=VOLUME, version=3)),
            (grpc.StatusCode.UNKNOWN, "Volume Id 7 already exists!"))

    def test_configure(self) -> None:
        """What goes wrong is in the response, with the request as Go prints it."""
        found = self.call("VolumeConfigure", pb.VolumeConfigureRequest(volume_id=VOLUME, replication="9\"9"))
        self.assertTrue(found.error.startswith('volume configure replication volume_id:7 replication:"9\\"9": unk'))
        found = self.call("VolumeConfigure", pb.VolumeConfigureRequest(volume_id=VOLUME, replication="001"))
        self.assertEqual(found.error, "")


class QuestionTests(CallsCase):
    """What is only asked."""

    def test_state_is_always_there(self) -> None:
        """An empty message is on the wire too: clients take its absence for "no state"."""
        for name, request in (
            ("GetState", pb.GetStateRequest()), ("SetState", pb.SetStateRequest()),
            ("VolumeServerStatus", pb.VolumeServerStatusRequest()),
        ):
            self.assertTrue(self.call(name, request).HasField("state"), name)

    def test_state_changes(self) -> None:
        """The new state comes back; a stale version is refused."""
        wanted = pb.SetStateRequest(state=pb.VolumeServerState(maintenance=True))
        self.assertEqual(self.call("SetState", wanted).state, pb.VolumeServerState(maintenance=True, version=1))
        self.assertEqual(
            self.refusal("SetState", wanted),
            (grpc.StatusCode.UNKNOWN, "version mismatch for VolumeServerState (got 1, want 0)"))
        self.assertEqual(self.refusal("VolumeDelete", pb.VolumeDeleteRequest(volume_id=VOLUME)),
                         (grpc.StatusCode.UNKNOWN, "volume server seven is in maintenance mode"))

    def test_file_status(self) -> None:
        """What the receiver of a copy compares."""
        put(self.store, 1, b"hello")
        found = self.call("ReadVolumeFileStatus", pb.ReadVolumeFileStatusRequest(volume_id=VOLUME))
        sync = self.call("VolumeSyncStatus", pb.VolumeSyncStatusRequest(volume_id=VOLUME))
        self.assertEqual((found.volume_id, found.version, found.idx_file_size, found.file_count), (VOLUME, 3, 16, 1))
        self.assertEqual((sync.volume_id, sync.tail_offset, sync.idx_file_size),
                         (VOLUME, found.dat_file_size, found.idx_file_size))
        self.assertEqual((found.volume_info.version, found.volume_info.bytes_offset), (3, 4))
        self.assertTrue(found.dat_file_timestamp_seconds)

    def test_needle_status(self) -> None:
        """A needle without its data."""
        put(self.store, 1, b"hello")
        found = self.call("VolumeNeedleStatus", pb.VolumeNeedleStatusRequest(volume_id=VOLUME, needle_id=1))
        self.assertEqual((found.needle_id, found.cookie, found.crc), (1, COOKIE, legacy_mask(crc32c(b"hello"))))
        self.assertEqual(
            self.refusal("VolumeNeedleStatus", pb.VolumeNeedleStatusRequest(volume_id=VOLUME, needle_id=2)),
            (grpc.StatusCode.UNKNOWN, "not found"))

    def test_server_status(self) -> None:
        """Figures of the machine."""
        found = self.call("VolumeServerStatus", pb.VolumeServerStatusRequest())
        (disk,) = found.disk_statuses
        self.assertTrue(disk.dir and disk.all and disk.free and disk.percent_free)
        self.assertTrue(found.memory_status.goroutines and found.memory_status.all)
        self.assertEqual((found.data_center, found.rack, disk.disk_type), ("dc1", "r1", ""))

    def test_ping(self) -> None:
        """Oneself, a master, a stranger."""
        echo = self.call("Ping", pb.PingRequest())
        self.assertTrue(0 < echo.start_time_ns <= echo.stop_time_ns)
        self.assertEqual(echo.remote_time_ns, 0)
        echo = self.call("Ping", pb.PingRequest(target="10.0.0.1:9333", target_type="master"))
        self.assertEqual(echo.remote_time_ns, 777)
        self.assertEqual(self.refusal("Ping", pb.PingRequest(target="a:1", target_type="filer")),
                         (grpc.StatusCode.INVALID_ARGUMENT, "unknown ping target a:1 of type filer"))

    def test_leave(self) -> None:
        """A second leave succeeds, and does nothing."""
        self.call("VolumeServerLeave", pb.VolumeServerLeaveRequest())
        self.call("VolumeServerLeave", pb.VolumeServerLeaveRequest())
        self.assertEqual(self.master.stops, 1)


class TransferTests(CallsCase):
    """Needles and files that come or go."""

    def test_copy_file(self) -> None:
        """A stream whose first message has the time of the file."""
        messages = self.call("CopyFile", pb.CopyFileRequest(
            volume_id=VOLUME, ext=".dat", compaction_revision=ANY_REVISION, stop_offset=1 << 40))
        self.assertEqual(messages[0].file_content, Path(self.store.get(VOLUME).data_path).read_bytes())
        self.assertTrue(messages[0].modified_ts_ns)
        self.assertEqual(
            self.refusal("CopyFile", pb.CopyFileRequest(volume_id=VOLUME, ext=".dat", compaction_revision=1)),
            (grpc.StatusCode.UNKNOWN, "volume 7 is compacted"))

    def test_batch_delete(self) -> None:
        """One result for each id."""
        put(self.store, 1, b"hello")
        results = self.call("BatchDelete", pb.BatchDeleteRequest(file_ids=["bad", f"7,01{COOKIE:08x}"])).results
        self.assertEqual([(one.status, one.error) for one in results], [(400, "Wrong fid format."), (202, "")])
        self.assertTrue(results[1].size)


class CheckTests(CallsCase):
    """Looking into what is stored."""

    def test_scrub(self) -> None:
        """Found damage comes with volumes and words; unknown modes are refused."""
        put(self.store, 1, b"hello")
        with open(self.store.get(VOLUME).index_path, "ab") as file:
            file.write(b"xx")
        found = self.call("ScrubVolume", pb.ScrubVolumeRequest(mode=pb.INDEX))
        self.assertEqual(
            (found.total_volumes, found.total_files, list(found.broken_volume_ids), list(found.details)),
            (1, 1, [VOLUME], ["expected an index file of size 18, got 16"]))
        self.assertEqual(self.refusal("ScrubVolume", pb.ScrubVolumeRequest()),
                         (grpc.StatusCode.UNKNOWN, "unsupported volume scrub mode 0"))

    def test_query(self) -> None:
        """Lines are selected; what Go falls over is refused; without JSON nothing is said."""
        put(self.store, 1, b'{"a":1}\n{"a":2}')
        asked = pb.QueryRequest(
            from_file_ids=[f"{VOLUME},1{COOKIE:08x}"], selections=["a"],
            filter={"field": "a", "operand": ">", "value": "1"}, input_serialization={"json_input": {}})
        self.assertEqual([stripe.records for stripe in self.call("Query", asked)], [b"{a:2}"])
        for field in ("filter", "input_serialization"):
            broken = pb.QueryRequest.FromString(asked.SerializeToString())
            broken.ClearField(field)
            self.assertEqual(self.refusal("Query", broken)[0], grpc.StatusCode.INVALID_ARGUMENT)
        asked.input_serialization.CopyFrom(pb.QueryRequest.InputSerialization(csv_input={}))
        self.assertEqual(self.call("Query", asked), [])
