"""The row about a scrub: how fast all records of a volume are read and checked."""

from __future__ import annotations

import shutil

import attrs

from tests.benchmarks.fleets import PLAIN, Fleets
from tests.benchmarks.httprows import left_out_on_failure
from tests.benchmarks.rows import NO_BARS, Bars, Line, Outcome, Pace, rotated
from tests.benchmarks.scrubbing import run
from tests.benchmarks.vacuumrow import place_volume
from tests.benchmarks.volumes import write_half_deleted

LENGTH = 512 << 20
SPEED = "MiB/s"


@attrs.define
class Scrub:
    """A volume half of whose needles are deleted is looked through in each round."""

    name: str
    speed: Bars = NO_BARS

    def run(self, fleets: Fleets, pace: Pace) -> Outcome:
        """The first round of each kind does not count: it starts workers and warms the page cache."""
        running = fleets.of(PLAIN)
        members, remarks = dict(running), list[str]()
        values: dict[str, list[float]] = {kind: [] for kind in members}
        volume_id = fleets.new_volume_id()
        source = fleets.base / "to-be-scrubbed"
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
        for servers in running.values():
            servers[0].drop(volume_id)
        return Outcome([Line(self.name, SPEED, {kind: values[kind] for kind in members}, True, self.speed)], remarks)
