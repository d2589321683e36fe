"""A client that has a volume looked through again and again, with all its records.

``python -m tests.benchmarks.scrubbing GRPC_PORT VOLUME LENGTH SECONDS`` prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time

import grpc

from seaweedvol.pb import volume_server_pb2, volume_server_pb2_grpc
from tests.benchmarks.clients import NotDone


def run(port: int, volume_id: int, length: int, seconds: float) -> dict[str, float]:
    """At least once, and until ``seconds`` are over; bytes of the .dat that were looked through, and how long it took.

    :raises NotDone: when the volume is said to be broken.
    """
    laps, start = 0, time.monotonic()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = volume_server_pb2_grpc.VolumeServerStub(channel)
        while not laps or time.monotonic() < start + seconds:
            found = stub.ScrubVolume(volume_server_pb2.ScrubVolumeRequest(
                volume_ids=[volume_id], mode=volume_server_pb2.FULL))
            if found.broken_volume_ids or not found.total_files:
                raise NotDone(str(found)[:400])
            laps += 1
    return {"bytes": laps * length, "seconds": time.monotonic() - start}


if __name__ == "__main__":
    port, volume_id, length, seconds = sys.argv[1:]
    print("FOUND", json.dumps(run(int(port), int(volume_id), int(length), float(seconds))))
