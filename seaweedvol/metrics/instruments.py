"""Everything the server counts, by what happened; one object for a server, used from any thread.

Knows which families an event moves. Where a moment's state is asked for (volumes, disks), a collector of the registry
works it out when somebody reads.
"""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from seaweedvol.metrics import families
from seaweedvol.metrics.values import Histogram, Numbers, metric_of, metrics_of

WRITE_TO_DISK: Final = "writeToLocalDisk"
WRITE_TO_REPLICAS: Final = "writeToReplicas"
INVALID: Final = "INVALID"

# Go makes a series for whatever a client sends as method, without end.
_METHODS: Final = frozenset((
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"))
_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def method_type(method: str) -> str:
    """The ``type`` of a request."""
    return method if method in _METHODS else INVALID


class Instruments(Collector):
    """The values behind ``/metrics``.

    :ivar registry: all that is to be told, what others add included.
    :ivar before_reading: called, in the reactor's thread, before somebody reads: what is counted elsewhere comes here.
    :ivar held: parts of the express lane's work that are under way at this moment, by ``type``.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.before_reading: list[Callable[[], None]] = []
        self.held: Counter[str] = Counter()
        self.build = Numbers(families.BUILD_INFO)
        self.upload_errors = Numbers(families.UPLOAD_ERRORS)
        self.start_time = Numbers(families.START_TIME)
        self.requests = Numbers(families.REQUESTS)
        self.events = Numbers(families.EVENTS)
        self.compactions = Numbers(families.COMPACTIONS)
        self.commits = Numbers(families.COMMITS)
        self.vacuum_seconds = Histogram(families.VACUUM_SECONDS)
        self.request_seconds = Histogram(families.REQUEST_SECONDS)
        self.in_flight = Numbers(families.IN_FLIGHT)
        self.disconnections = Numbers(families.DISCONNECTIONS)
        self.read_failures = Numbers(families.READ_FAILURES)
        self.invalid_needles = Numbers(families.INVALID_NEEDLES)
        self.write_failures = Numbers(families.WRITE_FAILURES)
        self.scrub_time = Numbers(families.SCRUB_TIME)
        self.scrub_volumes = Numbers(families.SCRUB_VOLUMES)
        self.scrub_shards = Numbers(families.SCRUB_SHARDS)
        self.replications = Numbers(families.REPLICATIONS)
        self.replication_seconds = Histogram(families.REPLICATION_SECONDS)
        self.replication_targets = Histogram(families.REPLICATION_TARGETS)
        self.replication_failures = Numbers(families.REPLICATION_FAILURES)
        self.rebuilds = Numbers(families.REBUILDS)
        self.rebuild_seconds = Histogram(families.REBUILD_TIMES)
        self.loop_lag = Histogram(families.LOOP_LAG)
        self.roads = Numbers(families.ROADS)
        self._own = tuple(each for each in vars(self).values() if isinstance(each, (Numbers, Histogram)))
        self.registry.register(self)

    # --- what is told --------------------------------------------------------------------------------------------

    def collect(self) -> Iterator[Metric]:
        """For the registry."""
        yield from metrics_of(each for each in self._own if each is not self.in_flight)
        under_way = self.in_flight.values()
        for kind, count in self.held.items():
            under_way[kind,] = under_way.get((kind,), 0) + count
        yield metric_of(families.IN_FLIGHT, under_way)
        roads = self.roads.values()
        total = sum(roads.values())
        yield metric_of(families.EXPRESS_SHARE, {(): roads.get(("express",), 0) / total if total else 0})

    def prepare(self) -> None:
        """To be called in the reactor's thread before the registry is read, which may be done in any other."""
        for call in self.before_reading:
            call()

    # --- the server ----------------------------------------------------------------------------------------------

    def note_start(self, started_at: float, version: str, commit: str, size_limit: str) -> None:
        """The server starts, at ``started_at`` seconds since 1970."""
        machine = platform.machine()
        self.start_time.set(int(started_at))
        self.build.set(1, version, commit, size_limit, platform.system().lower(), _MACHINES.get(machine, machine))

    def note_disconnection(self, master: str) -> None:
        """The stream to a master has failed."""
        self.disconnections.add(1, master)

    # --- requests ------------------------------------------------------------------------------------------------

    def begin_request(self, method: str) -> None:
        """A request is under way."""
        self.in_flight.add(1, method_type(method))

    def end_request(self, method: str) -> None:
        """It no longer is."""
        self.in_flight.add(-1, method_type(method))

    def begin_part(self, kind: str) -> None:
        """A part of a request is under way; "" for one that nobody counts."""
        if kind:
            self.in_flight.add(1, kind)

    def end_part(self, kind: str) -> None:
        """It no longer is."""
        if kind:
            self.in_flight.add(-1, kind)

    def note_request(self, kind: str, code: int, seconds: float) -> None:
        """A request has been answered on the general road; ``kind`` is a :func:`method_type`."""
        self.requests.add(1, kind, str(code))
        self.request_seconds.observe(seconds, kind)
        self.roads.add(1, "general")

    def note_event(self, kind: str) -> None:
        """Something of Go's list of events has happened."""
        self.events.add(1, kind)

    def note_read_failure(self, code: int, *, is_unknown: bool = False) -> None:
        """A read has come to nothing: with 404, or 500. ``is_unknown``: since nobody knows such a volume or needle."""
        self.read_failures.add(1)
        self.events.add(1, "errorGetNotFound" if code == 404 else "errorGetInternal")
        if is_unknown:
            self.invalid_needles.add(1)

    # --- changes -------------------------------------------------------------------------------------------------

    def note_local_write(self, seconds: float, *, has_failed: bool = False) -> None:
        """A needle was, or was not, written here on the general road."""
        self.request_seconds.observe(seconds, WRITE_TO_DISK)
        if has_failed:
            self.events.add(1, "errorWriteToLocalDisk")

    def note_replication(self, operation: str, targets: int, seconds: float, error: str | None, *,
                         sending_seconds: float = 0.0) -> None:
        """A change that was made here has been repeated, or not, on ``targets`` other servers.

        :param operation: ``write`` or ``delete``.
        :param seconds: of the whole change.
        :param error: why not, None when it was.
        :param sending_seconds: of the repeating alone.
        """
        self.replication_targets.observe(targets)
        self.replication_seconds.observe(seconds, operation)
        self.replications.add(1, operation, "success" if error is None else "failure")
        if operation == "write":
            self.request_seconds.observe(sending_seconds, WRITE_TO_REPLICAS)
        if error is not None:
            self.replication_failures.add(1, operation, failure_reason(error))
            if operation == "write":
                self.events.add(1, "errorWriteToReplicas")

    def note_failed_locally(self, operation: str, seconds: float) -> None:
        """A change that was to be repeated elsewhere could not even be made here."""
        self.replication_seconds.observe(seconds, operation)
        if operation == "delete":
            self.replications.add(1, operation, "failure")

    def note_upload_error(self, status: int) -> None:
        """A needle could not be uploaded to another server; by the status of its answer, 0 for none."""
        self.upload_errors.add(1, str(status))

    # --- maintenance ---------------------------------------------------------------------------------------------

    def note_compaction(self, seconds: float, *, has_succeeded: bool) -> None:
        """A volume has been compacted, or not."""
        self.compactions.add(1, _bool(has_succeeded))
        self.vacuum_seconds.observe(seconds, "compact")

    def note_commit(self, seconds: float, *, has_succeeded: bool) -> None:
        """A compacted volume has taken the place of the old one, or not."""
        self.commits.add(1, _bool(has_succeeded))
        self.vacuum_seconds.observe(seconds, "commit")

    def note_scrub(self, mode: str, broken_volumes: int, broken_shards: int | None = None,
                   now: float | None = None) -> None:
        """Volumes have been looked through. ``broken_shards``: None when they were ordinary ones."""
        self.scrub_time.set(int(time.time() if now is None else now), mode)
        self.scrub_volumes.add(broken_volumes, mode)
        if broken_shards is not None:
            self.scrub_shards.add(broken_shards, mode)

    def note_rebuild(self, seconds: float, *, has_succeeded: bool) -> None:
        """Shards have been rebuilt, or not."""
        result = "success" if has_succeeded else "failure"
        self.rebuilds.add(1, result)
        self.rebuild_seconds.observe(seconds, result)


def failure_reason(error: str) -> str:
    """Why a change could not be repeated, in Go's four words, by what was said of it."""
    if "connection refused" in error:
        return "connection_refused"
    if "deadline exceeded" in error or "timeout" in error:
        return "timeout"
    if "context canceled" in error:
        return "context_cancelled"
    return "server_error"


def _bool(value: bool) -> str:
    return "true" if value else "false"
