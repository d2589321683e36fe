"""The needle map alone, in a process of its own: load, lookup and memory of an index of 10 million rows.

``python -m tests.benchmarks.indexrow IDX`` prints one line of JSON.
"""

from __future__ import annotations

import gc
import json
import os
import pathlib
import random
import statistics
import sys
import time

import attrs

from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.needlemap import MemoryNeedleMap, read_rows, replay
from tests.benchmarks.clients import last_line
from tests.benchmarks.fleets import Fleets
from tests.benchmarks.rows import NO_BARS, Bars, Line, Outcome, Pace
from tests.benchmarks.servers import SERVER_CORE, on_core, resident_bytes
from tests.benchmarks.volumes import WIDTH, write_sparse_volume

ENTRIES = 10_000_000
LOOKUPS, BATCH = 200_000, 10_000
NEEDLE_END = 28


def measure(path: str) -> dict[str, float]:
    """Seconds, bytes an entry and microseconds a lookup."""
    file = DiskFile(path, role="index")
    gc.collect()
    before = resident_bytes(os.getpid())
    began = time.perf_counter()
    columns, counts = replay(read_rows(file, WIDTH), NEEDLE_END)
    needles = MemoryNeedleMap(file, WIDTH, columns, counts)
    took = time.perf_counter() - began
    gc.collect()
    held = resident_bytes(os.getpid()) - before
    keys = [key for key, _, _ in needles.ascending()]
    entries = len(keys)
    # New numbers side by side in memory, as a server has just read them from a request.
    asked = [key + 0 for key in random.Random(1).choices(keys, k=LOOKUPS)]
    del keys
    lookups = []
    for at in range(0, LOOKUPS, BATCH):
        # CPU time, so that whoever else wants the core is not counted.
        began = time.process_time()
        for key in asked[at:at + BATCH]:
            needles.get(key)
        lookups.append((time.process_time() - began) / BATCH * 1e6)
    needles.close()
    return {"seconds": took, "bytes": held / entries, "lookup": statistics.median(lookups)}


@attrs.define
class Index:
    """Ours only: the others' maps can only be seen from outside, which the row of starts does."""

    name: str
    memory: Bars = NO_BARS
    lookup: Bars = NO_BARS

    def run(self, fleets: Fleets, pace: Pace) -> Outcome:
        """As many processes as rounds."""
        fleets.stop()
        place = fleets.base / "index"
        write_sparse_volume(place, 1, ENTRIES)
        (place / "1.dat").unlink()
        found: list[dict[str, float]] = []
        with on_core(SERVER_CORE):
            for _ in range(pace.rounds):
                found.append(last_line([sys.executable, "-m", "tests.benchmarks.indexrow", str(place / "1.idx")], 300))
        (place / "1.idx").unlink()
        measures = (("load s", "seconds", NO_BARS), ("B an entry", "bytes", self.memory),
                    ("lookup us", "lookup", self.lookup))
        return Outcome([Line(self.name, measure, {"ours": [one[key] for one in found]}, bars=bars)
                        for measure, key, bars in measures])


if __name__ == "__main__":
    print("FOUND", json.dumps(measure(str(pathlib.Path(sys.argv[1])))))
