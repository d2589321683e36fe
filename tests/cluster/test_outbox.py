"""The queue between the machine and the stream."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.heartbeat_machine import Beat
from seaweedvol.cluster.outbox import Announcements, Item, Outbox
from seaweedvol.store.report import VolumeReport
from seaweedvol.store.shardreport import ShardReport

ONE, TWO, THREE = VolumeReport(id=1), VolumeReport(id=2), VolumeReport(id=3)


def same(item: Item) -> Item:
    """No composition."""
    return item


class OutboxTests(SynchronousTestCase):
    """Order, coalescing and the end."""

    def setUp(self) -> None:
        """An outbox that hands out what was put."""
        self.outbox: Outbox[Item] = Outbox(same)

    def test_order_is_kept_and_the_end_waits(self) -> None:
        """What was put comes out before the end does."""
        self.outbox.put(Beat.VOLUMES)
        self.outbox.put(Beat.SHARDS)
        self.outbox.finish()
        self.assertEqual(list(self.outbox), [Beat.VOLUMES, Beat.SHARDS])

    def test_waiting_beat_is_not_doubled(self) -> None:
        """A stalled stream does not pile up beats that would all say the same."""
        for _ in range(3):
            self.outbox.put(Beat.VOLUMES)
        self.outbox.finish()
        self.assertEqual(list(self.outbox), [Beat.VOLUMES])

    def test_announcements_join_but_never_change_order(self) -> None:
        """Volumes of one kind share a beat; a deletion stays between the additions around it."""
        self.outbox.announce(ONE, False)
        self.outbox.announce(TWO, False)
        self.outbox.announce(ONE, True)
        self.outbox.announce(THREE, False)
        self.outbox.finish()
        self.assertEqual(list(self.outbox), [Announcements(False, [ONE, TWO]), Announcements(True, [ONE]),
                                             Announcements(False, [THREE])])

    def test_shards_share_no_beat_with_volumes(self) -> None:
        """Go names one kind in one beat, and so do we."""
        shards = ShardReport(id=1), ShardReport(id=2)
        for report in (ONE, *shards, TWO):
            self.outbox.announce(report, False)
        self.outbox.finish()
        self.assertEqual(list(self.outbox), [Announcements(False, [ONE]), Announcements(False, list(shards)),
                                             Announcements(False, [TWO])])

    def test_drop_ends_at_once(self) -> None:
        """A dropped stream takes nothing more."""
        self.outbox.put(Beat.VOLUMES)
        self.outbox.drop()
        self.assertEqual(list(self.outbox), [])

    def test_composition_is_late(self) -> None:
        """A message is made when it is taken, not when it is put."""
        made: list[Item] = []
        outbox: Outbox[None] = Outbox(made.append)
        outbox.put(Beat.VOLUMES)
        self.assertEqual(made, [])
        next(outbox)
        self.assertEqual(made, [Beat.VOLUMES])
