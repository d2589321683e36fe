"""A client that has a volume encoded again and again.

``python -m tests.benchmarks.generating GRPC_PORT VOLUME LENGTH SECONDS`` prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time

import grpc

from seaweedvol.pb import volume_server_pb2, volume_server_pb2_grpc


def run(port: int, volume_id: int, length: int, seconds: float) -> dict[str, float]:
    """At least once, and until ``seconds`` are over; bytes of the .dat that were encoded, and how long it took."""
    laps, start = 0, time.monotonic()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = volume_server_pb2_grpc.VolumeServerStub(channel)
        while not laps or time.monotonic() < start + seconds:
            stub.VolumeEcShardsGenerate(volume_server_pb2.VolumeEcShardsGenerateRequest(volume_id=volume_id))
            laps += 1
        took = time.monotonic() - start
        stub.VolumeEcShardsDelete(volume_server_pb2.VolumeEcShardsDeleteRequest(
            volume_id=volume_id, shard_ids=range(14)))
    return {"bytes": laps * length, "seconds": took}


if __name__ == "__main__":
    port, volume_id, length, seconds = sys.argv[1:]
    print("FOUND", json.dumps(run(int(port), int(volume_id), int(length), float(seconds))))
