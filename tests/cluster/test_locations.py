"""The cache of lookups."""

from __future__ import annotations

from twisted.internet import defer, task
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.locations import CACHE_SECONDS, Locations
from seaweedvol.pb.master_pb2 import LookupVolumeResponse
from seaweedvol.server.interfaces import Location, LookupFailed, VolumeUnknown


def found(volume_id: int, *urls: str, error: str = "") -> LookupVolumeResponse:
    """A master's answer."""
    answer = LookupVolumeResponse()
    one = answer.volume_id_locations.add(volume_or_file_id=str(volume_id), error=error)
    for url in urls:
        one.locations.add(url=url, public_url=url + ".pub", grpc_port=7, data_center="dc")
    return answer


class LocationsTests(SynchronousTestCase):
    """When the master is asked and when not."""

    def setUp(self) -> None:
        """A cache whose master is the test."""
        self.clock = task.Clock()
        self.questions: list[tuple[int, defer.Deferred[LookupVolumeResponse]]] = []
        self.locations = Locations(self.ask, self.clock)

    def ask(self, volume_id: int) -> defer.Deferred[LookupVolumeResponse]:
        """A question that the test answers."""
        answer: defer.Deferred[LookupVolumeResponse] = defer.Deferred()
        self.questions.append((volume_id, answer))
        return answer

    def lookup(self, volume_id: int = 3) -> defer.Deferred[tuple[Location, ...]]:
        """A lookup under way."""
        return defer.Deferred.fromCoroutine(self.locations.lookup(volume_id))

    def test_answer_is_kept_for_ten_minutes(self) -> None:
        """The second lookup asks nobody, one after ten minutes does."""
        first = self.lookup()
        self.questions[0][1].callback(found(3, "a:1", "b:1"))
        wanted = (Location("a:1", "a:1.pub", 7, "dc"), Location("b:1", "b:1.pub", 7, "dc"))
        self.assertEqual(self.successResultOf(first), wanted)
        self.assertEqual(self.successResultOf(self.lookup()), wanted)
        self.clock.advance(CACHE_SECONDS + 1)
        self.lookup()
        self.assertEqual([volume_id for volume_id, _ in self.questions], [3, 3])

    def test_what_is_known_without_asking(self) -> None:
        """Exactly what a lookup would not ask for."""
        self.assertIsNone(self.locations.known(3))
        first = self.lookup()
        self.assertIsNone(self.locations.known(3))
        self.questions[0][1].callback(found(3, "a:1"))
        self.assertEqual(self.locations.known(3), self.successResultOf(first))
        self.clock.advance(CACHE_SECONDS + 1)
        self.assertIsNone(self.locations.known(3))
        self.assertEqual(len(self.questions), 1)

    def test_invalidated_is_asked_again(self) -> None:
        """What turned out wrong is not believed any longer."""
        self.lookup()
        self.questions[0][1].callback(found(3, "a:1"))
        self.locations.invalidate(3)
        self.locations.invalidate(99)
        self.assertIsNone(self.locations.known(3))
        self.lookup()
        self.assertEqual(len(self.questions), 2)

    def test_nowhere_is_not_kept(self) -> None:
        """A volume that is nowhere now may be somewhere soon."""
        self.lookup()
        self.questions[0][1].callback(found(3))
        self.lookup()
        self.assertEqual(len(self.questions), 2)

    def test_simultaneous_lookups_share_one_question(self) -> None:
        """A crowd for one volume asks once, and all get the answer."""
        crowd = [self.lookup() for _ in range(3)]
        other = self.lookup(4)
        self.assertEqual([volume_id for volume_id, _ in self.questions], [3, 4])
        self.questions[0][1].callback(found(3, "a:1"))
        for one in crowd:
            self.assertEqual(self.successResultOf(one)[0].url, "a:1")
        self.assertNoResult(other)

    def test_failures_reach_everybody_and_are_not_kept(self) -> None:
        """An unreachable master fails all that wait; the next lookup tries again."""
        crowd = [self.lookup() for _ in range(2)]
        self.questions[0][1].errback(LookupFailed("rpc error: code = Unavailable desc = x"))
        for one in crowd:
            self.failureResultOf(one, LookupFailed)
        self.lookup()
        self.assertEqual(len(self.questions), 2)

    def test_unknown_volume_is_a_failure_with_the_masters_words(self) -> None:
        """What the master does not know may exist a moment later, so it is not kept either."""
        outcome = self.lookup()
        self.questions[0][1].callback(found(3, error="volume id 3 not found"))
        self.assertEqual(str(self.failureResultOf(outcome, VolumeUnknown).value), "volume id 3 not found")
        self.lookup()
        self.assertEqual(len(self.questions), 2)
