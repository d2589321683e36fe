"""Tests of :mod:`seaweedvol.store.events`."""

from __future__ import annotations

from twisted.trial import unittest

from seaweedvol.store.events import Event, StoreEvents, VolumeAdded, VolumeRemoved
from seaweedvol.store.report import VolumeReport


class StoreEventsTests(unittest.SynchronousTestCase):
    """Everybody who asked hears everything."""

    def test_all_subscribers_hear_in_order(self) -> None:
        """Events arrive as they were published, at each subscriber."""
        events, heard, also_heard = StoreEvents(), list[Event](), list[Event]()
        events.subscribe(heard.append)
        events.subscribe(also_heard.append)
        published: list[Event] = [VolumeAdded(VolumeReport(1)), VolumeRemoved(VolumeReport(1))]
        for event in published:
            events.publish(event)
        self.assertEqual((heard, also_heard), (published, published))

    def test_unsubscribed(self) -> None:
        """Who has enough hears no more."""
        events, heard = StoreEvents(), list[Event]()
        events.subscribe(heard.append)()
        events.publish(VolumeAdded(VolumeReport(1)))
        self.assertEqual(heard, [])

    def test_failing_subscriber_harms_nobody(self) -> None:
        """One that raises keeps neither the others nor the store from going on."""
        events, heard = StoreEvents(), list[Event]()

        def fail(event: Event) -> None:
            raise ValueError(event)

        events.subscribe(fail)
        events.subscribe(heard.append)
        with self.assertLogs("seaweedvol.store.events"):
            events.publish(VolumeAdded(VolumeReport(1)))
        self.assertEqual(len(heard), 1)
