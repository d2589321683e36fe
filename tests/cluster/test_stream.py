"""The heartbeat's stream: when its connection is opened, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.heartbeat import GrpcStream
from seaweedvol.pb.master_pb2 import Heartbeat, HeartbeatResponse


class FakeCall:
    """Answers, until it is cancelled."""

    def __init__(self, beats: Iterator[Heartbeat]) -> None:
        self.beats = beats
        self.is_cancelled = False

    def __iter__(self) -> Iterator[HeartbeatResponse]:
        while not self.is_cancelled:
            yield HeartbeatResponse(leader="m:1")

    def cancel(self) -> bool:
        """End it."""
        self.is_cancelled = True
        return True


class FakeChannel:
    """A grpc.Channel of which only streams are used."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.is_closed = False

    def stream_stream(self, *_: Any, **__: Any) -> Any:
        """The calls of that kind."""
        return FakeCall

    def _none(self, *_: Any, **__: Any) -> Any:
        return None

    unary_unary = unary_stream = stream_unary = _none

    def close(self) -> None:
        """Remember."""
        self.is_closed = True


class GrpcStreamTests(SynchronousTestCase):
    """Tests for :class:`GrpcStream`."""

    def setUp(self) -> None:
        self.opened: list[FakeChannel] = []
        self.stream = GrpcStream("m:1.2", iter(()), self.open)

    def open(self, target: str) -> Any:
        """A channel."""
        self.opened.append(FakeChannel(target))
        return self.opened[-1]

    def test_opened_by_the_reader(self) -> None:
        """Opening may block, so it is left to the thread that reads; hanging up ends the answers."""
        self.assertEqual(self.opened, [])
        answers = self.stream.answers()
        self.assertEqual(next(answers).leader, "m:1")
        self.assertEqual([one.target for one in self.opened], ["m:2"])
        self.stream.hang_up()
        self.stream.hang_up()
        self.assertEqual((list(answers), self.opened[0].is_closed), ([], True))

    def test_hung_up_before(self) -> None:
        """A stream that was given up before it was open says nothing, and leaves nothing open."""
        self.stream.hang_up()
        self.assertEqual(list(self.stream.answers()), [])
        self.assertTrue(self.opened[0].is_closed)
