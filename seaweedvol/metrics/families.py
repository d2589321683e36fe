"""The families of ``/metrics`` as a table: name, kind, labels, buckets, and a line of help.

Names, kinds, labels and buckets of those that begin with ``SeaweedFS_`` are SeaweedFS 4.44's (``stats/metrics.go``), so
that its dashboards and alerts work; those that begin with ``seaweedvol_`` are ours.
"""

from __future__ import annotations

from typing import Final

import attrs

COUNTER: Final = "counter"
GAUGE: Final = "gauge"
HISTOGRAM: Final = "histogram"


def exponential(start: float, factor: float, count: int) -> tuple[float, ...]:
    """Bounds of buckets, each the one before times ``factor``."""
    bounds = []
    for _ in range(count):
        bounds.append(start)
        start *= factor
    return tuple(bounds)


SECONDS: Final = exponential(0.0001, 2, 24)
REBUILD_SECONDS: Final = exponential(0.01, 2, 20)
TARGETS: Final = (1.0, 2.0, 3.0, 4.0, 5.0)


@attrs.frozen
class Family:
    """What all series of one name have in common.

    :ivar bounds: upper bounds of the buckets of a histogram, without infinity.
    """

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


def _of_volume_server(name: str, kind: str, text: str, *labels: str, bounds: tuple[float, ...] = ()) -> Family:
    return Family(f"SeaweedFS_volumeServer_{name}", kind, text, labels, bounds)


def _ours(name: str, kind: str, text: str, *labels: str, bounds: tuple[float, ...] = ()) -> Family:
    return Family(f"seaweedvol_{name}", kind, text, labels, bounds)


BUILD_INFO: Final = Family(
    "SeaweedFS_build_info", GAUGE, "Always 1; the labels say what was built.",
    ("version", "commit", "sizelimit", "goos", "goarch"))
UPLOAD_ERRORS: Final = Family(
    "SeaweedFS_upload_error_total", COUNTER, "Uploads to replicas that failed, by status; 0: no answer.", ("code",))

START_TIME: Final = _of_volume_server("start_time_seconds", GAUGE, "When the server started, in seconds since 1970.")
REQUESTS: Final = _of_volume_server("request_total", COUNTER, "Requests about needles.", "type", "code")
EVENTS: Final = _of_volume_server("handler_total", COUNTER, "What befell requests on their way.", "type")
COMPACTIONS: Final = _of_volume_server(
    "vacuuming_compact_count", COUNTER, "Compactions of volumes, by whether they succeeded.", "success")
COMMITS: Final = _of_volume_server(
    "vacuuming_commit_count", COUNTER, "Commits of compacted volumes, by whether they succeeded.", "success")
VACUUM_SECONDS: Final = _of_volume_server(
    "vacuuming_seconds", HISTOGRAM, "How long compactions and commits took.", "type", bounds=SECONDS)
REQUEST_SECONDS: Final = _of_volume_server(
    "request_seconds", HISTOGRAM, "How long requests took, and parts of them.", "type", bounds=SECONDS)
IN_FLIGHT: Final = _of_volume_server("in_flight_requests", GAUGE, "Requests under way, and parts of them.", "type")
VOLUMES: Final = _of_volume_server("volumes", GAUGE, "Volumes, and erasure coded shards.", "collection", "type")
READ_ONLY: Final = _of_volume_server("read_only_volumes", GAUGE, "Volumes that take no writes.", "collection", "type")
MAX_VOLUMES: Final = _of_volume_server("max_volumes", GAUGE, "How many volumes fit.")
DISK_SIZE: Final = _of_volume_server("total_disk_size", GAUGE, "Bytes of volumes and shards.", "collection", "type")
RESOURCE: Final = _of_volume_server("resource", GAUGE, "Bytes of the file systems of the directories.", "name", "type")
DISK_ERROR: Final = _of_volume_server(
    "disk_error_status", GAUGE, "1 for a directory whose disk does not answer.", "name", "type")
DOWNLOAD_LIMIT: Final = _of_volume_server(
    "concurrent_download_limit", GAUGE, "Bytes that may be on their way out at once; 0: no limit.")
UPLOAD_LIMIT: Final = _of_volume_server(
    "concurrent_upload_limit", GAUGE, "Bytes that may be on their way in at once; 0: no limit.")
DOWNLOADING: Final = _of_volume_server("in_flight_download_size", GAUGE, "Bytes on their way out.")
UPLOADING: Final = _of_volume_server("in_flight_upload_size", GAUGE, "Bytes on their way in.")
DISCONNECTIONS: Final = _of_volume_server(
    "master_disconnections", COUNTER, "Streams of heartbeats that failed.", "address")
READ_FAILURES: Final = _of_volume_server("file_read_failures", COUNTER, "Reads that failed.")
INVALID_NEEDLES: Final = _of_volume_server(
    "file_read_invalid_needles", COUNTER, "Reads that failed since there is no such volume or needle.")
WRITE_FAILURES: Final = _of_volume_server("file_write_failures", COUNTER, "Writes and deletions that failed.")
SCRUB_TIME: Final = _of_volume_server(
    "scrub_last_time_seconds", GAUGE, "When volumes were last looked through, in seconds since 1970.", "mode")
SCRUB_VOLUMES: Final = _of_volume_server(
    "scrub_volume_failures", COUNTER, "Damaged volumes that were found by looking through them.", "mode")
SCRUB_SHARDS: Final = _of_volume_server(
    "scrub_shard_failures", COUNTER, "Damaged shards that were found by looking through them.", "mode")
REPLICATIONS: Final = _of_volume_server(
    "replication_operations_total", COUNTER, "Changes that were repeated on other servers.", "operation", "result")
REPLICATION_SECONDS: Final = _of_volume_server(
    "replication_seconds", HISTOGRAM, "How long replicated changes took.", "operation", bounds=SECONDS)
REPLICATION_TARGETS: Final = _of_volume_server(
    "replication_targets", HISTOGRAM, "On how many other servers a change was to be repeated.", bounds=TARGETS)
REPLICATION_FAILURES: Final = _of_volume_server(
    "replication_failures_total", COUNTER, "Changes that could not be repeated.", "operation", "reason")
REBUILDS: Final = _of_volume_server("ec_rebuild_total", COUNTER, "Rebuilds of erasure coded shards.", "result")
REBUILD_TIMES: Final = _of_volume_server(
    "ec_rebuild_seconds", HISTOGRAM, "How long rebuilds of shards took.", "result", bounds=REBUILD_SECONDS)

READ_ONLY_REASONS: Final = _ours(
    "read_only_volumes", GAUGE, "Volumes that take no writes, by reason; one may have several.", "collection", "reason")
IO_ERRORS: Final = _ours(
    "io_errors_total", COUNTER, "Reads and writes that met a broken disk, by directory, since the start.", "name")
VOLUME_IO_ERRORS: Final = _ours(
    "volume_io_errors_total", COUNTER, "The same of volumes that have met one since they were loaded.",
    "name", "volume")
RESERVE: Final = _ours(
    "disk_reserve_bytes", GAUGE, "Bytes of a disk that are kept for deletions and vacuums.", "name")
NOT_SERVED: Final = _ours(
    "volumes_not_served", GAUGE, "Volumes that are in a directory and could not be loaded.", "name")
FSYNC_SECONDS: Final = _ours("fsync_seconds", HISTOGRAM, "How long files took to be on the device.", bounds=SECONDS)
TORN_TAILS: Final = _ours(
    "torn_tails_repaired_total", COUNTER, "Volumes whose end was torn and has been repaired when they were loaded.")
INDEX_BYTES: Final = _ours("needle_index_bytes", GAUGE, "Bytes of memory that needle maps take.", "collection")
LOOP_LAG: Final = _ours(
    "event_loop_lag_seconds", HISTOGRAM, "How late a call came that was due every second.", bounds=SECONDS)
ROADS: Final = _ours(
    "requests_by_road_total", COUNTER, "Requests about needles, by how they were answered.", "road")
EXPRESS_SHARE: Final = _ours("express_lane_share", GAUGE, "Share of all requests that the express lane answered, 0..1.")

#: Of SeaweedFS, in the order of its documentation; then ours.
GO_FAMILIES: Final = (
    BUILD_INFO, UPLOAD_ERRORS, START_TIME, REQUESTS, EVENTS, COMPACTIONS, COMMITS, VACUUM_SECONDS, REQUEST_SECONDS,
    IN_FLIGHT, VOLUMES, READ_ONLY, MAX_VOLUMES, DISK_SIZE, RESOURCE, DISK_ERROR, DOWNLOAD_LIMIT, UPLOAD_LIMIT,
    DOWNLOADING, UPLOADING, DISCONNECTIONS, READ_FAILURES, INVALID_NEEDLES, WRITE_FAILURES, SCRUB_TIME, SCRUB_VOLUMES,
    SCRUB_SHARDS, REPLICATIONS, REPLICATION_SECONDS, REPLICATION_TARGETS, REPLICATION_FAILURES, REBUILDS, REBUILD_TIMES,
)
OUR_FAMILIES: Final = (
    READ_ONLY_REASONS, IO_ERRORS, VOLUME_IO_ERRORS, RESERVE, NOT_SERVED, FSYNC_SECONDS, TORN_TAILS,
    INDEX_BYTES, LOOP_LAG, ROADS,
    EXPRESS_SHARE,
)
FAMILIES: Final = GO_FAMILIES + OUR_FAMILIES
