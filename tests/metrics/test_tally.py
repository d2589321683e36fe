"""Tests for seaweedvol.metrics.tally."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.metrics import tally as outcomes
from seaweedvol.metrics.instruments import Instruments
from seaweedvol.metrics.tally import Tally, Times


class TallyTests(SynchronousTestCase):
    """What the lane counts arrives where it belongs."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1)
        self.tally = Tally(self.clock.seconds)
        self.instruments = Instruments()

    def begin(self) -> float:
        self.tally.began = self.clock.seconds()
        return self.tally.begin()

    def end(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.tally.end_round()

    def pour(self) -> Instruments:
        self.tally.pour(self.instruments)
        return self.instruments

    def times(self, kind: str) -> tuple[list[float], float]:
        """Of the buckets that are not empty: their counts, not summed up; and the sum of seconds."""
        samples = [each for each in self.instruments.request_seconds.metric().samples if each.labels["type"] == kind]
        below = [each.value for each in samples if each.name.endswith("_bucket")]
        total = [each.value for each in samples if each.name.endswith("_sum")]
        counts = [after - before for before, after in zip([0, *below], below)]
        return [count for count in counts if count], round(total[0], 9)

    def test_whole_reads(self) -> None:
        """Quick GETs are in the first bucket, with the time they took one after the other."""
        self.begin()
        self.tally.got += 4
        self.end(0.00008)
        self.pour()
        self.assertEqual(self.instruments.requests.values(), {("GET", "200"): 4})
        self.assertEqual(self.times("GET"), ([4], 0.0002))
        self.assertEqual(self.instruments.roads.values(), {("express",): 4})

    def test_spread(self) -> None:
        """Reads of a long round are spread over the time it took."""
        self.begin()
        self.tally.got += 4
        self.end(0.0004)
        self.pour()
        self.assertEqual(self.times("GET"), ([1, 1, 2], 0.001))

    def test_one_slow(self) -> None:
        """A read that is alone in its round took as long as that."""
        self.begin()
        self.tally.got += 1
        self.end(3.0)
        self.pour()
        self.assertEqual(self.times("GET"), ([1], 3.0))
        times = Times()
        times.spread(2, 10000.0)
        self.assertEqual((times.counts[-1], times.counts[-2], sum(times.counts)), (2, 0, 2))

    def test_changes_at_the_end(self) -> None:
        """Changes took as long as their round; what was stored alone had no targets."""
        began = self.begin()
        self.tally.note_batch(0.001)
        for outcome in (outcomes.POST_STORED, outcomes.POST_STORED, outcomes.PUT_STORED, outcomes.DELETED):
            self.tally.note(outcome, began)
        self.end(0.0015)
        self.pour()
        self.assertEqual(
            self.instruments.requests.values(), {("POST", "201"): 2, ("PUT", "201"): 1, ("DELETE", "202"): 1})
        self.assertEqual(self.times("POST"), ([2], 0.003))
        self.assertEqual(self.times("writeToLocalDisk"), ([3], 0.003))
        self.assertEqual(self.instruments.replication_targets.counts(), {(): 4})
        self.assertEqual(self.instruments.in_flight.values(), {
            ("POST",): 0, ("PUT",): 0, ("DELETE",): 0, ("writeToLocalDisk",): 0})

    def test_answered_later(self) -> None:
        """What is answered after its round took until then, whatever other rounds there were meanwhile."""
        began = self.begin()
        self.end(0.0001)
        self.begin()
        self.end(0.0001)
        self.clock.advance(0.5)
        self.tally.note_batch(0.25)
        self.tally.note(outcomes.GET_WHOLE, began)
        self.tally.note(outcomes.PUT_FAILED, began)
        self.pour()
        self.assertEqual(self.instruments.requests.values(), {("GET", "200"): 1, ("PUT", "500"): 1})
        self.assertEqual(self.times("GET"), ([1], 0.5002))
        self.assertEqual(self.instruments.write_failures.values(), {(): 1})
        self.assertEqual(self.times("writeToLocalDisk"), ([1], 0.25))

    def test_missing(self) -> None:
        """Reads that find nothing are failures; only what nobody knows is an invalid needle."""
        self.begin()
        self.tally.answers += [outcomes.GET_MISSING, outcomes.HEAD_UNKNOWN]
        self.end(0.0001)
        self.pour()
        self.assertEqual(self.instruments.requests.values(), {("GET", "404"): 1, ("HEAD", "404"): 1})
        self.assertEqual(self.instruments.read_failures.values(), {(): 2})
        self.assertEqual(self.instruments.invalid_needles.values(), {(): 1})
        self.assertEqual(self.instruments.events.values(), {("errorGetNotFound",): 2})

    def test_between_rounds(self) -> None:
        """What is answered outside of every round is counted all the same, as quick."""
        self.tally.got += 1
        self.tally.answers.append(outcomes.HEAD_WHOLE)
        self.pour()
        self.assertEqual(self.instruments.requests.values(), {("GET", "200"): 1, ("HEAD", "200"): 1})
        self.assertEqual(self.times("GET"), ([1], 0.00005))

    def test_poured_once(self) -> None:
        """Nothing is told twice."""
        self.begin()
        self.tally.got += 1
        self.tally.answers.append(outcomes.GET_PART)
        self.end(0.00005)
        self.pour()
        self.begin()
        self.tally.got += 1
        self.end(0.00005)
        self.pour()
        self.pour()
        self.assertEqual(self.instruments.requests.values(), {("GET", "200"): 2, ("GET", "206"): 1})
        self.assertEqual(self.instruments.request_seconds.counts(), {("GET",): 3})
