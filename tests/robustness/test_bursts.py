"""Bursts of responses over real connections: nothing lost, nothing left behind when clients stop or go away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.rpc import door
from seaweedvol.server.errors import Refused
from seaweedvol.server.server import VolumeServer
from tests.rpc.fakes import FakeServer

SECONDS = 20.0
METHOD = "/volume_server_pb.VolumeServer/ReadAllNeedles"
LENGTH = 1000


class BurstTests(SynchronousTestCase):
    """A stream of bursts, as ReadAllNeedles makes them."""

    def setUp(self) -> None:
        self.ended = threading.Event()
        self.made = 0
        self.bursts = 50
        self.failure: Exception | None = None
        pool = ThreadPoolExecutor(4)
        server = grpc.server(pool)
        handler = grpc.unary_stream_rpc_method_handler(
            door.guarded_stream("ReadAllNeedles", FakeServer().as_server(), self.work),
            pb.ReadAllNeedlesRequest.FromString, pb.ReadAllNeedlesResponse.SerializeToString)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
            "volume_server_pb.VolumeServer", {"ReadAllNeedles": handler}),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(pool.shutdown)
        self.addCleanup(lambda: server.stop(0).wait(SECONDS))
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.addCleanup(channel.close)
        self.ask: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(METHOD, None, None)

    def work(self, server: VolumeServer, request: object) -> Iterator[list[pb.ReadAllNeedlesResponse]]:
        """Needles by their numbers."""
        try:
            for _ in range(self.bursts):
                yield [pb.ReadAllNeedlesResponse(needle_id=self.made + at, needle_blob=bytes(LENGTH))
                       for at in range(100)]
                self.made += 100
            if self.failure is not None:
                raise self.failure
        finally:
            self.ended.set()

    def numbers(self, call: Iterator[bytes]) -> Iterator[int]:
        """What comes."""
        return (pb.ReadAllNeedlesResponse.FromString(message).needle_id for message in call)

    def test_all(self) -> None:
        """Each response comes once and in order."""
        self.assertEqual([*self.numbers(self.ask(b"", timeout=SECONDS))], [*range(5000)])

    def test_refusal_after_bursts(self) -> None:
        """What was sent comes, then the refusal."""
        self.bursts, self.failure = 1, Refused("not found volume id 9")
        call = self.ask(b"", timeout=SECONDS)
        found = self.numbers(call)
        self.assertEqual([next(found) for _ in range(100)], [*range(100)])
        self.assertRaises(grpc.RpcError, next, found)
        self.assertEqual((call.code(), call.details()), (grpc.StatusCode.UNKNOWN, "not found volume id 9"))

    def test_client_that_stops_reading(self) -> None:
        """It holds the work up, not the memory; when it goes on all comes, when it goes away the work ends."""
        self.bursts = 1000
        call = self.ask(b"", timeout=SECONDS)
        found = self.numbers(call)
        next(found)
        held = -1
        while held != self.made:
            held = self.made
            time.sleep(0.2)
        self.assertLess(held, 100 * self.bursts)
        self.assertEqual([next(found) for _ in range(10_000)], [*range(1, 10_001)])
        call.cancel()
        self.assertTrue(self.ended.wait(SECONDS))
        self.assertEqual([*self.numbers(self.ask(b"", timeout=SECONDS))][-1], self.made - 1)
