"""A client that has all needles of a volume sent again and again.

``python -m tests.benchmarks.walking GRPC_PORT VOLUME LENGTH SECONDS`` prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time

import grpc

from seaweedvol.pb import volume_server_pb2
from tests.benchmarks.volumerow import READ_ALL


def run(port: int, volume_id: int, seconds: float) -> dict[str, float]:
    """Until ``seconds`` are over, in the midst of a volume too; bytes that came, and how long it took."""
    start, received = time.monotonic(), 0
    request = volume_server_pb2.ReadAllNeedlesRequest(volume_ids=[volume_id]).SerializeToString()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        ask: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(READ_ALL, None, None)
        while time.monotonic() < start + seconds:
            call = ask(request)
            for message in call:
                received += len(message)
                if time.monotonic() >= start + seconds:
                    call.cancel()
                    break
    return {"bytes": received, "seconds": time.monotonic() - start}


if __name__ == "__main__":
    port, volume_id, _, seconds = sys.argv[1:]
    print("FOUND", json.dumps(run(int(port), int(volume_id), float(seconds))))
