"""The row about a vacuum: how fast what is live of a volume is copied, and that a commit then leaves just that."""

from __future__ import annotations

import shutil
from typing import Sequence

import attrs

from seaweedvol.pb import volume_server_pb2
from tests.benchmarks.clients import NotDone
from tests.benchmarks.fleets import PLAIN, Fleets
from tests.benchmarks.httprows import left_out_on_failure
from tests.benchmarks.plans import fid
from tests.benchmarks.rows import NO_BARS, Bars, Line, Outcome, Pace, rotated
from tests.benchmarks.servers import Server
from tests.benchmarks.vacuuming import run
from tests.benchmarks.volumes import write_half_deleted

LENGTH = 512 << 20
SPEED = "MiB/s of source"


@attrs.define
class Vacuum:
    """A volume half of whose needles are deleted is compacted in each round, and committed at the end."""

    name: str
    speed: Bars = NO_BARS

    def run(self, fleets: Fleets, pace: Pace) -> Outcome:
        """The first round of each kind does not count: it starts workers and warms the page cache."""
        running = fleets.of(PLAIN)
        members, remarks = dict(running), list[str]()
        values: dict[str, list[float]] = {kind: [] for kind in members}
        volume_id = fleets.new_volume_id()
        source = fleets.base / "half-deleted"
        length = write_half_deleted(source, 1, LENGTH)
        for kind, servers in running.items():
            with left_out_on_failure(self.name, kind, members, remarks):
                place_volume(source, servers[0], volume_id)
        shutil.rmtree(source)
        for turn in range(pace.rounds + 1):
            for kind in rotated([*running], turn):
                if kind in members:
                    with left_out_on_failure(self.name, kind, members, remarks):
                        found = run(members[kind][0].grpc_port, volume_id, length, 0)
                        values[kind] += [found["bytes"] / found["seconds"] / 2**20] if turn else []
        for kind, servers in running.items():
            if kind in members:
                with left_out_on_failure(self.name, kind, members, remarks):
                    check_commit(servers, volume_id, length)
            servers[0].drop(volume_id)
        return Outcome([Line(self.name, SPEED, {kind: values[kind] for kind in members}, True, self.speed)], remarks)


def place_volume(source: object, server: Server, volume_id: int) -> None:
    """Give a server a copy of volume 1 in ``source``, under another id."""
    for suffix in (".dat", ".idx"):
        shutil.copyfile(f"{source}/1{suffix}", server.directory / f"{volume_id}{suffix}")
    server.mount(volume_id)


def check_commit(servers: Sequence[Server], volume_id: int, length: int) -> None:
    """Commit, and look at what is left.

    :raises NotDone: when it is not half.
    """
    with servers[0].stub() as stub:
        for _ in stub.VacuumVolumeCompact(volume_server_pb2.VacuumVolumeCompactRequest(volume_id=volume_id)):
            pass
        stub.VacuumVolumeCommit(volume_server_pb2.VacuumVolumeCommitRequest(volume_id=volume_id))
        left = stub.VolumeStatus(volume_server_pb2.VolumeStatusRequest(volume_id=volume_id)).volume_size
    if not length * 0.45 < left < length * 0.55:
        raise NotDone(f"{left} of {length} bytes are left")
    servers[0].asker.expect(200, "GET", f"/{fid(volume_id, 1)}")
    servers[0].asker.expect(404, "GET", f"/{fid(volume_id, 2)}")
