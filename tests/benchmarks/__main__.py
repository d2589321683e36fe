"""``python -m tests.benchmarks``: the table."""

from __future__ import annotations

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import attrs

from tests.benchmarks.storage import storage_rows
from tests.conformance.servers import ROOT, WEED, Server, launch

ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = float(os.environ.get("SECONDS", "2"))
TICK = os.sysconf("SC_CLK_TCK")


@attrs.frozen
class Work:
    """One row: what is asked for."""

    name: str
    method: str
    body_bytes: int
    keys: int
    connections: int = 32


WORKS = (
    Work("GET 1 KiB", "GET", 1024, 500),
    Work("HEAD 1 KiB", "HEAD", 1024, 500),
    Work("GET missing", "GET", 0, 100),
    Work("PUT 1 KiB", "PUT", 1024, 20000),
    Work("GET 1 MiB", "GET", 1 << 20, 10, 8),
)


def load(server: Server, method: str, work: Work, seconds: float, connections: int) -> dict[str, float]:
    """Run the client on the second core, if there is one. Each row has keys of its own."""
    first_key = (WORKS.index(work) + 1) << 24
    command = [sys.executable, "-m", "tests.benchmarks.load", str(server.port), str(connections), str(seconds), method,
               str(first_key), str(work.keys), str(work.body_bytes)]
    if (os.cpu_count() or 1) > 1:
        command = ["taskset", "-c", "1", *command]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=seconds + 60)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def cpu_seconds(server: Server) -> float:
    """User and system time of a server's process so far."""
    pid = server.processes[-1].popen.pid
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def measure(server: Server, work: Work) -> dict[str, float]:
    """One round; adds CPU microseconds a request."""
    before = cpu_seconds(server)
    found = load(server, work.method, work, SECONDS, work.connections)
    found["cpu"] = (cpu_seconds(server) - before) / max(found["count"], 1) * 1e6
    return found


def http_rows(servers: list[Server]) -> list[str]:
    """The HTTP part of the table."""
    rows = []
    for work in WORKS:
        if work.method in ("GET", "HEAD") and work.body_bytes:
            for server in servers:
                load(server, "PUT", work, 1.5, 4)
        rounds: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
        for _ in range(ROUNDS):
            for server in servers:
                rounds[server.name].append(measure(server, work))
        medians = {name: {key: statistics.median(one[key] for one in found) for key in ("rate", "p50", "p99", "cpu")}
                   for name, found in rounds.items()}
        for name, found in medians.items():
            row = (f"{work.name:14} {name:5} {found['rate']:9.0f}/s  p50 {found['p50']:7.2f} ms  "
                   f"p99 {found['p99']:7.2f} ms  {found['cpu']:8.1f} us CPU")
            if name != "go" and "go" in medians:
                row += f"  rate x{found['rate'] / medians['go']['rate']:.2f} of Go"
            rows.append(row)
    return rows


def main() -> None:
    """Print everything."""
    print("\n".join(storage_rows()), flush=True)
    with tempfile.TemporaryDirectory(prefix="bench") as base:
        servers: list[Server] = []
        try:
            for kind in ("go", "ours") if WEED else ("ours",):
                place = pathlib.Path(base) / kind
                servers.append(launch(kind, place, ready="/status", master=None if WEED else 1))
                if (os.cpu_count() or 1) > 1:
                    subprocess.run(["taskset", "-a", "-c", "-p", "0", str(servers[-1].processes[-1].popen.pid)],
                                   check=True, capture_output=True)
                servers[-1].allocate(1)
            print("\n".join(http_rows(servers)))
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    main()
