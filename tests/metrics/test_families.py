"""Tests for seaweedvol.metrics.families: the list that dashboards rely on."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.metrics.families import FAMILIES, GO_FAMILIES, OUR_FAMILIES, REBUILD_SECONDS, SECONDS

VOLUME_SERVER = "SeaweedFS_volumeServer_"

#: Of SeaweedFS 4.44 ``stats/metrics.go``: name, kind, labels.
LIST = """
    SeaweedFS_build_info gauge version commit sizelimit goos goarch
    SeaweedFS_upload_error_total counter code
    SeaweedFS_volumeServer_start_time_seconds gauge
    SeaweedFS_volumeServer_request_total counter type code
    SeaweedFS_volumeServer_handler_total counter type
    SeaweedFS_volumeServer_vacuuming_compact_count counter success
    SeaweedFS_volumeServer_vacuuming_commit_count counter success
    SeaweedFS_volumeServer_vacuuming_seconds histogram type
    SeaweedFS_volumeServer_request_seconds histogram type
    SeaweedFS_volumeServer_in_flight_requests gauge type
    SeaweedFS_volumeServer_volumes gauge collection type
    SeaweedFS_volumeServer_read_only_volumes gauge collection type
    SeaweedFS_volumeServer_max_volumes gauge
    SeaweedFS_volumeServer_total_disk_size gauge collection type
    SeaweedFS_volumeServer_resource gauge name type
    SeaweedFS_volumeServer_disk_error_status gauge name type
    SeaweedFS_volumeServer_concurrent_download_limit gauge
    SeaweedFS_volumeServer_concurrent_upload_limit gauge
    SeaweedFS_volumeServer_in_flight_download_size gauge
    SeaweedFS_volumeServer_in_flight_upload_size gauge
    SeaweedFS_volumeServer_master_disconnections counter address
    SeaweedFS_volumeServer_file_read_failures counter
    SeaweedFS_volumeServer_file_read_invalid_needles counter
    SeaweedFS_volumeServer_file_write_failures counter
    SeaweedFS_volumeServer_scrub_last_time_seconds gauge mode
    SeaweedFS_volumeServer_scrub_volume_failures counter mode
    SeaweedFS_volumeServer_scrub_shard_failures counter mode
    SeaweedFS_volumeServer_replication_operations_total counter operation result
    SeaweedFS_volumeServer_replication_seconds histogram operation
    SeaweedFS_volumeServer_replication_targets histogram
    SeaweedFS_volumeServer_replication_failures_total counter operation reason
    SeaweedFS_volumeServer_ec_rebuild_seconds histogram result
    SeaweedFS_volumeServer_ec_rebuild_total counter result
"""


class FamiliesTests(SynchronousTestCase):
    """The table is SeaweedFS's."""

    def test_list(self) -> None:
        """Names, kinds and labels of all families of a volume server are SeaweedFS's, 31 of them its very own."""
        listed = {tuple(line.split()) for line in LIST.strip().splitlines()}
        self.assertEqual({(each.name, each.kind, *each.labels) for each in GO_FAMILIES}, listed)
        self.assertEqual(sum(each.name.startswith(VOLUME_SERVER) for each in GO_FAMILIES), 31)

    def test_bounds(self) -> None:
        """Buckets begin, grow and end as SeaweedFS's."""
        self.assertEqual((len(SECONDS), SECONDS[:3], SECONDS[-1]), (24, (0.0001, 0.0002, 0.0004), 838.8608))
        self.assertEqual((len(REBUILD_SECONDS), REBUILD_SECONDS[0], REBUILD_SECONDS[-1]), (20, 0.01, 5242.88))
        self.assertEqual(
            {each.name for each in FAMILIES if each.bounds},
            {each.name for each in FAMILIES if each.kind == "histogram"})

    def test_ours_apart(self) -> None:
        """What is ours can be told from what is SeaweedFS's, by name, and every family says what it is."""
        self.assertTrue(all(each.name.startswith("seaweedvol_") for each in OUR_FAMILIES))
        self.assertTrue(all(each.help.endswith(".") for each in FAMILIES))
        self.assertEqual(len({each.name for each in FAMILIES}), len(FAMILIES))
