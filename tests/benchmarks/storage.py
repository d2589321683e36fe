"""The parts under the server, alone: needle codec and a volume on disk. Ours only, in a process of its own.

``python -m tests.benchmarks.storage`` prints one line of JSON.
"""

from __future__ import annotations

import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable

import attrs

from seaweedvol.storage.format.needle import FLAG_LAST_MODIFIED, NEEDLE_VERSIONS, Needle
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.ttl import EMPTY_TTL
from seaweedvol.storage.volume.loading import create_volume
from seaweedvol.storage.volume.writing import BytesBody, Draft
from tests.benchmarks.clients import last_line
from tests.benchmarks.fleets import Fleets
from tests.benchmarks.rows import Line, Outcome, Pace
from tests.benchmarks.servers import SERVER_CORE, on_core

REPEAT, TIMES = 5, 2000


def best(work: Callable[[], object]) -> float:
    """Microseconds of one call, in the best of some rounds."""
    found = []
    for _ in range(REPEAT):
        began = time.perf_counter()
        for _ in range(TIMES):
            work()
        found.append((time.perf_counter() - began) / TIMES * 1e6)
    return min(found)


def measure() -> dict[str, float]:
    """Microseconds of each."""
    data = bytes(range(256)) * 4
    needle = Needle(cookie=1, key=2, size=0, data=data, flags=FLAG_LAST_MODIFIED, last_modified=1_700_000_000)
    codec = NEEDLE_VERSIONS[3]
    record = codec.encode(needle)
    size = codec.size_of(len(data), needle.flags)
    found = {"encode us": best(lambda: codec.encode(needle)), "decode us": best(lambda: codec.decode(record, size))}
    with tempfile.TemporaryDirectory(prefix="bench") as base:
        return {**found, **_on_disk(pathlib.Path(base), data)}


def _on_disk(base: pathlib.Path, data: bytes) -> dict[str, float]:
    volume = create_volume(base, base, "", 1, placement=ReplicaPlacement(), ttl=EMPTY_TTL)
    key = 0

    def append() -> None:
        nonlocal key
        key += 1
        volume.append(Draft(cookie=1, key=key, body=BytesBody(data), flags=FLAG_LAST_MODIFIED, name=b"", mime=b"",
                            pairs=b"", last_modified=1_700_000_000, ttl=None))

    found = {"append us": best(append), "read us": best(lambda: volume.read(7))}
    volume.close()
    return found


@attrs.define
class Storage:
    """As many processes as rounds."""

    name: str

    def run(self, fleets: Fleets, pace: Pace) -> Outcome:
        """On the server core, with nobody else there."""
        fleets.stop()
        with on_core(SERVER_CORE):
            rounds = [last_line([sys.executable, "-m", "tests.benchmarks.storage"], 120) for _ in range(pace.rounds)]
        return Outcome([Line(self.name, measure, {"ours": [one[measure] for one in rounds]}) for measure in rounds[0]])


if __name__ == "__main__":
    print("FOUND", json.dumps(measure()))
