"""Tests of :mod:`seaweedvol.store.placing`."""

from __future__ import annotations

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial import unittest

from seaweedvol.storage.errors import NoFreeSlot
from seaweedvol.store.placing import count_that_fits, parse_disk_type, place_for_new


@attrs.frozen
class FakePlace:
    """A location as placing sees it."""

    name: str
    local_count: int = 0
    disk_type: str = ""
    has_free_slot: bool = True


class PlaceForNewTests(unittest.SynchronousTestCase):
    """A new volume goes where there are fewest."""

    def test_emptiest_wins_and_the_first_of_equals(self) -> None:
        """Load is spread by the number of volumes."""
        places = [FakePlace("a", 3), FakePlace("b", 1), FakePlace("c", 1)]
        self.assertEqual(place_for_new(places, "").name, "b")

    def test_disk_type_must_match(self) -> None:
        """A fast disk is not used up by volumes for slow ones, and the other way round."""
        places = [FakePlace("slow", 9), FakePlace("fast", 0, "ssd")]
        self.assertEqual(place_for_new(places, "").name, "slow")
        self.assertEqual(place_for_new(places, "ssd").name, "fast")

    def test_nothing_free(self) -> None:
        """A full server says so in Go's words."""
        error = self.assertRaises(NoFreeSlot, place_for_new, [FakePlace("a", has_free_slot=False)], "")
        self.assertEqual(str(error), "No more free space left")
        self.assertRaises(NoFreeSlot, place_for_new, [FakePlace("a")], "nvme")

    def test_disk_types(self) -> None:
        """Hard disks go without a name, others are compared in lower case."""
        self.assertEqual([parse_disk_type(text) for text in ("", "HDD", "SSD", "Tape")], ["", "", "ssd", "tape"])


class CountThatFitsTests(unittest.SynchronousTestCase):
    """An unlimited directory takes what fits."""

    def test_free_space_becomes_slots(self) -> None:
        """Volumes there, plus one for each whole volume in what nobody will need."""
        self.assertEqual(count_that_fits(2, free=1000, owed=300, volume_size_limit=100), 9)
        self.assertEqual(count_that_fits(2, free=1000, owed=301, volume_size_limit=100), 8)

    def test_room_that_is_owed_already(self) -> None:
        """When the volumes there may fill the disk, no slot is added and none is taken away."""
        self.assertEqual(count_that_fits(2, free=1000, owed=5000, volume_size_limit=100), 2)

    def test_never_none(self) -> None:
        """Even a full empty directory counts as one, as in Go."""
        self.assertEqual(count_that_fits(0, free=0, owed=0, volume_size_limit=100), 1)

    @settings(max_examples=200, deadline=None)
    @given(st.integers(0, 100), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**5))
    def test_bounds(self, count: int, free: int, owed: int, limit: int) -> None:
        """It is never less than what is there, and never more than the disk can take."""
        fits = count_that_fits(count, free, owed, limit)
        self.assertTrue(max(count, 1) <= fits <= max(count + free // limit, 1))
