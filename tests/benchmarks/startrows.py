"""Rows about starting: how long until a server answers, with nothing, many volumes or a large one; its memory then."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import time
from typing import Callable

import attrs

from tests.benchmarks.fleets import Fleets
from tests.benchmarks.plans import fid
from tests.benchmarks.httprows import left_out_on_failure
from tests.benchmarks.rows import NO_BARS, Bars, Line, Outcome, Pace, rotated
from tests.benchmarks.servers import NO_MASTER, WEED, Server, resident_bytes, start_master, start_server, wait_until_up
from tests.benchmarks.volumes import write_sparse_volume, write_volume

PAUSE = 0.002
VOLUMES, NEEDLES_EACH, LARGE = 200, 100, 2_000_000
STATUS, HEALTHZ, READ = "s to /status", "s to /healthz", "s to first read"
CPU_SECONDS = "CPU s"
LATER = "s after empty"
"""How much later than with an empty directory /healthz answers."""
LOAD = "s of load"
"""From when /status answers with an empty directory to when a needle was read."""
MEMORY = "B RSS an entry"
Filler = Callable[[pathlib.Path], "tuple[int, int] | None"]
"""Fills a data directory; the volume and key of a needle that can be read."""


def nothing(directory: pathlib.Path) -> None:
    """An empty directory."""


def many_volumes(directory: pathlib.Path) -> tuple[int, int]:
    """200 volumes of 100 needles."""
    for volume_id in range(1, 1 + VOLUMES):
        write_volume(directory, volume_id, range(1, 1 + NEEDLES_EACH))
    return VOLUMES, NEEDLES_EACH


def large_volume(rows: int) -> Filler:
    """One volume with an index of so many rows."""
    return lambda directory: (1, write_sparse_volume(directory, 1, rows))


@attrs.frozen
class Start:
    """One start of one kind."""

    seconds: dict[str, float]
    resident: int


def one_start(kind: str, base: pathlib.Path, readable: tuple[int, int] | None, master: str) -> Start:
    """Start, look until all is there, end.

    Go's /healthz waits for the first heartbeat, which needs a master; without one only ours can be measured there.
    """
    began = time.monotonic()
    server = start_server(kind, base, master=master)
    seconds: dict[str, float] = {}
    try:
        wait_until_up(server, "/status", PAUSE)
        seconds[STATUS] = time.monotonic() - began
        if not master.endswith(f":{NO_MASTER}"):
            wait_until_up(server, "/healthz", PAUSE)
            seconds[HEALTHZ] = time.monotonic() - began
        if readable is not None:
            server.asker.expect(200, "GET", f"/{fid(*readable)}")
            seconds[READ] = time.monotonic() - began
        seconds[CPU_SECONDS] = server.cpu_seconds
        return Start(seconds, resident_bytes(server.pid))
    finally:
        _stop(server)


def _stop(server: Server) -> None:
    with contextlib.suppress(OSError):
        server.stop()


@attrs.define
class Starts:
    """Starts of every kind with the same files. An empty directory is started along, to know what the files cost."""

    name: str
    fill: Filler
    later: Bars = NO_BARS
    load: Bars = NO_BARS
    rows: int = 0
    """Rows of the index, to tell memory by."""

    def run(self, fleets: Fleets, pace: Pace) -> Outcome:
        """Rounds in rotated order; the others of the fleet are ended, for the memory and the core."""
        fleets.stop()
        places = {kind: fleets.base / f"start-{kind}" for kind in fleets.kinds}
        empty = {kind: fleets.base / f"start-empty-{kind}" for kind in fleets.kinds}
        remarks: list[str] = []
        members = {kind: list[Server]() for kind in fleets.kinds}
        values: dict[str, dict[str, list[float]]] = {}
        master, popen = start_master(fleets.base / "start-master") if WEED else (f"127.0.0.1:{NO_MASTER}", None)
        try:
            readable = self._fill(places)
            for turn in range(pace.rounds):
                for kind in rotated(fleets.kinds, turn):
                    if kind in members:
                        with left_out_on_failure(self.name, kind, members, remarks):
                            bare = one_start(kind, empty[kind], None, master)
                            full = one_start(kind, places[kind], readable, master)
                            for measure, value in self._measures(bare, full).items():
                                values.setdefault(measure, {}).setdefault(kind, []).append(value)
        finally:
            if popen is not None:
                popen.terminate()
                popen.wait()
            for place in (*places.values(), *empty.values(), fleets.base / "start-master"):
                shutil.rmtree(place, ignore_errors=True)
        return Outcome([Line(self.name, measure, found, bars=self._bars(measure)) for measure, found in values.items()],
                       remarks)

    def _fill(self, places: dict[str, pathlib.Path]) -> tuple[int, int] | None:
        readable = None
        for place in places.values():
            (place / "data").mkdir(parents=True)
            readable = self.fill(place / "data")
        return readable

    def _bars(self, measure: str) -> Bars:
        return self.later if measure == LATER else self.load if measure == LOAD else NO_BARS

    def _measures(self, bare: Start, full: Start) -> dict[str, float]:
        measures = dict(full.seconds)
        ready = HEALTHZ if HEALTHZ in measures else STATUS
        if self.fill is not nothing:
            measures[LATER] = full.seconds[ready] - bare.seconds[ready]
            measures[LOAD] = full.seconds[READ] - bare.seconds[STATUS]
        if self.rows:
            measures[MEMORY] = (full.resident - bare.resident) / self.rows
        return measures
