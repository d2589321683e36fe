"""Texts of requests and refusals."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.assign import AssignRequest, described, layout_of, no_writable
from seaweedvol.master.members import Wish
from seaweedvol.storage.errors import InvalidSetting


class LayoutTests(SynchronousTestCase):
    """What clients may write."""

    def test_texts_become_a_layout(self) -> None:
        """Placement, TTL and disk type are read as everywhere; hdd is no disk type of its own."""
        layout = layout_of("c", "1", "3m", "HDD")
        self.assertEqual((layout.collection, str(layout.placement), str(layout.ttl), layout.disk_type),
                         ("c", "001", "3m", ""))
        self.assertEqual(layout_of("", "000", "", "SSD").disk_type, "ssd")

    def test_malformed_texts_are_refused(self) -> None:
        """With Go's words."""
        error = self.assertRaises(InvalidSetting, layout_of, "", "zzz", "", "")
        self.assertEqual(str(error), "unexpected replication type: zzz")


class RefusalTests(SynchronousTestCase):
    """Refusals read as Go's master's do."""

    def test_no_slots_left(self) -> None:
        """The request is shown as Go shows it."""
        request = AssignRequest(layout_of("", "001", "", ""))
        self.assertEqual(str(no_writable(request, 0)), (
            "failed to find writable volumes for collection: replication:001 ttl: error: No writable volumes "
            'and no free volumes left for {"replication":{"node":1},"ttl":{"Count":0,"Unit":0},"version":3}'))

    def test_places_are_named(self) -> None:
        """A wish that cannot be granted is repeated, and so is why."""
        request = AssignRequest(layout_of("c", "000", "3m", ""), Wish(rack="x"))
        self.assertEqual(str(no_writable(request, 1, "Not enough")), (
            "failed to find writable volumes for collection:c replication:000 ttl:3m error: No writable volumes "
            "in DataCenter: Rack:x DataNode: and none could be made: Not enough"))

    def test_description_has_what_is_set(self) -> None:
        """Empty fields are left out, in Go's order."""
        request = AssignRequest(layout_of("c", "110", "2d", "ssd"), Wish("d", "r", "n"))
        self.assertEqual(described(request), (
            '{"collection":"c","replication":{"rack":1,"dc":1},"ttl":{"Count":2,"Unit":3},"disk":"ssd",'
            '"dataCenter":"d","rack":"r","dataNode":"n","version":3}'))
