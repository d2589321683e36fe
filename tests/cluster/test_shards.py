"""Shards on other servers: places from the master and how long they are good, intervals, deletions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
import grpc
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.shards import Shards
from seaweedvol.pb.master_pb2 import Location, LookupEcVolumeResponse
from seaweedvol.pb.volume_server_pb2 import VolumeEcBlobDeleteResponse, VolumeEcShardReadResponse
from seaweedvol.server.interfaces import LookupFailed, RemoteCallFailed, VolumeUnknown
from tests.cluster.fakechannels import FakeChannels
from tests.cluster.test_calls import FakeError

VOLUME = 7
LEADER = "lead:9333"
THERE = "there:8080.18081"


@attrs.define
class FakeStream:
    """A stream of responses; it knows whether somebody ended it."""

    responses: Sequence[Any]
    is_cancelled: bool = False

    def __iter__(self) -> Iterator[Any]:
        for each in self.responses:
            if isinstance(each, Exception):
                raise each
            yield each

    def cancel(self) -> None:
        """Nobody reads on."""
        self.is_cancelled = True


class FakeCluster:
    """All servers: answers by method, and what was asked of whom."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answers: dict[str, Any] = {}
        self.streams: list[FakeStream] = []

    def channel(self, target: str) -> Any:
        """A channel to one of them."""
        return _Channel(self, target)

    def answer(self, target: str, path: str, request: Any) -> Any:
        """What is said."""
        name = path.rpartition("/")[2]
        self.asked.append((target, name, request))
        found = self.answers[name]
        if isinstance(found, Exception):
            raise found
        return found

    def names(self) -> list[str]:
        """The methods that were called, in order."""
        return [name for _, name, _ in self.asked]


@attrs.frozen
class _Channel:
    cluster: FakeCluster
    target: str

    def unary_unary(self, path: str, *_: object, **__: object) -> Callable[..., Any]:
        """One request, one response."""
        return lambda request, timeout=None: self.cluster.answer(self.target, path, request)

    def unary_stream(self, path: str, *_: object, **__: object) -> Callable[..., FakeStream]:
        """One request, many responses."""
        def begin(request: Any, timeout: float | None = None) -> FakeStream:
            self.cluster.streams.append(FakeStream(self.cluster.answer(self.target, path, request)))
            return self.cluster.streams[-1]
        return begin

    stream_unary = stream_stream = unary_unary


def places(count: int) -> LookupEcVolumeResponse:
    """So many shards, each at a server of its own; shard 0 also at another one with a gRPC port of its own."""
    response = LookupEcVolumeResponse(volume_id=VOLUME)
    for number in range(count):
        response.shard_id_locations.add(
            shard_id=number, locations=[Location(url=f"s{number}:8080", public_url=f"p{number}:80")])
    response.shard_id_locations[0].locations.append(Location(url="two:8081", grpc_port=9))
    return response


class Case(SynchronousTestCase):
    """A cluster that only seems to be one."""

    def setUp(self) -> None:
        self.cluster = FakeCluster()
        self.clock = Clock()
        self.shards = Shards(lambda: LEADER, FakeChannels(self.cluster.channel), self.clock.seconds)


class LocationsTests(Case):
    """Where shards are."""

    def test_addresses(self) -> None:
        """Every holder is named, with its gRPC port where that is unusual; the leader was asked."""
        self.cluster.answers["LookupEcVolume"] = places(3)
        found = self.shards.locations(VOLUME)
        self.assertEqual(found, {0: ("s0:8080", "two:8081.9"), 1: ("s1:8080",), 2: ("s2:8080",)})
        (target, _, request), = self.cluster.asked
        self.assertEqual((target, request.volume_id), ("lead:19333", VOLUME))

    def test_how_long(self) -> None:
        """Too few shards are good for 11 seconds, enough for 7 minutes, all for 37 minutes."""
        for count, seconds in ((9, 11), (10, 420), (13, 420), (14, 2220)):
            self.cluster.answers["LookupEcVolume"] = places(count)
            self.shards.locations(count)
            asked = len(self.cluster.asked)
            self.clock.advance(seconds - 0.5)
            self.shards.locations(count)
            self.assertEqual(len(self.cluster.asked), asked, count)
            self.clock.advance(1)
            self.shards.locations(count)
            self.assertEqual(len(self.cluster.asked), asked + 1, count)

    def test_other_ratio(self) -> None:
        """What is enough and what is all is for the caller to say."""
        self.cluster.answers["LookupEcVolume"] = places(9)
        self.shards.locations(VOLUME)
        self.clock.advance(2219)
        self.shards.locations(VOLUME, needed=6, total=9)
        self.assertEqual(len(self.cluster.asked), 1)

    def test_fresh(self) -> None:
        """The master is asked again on request, but not twice within a second."""
        self.cluster.answers["LookupEcVolume"] = places(14)
        self.shards.locations(VOLUME)
        self.shards.locations(VOLUME, fresh=True)
        self.assertEqual(len(self.cluster.asked), 1)
        self.clock.advance(1)
        self.cluster.answers["LookupEcVolume"] = places(2)
        self.assertEqual(len(self.shards.locations(VOLUME, fresh=True)), 2)

    def test_forget(self) -> None:
        """A holder that failed is named no more, until it is asked for again; what was given out stays."""
        self.cluster.answers["LookupEcVolume"] = places(14)
        self.shards.forget(VOLUME, 0, "s0:8080")
        first = self.shards.locations(VOLUME)
        for shard, address in ((0, "s0:8080"), (1, "s1:8080"), (2, "unknown"), (99, "s0:8080")):
            self.shards.forget(VOLUME, shard, address)
        found = self.shards.locations(VOLUME)
        self.assertEqual((found[0], found.get(1), found[2]), (("two:8081.9",), None, ("s2:8080",)))
        self.assertEqual(first[1], ("s1:8080",))
        self.clock.advance(421)
        self.assertEqual(self.shards.locations(VOLUME)[1], ("s1:8080",))

    def test_no_master(self) -> None:
        """What was true some time ago is better than nothing; without that it is an error."""
        self.cluster.answers["LookupEcVolume"] = FakeError(grpc.StatusCode.UNAVAILABLE, "gone")
        error = self.assertRaises(LookupFailed, self.shards.locations, VOLUME)
        self.assertEqual(str(error), "rpc error: code = Unavailable desc = gone")
        self.cluster.answers["LookupEcVolume"] = places(14)
        self.shards.locations(VOLUME)
        self.cluster.answers["LookupEcVolume"] = FakeError(grpc.StatusCode.UNAVAILABLE, "gone")
        self.clock.advance(9999)
        self.assertEqual(len(self.shards.locations(VOLUME)), 14)

    def test_unknown(self) -> None:
        """A volume that the master does not know is told from a master that is away."""
        self.cluster.answers["LookupEcVolume"] = FakeError(grpc.StatusCode.UNKNOWN, "ec volume 7 not found")
        self.assertRaises(VolumeUnknown, self.shards.locations, VOLUME)


class ReadTests(Case):
    """Bytes of shards."""

    def read(self, *responses: Any, length: int = 5, encode_time_ns: int = 0) -> tuple[bytes, bool]:
        """Read shard 3 where ``responses`` come."""
        self.cluster.answers["VolumeEcShardRead"] = responses
        return self.shards.read(THERE, VOLUME, 3, 11, length, key=9, encode_time_ns=encode_time_ns)

    def test_pieces(self) -> None:
        """All pieces in a row; the stream is over afterwards."""
        found = self.read(VolumeEcShardReadResponse(data=b"he", encode_ts_ns=4),
                          VolumeEcShardReadResponse(data=b"llo", encode_ts_ns=4), encode_time_ns=4)
        self.assertEqual(found, (b"hello", False))
        (target, _, request), = self.cluster.asked
        self.assertEqual((target, request.volume_id, request.shard_id, request.offset, request.size, request.file_key,
                          request.encode_ts_ns), ("there:18081", VOLUME, 3, 11, 5, 9, 4))
        self.assertTrue(self.cluster.streams[0].is_cancelled)

    def test_deleted(self) -> None:
        """A needle deleted there has no bytes."""
        self.assertEqual(self.read(VolumeEcShardReadResponse(is_deleted=True)), (b"", True))

    def test_short(self) -> None:
        """Fewer bytes than were asked for are none."""
        for responses in ((), (VolumeEcShardReadResponse(data=b"hell"),), (VolumeEcShardReadResponse(data=b"hello!"),)):
            error = self.assertRaises(RemoteCallFailed, self.read, *responses)
            self.assertIn("short read ec shard 7.3", str(error))

    def test_other_encoding(self) -> None:
        """Bytes of another encoding are refused, also where the server did not look."""
        for stamp in (0, 5):
            response = VolumeEcShardReadResponse(data=b"hello", encode_ts_ns=stamp)
            error = self.assertRaises(RemoteCallFailed, self.read, response, encode_time_ns=4)
            self.assertIn("different encode run", str(error))
            self.assertEqual(self.read(response), (b"hello", False))

    def test_refused(self) -> None:
        """A refusal keeps its status and words, also in the middle."""
        error = self.assertRaises(RemoteCallFailed, self.read, VolumeEcShardReadResponse(data=b"he"),
                                  FakeError(grpc.StatusCode.UNKNOWN, "not found ec shard 7.3"))
        self.assertEqual((str(error), error.code, error.details), (
            "rpc error: code = Unknown desc = not found ec shard 7.3", "UNKNOWN", "not found ec shard 7.3"))


class DeleteTests(Case):
    """Deletions."""

    def test_delete(self) -> None:
        """Everything that the other server needs to know arrives."""
        self.cluster.answers["VolumeEcBlobDelete"] = VolumeEcBlobDeleteResponse()
        self.shards.delete(THERE, "pics", VOLUME, 0x99, 3)
        (target, _, request), = self.cluster.asked
        self.assertEqual((target, request.collection, request.volume_id, request.file_key, request.version),
                         ("there:18081", "pics", VOLUME, 0x99, 3))

    def test_refused(self) -> None:
        """A refusal is one."""
        self.cluster.answers["VolumeEcBlobDelete"] = FakeError(grpc.StatusCode.UNKNOWN, "no")
        self.assertRaises(RemoteCallFailed, self.shards.delete, THERE, "", VOLUME, 1, 3)
