"""Rows about work on a whole volume over gRPC: vacuum, scrub, reading all of it, copying it to another server."""

from __future__ import annotations

import shutil
import time
from typing import Callable, Mapping, Sequence

import attrs
import grpc

from seaweedvol.pb import volume_server_pb2 as pb
from tests.benchmarks import scrubbing, vacuuming
from tests.benchmarks.clients import NotDone
from tests.benchmarks.fleets import PAIRS, PLAIN, Fleets, Shape
from tests.benchmarks.httprows import left_out_on_failure
from tests.benchmarks.plans import fid
from tests.benchmarks.rows import NO_BARS, Bars, Line, Outcome, Pace, rotated
from tests.benchmarks.servers import Server
from tests.benchmarks.volumes import write_half_deleted

SPEED = "MiB/s"
READ_ALL = "/volume_server_pb.VolumeServer/ReadAllNeedles"

Work = Callable[[Sequence[Server], int, int], Mapping[str, float]]
"""Servers, volume id and length of its .dat, to the bytes that were worked on and the seconds that it took."""


def _nothing(servers: Sequence[Server], volume_id: int, length: int) -> None:
    """Nothing to be looked at."""


@attrs.define
class VolumeWork:
    """The same work in each round, on a volume half of whose needles are deleted."""

    name: str
    length: int
    work: Work
    measure: str = SPEED
    speed: Bars = NO_BARS
    shape: Shape = PLAIN
    check: Callable[[Sequence[Server], int, int], None] = _nothing

    def run(self, fleets: Fleets, pace: Pace) -> Outcome:
        """The first round of each kind does not count: it starts workers and warms the page cache."""
        running = fleets.of(self.shape)
        members, remarks = dict(running), list[str]()
        speeds: dict[str, list[float]] = {kind: [] for kind in members}
        volume_id = fleets.new_volume_id()
        source = fleets.base / "half-deleted"
        length = write_half_deleted(source, 1, self.length)
        for kind, servers in running.items():
            with left_out_on_failure(self.name, kind, members, remarks):
                place_volume(source, servers[0], volume_id)
        shutil.rmtree(source)
        for turn in range(pace.rounds + 1):
            for kind in rotated([*running], turn):
                if kind in members:
                    with left_out_on_failure(self.name, kind, members, remarks):
                        found = self.work(members[kind], volume_id, length)
                        speeds[kind] += [found["bytes"] / found["seconds"] / 2**20] if turn else []
        for kind, servers in running.items():
            if kind in members:
                with left_out_on_failure(self.name, kind, members, remarks):
                    self.check(servers, volume_id, length)
                    servers[0].drop(volume_id)
        return Outcome([Line(self.name, self.measure, {kind: speeds[kind] for kind in members}, True, self.speed)],
                       remarks)


def place_volume(source: object, server: Server, volume_id: int) -> None:
    """Give a server a copy of volume 1 in ``source``, under another id."""
    for suffix in (".dat", ".idx"):
        shutil.copyfile(f"{source}/1{suffix}", server.directory / f"{volume_id}{suffix}")
    server.mount(volume_id)


def compact(servers: Sequence[Server], volume_id: int, length: int) -> Mapping[str, float]:
    """A vacuum that is not committed."""
    return vacuuming.run(servers[0].grpc_port, volume_id, length, 0)


def check_commit(servers: Sequence[Server], volume_id: int, length: int) -> None:
    """Commit one, and look at what is left.

    :raises NotDone: when it is not half.
    """
    with servers[0].stub() as stub:
        for _ in stub.VacuumVolumeCompact(pb.VacuumVolumeCompactRequest(volume_id=volume_id)):
            pass
        stub.VacuumVolumeCommit(pb.VacuumVolumeCommitRequest(volume_id=volume_id))
        left = stub.VolumeStatus(pb.VolumeStatusRequest(volume_id=volume_id)).volume_size
    if not length * 0.45 < left < length * 0.55:
        raise NotDone(f"{left} of {length} bytes are left")
    servers[0].asker.expect(200, "GET", f"/{fid(volume_id, 1)}")
    servers[0].asker.expect(404, "GET", f"/{fid(volume_id, 2)}")


def scrub(servers: Sequence[Server], volume_id: int, length: int) -> Mapping[str, float]:
    """With every record."""
    return scrubbing.run(servers[0].grpc_port, volume_id, length, 0)


def read_all(servers: Sequence[Server], volume_id: int, length: int) -> Mapping[str, float]:
    """ReadAllNeedles; the client does not take the messages apart, so that it is not what is measured.

    :raises NotDone: when not all comes: what is deleted does too, as long as no vacuum took it.
    """
    begin, received = time.monotonic(), 0
    with grpc.insecure_channel(f"127.0.0.1:{servers[0].grpc_port}") as channel:
        call: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(READ_ALL, None, None)
        for message in call(pb.ReadAllNeedlesRequest(volume_ids=[volume_id]).SerializeToString(), timeout=60):
            received += len(message)
    if not length * 0.9 < received <= length:
        raise NotDone(f"{received} of {length} bytes came")
    return {"bytes": received, "seconds": time.monotonic() - begin}


def copy(servers: Sequence[Server], volume_id: int, length: int) -> Mapping[str, float]:
    """VolumeCopy to the second server, which then drops it.

    :raises NotDone: when it does not read there as here.
    """
    source, target = servers[:2]
    with target.stub() as stub:
        begin = time.monotonic()
        for _ in stub.VolumeCopy(pb.VolumeCopyRequest(
                volume_id=volume_id, source_data_node=f"127.0.0.1:{source.port}.{source.grpc_port}"), timeout=300):
            pass
        seconds = time.monotonic() - begin
    here = target.asker.expect(200, "GET", f"/{fid(volume_id, 1)}").body
    target.drop(volume_id)
    if here != source.asker.expect(200, "GET", f"/{fid(volume_id, 1)}").body:
        raise NotDone("the copy reads otherwise")
    return {"bytes": length, "seconds": seconds}


def volume_rows() -> list[VolumeWork]:
    """All of them; those of one shape of servers stand together."""
    half = 512 << 20
    return [
        VolumeWork("vacuum of 512 MiB, half deleted", half, compact, "MiB/s of source", Bars(0.8), check=check_commit),
        VolumeWork("scrub of 512 MiB, half deleted", half, scrub, speed=Bars(0.5)),
        VolumeWork("ReadAllNeedles of 1 KiB needles", 128 << 20, read_all, "MiB/s of needles", Bars(0.5)),
        VolumeWork("VolumeCopy of 1 GiB", 1 << 30, copy, speed=Bars(0.8), shape=PAIRS),
    ]
