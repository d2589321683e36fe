"""Tests for seaweedvol.metrics.instruments."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.metrics.instruments import Instruments, failure_reason, method_type


class InstrumentsTests(SynchronousTestCase):
    """What happened moves the families that it moves in Go."""

    def setUp(self) -> None:
        self.instruments = Instruments()

    def test_replication(self) -> None:
        """A repeated change is counted by operation and result, with its targets; a failure with its reason."""
        ours = self.instruments
        ours.note_replication("write", 2, 0.2, None, sending_seconds=0.1)
        ours.note_replication("write", 1, 0.2, "dial tcp 1.2.3.4:5: connect: connection refused", sending_seconds=0.1)
        ours.note_replication("delete", 1, 0.2, "500 Internal Server Error")
        self.assertEqual(ours.replications.values(), {
            ("write", "success"): 1, ("write", "failure"): 1, ("delete", "failure"): 1})
        self.assertEqual(ours.replication_failures.values(), {
            ("write", "connection_refused"): 1, ("delete", "server_error"): 1})
        self.assertEqual(ours.events.values(), {("errorWriteToReplicas",): 1})
        self.assertEqual(ours.request_seconds.counts(), {("writeToReplicas",): 2})
        self.assertEqual(ours.replication_seconds.counts(), {("write",): 2, ("delete",): 1})
        self.assertEqual(ours.replication_targets.counts(), {(): 3})

    def test_reasons(self) -> None:
        """Go's four words for why."""
        self.assertEqual(
            [failure_reason(text) for text in ("context deadline exceeded", "context canceled", "EOF", "")],
            ["timeout", "context_cancelled", "server_error", "server_error"])

    def test_methods_bounded(self) -> None:
        """A client cannot make up series."""
        self.assertEqual([method_type(each) for each in ("GET", "PATCH", "get", "X" * 1000)],
                         ["GET", "PATCH", "INVALID", "INVALID"])

    def test_in_flight(self) -> None:
        """What the lane holds counts as under way beside what the general road does."""
        ours = self.instruments
        ours.begin_request("GET")
        ours.begin_request("PUT")
        ours.end_request("PUT")
        ours.held.update({"GET": 2, "POST": 1})
        found = {metric.name: metric for metric in ours.collect()}["SeaweedFS_volumeServer_in_flight_requests"]
        self.assertEqual({each.labels["type"]: each.value for each in found.samples}, {"GET": 3, "POST": 1, "PUT": 0})

    def test_scrub(self) -> None:
        """Ordinary volumes have no shards to be damaged."""
        self.instruments.note_scrub("FULL", 2, now=1000.5)
        self.instruments.note_scrub("LOCAL", 0, 3, now=2000)
        self.assertEqual(self.instruments.scrub_time.values(), {("FULL",): 1000, ("LOCAL",): 2000})
        self.assertEqual(self.instruments.scrub_volumes.values(), {("FULL",): 2, ("LOCAL",): 0})
        self.assertEqual(self.instruments.scrub_shards.values(), {("LOCAL",): 3})
