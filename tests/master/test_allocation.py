"""Orders to volume servers, over channels that lie in memory."""

from __future__ import annotations

from typing import Any

import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.master.allocation import CallFailed, VolumeServers
from seaweedvol.master.assign import layout_of
from seaweedvol.master.topology import Topology
from seaweedvol.pb.volume_server_pb2 import PingResponse
from tests.master.worlds import beat, joined


class Refusal(grpc.RpcError):
    """A call that failed."""

    def code(self) -> grpc.StatusCode:
        """The status."""
        return grpc.StatusCode.DEADLINE_EXCEEDED

    def details(self) -> str:
        """The text."""
        return "too slow"


class FakeChannel:
    """A channel that remembers and answers."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.asked: list[tuple[str, Any]] = []
        self.error: Exception | None = None
        self.is_closed = False

    def unary_unary(self, path: str, *_: object, **__: object) -> Any:
        """One method."""
        def call(request: Any, timeout: float) -> PingResponse:
            if self.error is not None:
                raise self.error
            self.asked.append((path.rpartition("/")[2], request))
            return PingResponse(start_time_ns=5)
        return call

    stream_stream = unary_stream = stream_unary = unary_unary

    def close(self) -> None:
        """Remember."""
        self.is_closed = True


class VolumeServersTests(SynchronousTestCase):
    """What is sent, and what a failure looks like."""

    def setUp(self) -> None:
        """One server."""
        self.opened: list[FakeChannel] = []
        self.servers = VolumeServers(self.open)
        self.node = joined(Topology(1), beat())

    def open(self, target: str) -> Any:
        """A channel of the test's."""
        self.opened.append(FakeChannel(target))
        return self.opened[-1]

    def test_orders(self) -> None:
        """Every order goes over one channel to the server's gRPC port, with all it needs."""
        self.servers.allocate(self.node, 7, layout_of("c", "001", "3m", "ssd"))
        self.servers.delete(self.node, 7)
        self.servers.delete_collection(self.node, "c")
        self.assertEqual(self.servers.ping(self.node), 5)
        self.assertEqual([one.target for one in self.opened], ["10.0.0.1:18080"])
        (_, made), (_, deleted), (_, dropped), _ = self.opened[0].asked
        self.assertEqual((made.volume_id, made.collection, made.replication, made.ttl, made.disk_type, made.version),
                         (7, "c", "001", "3m", "ssd", 3))
        self.assertEqual((deleted.volume_id, dropped.collection), (7, "c"))

    def test_failures_read_as_in_go(self) -> None:
        """The status and the server's words."""
        self.servers.ping(self.node)
        self.opened[0].error = Refusal()
        error = self.assertRaises(CallFailed, self.servers.delete, self.node, 7)
        self.assertEqual(str(error), "rpc error: code = DeadlineExceeded desc = too slow")

    def test_close(self) -> None:
        """The channels are given up, and a later call opens a new one."""
        self.servers.ping(self.node)
        self.servers.close()
        self.assertTrue(self.opened[0].is_closed)
        self.servers.ping(self.node)
        self.assertEqual(len(self.opened), 2)
