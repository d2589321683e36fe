"""The calls that move needles and volumes between servers: their messages, field by field."""

from __future__ import annotations

from collections.abc import Iterator

import grpc

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.storage.format.checksum import crc32c, legacy_mask
from tests.rpc.test_calls import CallsCase
from tests.server.building import COOKIE, VOLUME, put


class BlobCallTests(CallsCase):
    """ReadNeedleBlob, ReadNeedleMeta, WriteNeedleBlob."""

    def test_round_trip(self) -> None:
        """A record is read, described, and written under another key."""
        put(self.store, 1, b"hello", last_modified=1700000000, flags=8)
        offset, size = self.store.get(VOLUME).locate(1) or (0, 0)
        meta = self.call("ReadNeedleMeta", pb.ReadNeedleMetaRequest(volume_id=VOLUME, offset=offset, size=size))
        self.assertEqual((meta.cookie, meta.last_modified, meta.crc, meta.ttl),
                         (COOKIE, 1700000000, legacy_mask(crc32c(b"hello")), ""))
        self.assertTrue(meta.append_at_ns)
        blob = self.call(
            "ReadNeedleBlob", pb.ReadNeedleBlobRequest(volume_id=VOLUME, offset=offset, size=size)).needle_blob
        self.call("WriteNeedleBlob", pb.WriteNeedleBlobRequest(
            volume_id=VOLUME, needle_id=2, needle_blob=blob, size=size))
        self.assertEqual(self.store.get(VOLUME).read(2).data, b"hello")
        self.assertEqual(
            self.refusal("ReadNeedleBlob", pb.ReadNeedleBlobRequest(volume_id=VOLUME, offset=1 << 40, size=1)),
            (grpc.StatusCode.UNKNOWN, "read needle blob offset 1099511627776 size 1: EOF"))


class StreamCallTests(CallsCase):
    """ReadAllNeedles, VolumeIncrementalCopy."""

    def test_read_all(self) -> None:
        """Every field of a needle; then the refusal of a volume that is not here."""
        put(self.store, 1, b"hello", last_modified=1700000000, flags=9)
        (found,) = self.call("ReadAllNeedles", pb.ReadAllNeedlesRequest(volume_ids=[VOLUME]))
        self.assertEqual(found, pb.ReadAllNeedlesResponse(
            volume_id=VOLUME, needle_id=1, cookie=COOKIE, needle_blob=b"hello", needle_blob_compressed=True,
            last_modified=1700000000, crc=legacy_mask(crc32c(b"hello"))))
        self.assertEqual(
            self.refusal("ReadAllNeedles", pb.ReadAllNeedlesRequest(volume_ids=[VOLUME, 99])),
            (grpc.StatusCode.UNKNOWN, "not found volume id 99"))

    def test_incremental_copy(self) -> None:
        """What follows a moment; nothing after the last one."""
        put(self.store, 1, b"hello")
        volume = self.store.get(VOLUME)
        (found,) = self.call("VolumeIncrementalCopy", pb.VolumeIncrementalCopyRequest(volume_id=VOLUME))
        self.assertEqual(found.file_content, volume.data_path.read_bytes()[8:])
        request = pb.VolumeIncrementalCopyRequest(volume_id=VOLUME, since_ns=volume.last_append_at_ns)
        self.assertEqual(self.call("VolumeIncrementalCopy", request), [])
        volume.index_path.unlink()
        self.assertIn("fail to locate by appendAtNs 0: ",
                      self.refusal("VolumeIncrementalCopy", pb.VolumeIncrementalCopyRequest(volume_id=VOLUME))[1])


class ReceiveCallTests(CallsCase):
    """ReceiveFile."""

    def test_round_trip(self) -> None:
        """What was pushed can be copied back; protocol errors are in the response."""
        info = pb.ReceiveFileInfo(volume_id=VOLUME, ext=".x", file_size=6)
        found = self.call("ReceiveFile", [
            pb.ReceiveFileRequest(info=info), pb.ReceiveFileRequest(file_content=b"abc"),
            pb.ReceiveFileRequest(file_content=b"def")])
        self.assertEqual((found.bytes_written, found.error), (6, ""))
        (copied,) = self.call("CopyFile", pb.CopyFileRequest(
            volume_id=VOLUME, ext=".x", compaction_revision=0xFFFFFFFF, stop_offset=100))
        self.assertEqual(copied.file_content, b"abcdef")
        found = self.call("ReceiveFile", [pb.ReceiveFileRequest()])
        self.assertEqual((found.bytes_written, found.error), (0, "unknown message type"))

    def test_client_gone(self) -> None:
        """A stream that breaks off is a failed call."""
        def requests() -> Iterator[pb.ReceiveFileRequest]:
            yield pb.ReceiveFileRequest(info=pb.ReceiveFileInfo(volume_id=VOLUME, ext=".x"))
            raise grpc.RpcError
        self.assertEqual(self.refusal("ReceiveFile", requests()),
                         (grpc.StatusCode.UNKNOWN, "failed to receive stream: context canceled"))
