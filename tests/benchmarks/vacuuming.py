"""A client that has a volume compacted again and again, and never commits it.

``python -m tests.benchmarks.vacuuming GRPC_PORT VOLUME LENGTH SECONDS`` prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time

import grpc

from seaweedvol.pb import volume_server_pb2, volume_server_pb2_grpc


def run(port: int, volume_id: int, length: int, seconds: float) -> dict[str, float]:
    """At least once, and until ``seconds`` are over; bytes of the .dat that were gone through, and how long it took."""
    laps, took = 0, 0.0
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = volume_server_pb2_grpc.VolumeServerStub(channel)
        until = time.monotonic() + seconds
        while not laps or time.monotonic() < until:
            start = time.monotonic()
            for _ in stub.VacuumVolumeCompact(volume_server_pb2.VacuumVolumeCompactRequest(volume_id=volume_id)):
                pass
            took += time.monotonic() - start
            laps += 1
            stub.VacuumVolumeCleanup(volume_server_pb2.VacuumVolumeCleanupRequest(volume_id=volume_id))
    return {"bytes": laps * length, "seconds": took}


if __name__ == "__main__":
    port, volume_id, length, seconds = sys.argv[1:]
    print("FOUND", json.dumps(run(int(port), int(volume_id), int(length), float(seconds))))
