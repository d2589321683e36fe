"""Needles of erasure coded volumes: the very same shards at Go and at ours, and the same requests."""

from __future__ import annotations

import atexit
import pathlib
import shutil
import tempfile

from seaweedvol.pb import volume_server_pb2 as pb
from tests.conformance import cases_encoded
from tests.conformance.cases_encoded import DEGRADED, MISSING_SHARDS, WHOLE
from tests.conformance.clients import ask
from tests.conformance.exchange import send
from tests.conformance.pairs import SUBJECT
from tests.conformance.servers import Server, launch
from tests.conformance.test_cluster import within
from tests.conformance.test_differential import Pair

SECONDS = 40.0


class EncodedTests(Pair):
    """Servers that hold all shards of one volume, and some of another; nobody else holds any."""

    def launch(self) -> tuple[Server, Server]:
        """Go encodes; ours is started on a copy of its files."""
        base = tempfile.TemporaryDirectory(prefix="conformance")
        atexit.register(base.cleanup)
        root = pathlib.Path(base.name)
        go = launch("go", root / "go")
        for volume in (WHOLE, DEGRADED):
            encode(go, volume)
        data = root / "ours" / "data"
        data.mkdir(parents=True)
        for path in go.directory.glob("*.*"):
            shutil.copy(path, data)
        (data / "vol_dir.uuid").unlink(missing_ok=True)
        ours = launch(SUBJECT, root / "ours")
        for server in (go, ours):
            atexit.register(server.stop)
            # Go asks the master where shards are even if it has all of them.
            self.assertTrue(within(SECONDS, lambda: is_known(server, WHOLE) and is_known(server, DEGRADED)))
        return go, ours

    def test_encoded(self) -> None:
        """Statuses, headers and bodies are Go's, with all shards and with some."""
        self.compare(cases_encoded.cases())


def encode(server: Server, volume: int) -> None:
    """Fill a volume, and put shards in its place; some are lost of the one that is to be degraded."""
    server.allocate(volume)
    for request in cases_encoded.uploads(volume):
        answer, = send(server.port, request)
        if answer.status not in (201, 202):
            raise RuntimeError(f"{request.method} {request.target}: {answer}")
    stub = server.stub()
    stub.VolumeMarkReadonly(pb.VolumeMarkReadonlyRequest(volume_id=volume))
    stub.VolumeEcShardsGenerate(pb.VolumeEcShardsGenerateRequest(volume_id=volume))
    stub.VolumeUnmount(pb.VolumeUnmountRequest(volume_id=volume))
    for ending in ("dat", "idx"):
        (server.directory / f"{volume}.{ending}").unlink()
    lost = MISSING_SHARDS if volume == DEGRADED else ()
    for number in lost:
        (server.directory / f"{volume}.ec{number:02d}").unlink()
    stub.VolumeEcShardsMount(pb.VolumeEcShardsMountRequest(
        volume_id=volume, shard_ids=[number for number in range(14) if number not in lost]))


def is_known(server: Server, volume: int) -> bool:
    """Whether the master knows who holds shards."""
    return ask(server.master_port, f"/dir/lookup?volumeId={volume}").status == 200
