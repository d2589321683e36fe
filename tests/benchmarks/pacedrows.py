"""Rows that ask at a fixed rate and look at the slowest answers, alone and beside other work over gRPC."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator, Sequence

import attrs

from tests.benchmarks.clients import MARK, ROOT, Found, NotDone, found_of, last_line
from tests.benchmarks.fleets import Fleets
from tests.benchmarks.plans import Plan, content, fid
from tests.benchmarks.readrows import Reads
from tests.benchmarks.rows import NO_BARS, Bars, Line, Outcome, Pace
from tests.benchmarks.httprows import CPU, P99
from tests.benchmarks.servers import Server
from tests.benchmarks.volumerow import place_volume
from tests.benchmarks.volumes import write_half_deleted

RATE_ASKED = 2000
COPIED = 256 << 20
VACUUMED = 256 << 20
PIECE = 32 << 20
COPY_RATE = 128
STARTED_BEFORE, ENDED_AFTER = 1.0, 1.0
#: What goes on beside: the module of its client, and what is done then.
BESIDE = {"copy": ("copying", "copied"), "vacuum": ("vacuuming", "vacuumed"), "scrub": ("scrubbing", "scrubbed"),
          "walk": ("walking", "sent"), "generate": ("generating", "encoded")}


@attrs.define
class Paced(Reads):
    """GET of 1 KiB, 2000 a second in all.

    :ivar beside: a key of :data:`BESIDE`, or nothing.
    """

    connections: int = 16
    p99: Bars = NO_BARS
    beside: str = ""
    copied: dict[str, list[float]] = attrs.Factory(dict)
    copy_id: int = 0
    source: Path = Path()
    length_beside: int = 0

    def run(self, fleets: Fleets, pace: Pace) -> Outcome:
        """Latencies count here: the rate only says whether a server keeps up, and CPU beside a copy says nothing."""
        self.copy_id = fleets.new_volume_id()
        self.source = fleets.base / "beside"
        if self.beside not in ("", "copy"):
            self.length_beside = write_half_deleted(self.source, 1, VACUUMED)
        try:
            outcome = super().run(fleets, pace)
        finally:
            shutil.rmtree(self.source, ignore_errors=True)
        lines = [attrs.evolve(line, bars=self.p99 if line.measure == P99 else NO_BARS)
                 for line in outcome.lines if line.measure != CPU or not self.beside]
        lines.sort(key=lambda line: line.measure != P99)
        if self.beside:
            lines.append(Line(self.name, f"{BESIDE[self.beside][1]} MiB/s", self.copied, True))
        return Outcome(lines, outcome.remarks)

    def begin(self, servers: Sequence[Server]) -> None:
        """Also what is worked on beside."""
        super().begin(servers)
        if self.beside not in ("", "copy"):
            place_volume(self.source, servers[0], self.copy_id)
        if self.beside == "copy":
            servers[0].allocate(self.copy_id)
            for key in range(1, 1 + COPIED // PIECE):
                servers[0].asker.expect(200, "PUT", f"/{fid(self.copy_id, key)}", content(key, PIECE))

    def load(self, server: Server, plan: Plan, seconds: float) -> Found:
        """Ask at the rate, beside what the row has."""
        with tempfile.TemporaryDirectory(prefix="bench-plan") as base:
            path = Path(base) / "plan"
            plan.save(path)
            command = [sys.executable, "-m", "tests.benchmarks.paced", str(path), str(server.port),
                       str(self.connections), str(RATE_ASKED), str(seconds)]
            with self._beside(server, seconds) if self.beside else contextlib.nullcontext():
                return found_of(last_line(command, seconds + 60))

    @contextlib.contextmanager
    def _beside(self, server: Server, seconds: float) -> Iterator[None]:
        long_enough = str(seconds + STARTED_BEFORE + ENDED_AFTER)
        place = [str(server.grpc_port), str(self.copy_id)]
        client = f"tests.benchmarks.{BESIDE[self.beside][0]}"
        amount = [str(COPIED), str(COPY_RATE)] if self.beside == "copy" else [str(self.length_beside)]
        command = [sys.executable, "-m", client, *place, *amount, long_enough]
        popen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                popen.wait(STARTED_BEFORE)
            yield
            output, _ = popen.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            raise NotDone(f"{client} did not come to an end") from None
        finally:
            popen.kill()
            popen.wait()
        if MARK not in output:
            raise NotDone(output[-400:])
        found = json.loads(output.partition(MARK)[2].splitlines()[0])
        self.copied.setdefault(server.kind, []).append(found["bytes"] / found["seconds"] / 2**20)

    def end(self, servers: Sequence[Server]) -> None:
        """Free the disk."""
        super().end(servers)
        if self.beside:
            servers[0].drop(self.copy_id)
