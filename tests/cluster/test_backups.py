"""Tests for :mod:`seaweedvol.cluster.backups`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.backups import BackupSources, SyncStatus
from seaweedvol.pb import master_pb2, volume_server_pb2 as pb
from seaweedvol.server.interfaces import RemoteCallFailed
from tests.cluster.fakechannels import FakeChannels


class Failure(grpc.RpcError):
    """What a call raises that a server refused."""

    def code(self) -> grpc.StatusCode:
        """Its status."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """Its words."""
        return "not found volume id 7"


class FakeCall:
    """A stream of answers; a failure among them is raised."""

    def __init__(self, answers: list[Any]) -> None:
        self._answers = answers
        self.is_cancelled = False

    def __iter__(self) -> Iterator[Any]:
        for answer in self._answers:
            if isinstance(answer, Exception):
                raise answer
            yield answer

    def cancel(self) -> None:
        """Who reads wants no more."""
        self.is_cancelled = True


class FakeChannel:
    """A connection that gives the answers of ``by_method`` and notes the requests."""

    def __init__(self, by_method: dict[str, Any]) -> None:
        self._by_method = by_method
        self.requests: list[Any] = []

    def _method(self, path: str, *_: object, **__: object) -> Callable[..., Any]:
        def call(request: object, timeout: float = 0) -> Any:
            self.requests.append(request)
            answer = self._by_method[path.rpartition("/")[2]]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    unary_unary = unary_stream = stream_unary = stream_stream = _method

    def close(self) -> None:
        """Hang up."""


class BackupSourcesTests(SynchronousTestCase):
    """Tests for :class:`BackupSources`."""

    def sources(self, **by_method: Any) -> BackupSources:
        """Servers that answer so; ``targets`` notes to whom was connected."""
        self.targets: list[str] = []
        self.channel = FakeChannel(by_method)

        def open_one(target: str) -> grpc.Channel:
            self.targets.append(target)
            return cast(grpc.Channel, self.channel)

        return BackupSources(FakeChannels(open_one))

    def test_lookup(self) -> None:
        """The servers of a volume come with their gRPC ports, if the master knows them."""
        answer = master_pb2.LookupVolumeResponse()
        found = answer.volume_id_locations.add(volume_or_file_id="7")
        found.locations.add(url="a:1", grpc_port=5)
        found.locations.add(url="b:2")
        sources = self.sources(LookupVolume=answer)
        self.assertEqual(sources.lookup("m:9333", 7), ["a:1.5", "b:2"])
        self.assertEqual(self.targets, ["m:19333"])
        self.assertEqual(list(self.channel.requests[0].volume_or_file_ids), ["7"])

    def test_sync_status(self) -> None:
        """What a server says of a volume is handed on."""
        answer = pb.VolumeSyncStatusResponse(tail_offset=9, compact_revision=2, ttl="3d", replication="001", version=3)
        sources = self.sources(VolumeSyncStatus=answer)
        self.assertEqual(sources.sync_status("a:1.5", 7), SyncStatus(9, 2, "3d", "001", 3))
        self.assertEqual(self.targets, ["a:5"])

    def test_appended_after(self) -> None:
        """Pieces come as they are; who stops reading cancels the call."""
        call = FakeCall([pb.VolumeIncrementalCopyResponse(file_content=piece) for piece in (b"ab", b"c")])
        sources = self.sources(VolumeIncrementalCopy=call)
        pieces = cast(Any, sources.appended_after("a:1", 7, 5))
        self.assertEqual(next(pieces), b"ab")
        self.assertEqual(self.channel.requests[0].since_ns, 5)
        pieces.close()
        self.assertTrue(call.is_cancelled)

    def test_refusals(self) -> None:
        """Refusals of each call come in Go's words."""
        sources = self.sources(
            LookupVolume=Failure(), VolumeSyncStatus=Failure(), VolumeIncrementalCopy=FakeCall([Failure()]))
        for ask in (
            lambda: sources.lookup("m:1", 7), lambda: sources.sync_status("a:1", 7),
            lambda: list(sources.appended_after("a:1", 7, 0)),
        ):
            error = self.assertRaises(RemoteCallFailed, ask)
            self.assertIn("rpc error: code = Unknown desc = not found volume id 7", str(error))
