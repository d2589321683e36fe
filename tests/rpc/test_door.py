"""What happens around every call."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any, cast

import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.logs.asking import REQUEST_ID as ASKING
from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.rpc import door, failures, servicer
from seaweedvol.server.errors import Refused
from seaweedvol.server.server import VolumeServer
from seaweedvol.server.slowness import SlowLog
from tests.rpc.fakes import Aborted, FakeContext, FakeServer, call
from tests.server.test_slowness import slow_lines


def as_context(context: FakeContext) -> grpc.ServicerContext:
    """The same, under the type that the door asks for."""
    return cast(grpc.ServicerContext, context)


class UnaryTests(SynchronousTestCase):
    """Calls with one response."""

    def setUp(self) -> None:
        self.server = FakeServer().as_server()
        self.context = FakeContext()

    def answer(self, work: door.Work, name: str = "VolumeStatus") -> Any:
        """One call of ``work``."""
        return door.guarded_unary(name, self.server, work)(pb.VolumeStatusRequest(), as_context(self.context))

    def test_success(self) -> None:
        """The response comes back, with a request id in the trailer."""
        response = self.answer(lambda server, request: pb.VolumeStatusResponse(volume_size=8))
        self.assertEqual(response.volume_size, 8)
        self.assertEqual(str(uuid.UUID(self.context.trailing["x-amz-request-id"])),
                         self.context.trailing["x-amz-request-id"])

    def test_request_id_of_the_client(self) -> None:
        """A client's own id comes back, an empty one is replaced."""
        self.context.metadata = (("other", "x"), ("x-amz-request-id", "mine"))
        self.answer(lambda server, request: pb.VolumeStatusResponse())
        self.assertEqual(self.context.trailing, {"x-amz-request-id": "mine"})
        self.context.metadata = (("x-amz-request-id", ""),)
        self.answer(lambda server, request: pb.VolumeStatusResponse())
        self.assertEqual(len(self.context.trailing["x-amz-request-id"]), 36)

    def test_request_id_in_the_log(self) -> None:
        """What is logged on behalf of a call can tell its id, and nothing after it does."""
        self.context.metadata = (("x-amz-request-id", "mine"),)
        told: list[str] = []

        def work(server: VolumeServer, request: object) -> object:
            told.append(ASKING.get())
            return pb.VolumeStatusResponse()
        self.answer(work)
        self.assertEqual((told, ASKING.get()), (["mine"], ""))

    def test_slow(self) -> None:
        """A call that takes long is told of, if that is asked for."""
        self.context.metadata = (("x-amz-request-id", "mine"),)
        with self.assertNoLogs("seaweedvol"):
            self.answer(lambda server, request: pb.VolumeStatusResponse())
        self.server.slow = SlowLog(1e-9)
        with slow_lines() as lines:
            self.answer(lambda server, request: pb.VolumeStatusResponse())
        self.assertRegex(lines[0][0], "^slow request: VolumeStatus from .* took .* gRPC$")
        self.assertEqual(lines[0][1], "mine")

    def test_held_back(self) -> None:
        """While the server stops, a call that is done does not end until its caller knows."""
        life = self.server.life
        life.calls_may_end.clear()
        releasing = threading.Timer(0.05, life.calls_may_end.set)
        releasing.start()
        self.addCleanup(releasing.join)
        self.answer(lambda server, request: pb.VolumeStatusResponse())
        self.assertTrue(life.calls_may_end.is_set())

    def test_refusal(self) -> None:
        """An exception becomes a status; the request id is there all the same."""
        def refuse(server: VolumeServer, request: object) -> object:
            raise Refused("not found volume id 1")
        self.assertRaises(Aborted, self.answer, refuse)
        self.assertEqual((self.context.code, self.context.details), (grpc.StatusCode.UNKNOWN, "not found volume id 1"))
        self.assertIn("x-amz-request-id", self.context.trailing)

    def test_refusal_in_the_log(self) -> None:
        """Work that was not done is told of, on behalf of its call."""
        self.context.metadata = (("x-amz-request-id", "mine"),)
        told: list[str] = []

        def note(name: str, request: Any, error: Exception) -> None:
            told.append(f"{name} {request.volume_id} {error} {ASKING.get()}")
        self.patch(failures, "tell", note)

        def refuse(server: VolumeServer, request: object) -> object:
            raise Refused("x")
        request = pb.VacuumVolumeCommitRequest(volume_id=7)
        for answer in (door.guarded_unary("VacuumVolumeCommit", self.server, refuse),
                       lambda *asked: list(door.guarded_stream("VacuumVolumeCommit", self.server, refuse)(*asked))):
            self.assertRaises(Aborted, answer, request, as_context(self.context))
        self.assertEqual(told, ["VacuumVolumeCommit 7 x mine"] * 2)

    def test_fault(self) -> None:
        """A fault of ours is logged, and the client learns nothing of it."""
        self.assertRaises(Aborted, self.answer, lambda server, request: {"a": 1}["inside"])
        self.assertEqual((self.context.code, self.context.details), (grpc.StatusCode.INTERNAL, "internal error"))
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_gate_before_work(self) -> None:
        """Nothing happens for a stranger."""
        self.context.address = "ipv4:10.0.0.9:1"
        done: list[object] = []
        self.assertRaises(Aborted, self.answer, lambda server, request: done.append(request), "VolumeMount")
        self.assertEqual((done, self.context.code), ([], grpc.StatusCode.PERMISSION_DENIED))


class StreamTests(SynchronousTestCase):
    """Calls with a stream of responses."""

    def setUp(self) -> None:
        self.server = FakeServer().as_server()
        self.context = FakeContext()

    def answer(self, work: door.Work) -> Iterator[Any]:
        """One call of ``work``."""
        return door.guarded_stream("CopyFile", self.server, work)(pb.CopyFileRequest(), as_context(self.context))

    def test_success(self) -> None:
        """Responses come one by one, without a request id, as Go's interceptor leaves streams alone."""
        found = list(self.answer(lambda server, request: iter([pb.CopyFileResponse(), pb.CopyFileResponse()])))
        self.assertEqual((len(found), self.context.trailing), (2, {}))

    def test_failure_on_the_way(self) -> None:
        """What was sent stays sent; the status tells of the failure."""
        def work(server: VolumeServer, request: object) -> Iterator[pb.CopyFileResponse]:
            yield pb.CopyFileResponse()
            raise Refused("read /data/1.dat: input/output error")
        stream = self.answer(work)
        next(stream)
        self.assertRaises(Aborted, next, stream)
        self.assertEqual(self.context.details, "read /data/1.dat: input/output error")

    def test_client_gone(self) -> None:
        """When the client hangs up, the work's files are closed and no status is made up."""
        closed: list[bool] = []

        def work(server: VolumeServer, request: object) -> Iterator[pb.CopyFileResponse]:
            try:
                while True:
                    yield pb.CopyFileResponse()
            finally:
                closed.append(True)
        stream = self.answer(work)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        self.assertEqual((closed, self.context.code), ([True], grpc.StatusCode.OK))

    def test_nobody_listens(self) -> None:
        """Where the work has nothing to say, it is ended if nobody listens any more."""
        closed: list[bool] = []

        def work(server: VolumeServer, request: object) -> Iterator[pb.CopyFileResponse | None]:
            try:
                yield None
                yield pb.CopyFileResponse()
                yield None
                self.fail("went on")
            finally:
                closed.append(True)
        stream = self.answer(work)
        next(stream)
        self.context.is_listening = False
        self.assertEqual((list(stream), closed), ([], [True]))


class LaterCallTests(SynchronousTestCase):
    """Calls that this server does not offer yet."""

    def test_not_implemented(self) -> None:
        """They say so, in gRPC's usual words, whatever their kind."""
        server = FakeServer().as_server()
        for name, request in (
            ("VolumeEcShardsInfo", pb.VolumeEcShardsInfoRequest()),
            ("VolumeEcShardRead", pb.VolumeEcShardReadRequest()),
        ):
            handler = door.method_handler(servicer.SERVICE.methods_by_name[name], server, None)
            context = FakeContext()
            unary, stream = handler.unary_unary, handler.unary_stream
            answer: Any = unary if unary is not None else lambda *asked, each=stream: list(each(*asked))
            self.assertRaises(Aborted, answer, request, context)
            self.assertEqual((context.code, context.details),
                             (grpc.StatusCode.UNIMPLEMENTED, f"method {name} not implemented"))

    def test_gates_come_first(self) -> None:
        """In maintenance mode even a call that is not offered answers "maintenance mode"."""
        fake = FakeServer()
        fake.store.state.value.maintenance = True
        for name, request in (
            ("VolumeEcShardsRebuild", pb.VolumeEcShardsRebuildRequest()), ("ReceiveFile", []),
            ("VolumeTierMoveDatToRemote", pb.VolumeTierMoveDatToRemoteRequest()),
        ):
            context = FakeContext()
            self.assertRaises(Aborted, call, fake.as_server(), name, request, context)
            self.assertEqual((context.code, context.details),
                             (grpc.StatusCode.UNKNOWN, "volume server here:8080 is in maintenance mode"))
