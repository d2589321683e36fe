"""Tests of :mod:`seaweedvol.master.shards`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.shards import Shards, after, shard_numbers, slots_for, without
from seaweedvol.pb.master_pb2 import Heartbeat
from seaweedvol.pb.master_pb2 import VolumeEcShardInformationMessage as Message


def held(*numbers: int, length: int = 10, volume: int = 7, disk: int = 0, files: int = 0, deleted: int = 0,
         collection: str = "") -> Message:
    """Shards of a volume on a disk."""
    return Message(id=volume, disk_id=disk, ec_index_bits=sum(1 << number for number in numbers),
                   shard_sizes=[length] * len(numbers), file_count=files, delete_count=deleted, collection=collection)


class AfterTests(SynchronousTestCase):
    """What is known follows what is said."""

    def known(self, *beats: Heartbeat) -> Shards:
        """What is known after these beats."""
        shards: Shards = {}
        for beat in beats:
            shards = after(shards, beat)
        return shards

    def test_whole_report(self) -> None:
        """It says everything, and nothing at all when there is nothing."""
        first = Heartbeat(ec_shards=[held(1, 2), held(3, disk=1), held(0, volume=8)])
        self.assertEqual(sorted(self.known(first)), [(0, 7), (0, 8), (1, 7)])
        self.assertEqual(sorted(self.known(first, Heartbeat(ec_shards=[held(1)]))), [(0, 7)])
        self.assertEqual(self.known(first, Heartbeat(has_no_ec_shards=True)), {})
        self.assertEqual(len(self.known(first, Heartbeat())), 3)

    def test_deltas(self) -> None:
        """Shards come and go one by one; each keeps its length, and the needles stay counted."""
        beats = [Heartbeat(ec_shards=[held(1, 30, length=10, files=9, deleted=2)]),
                 Heartbeat(new_ec_shards=[held(5, length=20), held(6, length=30)])]
        self.assertEqual(self.known(*beats), {(0, 7): Message(
            id=7, ec_index_bits=1 << 30 | 1 << 6 | 1 << 5 | 2, shard_sizes=[10, 20, 30, 10], file_count=9,
            delete_count=2)})
        beats.append(Heartbeat(deleted_ec_shards=[held(1, 6), held(4, volume=9)]))
        (left,) = self.known(*beats).values()
        self.assertEqual((shard_numbers(left), list(left.shard_sizes), left.file_count), ([5, 30], [20, 10], 9))
        self.assertEqual(self.known(*beats, Heartbeat(deleted_ec_shards=[held(5, 30)])), {})

    def test_expired(self) -> None:
        """A beat of volumes names shards that were removed, although there are others."""
        self.assertEqual(sorted(self.known(
            Heartbeat(ec_shards=[held(1), held(1, volume=8)]), Heartbeat(deleted_ec_shards=[held(1)]))), [(0, 8)])

    def test_readers_are_not_disturbed(self) -> None:
        """What somebody reads does not change."""
        before = self.known(Heartbeat(ec_shards=[held(1)]))
        after(before, Heartbeat(new_ec_shards=[held(2)]))
        after(before, Heartbeat(deleted_ec_shards=[held(1)]))
        self.assertEqual(before, {(0, 7): held(1)})

    def test_servers_that_tell_no_lengths(self) -> None:
        """They are 0."""
        shards = self.known(Heartbeat(ec_shards=[Message(id=7, ec_index_bits=3)]), Heartbeat(new_ec_shards=[held(2)]))
        self.assertEqual(list(shards[0, 7].shard_sizes), [0, 0, 10])


class SumTests(SynchronousTestCase):
    """What is made of it."""

    def test_slots(self) -> None:
        """Ten shards are a volume, begun ones count whole."""
        self.assertEqual(slots_for([]), 0)
        self.assertEqual(slots_for([held(*range(7)), held(1, 2, 3, volume=8)]), 1)
        self.assertEqual(slots_for([held(*range(11))]), 2)

    def test_collection(self) -> None:
        """Only its volumes are forgotten."""
        shards = {(0, 7): held(1), (0, 8): held(1, volume=8, collection="c")}
        self.assertEqual(without(shards, "c"), {(0, 7): held(1)})
