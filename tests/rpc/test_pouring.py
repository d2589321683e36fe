"""Bursts of responses: what the way out does with grpcio's inside, and that this is inside of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import attrs
import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.rpc import door, pouring
from tests.rpc.fakes import FakeContext, FakeServer

MORE = 1


@attrs.define
class FakeState:
    """Of a call, as grpcio keeps it."""

    condition: threading.Condition = attrs.Factory(threading.Condition)
    due: set[str] = attrs.Factory(set)
    is_open: bool = True


@attrs.define
class FakeCall:
    """Sends at once, as an event thread that is quick would; until the client hangs up after ``patience``."""

    state: FakeState
    patience: int = 1000
    sent: list[tuple[bytes, int]] = attrs.Factory(list)
    ends: list[Any] = attrs.Factory(list)

    def start_server_batch(self, operations: tuple[tuple[bytes, int]], tag: Callable[[object], Any]) -> None:
        """Send."""
        self.sent += operations
        if len(self.sent) == self.patience:
            self.state.is_open = False
        self.ends.append(tag(None))


def _finish(state: FakeState, token: str) -> tuple[str, str]:
    state.due.remove(token)
    return "finished", token


INSIDE = pouring.Inside("message", lambda state: bool(state.is_open), _finish, lambda data, flags: (data, flags), MORE)


class PourTests(SynchronousTestCase):
    """Pour."""

    def setUp(self) -> None:
        self.state = FakeState()
        self.call = FakeCall(self.state)
        self.pour = pouring.Pour(INSIDE, self.call, self.state)

    def test_burst(self) -> None:
        """Each message goes out once and in order; all but the last are said to be followed."""
        self.assertTrue(self.pour.send([b"a", b"b", b"c"]))
        self.assertTrue(self.pour.send([b"d"]))
        self.assertEqual(self.call.sent, [(b"a", MORE), (b"b", MORE), (b"c", 0), (b"d", 0)])
        self.assertEqual(self.state.due, set())
        self.assertEqual([end for end in self.call.ends if end[0]], [("finished", "message")] * 2)

    def test_nothing(self) -> None:
        """An empty burst sends nothing."""
        self.assertTrue(self.pour.send([]))
        self.assertEqual(self.call.sent, [])

    def test_client_gone(self) -> None:
        """What was not sent when the client hangs up never is, and the caller is told."""
        self.call.patience = 2
        self.assertFalse(self.pour.send([b"a", b"b", b"c"]))
        self.assertFalse(self.pour.send([b"d"]))
        self.assertEqual([data for data, _ in self.call.sent], [b"a", b"b"])
        self.assertEqual(self.state.due, set())


class WayTests(SynchronousTestCase):
    """pour_for, and the door's use of it."""

    def test_inside_grpcio(self) -> None:
        """What is reached for is there in the grpcio that is installed."""
        self.assertIsNotNone(pouring.look_inside())

    def test_another_grpcio(self) -> None:
        """Where it is not, the public way is taken."""
        with mock.patch("importlib.import_module", return_value=SimpleNamespace()):
            self.assertIsNone(pouring.look_inside())
        with mock.patch.object(pouring, "INSIDE", None):
            self.assertIsNone(pouring.pour_for(cast(grpc.ServicerContext, FakeContext())))

    def answers(self, *messages: pb.CopyFileResponse) -> list[Any]:
        """What is left to grpcio of a burst."""
        context = cast(grpc.ServicerContext, FakeContext())
        return list(door.guarded_stream("CopyFile", FakeServer().as_server(), lambda server, request: [[*messages]])(
            pb.CopyFileRequest(), context))

    def test_public_way(self) -> None:
        """Without a pour a burst comes one by one."""
        one, two = pb.CopyFileResponse(file_content=b"1"), pb.CopyFileResponse(file_content=b"2")
        self.assertEqual(self.answers(one, two), [one, two])

    def test_short_way(self) -> None:
        """With one, nothing of it is left."""
        state = FakeState()
        call = FakeCall(state)
        with mock.patch.object(door, "pour_for", return_value=pouring.Pour(INSIDE, call, state)):
            self.assertEqual(self.answers(pb.CopyFileResponse(file_content=b"1")), [])
        self.assertEqual(call.sent, [(pb.CopyFileResponse(file_content=b"1").SerializeToString(), 0)])
