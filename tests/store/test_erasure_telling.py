"""What the store tells of shards, and where it has room for them."""

from __future__ import annotations

from unittest.mock import patch

from twisted.trial import unittest

from seaweedvol.store.location import Location
from seaweedvol.store.store import Store
from tests.store.making import new_directory, new_store, put_volume
from tests.store.shards import at, encoded_directory, files, move, set_info, shard_names


class TellingTests(unittest.SynchronousTestCase):
    """What the master is told, and how many volumes it thinks fit."""

    def test_report(self) -> None:
        """Every disk has its own report, with numbers, lengths and counts."""
        first, encoded = encoded_directory(self)
        second = new_directory(self)
        move(first, second, shard_names(range(7, 14)))
        store = new_store(self, at(first), at(second, disk_type="ssd"))
        store.erasure.tombstone(7, 3)
        one, two = store.shard_reports()
        self.assertEqual((one.id, one.shard_bits, one.lengths, one.disk_id, one.disk_type),
                         (7, 0x7F, (1 << 20,) * 7, 0, ""))
        self.assertEqual((two.shard_bits, two.disk_id, two.disk_type), (0x3F80, 1, "ssd"))
        self.assertEqual((one.file_count, one.delete_count, one.encode_time_ns), (len(encoded.held), 1, 1))
        self.assertEqual([volume.id for volume in store.erasure.volumes()], [7, 7])

    def test_disk_that_does_not_answer(self) -> None:
        """Its shards are nobody's to read, so the master shall look elsewhere; none of them expires."""
        directory, _ = encoded_directory(self)
        set_info(directory, expires_at=1)
        store = new_store(self, at(directory))
        with patch.object(Location, "is_unavailable", True):
            self.assertEqual((store.shard_reports(), store.report().has_no_shards), ([], True))
        self.assertIn(".ecx", files(directory))

    def test_slots(self) -> None:
        """Ten shards take the place of a volume, begun ones count whole."""
        directory, _ = encoded_directory(self)
        put_volume(directory, 8)
        location = at(directory, configured_max_count=0)
        store = new_store(self, location)
        self.assertEqual((location.shard_count, location.shard_slots), (14, 2))
        location.is_low_space = True
        self.assertEqual(location.reported_max_count, 3)
        store.volume_size_limit = 1 << 62
        store.adjust_max_counts()
        self.assertEqual(location.max_count, 3)


class PlaceTests(unittest.SynchronousTestCase):
    """Where a further shard goes."""

    def store(self, *locations: Location) -> Store:
        """A store over these."""
        return new_store(self, *locations)

    def place(self, store: Store, collection: str = "", volume_id: int = 7) -> int | None:
        """The chosen disk."""
        location = store.erasure.place_for(collection, volume_id, 10)
        return None if location is None else location.disk_id

    def locations(self, count: int, **fields: object) -> list[Location]:
        """Some empty ones."""
        return [at(new_directory(self), **fields) for _ in range(count)]

    def test_where_it_is_served(self) -> None:
        """First of all beside its other shards, even on a disk of another kind with less room."""
        directory, _ = encoded_directory(self)
        store = self.store(*self.locations(1), at(directory, disk_type="ssd", configured_max_count=2))
        self.assertEqual(self.place(store), 1)
        self.assertEqual(self.place(store, volume_id=8), 0)

    def test_where_its_index_is(self) -> None:
        """Else where its index lies, if that says anything."""
        store = self.store(*self.locations(3))
        (store.locations[1].directory / "pics_9.ecx").write_bytes(b"")
        (store.locations[2].directory / "pics_9.ecx").write_bytes(b"x" * 16)
        self.assertEqual(self.place(store, "pics", 9), 2)
        self.assertEqual(self.place(store, "", 9), 0)

    def test_hard_disks_then_room(self) -> None:
        """Else on a hard disk, and there where most shards fit; a disk with no room for one takes none."""
        fast = at(new_directory(self), disk_type="ssd", configured_max_count=100)
        store = self.store(fast, *self.locations(1, configured_max_count=3), *self.locations(1, configured_max_count=5))
        self.assertEqual(self.place(store), 2)
        store.locations[2].is_low_space = True
        self.assertEqual(self.place(store), 1)
        store.locations[1].max_count = -1
        self.assertEqual(self.place(store), 1)
        for location in store.locations:
            location.is_low_space = True
        self.assertIsNone(self.place(store))

    def test_room_for_a_few(self) -> None:
        """A disk without room for a whole volume may take single shards."""
        directory, _ = encoded_directory(self)
        location = at(directory, configured_max_count=2)
        store = self.store(location)
        self.assertEqual(self.place(store, volume_id=8), 0)
        location.max_count = 1
        self.assertIsNone(self.place(store, volume_id=8))
