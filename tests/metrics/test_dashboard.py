"""Every query of SeaweedFS's own dashboards that is about a volume server finds what it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.metrics.exposition import text_of
from seaweedvol.metrics.process import register
from tests.web.serving import fid, make_world

#: What the queries of ``other/metrics/grafana_seaweedfs*.json`` (4.44) name, each once: a sample, labels that it must
#: have, and those that must have a value.
ASKED = """
    SeaweedFS_build_info
    SeaweedFS_upload_error_total code
    SeaweedFS_volumeServer_volumes collection type=volume
    SeaweedFS_volumeServer_volumes collection type=ec_shards
    SeaweedFS_volumeServer_total_disk_size collection type=normal
    SeaweedFS_volumeServer_read_only_volumes collection type
    SeaweedFS_volumeServer_request_total type
    SeaweedFS_volumeServer_request_seconds_bucket le type
    SeaweedFS_volumeServer_in_flight_requests type
    SeaweedFS_volumeServer_file_read_failures
    SeaweedFS_volumeServer_file_write_failures
    SeaweedFS_volumeServer_file_read_invalid_needles
    SeaweedFS_volumeServer_resource type=Used
    SeaweedFS_volumeServer_resource type=All
    SeaweedFS_volumeServer_disk_error_status
    SeaweedFS_volumeServer_max_volumes
    SeaweedFS_volumeServer_vacuuming_compact_count success
    SeaweedFS_volumeServer_vacuuming_commit_count success
    SeaweedFS_volumeServer_vacuuming_seconds_bucket le type
    SeaweedFS_volumeServer_master_disconnections
    SeaweedFS_volumeServer_in_flight_upload_size
    SeaweedFS_volumeServer_in_flight_download_size
    SeaweedFS_volumeServer_concurrent_upload_limit
    SeaweedFS_volumeServer_concurrent_download_limit
    SeaweedFS_volumeServer_handler_total type
    SeaweedFS_volumeServer_scrub_volume_failures mode
    SeaweedFS_volumeServer_scrub_shard_failures mode
    SeaweedFS_volumeServer_scrub_last_time_seconds mode
    SeaweedFS_volumeServer_start_time_seconds
    SeaweedFS_volumeServer_replication_operations_total operation result
    SeaweedFS_volumeServer_replication_failures_total operation reason
    SeaweedFS_volumeServer_replication_seconds_bucket le operation
    SeaweedFS_volumeServer_replication_targets_sum
    SeaweedFS_volumeServer_replication_targets_count
    SeaweedFS_volumeServer_ec_rebuild_seconds_bucket le result
    SeaweedFS_volumeServer_ec_rebuild_total result
    go_goroutines
    go_memstats_alloc_bytes
    go_memstats_heap_inuse_bytes
    go_memstats_stack_inuse_bytes
    go_gc_duration_seconds quantile=1
    process_cpu_seconds_total
    process_resident_memory_bytes
    process_open_fds
"""


class DashboardTests(SynchronousTestCase):
    """A server to which everything has happened once."""

    def samples(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Name and labels of all that it tells."""
        world = make_world(self)
        world.allocate(1, collection="pics")
        world.put(1, b"data", ("Content-Type", "a/b"))
        world.ask("GET", fid(1))
        world.ask("GET", fid(2))
        ours = world.server.instruments
        world.server.tally.pour(ours)
        world.server.gauges._known.add(("pics", "ec_shards"))
        ours.note_start(1000.0, "4.44", "", "30GB")
        ours.note_upload_error(0)
        ours.note_compaction(0.1, has_succeeded=True)
        ours.note_commit(0.1, has_succeeded=False)
        ours.note_disconnection("localhost:9333")
        ours.note_scrub("FULL", 0, 0)
        ours.note_replication("write", 1, 0.1, "connection refused", sending_seconds=0.1)
        ours.note_rebuild(0.1, has_succeeded=True)
        pauses = register(ours.registry)
        self.addCleanup(pauses.forget)
        pauses._note("start", {})
        pauses._note("stop", {})
        # Not by the library's parser, which puts _total behind names of counters.
        for line in text_of(ours.registry).decode().splitlines():
            if not line.startswith("#"):
                name, labels = re.findall(r"^(\w+)(?:\{(.*)\})? ", line)[0]
                yield name, dict(re.findall(r'(\w+)="([^"]*)"', labels))

    def test_answered(self) -> None:
        """Each sample is there, with its labels."""
        told: dict[str, list[dict[str, str]]] = {}
        for name, labels in self.samples():
            told.setdefault(name, []).append(labels)
        for line in ASKED.strip().splitlines():
            name, *words = line.split()
            wanted = [word.partition("=")[::2] for word in words]
            found = [each for each in told.get(name, ())
                     if all(label in each and value in ("", each[label]) for label, value in wanted)]
            self.assertTrue(found, line)
