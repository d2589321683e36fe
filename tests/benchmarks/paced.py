"""Requests at a fixed rate over some connections, with precise times, in a process of its own.

``python -m tests.benchmarks.paced PLAN PORT CONNECTIONS RATE SECONDS`` prints one line of JSON. A request that is due
while its connection still waits for the answer before counts from when it was due: a stalled server cannot hide by
being asked less. Otherwise it counts from when it is sent, so that the client's own sleep is not held against servers.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import pathlib
import select
import sys
import time
from collections import deque

from tests.benchmarks.load import Connection
from tests.benchmarks.plans import load_plan

SET_TIMER_SLACK = 29  # prctl
WARM_UP = 0.5


def run(port: int, connections: int, rate: float, seconds: float, requests: tuple[bytes, ...]) -> dict[str, float]:
    """Ask ``rate`` times a second in all, evenly spread; latencies in milliseconds without those of the start."""
    waiting: dict[int, tuple[Connection, float]] = {}
    start = time.perf_counter()
    idle = deque((Connection(port), start) for _ in range(connections))
    latencies: list[float] = []
    count = refused = received = turn = 0
    while (now := time.perf_counter()) < start + WARM_UP + seconds:
        due = start + turn / rate
        if now >= due and idle:
            connection, idle_since = idle.popleft()
            connection.send(requests[turn % len(requests)])
            waiting[connection.socket.fileno()] = connection, due if idle_since > due else connection.began
            turn += 1
            continue
        pause = max(0.0, due - now) if idle else 1.0
        for descriptor in select.select([*waiting], [], [], min(pause, 1.0))[0]:
            connection, began = waiting[descriptor]
            status = connection.receive()
            if status:
                now = time.perf_counter()
                if began >= start + WARM_UP:
                    latencies.append(now - began)
                count += 1
                refused += status >= 400
                received += connection.received
                del waiting[descriptor]
                idle.append((connection, now))
    if not latencies:
        raise SystemExit("no answer came")
    latencies.sort()
    return {"count": count, "seconds": now - start, "bytes": received, "refused": refused, "broken": 0,
            "p50": latencies[len(latencies) // 2] * 1e3, "p99": latencies[len(latencies) * 99 // 100] * 1e3}


def main() -> None:
    """As a process: before others on its core where that is allowed, and woken on time."""
    path, port, connections, rate, seconds = sys.argv[1:]
    with contextlib.suppress(OSError):
        os.nice(-10)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(SET_TIMER_SLACK, 1, 0, 0, 0)
    requests = load_plan(pathlib.Path(path)).whole
    gc.disable()
    print("FOUND", json.dumps(run(int(port), int(connections), float(rate), float(seconds), requests)))


if __name__ == "__main__":
    main()
