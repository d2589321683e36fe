"""Rows that read needles of a volume that was encoded: with all its shards, and without the one they lie in."""

from __future__ import annotations

import contextlib
import time
from typing import Sequence

import attrs

from seaweedvol.pb import volume_server_pb2 as pb
from tests.benchmarks.clients import NotDone
from tests.benchmarks.plans import content, fid
from tests.benchmarks.readrows import Reads
from tests.benchmarks.rows import Bars
from tests.benchmarks.servers import Server

TOTAL = 14
KEYS = 900
"""All of them, 1 KiB each, lie in the first block, which is shard 0."""
READY_WITHIN = 60.0


@attrs.define
class EncodedReads(Reads):
    """Whole needles out of shards that one server has.

    :ivar lost: shards that nobody has.
    """

    keys: int = KEYS
    lost: Sequence[int] = ()

    def begin(self, servers: Sequence[Server]) -> None:
        """Encode what is read, and have shards served in the place of the volume."""
        super().begin(servers)
        server, volume_id = servers[0], self.volume_id
        with server.stub() as stub:
            stub.VolumeMarkReadonly(pb.VolumeMarkReadonlyRequest(volume_id=volume_id))
            stub.VolumeEcShardsGenerate(pb.VolumeEcShardsGenerateRequest(volume_id=volume_id))
            stub.VolumeUnmount(pb.VolumeUnmountRequest(volume_id=volume_id))
            for suffix in ("dat", "idx", *(f"ec{number:02d}" for number in self.lost)):
                (server.directory / f"{volume_id}.{suffix}").unlink()
            stub.VolumeEcShardsMount(pb.VolumeEcShardsMountRequest(
                volume_id=volume_id, shard_ids=[number for number in range(TOTAL) if number not in self.lost]))
        # Go reads nothing before the master has heard of the shards.
        target, deadline = f"/{fid(volume_id, 1)}", time.monotonic() + READY_WITHIN
        while server.asker.ask("GET", target).body != content(1, self.length):
            if time.monotonic() > deadline:
                raise NotDone("needles cannot be read from shards")
            time.sleep(1)

    def end(self, servers: Sequence[Server]) -> None:
        """Free the disk."""
        shards = range(TOTAL)
        with servers[0].stub() as stub, contextlib.suppress(OSError):
            stub.VolumeEcShardsUnmount(pb.VolumeEcShardsUnmountRequest(volume_id=self.volume_id, shard_ids=shards))
            stub.VolumeEcShardsDelete(pb.VolumeEcShardsDeleteRequest(volume_id=self.volume_id, shard_ids=shards))


def encoded_read_rows() -> list[EncodedReads]:
    """All of them."""
    return [
        EncodedReads("EC GET 1 KiB", rate=Bars(1.0)),
        EncodedReads("EC GET 1 KiB, one shard lost", rate=Bars(1.0), lost=(0,)),
    ]
