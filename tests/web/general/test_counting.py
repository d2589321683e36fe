"""What requests count as: the same on the express lane and on the general road."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.metrics.instruments import Instruments
from seaweedvol.server.interfaces import Location
from seaweedvol.storage.errors import ChecksumMismatch, FormatError, NeedleNotFound, SizeMismatch
from seaweedvol.web.general.counting import ReplicationCount, note_damage
from tests.web.serving import FakeReplicator, World, fid, make_world

NOISE = bytes(range(256)) * 4
TYPED = ("Content-Type", "a/b")


class QuickRoad:
    """The quick way to the replica of a replicator: fails as that does."""

    def __init__(self, replicator: FakeReplicator) -> None:
        self._replicator = replicator

    def write_now(self, path: bytes, locations: object, done: Callable[[str | None], None], **told: object) -> None:
        """See IReplicaRoad."""
        done(self._replicator.failure or None)

    delete_now = write_now


class RoadsTests(SynchronousTestCase):
    """A server with a lane and one without."""

    def setUp(self) -> None:
        self.worlds = [make_world(self, has_lane=has_lane) for has_lane in (True, False)]
        for world in self.worlds:
            world.allocate()

    def counted(self, world: World) -> Instruments:
        """All that has been counted."""
        world.server.tally.pour(world.server.instruments)
        return world.server.instruments

    def ask(self, method: str, target: str, status: int, body: bytes | None = None, *headers: tuple[str, str],
            is_public: bool = False) -> None:
        """One request to both, and what it must be answered with."""
        for world in self.worlds:
            answer = world.ask(method, target, body, *headers, is_public=is_public)
            self.assertEqual(answer.status, status, (method, target))

    def test_same(self) -> None:
        """Requests by status, failures, writes and targets are the same; only the road is another."""
        for key in (1, 2):
            self.ask("PUT", fid(key), 201, NOISE, TYPED)
            self.ask("PUT", fid(key), 204, NOISE, TYPED)
        for method in ("GET", "HEAD"):
            self.ask(method, fid(1), 200)
            self.ask(method, fid(9), 404)
            self.ask(method, "/1,0100000000", 404)
            self.ask(method, fid(1), 304, None, ("If-Modified-Since", "Tue, 01 Jan 2090 00:00:00 GMT"))
        self.ask("GET", fid(1), 206, None, ("Range", "bytes=1-9"))
        self.ask("DELETE", fid(1), 202)
        self.ask("GET", fid(1), 404)
        self.ask("GET", fid(1, 77), 404)
        self.ask("PUT", "/1,zz", 400, NOISE)
        self.ask("PUT", "/1,0200000000", 500, NOISE, TYPED)
        lane, general = map(self.counted, self.worlds)
        for name in ("requests", "events", "read_failures", "invalid_needles", "write_failures"):
            self.assertEqual(getattr(lane, name).values(), getattr(general, name).values(), name)
        for name in ("request_seconds", "replication_targets"):
            self.assertEqual(getattr(lane, name).counts(), getattr(general, name).counts(), name)
        self.assertEqual(lane.invalid_needles.values(), {(): 3})
        self.assertEqual(lane.events.values(), {("errorGetNotFound",): 6, ("errorWriteToLocalDisk",): 1})
        self.assertEqual(set(lane.roads.values()), {("express",), ("general",)})
        self.assertEqual(set(general.roads.values()), {("general",)})
        self.assertEqual({each for each, count in lane.in_flight.values().items() if count}, set())

    def test_not_about_needles(self) -> None:
        """Pages about the server are not counted; methods that nobody knows are, under one name."""
        self.ask("GET", "/livez", 200)
        self.ask("BREW", fid(1), 400)
        self.ask("PATCH", fid(1), 400)
        self.ask("POST", fid(1), 200, b"", is_public=True)
        for world in self.worlds:
            self.assertEqual(self.counted(world).requests.values(), {("INVALID", "400"): 2, ("POST", "200"): 1})

    def test_large(self) -> None:
        """A needle that is sent from its file counts when it has left."""
        large = NOISE * 3000
        self.ask("PUT", fid(3), 201, large, TYPED)
        self.ask("GET", fid(3), 200)
        for world in self.worlds:
            self.assertEqual(self.counted(world).requests.values()["GET", "200"], 1)

    def test_replicas(self) -> None:
        """A change that is repeated elsewhere counts with its targets, and its failure as what it is."""
        for world in self.worlds:
            world.allocate(8, replication="001")
            here, there = Location("127.0.0.1:8080", "127.0.0.1:8080"), Location("there:8080", "there:8080")
            world.locations.holders = {8: [here, there]}
            world.replicator.road = QuickRoad(world.replicator)
        self.ask("PUT", fid(1, 8), 201, NOISE, TYPED)
        for world in self.worlds:
            world.replicator.failure = "dial tcp there:8080: connect: connection refused"
        self.ask("PUT", fid(2, 8), 500, NOISE, TYPED)
        self.ask("DELETE", fid(1, 8), 500)
        for world in self.worlds:
            found = self.counted(world)
            self.assertEqual(found.replications.values(), {
                ("write", "success"): 1, ("write", "failure"): 1, ("delete", "failure"): 1})
            self.assertEqual(found.replication_failures.values(), {
                ("write", "connection_refused"): 1, ("delete", "connection_refused"): 1})
            self.assertEqual(found.write_failures.values(), {(): 2})
            self.assertEqual(found.request_seconds.counts()["writeToReplicas",], 2)


class PartTests(SynchronousTestCase):
    """Parts of requests."""

    def setUp(self) -> None:
        self.instruments = Instruments()
        self.clock = Clock()

    def test_local_failure(self) -> None:
        """What cannot even be written here is an event; it was to be repeated, so it took time as such."""
        count = ReplicationCount(self.instruments, "write", self.clock.seconds)

        def fail() -> None:
            with count.locally(1):
                self.clock.advance(2)
                self.assertEqual(self.instruments.in_flight.values(), {("writeToLocalDisk",): 1})
                raise OSError("full")

        self.assertRaises(OSError, fail)
        self.assertEqual(self.instruments.events.values(), {("errorWriteToLocalDisk",): 1})
        self.assertEqual(self.instruments.in_flight.values(), {("writeToLocalDisk",): 0})
        self.assertEqual(self.instruments.replication_seconds.counts(), {("write",): 1})
        self.assertEqual(self.instruments.replications.values(), {})

    def test_damage(self) -> None:
        """Damaged needles are told apart; one that is not there is none."""
        for error in (ChecksumMismatch(""), SizeMismatch(""), FormatError(""), NeedleNotFound(), OSError()):
            note_damage(self.instruments, error)
        self.assertEqual(self.instruments.events.values(), {
            ("errorCRC",): 1, ("errorSizeMismatchOffsetSize",): 1, ("errorIndexOutOfRange",): 1})
