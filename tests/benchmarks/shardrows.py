"""The rows about making lost shards again, and about making a volume of shards, over gRPC."""

from __future__ import annotations

import time
from typing import Mapping, Sequence

from seaweedvol.pb import volume_server_pb2 as pb
from tests.benchmarks.clients import NotDone
from tests.benchmarks.plans import fid
from tests.benchmarks.rows import Bars
from tests.benchmarks.servers import Server
from tests.benchmarks.volumerow import VolumeWork

SHARDS = range(14)
LOST = (0, 3, 11, 13)
#: The .ecsum, which a decoding removes, so that each round has one.
KEPT = ".ecsum.kept"


def rebuild(servers: Sequence[Server], volume_id: int, length: int) -> Mapping[str, float]:
    """Two shards of data and two of parity, which are removed while nobody measures.

    :raises NotDone: when others are made.
    """
    server = servers[0]
    with server.stub() as stub:
        if not server.directory.joinpath(f"{volume_id}.ecx").exists():
            stub.VolumeEcShardsGenerate(pb.VolumeEcShardsGenerateRequest(volume_id=volume_id), timeout=300)
        for number in LOST:
            server.directory.joinpath(f"{volume_id}.ec{number:02d}").unlink()
        begin = time.monotonic()
        made = stub.VolumeEcShardsRebuild(pb.VolumeEcShardsRebuildRequest(volume_id=volume_id), timeout=300)
        seconds = time.monotonic() - begin
    if tuple(made.rebuilt_shard_ids) != LOST:
        raise NotDone(f"{made.rebuilt_shard_ids} were made")
    return {"bytes": length, "seconds": seconds}


def decode(servers: Sequence[Server], volume_id: int, length: int) -> Mapping[str, float]:
    """From shards that are served; there is no .dat of before.

    :raises NotDone: when what is made is not half as long.
    """
    server = servers[0]
    with server.stub() as stub:
        if not server.directory.joinpath(f"{volume_id}.ecx").exists():
            stub.VolumeEcShardsGenerate(pb.VolumeEcShardsGenerateRequest(volume_id=volume_id), timeout=300)
            stub.VolumeUnmount(pb.VolumeUnmountRequest(volume_id=volume_id))
            stub.VolumeEcShardsMount(pb.VolumeEcShardsMountRequest(volume_id=volume_id, shard_ids=SHARDS))
            server.directory.joinpath(f"{volume_id}.ecsum").rename(server.directory / f"{volume_id}{KEPT}")
        for suffix in (".dat", ".idx"):
            server.directory.joinpath(f"{volume_id}{suffix}").unlink()
        kept = server.directory.joinpath(f"{volume_id}{KEPT}").read_bytes()
        server.directory.joinpath(f"{volume_id}.ecsum").write_bytes(kept)
        begin = time.monotonic()
        stub.VolumeEcShardsToVolume(pb.VolumeEcShardsToVolumeRequest(volume_id=volume_id), timeout=300)
        seconds = time.monotonic() - begin
    made = server.directory.joinpath(f"{volume_id}.dat").stat().st_size
    if not length * 0.45 < made < length * 0.55:
        raise NotDone(f"{made} of {length} bytes were made")
    return {"bytes": length, "seconds": seconds}


def drop_shards(servers: Sequence[Server], volume_id: int, length: int) -> None:
    """Remove them.

    :raises NotDone: when they are not all there.
    """
    server = servers[0]
    if not all(server.directory.joinpath(f"{volume_id}.ec{number:02d}").exists() for number in SHARDS):
        raise NotDone("shards are missing")
    with server.stub() as stub:
        stub.VolumeEcShardsUnmount(pb.VolumeEcShardsUnmountRequest(volume_id=volume_id, shard_ids=SHARDS))
        stub.VolumeEcShardsDelete(pb.VolumeEcShardsDeleteRequest(volume_id=volume_id, shard_ids=SHARDS), timeout=60)


def check_decoded(servers: Sequence[Server], volume_id: int, length: int) -> None:
    """Read a needle that is there, and one that was deleted.

    :raises NotDone: when shards are missing.
    """
    drop_shards(servers, volume_id, length)
    servers[0].directory.joinpath(f"{volume_id}{KEPT}").unlink()
    servers[0].mount(volume_id)
    servers[0].asker.expect(200, "GET", f"/{fid(volume_id, 1)}")
    servers[0].asker.expect(404, "GET", f"/{fid(volume_id, 2)}")


def shard_rows() -> list[VolumeWork]:
    """All of them."""
    return [
        VolumeWork("EC rebuild of 1 GiB, 4 lost", 1 << 30, rebuild, speed=Bars(1.0), check=drop_shards),
        VolumeWork("EC decode of 1 GiB, half deleted", 1 << 30, decode, speed=Bars(1.0), check=check_decoded),
    ]
