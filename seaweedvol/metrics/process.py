"""``process_*`` as every Prometheus client tells them, and those ``go_*`` that dashboards ask of every server.

There is no Go here. What is told under its names is what answers the same question of a Python process: threads in the
place of goroutines, memory that belongs to nobody else in the place of Go's heap, pauses of Python's collector.
"""

from __future__ import annotations

import gc
import resource
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from seaweedvol.metrics.memory import own_memory

_PAUSES: Final = 256
_QUANTILES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


class Pauses:
    """How long the collector of cycles has kept everything waiting."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        self._latest: deque[float] = deque(maxlen=_PAUSES)
        self._began = 0.0

    def watch(self) -> None:
        """From now on. Does nothing the second time."""
        if self._note not in gc.callbacks:
            gc.callbacks.append(self._note)

    def forget(self) -> None:
        """No more."""
        if self._note in gc.callbacks:
            gc.callbacks.remove(self._note)

    def quantiles(self) -> list[tuple[float, float]]:
        """Of the latest ones, none before there was one."""
        ordered = sorted(self._latest)
        return [(quantile, ordered[round(quantile * (len(ordered) - 1))]) for quantile in _QUANTILES] if ordered else []

    def _note(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            took = time.perf_counter() - self._began
            self.count += 1
            self.seconds += took
            self._latest.append(took)


class Runtime(Collector):
    """The numbers of this process that the library does not tell."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses

    def collect(self) -> Iterator[Metric]:
        """For a registry."""
        memory = own_memory()
        yield _gauge("go_goroutines", "Threads of Python.", threading.active_count())
        yield _gauge("go_memstats_alloc_bytes", "Memory that is this process's alone.", memory.anonymous)
        yield _gauge("go_memstats_heap_inuse_bytes", "Memory that is this process's alone.", memory.anonymous)
        yield _gauge("go_memstats_stack_inuse_bytes", "The stack of the first thread.", memory.stack)
        yield self._collections()
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        unlimited = most == resource.RLIM_INFINITY
        yield _gauge("process_virtual_memory_max_bytes", "How much address space there may be.",
                     2.0 ** 64 if unlimited else most)
        yield from _network()

    def _collections(self) -> Metric:
        name = "go_gc_duration_seconds"
        metric = Metric(name, "Pauses of Python's collector of cycles.", "summary")
        for quantile, seconds in self._pauses.quantiles():
            metric.add_sample(name, {"quantile": f"{quantile:g}"}, seconds)
        metric.add_sample(f"{name}_sum", {}, self._pauses.seconds)
        metric.add_sample(f"{name}_count", {}, self._pauses.count)
        return metric


def register(registry: CollectorRegistry) -> Pauses:
    """Have ``registry`` tell of this process; the watch over pauses, which has begun."""
    pauses = Pauses()
    pauses.watch()
    ProcessCollector(registry=registry)
    registry.register(Runtime(pauses))
    return pauses


def _gauge(name: str, text: str, value: float) -> Metric:
    metric = Metric(name, text, "gauge")
    metric.add_sample(name, {}, value)
    return metric


def _network() -> Iterator[Metric]:
    """What the machine has received and sent, as Go's client tells it; nothing where the kernel does not say."""
    received = sent = 0
    try:
        with open("/proc/self/net/netstat", encoding="ascii") as lines:
            for names, values in zip(lines, lines):
                if names.startswith("IpExt:"):
                    told = dict(zip(names.split()[1:], map(int, values.split()[1:])))
                    received, sent = told.get("InOctets", 0), told.get("OutOctets", 0)
    except (OSError, ValueError):
        return
    for direction, count in (("receive", received), ("transmit", sent)):
        name = f"process_network_{direction}_bytes_total"
        metric = Metric(name, "Bytes by network, of all processes that share it.", "counter")
        metric.add_sample(name, {}, count)
        yield metric
