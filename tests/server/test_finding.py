"""Tests of :mod:`seaweedvol.server.finding`."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.errors import Refused
from seaweedvol.server.finding import disk_for_shards, find, find_in_collection
from seaweedvol.storage.ids import VolumeId
from tests.server.building import VOLUME, new_volume, store_for

ABSENT = VolumeId(99)


class FindingTests(SynchronousTestCase):
    """A store of two disks with one volume, of the collection ``pics``."""

    def setUp(self) -> None:
        self.store = store_for(self, count=2)
        new_volume(self.store, collection="pics")

    def refusal(self, function: Callable[..., object], *args: object, **named: object) -> str:
        """What is said when it is refused."""
        return str(self.assertRaises(Refused, function, *args, **named))

    def test_volume(self) -> None:
        """One that is here is found, by its number or by its number and collection."""
        self.assertIs(find(self.store, VOLUME), self.store.get(VOLUME))
        self.assertIs(find_in_collection(self.store, VOLUME, "pics"), self.store.get(VOLUME))

    def test_no_volume(self) -> None:
        """Go has two ways to say that one is not here, and says of what collection it is instead."""
        self.assertEqual(self.refusal(find, self.store, ABSENT), "not found volume id 99")
        self.assertEqual(self.refusal(find_in_collection, self.store, ABSENT, ""), "volume 99 not found")
        self.assertEqual(self.refusal(find_in_collection, self.store, VOLUME, ""),
                         "existing collection:pics unexpected input: ")

    def test_disk(self) -> None:
        """The one that is wanted; any if none is; none beyond the last, and none without room."""
        self.assertIs(disk_for_shards(self.store, ABSENT, "", 1, no_room="full"), self.store.locations[1])
        self.assertIn(disk_for_shards(self.store, ABSENT, "", 0, no_room="full"), self.store.locations)
        self.assertEqual(self.refusal(disk_for_shards, self.store, ABSENT, "", 2, no_room="full"),
                         "invalid disk_id 2: only have 2 disks")
        self.patch(self.store.erasure, "place_for", lambda *_: None)
        self.assertEqual(self.refusal(disk_for_shards, self.store, ABSENT, "", 0, no_room="full"), "full")
