"""Tests for seaweedvol.metrics.exposition."""

from __future__ import annotations

import gzip

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.metrics.exposition import packed, text_of
from seaweedvol.metrics.instruments import Instruments
from seaweedvol.metrics.process import register


class TextTests(SynchronousTestCase):
    """The text is Prometheus's, with Go's names."""

    def setUp(self) -> None:
        self.instruments = Instruments()

    def lines(self) -> list[str]:
        return text_of(self.instruments.registry).decode().splitlines()

    def test_names_stay(self) -> None:
        """A counter without _total at the end of its name stays so, and one with it does not get another."""
        self.instruments.note_compaction(0.5, has_succeeded=True)
        self.instruments.note_request("GET", 200, 0.5)
        lines = self.lines()
        self.assertIn("# TYPE SeaweedFS_volumeServer_vacuuming_compact_count counter", lines)
        self.assertIn('SeaweedFS_volumeServer_vacuuming_compact_count{success="true"} 1', lines)
        self.assertIn("# TYPE SeaweedFS_volumeServer_request_total counter", lines)
        self.assertIn('SeaweedFS_volumeServer_request_total{code="200",type="GET"} 1', lines)

    def test_nothing_without_series(self) -> None:
        """A family with labels is not told of before it has been used, one without labels is from the start."""
        text = "\n".join(self.lines())
        self.assertNotIn("vacuuming", text)
        self.assertIn("\nSeaweedFS_volumeServer_file_read_failures 0\n", text)
        self.assertIn('SeaweedFS_volumeServer_replication_targets_bucket{le="1"} 0', text)

    def test_buckets(self) -> None:
        """Buckets of a histogram hold all that is not more than their bound, which is written as Go writes it."""
        for seconds in (0.00005, 0.0001, 0.00011, 2.0, 1000.0):
            self.instruments.note_local_write(seconds)
        name = "SeaweedFS_volumeServer_request_seconds"
        found = [line.partition(" ")[2] for line in self.lines() if line.startswith(f"{name}_bucket")]
        self.assertEqual((found[0], found[1], found[-1], len(found)), ("2", "3", "5", 25))
        self.assertIn(f'{name}_bucket{{type="writeToLocalDisk",le="1.6384"}} 3', self.lines())
        self.assertIn(f'{name}_count{{type="writeToLocalDisk"}} 5', self.lines())

    def test_labels_escaped(self) -> None:
        """Quotes, line ends, backslashes and bytes that are no text cannot break a line."""
        self.instruments.requests.add(1, 'a"b\\c\nd', "\udcff")
        self.assertIn('SeaweedFS_volumeServer_request_total{code="\ufffd",type="a\\"b\\\\c\\nd"} 1', self.lines())

    def test_library_counter(self) -> None:
        """A counter of the client library is told as by itself, but for when it was made."""
        registry = CollectorRegistry()
        Counter("things", "Things.", registry=registry).inc(3)
        self.assertEqual(
            text_of(registry).decode(), "# HELP things_total Things.\n# TYPE things_total counter\nthings_total 3\n")

    def test_parsed(self) -> None:
        """The library's parser reads it, families come by name, and the process is among them."""
        watch = register(self.instruments.registry)
        self.addCleanup(watch.forget)
        text = text_of(self.instruments.registry)
        names = [family.name for family in text_string_to_metric_families(text.decode())]
        told = [line.split()[2] for line in text.decode().splitlines() if line.startswith("# TYPE")]
        self.assertEqual(told, sorted(told))
        self.assertEqual(len(names), len(told))
        for name in ("cpu_seconds_total", "open_fds", "max_fds", "resident_memory_bytes", "virtual_memory_bytes",
                     "virtual_memory_max_bytes", "start_time_seconds", "network_receive_bytes_total",
                     "network_transmit_bytes_total"):
            self.assertIn(f"process_{name}", told)
        self.assertEqual(gzip.decompress(packed(text)), text)
