"""``python -m tests.benchmarks [--keep] [PREFIX ...]``: measure the rows whose names begin so, or all.

A run of all rows, or one with ``--keep``, writes results.txt. ROUNDS and SECONDS say how long each row is measured,
NICE how much the others on this machine have to stand back.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import sys
import tempfile

from tests.benchmarks.catalogue import all_rows
from tests.benchmarks.clients import WRK
from tests.benchmarks.fleets import Fleets
from tests.benchmarks.machine import method
from tests.benchmarks.rows import Outcome, Pace
from tests.benchmarks.servers import CLIENT_CORE, KINDS
from tests.benchmarks.table import HEADING, outcome_text, summary

RESULTS = pathlib.Path(__file__).with_name("results.txt")


def go_first(nice: int) -> None:
    """Give this process, and with it servers and clients, a priority; groups of sessions have one as well."""
    if nice:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/self/autogroup").write_text(str(nice))


def main() -> None:
    """Measure, print, keep."""
    arguments = sys.argv[1:]
    prefixes = tuple(one for one in arguments if one != "--keep")
    rows = [row for row in all_rows() if not prefixes or row.name.startswith(prefixes)]
    if not rows:
        raise SystemExit("no such row; there are: " + "; ".join(row.name for row in all_rows()))
    pace = Pace(int(os.environ.get("ROUNDS", "3")), float(os.environ.get("SECONDS", "3")))
    # Threads that start from now on stay with the load clients, apart from the servers.
    os.sched_setaffinity(0, {CLIENT_CORE})
    # Asked to end, it ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    go_first(int(os.environ.get("NICE", "0")))
    if WRK is None:
        print("wrk is not on PATH: the Python client asks instead, and rates are its own rather than the servers'")
    outcomes: list[Outcome] = []
    texts = [method(pace), HEADING]
    print("\n".join(texts), flush=True)
    with tempfile.TemporaryDirectory(prefix="bench") as base:
        fleets = Fleets(pathlib.Path(base), KINDS)
        try:
            for row in rows:
                outcomes.append(row.run(fleets, pace))
                texts.append(outcome_text(outcomes[-1]))
                print(texts[-1], flush=True)
        finally:
            fleets.stop()
    texts.append("\n" + summary(outcomes))
    print(texts[-1])
    if not prefixes or "--keep" in arguments:
        RESULTS.write_text("\n".join(texts) + "\n")


if __name__ == "__main__":
    main()
