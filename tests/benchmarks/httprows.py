"""Rows under closed load: how rounds are run and counted. What is asked for is said in readrows and writerows."""

from __future__ import annotations

import contextlib
from typing import Iterator, Sequence

import attrs
import grpc

from tests.benchmarks import plans
from tests.benchmarks.clients import Found, NotDone, load
from tests.benchmarks.fleets import PLAIN, Fleets, Shape
from tests.benchmarks.plans import Plan
from tests.benchmarks.rows import NO_BARS, Bars, Line, Outcome, Pace, rotated
from tests.benchmarks.servers import Server

RATE, CPU, P50, P99 = MEASURES = ("rate /s", "CPU us", "p50 ms", "p99 ms")
Values = dict[str, dict[str, list[float]]]
"""What rounds found, by measure and kind."""


@contextlib.contextmanager
def left_out_on_failure(
    row: str, kind: str, members: dict[str, list[Server]], remarks: list[str]
) -> Iterator[None]:
    """A kind that does not do the work of a row leaves it, with a remark; the others go on."""
    try:
        yield
    except (NotDone, grpc.RpcError, OSError) as error:
        members.pop(kind)
        said = error.details() if isinstance(error, grpc.Call) else error
        remarks.append(f"{row}: no figure for {kind}: {said}")


@attrs.define
class HttpRow:
    """Rounds of one load. CPU is that of all servers of a kind that take part."""

    name: str
    connections: int = 32
    length: int = 1024
    rate: Bars = NO_BARS
    cpu: Bars = NO_BARS
    shape: Shape = PLAIN
    can_wrk: bool = True
    volume_id: int = 0
    turns: int = 0

    def run(self, fleets: Fleets, pace: Pace) -> Outcome:
        """All rounds, kinds in rotated order."""
        self.volume_id = fleets.new_volume_id()
        running = fleets.of(self.shape)
        members = dict(running)
        values: Values = {measure: {kind: [] for kind in members} for measure in MEASURES}
        remarks: list[str] = []
        for kind, servers in running.items():
            with left_out_on_failure(self.name, kind, members, remarks):
                self.begin(servers)
        for turn in range(pace.rounds):
            for kind in rotated([*running], turn):
                if kind in members:
                    with left_out_on_failure(self.name, kind, members, remarks):
                        for measure, value in self._round(members[kind], pace.seconds).items():
                            values[measure][kind].append(value)
        for kind, servers in running.items():
            with contextlib.suppress(grpc.RpcError):
                self.end(servers)
        bars = {RATE: self.rate, CPU: self.cpu}
        return Outcome([Line(self.name, measure, {kind: values[measure][kind] for kind in members},
                             measure == RATE, bars.get(measure, NO_BARS)) for measure in MEASURES], remarks)

    def _round(self, servers: list[Server], seconds: float) -> dict[str, float]:
        self.turns += 1
        self.make_ready(servers)
        plan = self.plan()
        before = sum(server.cpu_seconds for server in servers)
        found = self.load(servers[0], plan, seconds)
        cpu = sum(server.cpu_seconds for server in servers) - before
        if not found.count:
            raise NotDone("no answer within the round")
        if found.refused > self.may_be_refused(found):
            raise NotDone(f"{found.refused} of {found.count} requests refused")
        self.check(servers, plan, found)
        count = self.done(found)
        return {RATE: count / found.seconds, CPU: cpu / count * 1e6, P50: found.p50, P99: found.p99}

    @property
    def number(self) -> int:
        """Where the keys of this round begin."""
        return plans.FIRST_NUMBER + self.turns * (1 << 22)

    def load(self, server: Server, plan: Plan, seconds: float) -> Found:
        """Ask what the plan says, for so long."""
        return load(server.port, plan, connections=self.connections, seconds=seconds, can_wrk=self.can_wrk)

    def may_be_refused(self, found: Found) -> int:
        """How many answers may have a status of 400 or more."""
        return 0

    def done(self, found: Found) -> float:
        """Requests of the round."""
        return found.count

    def begin(self, servers: Sequence[Server]) -> None:
        """Put there what is asked for."""
        servers[0].allocate(self.volume_id)

    def make_ready(self, servers: Sequence[Server]) -> None:
        """The same before each round, outside of the clock."""

    def plan(self) -> Plan:
        """What is asked for in this round."""
        raise NotImplementedError

    def check(self, servers: Sequence[Server], plan: Plan, found: Found) -> None:
        """That the round did its work.

        :raises NotDone: when not.
        """

    def end(self, servers: Sequence[Server]) -> None:
        """Free the disk."""
        for server in servers:
            server.drop(self.volume_id)
