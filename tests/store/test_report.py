"""Tests of :mod:`seaweedvol.store.report`."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial import unittest

from seaweedvol.store.report import VolumeReport, digest, report_hash

# What Go's VolumeInfo.ReportHash gives for the same values.
FULL = VolumeReport(
    id=7, size=123456789012, collection="photos", file_count=42, delete_count=3, deleted_bytes=987654321,
    read_only=True, placement_byte=11, version=3, ttl_uint32=3 << 8 | 2, compact_revision=5, modified_at=1700000000,
    remote_storage_name="s3.default", remote_storage_key="ignored", disk_type="ssd", disk_id=2,
)
FULL_HASH = 0xEC56E687A2222D8A
EMPTY = VolumeReport(id=0, version=0)
EMPTY_HASH = 0x987FBA1CD65B7AD5
ODD = VolumeReport(
    id=4294967295, size=8, file_count=1 << 40, delete_count=4294967296, version=3, ttl_uint32=0x0502, modified_at=-1,
    collection="Grüße",
)
ODD_HASH = 0x278CC80303616847

REPORTS = st.builds(VolumeReport, id=st.integers(0, 2**32 - 1), collection=st.text(max_size=5))


class ReportHashTests(unittest.SynchronousTestCase):
    """Both ends of a heartbeat reckon the same number."""

    def test_values_of_go(self) -> None:
        """Full, empty and odd reports: counts that do not fit are pinned, text is UTF-8, time may be before 1970."""
        self.assertEqual([report_hash(each) for each in (FULL, EMPTY, ODD)], [FULL_HASH, EMPTY_HASH, ODD_HASH])

    def test_digest_of_a_server(self) -> None:
        """The order of volumes does not matter, and no volumes are 0."""
        self.assertEqual(digest([FULL, EMPTY, ODD]), 0x53A5949877183F18)
        self.assertEqual(digest([ODD, FULL, EMPTY]), 0x53A5949877183F18)
        self.assertEqual(digest([]), 0)

    def test_every_field_counts_but_the_key(self) -> None:
        """A change of anything the master keeps is noticed; it does not keep the key in the object store, and is
        not told why a volume is read-only."""
        changes: dict[str, Any] = {
            "id": 8, "size": 1, "collection": "x", "file_count": 1, "delete_count": 1, "deleted_bytes": 1,
            "read_only": False, "placement_byte": 1, "version": 2, "ttl_uint32": 1, "compact_revision": 1,
            "modified_at": 1, "remote_storage_name": "x", "disk_type": "x", "disk_id": 1,
        }
        for name, value in changes.items():
            self.assertNotEqual(report_hash(attrs.evolve(FULL, **{name: value})), FULL_HASH, name)
        unsent = {"remote_storage_key", "read_only_reason", "io_errors"}
        self.assertEqual({*changes, *unsent}, {field.name for field in attrs.fields(VolumeReport)})
        self.assertEqual(report_hash(attrs.evolve(FULL, remote_storage_key="other")), FULL_HASH)

    def test_swapped_texts_are_noticed(self) -> None:
        """The same texts in other fields are another report."""
        swapped = attrs.evolve(FULL, collection=FULL.disk_type, disk_type=FULL.collection)
        self.assertNotEqual(report_hash(swapped), FULL_HASH)

    @settings(max_examples=100, deadline=None)
    @given(st.lists(REPORTS, max_size=5))
    def test_any_order(self, reports: list[VolumeReport]) -> None:
        """A digest is 64 bits and the same for every order."""
        value = digest(reports)
        self.assertTrue(0 <= value < 2**64)
        self.assertEqual(digest(reversed(reports)), value)
