"""Where the needles of a map are, however many there are and in whatever order they came."""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.backend import MemoryFile
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.needlemap import MemoryNeedleMap, memory
from seaweedvol.storage.needlemap.columns import Columns


class GrowingTests(SynchronousTestCase):
    """A map of thousands of needles, as it grows."""

    width = OffsetWidth.FOUR

    def setUp(self) -> None:
        """An empty map."""
        self.needles = MemoryNeedleMap(MemoryFile(), self.width)

    @property
    def columns(self) -> Columns:
        """Its columns as they are now."""
        return self.needles._columns

    def put_all(self, keys: list[int]) -> None:
        """Put needles whose offset and size follow from the key, a few at a time, and look all of them up."""
        for start in range(0, len(keys), 10):
            self.needles.put_all([(key, key % 2**20 * 8, key % 1000) for key in keys[start:start + 10]])
        for key in keys:
            self.assertEqual(self.needles.get(key), (key % 2**20 * 8, key % 1000))
        self.assertEqual(self.needles.counts.file_count, len(keys))
        self.assertEqual([key for key, _, _ in self.needles.ascending()], sorted(keys))

    def test_what_clients_at_once_bring(self) -> None:
        """Keys that are out of order by some hundreds all get into the arrays without a merge, and into buckets."""
        shuffling = random.Random(1)
        self.put_all(sorted(range(1, 20_001), key=lambda key: key + shuffling.random() * 400))
        self.assertEqual(self.columns.overlay, {})
        self.assertLessEqual(len(self.columns.recent), memory.MOST_RECENT)
        self.assertLessEqual(len(self.columns.keys) - self.columns.tail, memory.MOST_RECENT)

    def test_few_buckets(self) -> None:
        """Buckets cost a byte or two for each key, and are seldom made anew, also when keys get rarer, a million times,
        or thicker.
        """
        made: list[Columns] = []
        bucketed = Columns.bucketed

        def counting(columns: Columns) -> Columns:
            made.append(columns)
            return bucketed(columns)

        self.patch(Columns, "bucketed", counting)
        keys = list(range(1, 5000)) + list(range(10_000, 5_000_000_000_000, 1_000_000_000)) + list(
            range(6_000_000_000_000, 6_000_000_010_000))
        self.put_all(keys)
        self.assertLessEqual(len(self.columns.buckets), len(self.columns.keys))
        self.assertLessEqual(len(made), 12)

    def test_misses(self) -> None:
        """Below, between and above all keys there is nothing."""
        self.put_all(list(range(1000, 9000, 2)))
        for key in [0, 999, *range(1001, 9000, 2), 9000, 2**64 - 1]:
            self.assertIsNone(self.needles.get(key))

    def test_the_wrong_way(self) -> None:
        """Keys that only get lower are merged now and then."""
        self.patch(memory, "SMALLEST_MERGE", 500)
        self.put_all(list(range(6000, 0, -1)))
        self.assertLessEqual(len(self.columns.overlay), 500)

    def test_overwriting_and_deleting(self) -> None:
        """Wherever a needle is by then, it is changed there."""
        keys = list(range(3, 6000, 3))
        self.put_all(keys)
        for key in (1, 2):
            self.needles.put(key, 8, 1)
        for key in [1, 2, *keys]:
            self.needles.put(key, key * 16, key)
        self.needles.put_all([(key, 8, -1) for key in [2, *keys[::2]]])
        for key in [2, *keys[::2]]:
            self.assertEqual(self.needles.get(key), (key * 16, -key))
        for key in [1, *keys[1::2]]:
            self.assertEqual(self.needles.get(key), (key * 16, key))
        self.assertEqual(len(list(self.needles.ascending())), len(keys) + 2)

    def test_readers_keep_what_they_took(self) -> None:
        """A lookup that was taken before much was put and moved finds all that was there then."""
        self.put_all(list(range(1, 3000)))
        get = self.needles.get
        self.needles.put_all([(key, key * 8, 1) for key in range(3000, 9000)])
        for key in range(1, 3000):
            self.assertEqual(get(key), (key * 8, key % 1000))


class WideGrowingTests(GrowingTests):
    """The same with offsets of 5 bytes."""

    width = OffsetWidth.FIVE
