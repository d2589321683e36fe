"""``weed benchmark`` of Go's against each kind: a client as users have it, with a master that gives out file ids."""

from __future__ import annotations

import pathlib
import re
import subprocess

import attrs

from tests.benchmarks.clients import NotDone
from tests.benchmarks.fleets import PLAIN, Fleets
from tests.benchmarks.httprows import CPU, P50, P99, RATE, left_out_on_failure
from tests.benchmarks.rows import NO_BARS, Bars, Line, Outcome, Pace, rotated
from tests.benchmarks.servers import WEED, Server

NEEDLES, CONCURRENCY = 20_000, 16


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise NotDone("weed benchmark said: " + text[-300:])
    return float(found[1])


def one_run(server: Server, list_path: pathlib.Path, which: str) -> dict[str, float]:
    """Only the writes or only the reads; reads are of what the writes before have put into the list.

    :raises NotDone: when a request failed.
    """
    before = server.cpu_seconds
    done = subprocess.run(
        [WEED, "benchmark", f"-master={server.master}", f"-n={NEEDLES}", f"-c={CONCURRENCY}", f"-list={list_path}",
         f"-{which}Only"], capture_output=True, text=True, cwd=list_path.parent, timeout=180)
    cpu = server.cpu_seconds - before
    text = done.stdout
    completed = _number(r"^Completed requests: +(\d+)", text)
    if _number(r"^Failed requests: +(\d+)", text) or completed != NEEDLES:
        raise NotDone(f"weed benchmark completed {completed:.0f}: {text[-300:]}")
    # Its percentiles are in tenths of a millisecond; a fast server may skip the line of the median.
    return {RATE: _number(r"^Requests per second: +([\d.]+)", text), CPU: cpu / completed * 1e6,
            P50: _number(r"^ +50% +([\d.]+) ms", text), P99: _number(r"^ +99% +([\d.]+) ms", text)}


@attrs.define
class WeedBenchmark:
    """Two rows in one: a round writes, then reads what it wrote."""

    name: str = "weed benchmark"
    write_cpu: Bars = NO_BARS
    read_rate: Bars = NO_BARS

    def run(self, fleets: Fleets, pace: Pace) -> Outcome:
        """Needs Go's client, so nothing at all where there is no ``weed``."""
        if not WEED:
            return Outcome([], [f"{self.name}: WEED_BINARY is not set"])
        running = fleets.of(PLAIN)
        members = dict(running)
        values: dict[tuple[str, str], dict[str, list[float]]] = {}
        remarks: list[str] = []
        for turn in range(pace.rounds):
            for kind in rotated([*running], turn):
                if kind not in members:
                    continue
                with left_out_on_failure(self.name, kind, members, remarks):
                    for which in ("write", "read"):
                        list_path = fleets.base / f"{kind}-list.txt"
                        for measure, value in one_run(members[kind][0], list_path, which).items():
                            values.setdefault((which, measure), {}).setdefault(kind, []).append(value)
        bars = {("write", CPU): self.write_cpu, ("read", RATE): self.read_rate}
        return Outcome([Line(f"{self.name}, {which}s", measure, found, measure == RATE,
                             bars.get((which, measure), NO_BARS))
                        for (which, measure), found in values.items()], remarks)
