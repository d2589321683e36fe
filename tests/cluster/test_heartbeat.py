"""The heartbeat service, with a stream, a clock and threads that the test plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet import defer, task
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.heartbeat import HeartbeatService, answered
from seaweedvol.pb.master_pb2 import Heartbeat, HeartbeatResponse
from seaweedvol.server.server import Life
from seaweedvol.store.events import ShardsAdded, ShardsRemoved, StoreEvents, VolumeAdded, VolumeRemoved
from seaweedvol.store.report import StoreReport, VolumeReport
from seaweedvol.store.shardreport import ShardReport
from tests.cluster.test_reporting import Names, holding, ids


class ThreadlessClock(task.Clock):
    """A clock whose reactor thread is the only one."""

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> None:
        """At once: the caller is in that thread already."""
        callable(*args, **kwargs)


class FakeStore:
    """What the heartbeat needs of a store."""

    def __init__(self) -> None:
        self.volumes: tuple[VolumeReport, ...] = (VolumeReport(id=1),)
        self.shards: tuple[ShardReport, ...] = ()
        self.volume_size_limit = 0
        self.is_preallocating = False

    def shard_reports(self) -> tuple[ShardReport, ...]:
        """The shards of the moment."""
        return self.shards

    def report(self) -> StoreReport:
        """The volumes of the moment."""
        return holding(*self.volumes)


class FakeStream:
    """A stream whose other end is the test."""

    def __init__(self, address: str, beats: Iterator[Heartbeat]) -> None:
        self.address, self.beats = address, beats
        self.is_hung_up = False
        self.script: list[HeartbeatResponse] = []
        self.error: Exception | None = None

    def answers(self) -> Iterator[HeartbeatResponse]:
        """What the test scripted."""
        yield from self.script
        if self.error is not None:
            raise self.error

    def hang_up(self) -> None:
        """Remember."""
        self.is_hung_up = True


class HeartbeatServiceTests(SynchronousTestCase):
    """What goes over the stream, and when."""

    def setUp(self) -> None:
        """A started service; the reader's thread runs when the test says so."""
        self.clock = ThreadlessClock()
        self.store, self.events, self.life = FakeStore(), StoreEvents(), Life()
        self.streams: list[FakeStream] = []
        self.readers: list[Callable[[], None]] = []
        self.exits: list[tuple[int, str]] = []
        self.loaded: defer.Deferred[object] = defer.Deferred()
        self.service = HeartbeatService(
            masters=["m1:9333", "m2:9333"], sender=Names(), store=self.store, events=self.events, life=self.life,
            clock=self.clock, exit_process=lambda status, reason: self.exits.append((status, reason)),
            when_loaded=self.loaded, dial=self.dial, spawn=self.readers.append)
        self.service.startService()

    def dial(self, address: str, beats: Iterator[Heartbeat]) -> FakeStream:
        """A new stream of the test's."""
        self.streams.append(FakeStream(address, beats))
        return self.streams[-1]

    def answer(self, *answers: HeartbeatResponse, error: Exception | None = None) -> None:
        """Let the newest stream's master say this, then end."""
        self.streams[-1].script, self.streams[-1].error = list(answers), error
        self.readers[-1]()

    def started(self) -> FakeStream:
        """A stream with its first two beats taken."""
        self.loaded.callback(None)
        stream = self.streams[-1]
        self.assertEqual(ids(next(stream.beats).volumes), [1])
        self.assertTrue(next(stream.beats).has_no_ec_shards)
        return stream

    def listen_without_end(self, *answers: HeartbeatResponse) -> None:
        """Let the master say this and keep the stream open."""
        for answer in answers:
            self.service._feed_from(self.streams[-1], answered(answer))

    def test_nothing_before_the_volumes_are_loaded(self) -> None:
        """A server that does not know its volumes yet must not say that it has none."""
        self.assertEqual(self.streams, [])
        self.loaded.callback(None)
        self.assertEqual(self.streams[0].address, "m1:9333")

    def test_ready_only_when_the_master_answered(self) -> None:
        """Health follows the first beat that a master took; the master's settings reach the store."""
        self.started()
        self.assertFalse(self.life.first_beat_sent)
        self.listen_without_end(HeartbeatResponse(volume_size_limit=99, preallocate=True))
        self.assertTrue(self.life.first_beat_sent)
        self.assertEqual((self.store.volume_size_limit, self.store.is_preallocating), (99, True))

    def test_pulse_sends_changes_after_the_digest_is_agreed(self) -> None:
        """Every five seconds a beat; with a master that compares digests only of what changed."""
        stream = self.started()
        self.listen_without_end(HeartbeatResponse(volume_digest_supported=True))
        self.store.volumes += (VolumeReport(id=2),)
        self.clock.advance(5)
        beat = next(stream.beats)
        self.assertEqual((ids(beat.volumes), ids(beat.changed_volumes)), ([], [2]))

    def test_store_events_go_out_at_once(self) -> None:
        """A new volume is announced without waiting for the pulse, and so is a deleted one."""
        stream = self.started()
        self.events.publish(VolumeAdded(VolumeReport(id=5)))
        self.assertEqual(ids(next(stream.beats).new_volumes), [5])
        self.events.publish(VolumeRemoved(VolumeReport(id=5)))
        self.assertEqual(ids(next(stream.beats).deleted_volumes), [5])

    def test_shards_that_come_and_go_are_announced(self) -> None:
        """Shards are announced at once too, in beats of their own, in the order in which things happened."""
        stream = self.started()
        self.events.publish(ShardsAdded(ShardReport(id=5, shards=((3, 1024),))))
        self.events.publish(VolumeAdded(VolumeReport(id=6)))
        self.events.publish(ShardsRemoved(ShardReport(id=5, shards=((3, 0),))))
        came, volume, went = (next(stream.beats) for _ in range(3))
        self.assertEqual([(shard.id, shard.ec_index_bits) for shard in came.new_ec_shards], [(5, 8)])
        self.assertEqual((ids(volume.new_volumes), len(volume.new_ec_shards)), ([6], 0))
        self.assertEqual([(shard.id, shard.ec_index_bits) for shard in went.deleted_ec_shards], [(5, 8)])

    def test_all_shards_with_every_seventeenth_pulse(self) -> None:
        """A master that missed an announcement knows better after 85 seconds."""
        stream = self.started()
        self.store.shards = (ShardReport(id=5, shards=((0, 1024), (9, 1024))),)
        beats = []
        for _ in range(17):
            self.clock.advance(5)
            beats.append(next(stream.beats))
        self.assertEqual([beat for beat in beats if beat.ec_shards], [])
        beat = next(stream.beats)
        self.assertEqual((beat.ec_shards[0].ec_index_bits, beat.has_no_ec_shards), (0x201, False))

    def test_new_stream_begins_with_the_full_list(self) -> None:
        """Another master, or the same after a break, knows nothing."""
        self.started()
        self.listen_without_end(HeartbeatResponse(volume_digest_supported=True))
        self.answer(error=RuntimeError("broken"))
        self.assertTrue(self.streams[0].is_hung_up)
        self.clock.advance(4.9)
        self.assertEqual(len(self.streams), 1)
        self.clock.advance(0.1)
        self.assertEqual(self.streams[1].address, "m2:9333")
        self.assertEqual(ids(next(self.streams[1].beats).volumes), [1])

    def test_late_words_of_an_old_stream_are_ignored(self) -> None:
        """What a stream says after it was given up changes nothing."""
        self.started()
        self.answer(HeartbeatResponse(leader="m3:9333"), HeartbeatResponse(duplicated_uuids=["u"]),
                    error=RuntimeError("closed"))
        self.clock.advance(3)
        self.assertEqual([stream.address for stream in self.streams], ["m1:9333", "m3:9333"])
        self.assertEqual(self.service.current_master, "m3:9333")

    def test_persistent_duplicates_end_the_process(self) -> None:
        """After three retries the callback gets status 1."""
        self.loaded.callback(None)
        for seconds in (2, 4, 8):
            self.answer(HeartbeatResponse(duplicated_uuids=["u"]))
            self.clock.advance(seconds)
        self.answer(HeartbeatResponse(duplicated_uuids=["u"]))
        self.assertEqual([status for status, _ in self.exits], [1])

    def test_stop_waits_for_the_goodbye(self) -> None:
        """The last beat is sent, then the stream ends, then the service is down."""
        stream = self.started()
        stopped = self.service.stopService()
        self.assertNoResult(stopped)
        self.assertTrue(next(stream.beats).has_no_volumes)
        self.assertRaises(StopIteration, next, stream.beats)
        self.answer()
        self.successResultOf(stopped)
        self.assertTrue(stream.is_hung_up)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_does_not_wait_for_ever(self) -> None:
        """A master that does not close the stream delays the stop by two seconds at most."""
        self.started()
        stopped = self.service.stopService()
        self.clock.advance(2)
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_during_a_pause(self) -> None:
        """Nothing is left behind when there is no stream."""
        self.started()
        self.answer(error=RuntimeError("broken"))
        self.successResultOf(self.service.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_leave_ends_the_beats(self) -> None:
        """After a leave nothing is sent any more, and a second leave changes nothing."""
        stream = self.started()
        self.service.leave()
        self.service.leave()
        self.assertEqual([beat.has_no_volumes for beat in stream.beats], [True])
        self.clock.advance(100)
        self.assertEqual(len(self.streams), 1)
