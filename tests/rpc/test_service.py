"""The life of the gRPC server inside Twisted's."""

from __future__ import annotations

import math
import time
from typing import Any, cast

import attrs
import grpc
from twisted.trial.unittest import TestCase

from seaweedvol.rpc.service import GrpcService
from tests.rpc.fakes import FakeServer


@attrs.define
class FakeEnd:
    """When the last call has ended."""

    waits: list[float] = attrs.field(factory=list)

    def wait(self, seconds: float) -> bool:
        """It has."""
        self.waits.append(seconds)
        return True


@attrs.define
class FakeGrpc:
    """A grpc.Server without sockets."""

    calls: list[tuple[str, object]] = attrs.field(factory=list)
    end: FakeEnd = attrs.field(factory=FakeEnd)
    is_taken: bool = False

    def add_insecure_port(self, address: str) -> int:
        """Bind, unless the port is taken."""
        if self.is_taken:
            raise RuntimeError("Failed to bind to address")
        self.calls.append(("bind", address))
        return 4711

    def start(self) -> None:
        """Serve."""
        self.calls.append(("start", None))

    def stop(self, grace: float) -> FakeEnd:
        """Drain."""
        self.calls.append(("stop", grace))
        return self.end


class ServiceUnderTest(GrpcService):
    """With a server that listens nowhere."""

    def __init__(self, fake: FakeGrpc, host: str = "127.0.0.1") -> None:
        super().__init__(FakeServer().as_server(), host, 18080, grace=2.0)
        self.fake = fake

    def _make(self) -> grpc.Server:
        return cast(grpc.Server, self.fake)


class ServiceTests(TestCase):
    """Start and stop."""

    async def test_life(self) -> None:
        """Bound and started with the service; stopped with a bound that calls can see, and the end is waited for."""
        fake = FakeGrpc()
        service = ServiceUnderTest(fake)
        service.startService()
        life = service._server.life
        self.assertEqual((service.port, service.running, life.calls_end_at), (4711, 1, math.inf))
        stopped: Any = service.stopService()
        await stopped
        self.assertEqual(fake.calls, [("bind", "127.0.0.1:18080"), ("start", None), ("stop", 2.0)])
        self.assertEqual(fake.end.waits, [3.0])
        self.assertLess(abs(life.calls_end_at - time.monotonic() - 2), 1)

    async def test_busy(self) -> None:
        """Under load callers wait for the end of their calls over the moment in which the server stops."""
        fake, seen = FakeGrpc(), []
        service = ServiceUnderTest(fake)
        life = service._server.life
        service._sleep = lambda seconds: seen.append((life.calls_may_end.is_set(), len(fake.calls)))
        service.startService()
        life.called_at = time.monotonic()
        stopped: Any = service.stopService()
        await stopped
        self.assertEqual((seen, life.calls_may_end.is_set()), ([(False, 2), (False, 3)], True))

    def test_addresses(self) -> None:
        """No host means all addresses, of both families; an IPv6 address gets its brackets."""
        for host, address in {
            "": "[::]:18080", "0.0.0.0": "0.0.0.0:18080", "::1": "[::1]:18080", "[::1]": "[::1]:18080",
            "localhost": "localhost:18080",
        }.items():
            fake = FakeGrpc()
            ServiceUnderTest(fake, host).startService()
            self.assertEqual(fake.calls[0], ("bind", address))

    def test_taken(self) -> None:
        """A port that somebody else has is an error at the start, which names it."""
        service = ServiceUnderTest(FakeGrpc(is_taken=True))
        error = self.assertRaises(OSError, service.startService)
        self.assertIn("127.0.0.1:18080", str(error))
        self.assertFalse(service.running)

    def test_stopped_before_its_start(self) -> None:
        """A start that failed elsewhere may still stop us."""
        self.assertIsNone(ServiceUnderTest(FakeGrpc()).stopService())

    def test_real_parts(self) -> None:
        """The real server takes all our options, the service and its reflection; it is never bound."""
        service = GrpcService(FakeServer().as_server(), "127.0.0.1", 0, threads=1)
        server = service._make()
        server.stop(None)
