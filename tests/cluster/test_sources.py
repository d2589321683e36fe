"""Copying from another server: its calls behind a channel in memory, with a real store behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.sources import Sources
from seaweedvol.server import blobs, copying
from seaweedvol.server.copying import CopyRequest
from seaweedvol.server.interfaces import RemoteCallFailed
from tests.cluster.fakechannels import FakeChannels
from tests.cluster.test_calls import FakeError
from tests.rpc.fakes import Aborted, call
from tests.server.building import VOLUME, new_volume, put, server_over, store_for

THERE = "there:8080.18080"


@attrs.define
class FakeStream:
    """A stream of responses under way."""

    responses: Iterator[Any]
    is_cancelled: bool = False

    def __iter__(self) -> Iterator[Any]:
        return self.responses

    def cancel(self) -> None:
        """Nobody reads on."""
        self.is_cancelled = True


class SourcesTests(SynchronousTestCase):
    """All four calls."""

    def setUp(self) -> None:
        self.store = store_for(self)
        new_volume(self.store)
        put(self.store, 1, b"hello")
        self.targets: list[str] = []
        self.streams: list[FakeStream] = []
        self.sources = Sources(FakeChannels(self.open))

    def open(self, target: str) -> Any:
        """A channel to our own server."""
        self.targets.append(target)
        return self

    def unary_unary(self, path: str, *_: object, **__: object) -> Any:
        """One method with one response."""
        return lambda request, timeout=None: self.answer(path, request)

    def unary_stream(
            self, path: str, request_serializer: object, response_deserializer: object = None, **__: object) -> Any:
        """One method with a stream of them; serialized, where nobody wants them otherwise."""
        def begin(request: Any) -> FakeStream:
            self.streams.append(FakeStream(
                step if response_deserializer else step.SerializeToString()
                for _ in (0,) for step in self.answer(path, request)))
            return self.streams[-1]
        return begin

    stream_unary = stream_stream = unary_unary

    def answer(self, path: str, request: Any) -> Any:
        """What the other server says."""
        try:
            return call(server_over(self.store), path.rpartition("/")[2], request)
        except Aborted as refusal:
            raise FakeError(*refusal.args) from None

    def test_file_status(self) -> None:
        """Every field arrives."""
        self.assertEqual(self.sources.file_status(THERE, VOLUME), copying.file_status(self.store, VOLUME))
        self.assertEqual(self.targets, ["there:18080"])

    def test_copy_file(self) -> None:
        """So does every byte; when all is read, or nobody reads on, the call is over."""
        wanted = CopyRequest(VOLUME, ".dat", 1 << 40)
        self.assertEqual(list(self.sources.copy_file(THERE, wanted)), list(copying.copy_file(self.store, wanted)))
        chunks = self.sources.copy_file(THERE, wanted)
        next(chunks)
        chunks.close()  # type: ignore[attr-defined]
        self.assertEqual([stream.is_cancelled for stream in self.streams], [True, True])

    def test_blob(self) -> None:
        """A record, byte for byte."""
        self.assertEqual(self.sources.read_blob(THERE, VOLUME, 8, 10), blobs.read_blob(self.store, VOLUME, 8, 10))

    def test_refusal(self) -> None:
        """In Go's words, with the status and the other server's own words apart."""
        wanted = CopyRequest(VOLUME, ".bad.", 1)
        for function, arguments, words in (
            (self.sources.read_blob, (9, 8, 1), "not found volume id 9"),
            (lambda *a: list(self.sources.copy_file(*a)), (wanted,), 'invalid file extension ".bad."'),
        ):
            error = self.assertRaises(RemoteCallFailed, function, THERE, *arguments)
            self.assertEqual((str(error), error.code, error.details),
                             (f"rpc error: code = Unknown desc = {words}", grpc.StatusCode.UNKNOWN.name, words))

    def test_no_address(self) -> None:
        """What is no address cannot be reached, as in Go."""
        def refuse(path: str, request: Any) -> Any:
            raise FakeError(grpc.StatusCode.UNKNOWN, "Failed to create channel to '': it is not valid")

        self.patch(self, "answer", refuse)
        error = self.assertRaises(RemoteCallFailed, self.sources.file_status, "", VOLUME)
        self.assertEqual((str(error), error.code), (
            "rpc error: code = Unavailable desc = Failed to create channel to '': it is not valid", "UNAVAILABLE"))
