"""Channels that are kept, left, and closed."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import grpc
from twisted.internet import task
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.tls.kept import REST_SECONDS, Kept
from tests.cluster.test_calls import FakeError

HERE = "a:1"


class Call:
    """A call under way that the test ends."""

    def __init__(self) -> None:
        self.tell: Callable[[Any], None] | None = None
        self.status = grpc.StatusCode.OK

    def add_done_callback(self, tell: Callable[[Any], None]) -> None:
        """See grpc.Future."""
        self.tell = tell

    def code(self) -> grpc.StatusCode:
        """See grpc.Call."""
        return self.status

    def end(self, status: grpc.StatusCode) -> None:
        """It is over."""
        self.status = status
        assert self.tell is not None
        self.tell(self)


class Method:
    """One that is answered by the test, at once or later."""

    def __init__(self, fails_with: grpc.StatusCode | None) -> None:
        self.fails_with = fails_with

    def __call__(self, request: bytes) -> Any:
        """Answer, fail, or begin."""
        if self.fails_with is not None:
            raise FakeError(self.fails_with, "why")
        return request if request else Call()

    def future(self, request: bytes) -> Call:
        """Begin."""
        return Call()


class FakeChannel:
    """A channel that counts."""

    closed = 0
    fails_with: grpc.StatusCode | None = None

    def unary_unary(self, method: str) -> Method:
        """See grpc.Channel."""
        return Method(self.fails_with)

    unary_stream = stream_unary = stream_stream = unary_unary

    def close(self) -> None:
        """Count."""
        self.closed += 1


class KeptTests(SynchronousTestCase):
    """Tests for :class:`Kept`."""

    def setUp(self) -> None:
        self.clock = task.Clock()
        self.kept = Kept(self.clock.seconds)
        self.made: list[FakeChannel] = []

    def make(self) -> Any:
        """Another channel."""
        self.made.append(FakeChannel())
        return self.made[-1]

    def to(self, target: str = HERE) -> Any:
        """The channel there."""
        return self.kept.to(target, self.make)

    def test_one_for_each(self) -> None:
        """The same server has the same channel until the end; closing closes each once."""
        self.assertIsNone(self.kept.at(HERE))
        self.assertIs(self.to(), self.to())
        self.assertIs(self.kept.at(HERE), self.to())
        self.assertIsNot(self.to(), self.to("b:1"))
        self.kept.close()
        self.kept.close()
        self.assertEqual([each.closed for each in self.made], [1, 1])

    def test_left_when_broken(self) -> None:
        """What cannot connect, or is not whom we took it for, is dialled anew for later calls; other errors are not."""
        codes = grpc.StatusCode
        for status, is_left in ((codes.OK, False), (codes.NOT_FOUND, False), (codes.DEADLINE_EXCEEDED, False),
                                (codes.UNAVAILABLE, True), (codes.UNAUTHENTICATED, True)):
            for way in ("waited for", "future", "stream"):
                before = self.to()
                self.clock.advance(REST_SECONDS)
                if way == "waited for":
                    self.made[-1].fails_with = None if status is codes.OK else status
                    method = before.unary_unary("/x")
                    if status is codes.OK:
                        self.assertEqual(method(b"a"), b"a")
                    else:
                        self.assertRaises(grpc.RpcError, method, b"a")
                    self.made[-1].fails_with = None
                else:
                    call = before.unary_unary("/x").future(b"") if way == "future" else before.unary_stream("/x")(b"")
                    call.end(status)
                self.assertEqual(self.to() is not before, is_left, (status, way))

    def test_not_dialled_for_each_call(self) -> None:
        """However many calls fail, there is one channel in so many seconds."""
        for _ in range(100):
            self.to().unary_unary("/x").future(b"").end(grpc.StatusCode.UNAVAILABLE)
            self.clock.advance(REST_SECONDS / 10)
        self.assertEqual(len(self.made), 10)

    def test_late_failure(self) -> None:
        """A call that fails over a channel that was left says nothing of the next."""
        call = self.to().unary_unary("/x").future(b"")
        self.kept.leave_all()
        second = self.to()
        self.clock.advance(REST_SECONDS)
        call.end(grpc.StatusCode.UNAVAILABLE)
        self.assertIs(self.to(), second)

    def test_closing_ends_what_goes_on_over_left_ones(self) -> None:
        """Channels that were left with calls under way, or get one from who had them, are closed at the end too."""
        first = self.to()
        call = first.unary_unary("/x").future(b"")
        self.kept.leave_all()
        second = self.to()
        self.kept.leave_all()
        late = second.unary_stream("/x")(b"")
        third = self.to()
        third.unary_unary("/x").future(b"").end(grpc.StatusCode.OK)
        self.kept.leave_all()
        self.kept.close()
        self.assertEqual([each.closed for each in self.made], [1, 1, 0])
        call.end(grpc.StatusCode.CANCELLED)
        late.end(grpc.StatusCode.CANCELLED)

    def test_no_garbage(self) -> None:
        """A channel that was left is gone with its last call, waited for or not, without a collector."""
        gc.disable()
        self.addCleanup(gc.enable)
        for fails in (False, True):
            channel = self.to()
            gone = weakref.ref(channel)
            call = channel.unary_unary("/x").future(b"")
            if fails:
                self.made[-1].fails_with = grpc.StatusCode.UNAVAILABLE
                with self.assertRaises(grpc.RpcError):
                    channel.unary_unary("/x")(b"a")
            del channel
            self.kept.leave_all()
            self.assertIsNotNone(gone())
            call.end(grpc.StatusCode.OK)
            del call
            self.assertIsNone(gone())
