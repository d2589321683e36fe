"""Heartbeat messages: what they carry, and when only changes."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.reporting import Telling, announcement, goodbye, shard_beat, volume_message
from seaweedvol.pb.master_pb2 import Heartbeat, VolumeEcShardInformationMessage
from seaweedvol.store.report import DiskTag, StoreReport, VolumeReport
from seaweedvol.store.shardreport import ShardReport


@attrs.frozen
class Names:
    """An identity."""

    ip: str = "10.0.0.9"
    port: int = 8080
    grpc_port: int = 18080
    public_url: str = "pub:80"
    server_id: str = "one"
    data_center: str = "dc"
    rack: str = "r"


ONE = VolumeReport(id=1, size=100, collection="c", file_count=3, delete_count=1, deleted_bytes=9, read_only=True,
                   placement_byte=1, version=3, ttl_uint32=513, compact_revision=2, modified_at=77, disk_type="ssd",
                   disk_id=1)
TWO = VolumeReport(id=2)


def holding(*volumes: VolumeReport) -> StoreReport:
    """A report of a store with these volumes."""
    return StoreReport(volumes=volumes, max_counts={"": 8}, max_file_key=42, uuids=("u",),
                       disk_tags=(DiskTag(0, ("fast",), "", 8),), disk_total={"": 1000}, disk_free={"": 10},
                       has_no_volumes=not volumes, digest=7)


def ids(messages: object) -> list[int]:
    """The volume ids of messages."""
    return [message.id for message in messages]  # type: ignore[attr-defined]


class TellingTests(SynchronousTestCase):
    """What the master is told, given what it was told before."""

    def setUp(self) -> None:
        """A memory that has told nothing."""
        self.telling = Telling(Names())

    def test_first_beat_is_full(self) -> None:
        """The first beat names server, disks and all volumes."""
        beat = self.telling.volume_beat(holding(ONE, TWO))
        self.assertEqual(ids(beat.volumes), [1, 2])
        self.assertEqual((beat.ip, beat.port, beat.grpc_port, beat.public_url, beat.id, beat.data_center, beat.rack),
                         ("10.0.0.9", 8080, 18080, "pub:80", "one", "dc", "r"))
        self.assertEqual((beat.max_file_key, dict(beat.max_volume_counts), list(beat.location_uuids)),
                         (42, {"": 8}, ["u"]))
        self.assertEqual((dict(beat.disk_total_bytes), dict(beat.disk_free_bytes)), ({"": 1000}, {"": 10}))
        self.assertEqual((beat.disk_tags[0].max_volume_count, list(beat.disk_tags[0].tags)), (8, ["fast"]))
        self.assertEqual((beat.volume_digest, beat.has_no_ec_shards, beat.has_no_volumes), (7, True, False))

    def test_every_field_of_a_volume_arrives(self) -> None:
        """No field of a volume is lost on the way to its message."""
        message = volume_message(ONE)
        self.assertEqual(
            (message.id, message.size, message.collection, message.file_count, message.delete_count,
             message.deleted_byte_count, message.read_only, message.replica_placement, message.version, message.ttl,
             message.compact_revision, message.modified_at_second, message.disk_type, message.disk_id),
            (1, 100, "c", 3, 1, 9, True, 1, 3, 513, 2, 77, "ssd", 1))

    def test_empty_server_says_so(self) -> None:
        """Only a full list may claim that there is nothing."""
        self.assertTrue(self.telling.volume_beat(holding()).has_no_volumes)
        self.telling.accept_deltas()
        self.assertFalse(self.telling.volume_beat(holding()).has_no_volumes)

    def test_full_every_time_until_deltas_are_accepted(self) -> None:
        """A master that compares no digests gets the whole list in each beat."""
        for _ in range(2):
            self.assertEqual(ids(self.telling.volume_beat(holding(ONE)).volumes), [1])

    def test_delta_carries_changes_and_departures(self) -> None:
        """Afterwards a beat names what changed and what went, and nothing that stayed the same."""
        self.telling.volume_beat(holding(ONE, TWO))
        self.telling.accept_deltas()
        grown = attrs.evolve(TWO, size=5)
        beat = self.telling.volume_beat(holding(grown))
        self.assertEqual((ids(beat.volumes), ids(beat.changed_volumes), ids(beat.deleted_volumes)), ([], [2], [1]))
        self.assertEqual(beat.deleted_volumes[0].collection, "c")
        beat = self.telling.volume_beat(holding(grown))
        self.assertEqual((ids(beat.changed_volumes), ids(beat.deleted_volumes)), ([], []))

    def test_volume_that_changes_disks_is_no_departure(self) -> None:
        """A move between disks is a change, not a loss."""
        self.telling.volume_beat(holding(ONE))
        self.telling.accept_deltas()
        beat = self.telling.volume_beat(holding(attrs.evolve(ONE, disk_id=2)))
        self.assertEqual((ids(beat.changed_volumes), ids(beat.deleted_volumes)), ([1], []))

    def test_full_list_on_demand(self) -> None:
        """One full list answers one demand."""
        self.telling.accept_deltas()
        self.telling.volume_beat(holding(ONE))
        self.telling.require_full_list()
        self.assertEqual(ids(self.telling.volume_beat(holding(ONE)).volumes), [1])
        self.assertEqual(ids(self.telling.volume_beat(holding(ONE)).volumes), [])


class BeatTests(SynchronousTestCase):
    """The beats that carry no full list."""

    def test_announcement_names_sender_and_volumes_only(self) -> None:
        """A delta beat has no counts that the master would take for new ones."""
        beat = announcement(Names(), [ONE, TWO], is_deletion=False)
        self.assertEqual((ids(beat.new_volumes), ids(beat.deleted_volumes)), ([1, 2], []))
        self.assertEqual((beat.ip, beat.port, beat.id, dict(beat.max_volume_counts)), ("10.0.0.9", 8080, "", {}))
        self.assertEqual(ids(announcement(Names(), [ONE], is_deletion=True).deleted_volumes), [1])

    def test_goodbye_is_an_empty_full_list(self) -> None:
        """The last beat says that nothing is left."""
        beat = goodbye(Names())
        self.assertEqual(beat, Heartbeat(ip="10.0.0.9", port=8080, public_url="pub:80", data_center="dc", rack="r",
                                         has_no_volumes=True))

    def test_shard_beat_has_no_name(self) -> None:
        """The stream knows who speaks."""
        self.assertEqual(shard_beat([]), Heartbeat(has_no_ec_shards=True))

    def test_shard_beat_tells_all_of_a_volume(self) -> None:
        """Which shards there are is a word of bits, and their lengths follow in the same order."""
        beat = shard_beat([ShardReport(
            id=7, collection="c", shards=((1, 10), (31, 20)), disk_type="ssd", disk_id=2, expires_at=99, file_count=5,
            delete_count=1, encode_time_ns=2**60)])
        self.assertEqual(beat, Heartbeat(ec_shards=[VolumeEcShardInformationMessage(
            id=7, collection="c", ec_index_bits=1 << 31 | 2, shard_sizes=[10, 20], disk_type="ssd", disk_id=2,
            expire_at_sec=99, file_count=5, delete_count=1, encode_ts_ns=2**60)]))

    def test_volume_beat_names_shards_that_expired(self) -> None:
        """The beat after whose report shards were removed is the first that can say so."""
        report = attrs.evolve(holding(ONE), has_no_shards=False, expired_shards=(ShardReport(id=8, shards=((2, 3),)),))
        beat = Telling(Names()).volume_beat(report)
        self.assertEqual([(shard.id, shard.ec_index_bits) for shard in beat.deleted_ec_shards], [(8, 4)])
        self.assertFalse(beat.has_no_ec_shards)
