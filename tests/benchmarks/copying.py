"""A client that copies a volume's .dat over gRPC again and again, no faster than it was told.

``python -m tests.benchmarks.copying GRPC_PORT VOLUME LENGTH MIB_A_SECOND SECONDS`` prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time

import grpc

from seaweedvol.pb import volume_server_pb2, volume_server_pb2_grpc

ANY_REVISION = 0xFFFFFFFF


def run(port: int, volume_id: int, length: int, mib_a_second: float, seconds: float) -> dict[str, float]:
    """Copy for ``seconds``; bytes that came, and how long that took."""
    options = [("grpc.max_receive_message_length", -1)]
    received = 0
    start = time.monotonic()
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        stub = volume_server_pb2_grpc.VolumeServerStub(channel)
        while time.monotonic() < start + seconds:
            stream = stub.CopyFile(volume_server_pb2.CopyFileRequest(
                volume_id=volume_id, ext=".dat", compaction_revision=ANY_REVISION, stop_offset=length))
            for message in stream:
                received += len(message.file_content)
                now = time.monotonic()
                if now > start + seconds:
                    stream.cancel()
                    break
                due = start + received / mib_a_second / 2**20
                if due > now:
                    time.sleep(due - now)
    return {"bytes": received, "seconds": time.monotonic() - start}


if __name__ == "__main__":
    port, volume_id, length, mib_a_second, seconds = sys.argv[1:]
    print("FOUND", json.dumps(run(int(port), int(volume_id), int(length), float(mib_a_second), float(seconds))))
