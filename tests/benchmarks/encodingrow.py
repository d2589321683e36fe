"""The row about encoding a volume over gRPC."""

from __future__ import annotations

import time
from typing import Mapping, Sequence

from seaweedvol.pb import volume_server_pb2 as pb
from tests.benchmarks.clients import NotDone
from tests.benchmarks.rows import Bars
from tests.benchmarks.servers import Server
from tests.benchmarks.volumerow import VolumeWork

SHARDS = range(14)


def generate(servers: Sequence[Server], volume_id: int, length: int) -> Mapping[str, float]:
    """All shards of the volume, index and checksums; they are removed again while nobody measures.

    :raises NotDone: when not all of them are there.
    """
    with servers[0].stub() as stub:
        begin = time.monotonic()
        stub.VolumeEcShardsGenerate(pb.VolumeEcShardsGenerateRequest(volume_id=volume_id), timeout=300)
        seconds = time.monotonic() - begin
        paths = [servers[0].directory / f"{volume_id}.ec{number:02d}" for number in SHARDS]
        if not all(path.stat().st_size * 10 >= length for path in paths):
            raise NotDone("shards are too short")
        stub.VolumeEcShardsDelete(pb.VolumeEcShardsDeleteRequest(volume_id=volume_id, shard_ids=SHARDS), timeout=60)
    return {"bytes": length, "seconds": seconds}


def encoding_rows() -> list[VolumeWork]:
    """All of them."""
    return [VolumeWork("EC generate of 1 GiB", 1 << 30, generate, speed=Bars(1 / 0.8))]
