"""What was last done to volumes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.chronicle import Chronicle, Event


class ChronicleTests(SynchronousTestCase):
    """Chronicle."""

    def test_last_counts(self) -> None:
        """Of each kind and volume the last one is known."""
        now = [10.0]
        chronicle = Chronicle(lambda: now[0])
        self.assertEqual((chronicle.last_vacuum(1), chronicle.last_scrub(1)), (None, None))
        chronicle.note_vacuum(1, "failed, disk full", is_good=False)
        chronicle.note_scrub(1, "FULL", 3)
        now[0] = 20.0
        chronicle.note_vacuum(1, "done")
        self.assertEqual(chronicle.last_vacuum(1), Event(20.0, "done"))
        self.assertEqual(chronicle.last_scrub(1), Event(10.0, "FULL, 3 wrong", False))
        self.assertIsNone(chronicle.last_scrub(2))
