"""Makes the calls about erasure-coded volumes to Go and to us, and fails with the list of what differs."""

from __future__ import annotations

import atexit
import os
import pathlib
import tempfile

from tests.conformance import cases_rpc_ecscrub, cases_rpc_erasure as cases
from tests.conformance.rpc_pairs import RpcServer
from tests.conformance.rpc_steps import Call, Place, Step
from tests.conformance.test_rpcs import RpcPairCase


class ErasureTests(RpcPairCase):
    """Servers with one directory."""

    def test_erasure(self) -> None:
        """Shards are made, mounted, read, rebuilt, decoded and removed as by Go."""
        self.compare(cases.cases())


class ScrubTests(RpcPairCase):
    """Servers with one directory, whose shards are damaged."""

    def test_scrub(self) -> None:
        """What is wrong is found as by Go, and told in its words."""
        self.compare(cases_rpc_ecscrub.cases())


class DiskTests(RpcPairCase):
    """Servers with two directories."""

    folders = ("one", "two")

    def test_disks(self) -> None:
        """Shards in both are one volume as for Go."""
        self.compare(cases.disk_cases())


class IndexTests(RpcPairCase):
    """Servers that keep indexes elsewhere."""

    index = "index"

    def test_indexes(self) -> None:
        """Every file is where Go has it."""
        self.compare(cases.index_cases())


class MaintenanceTests(RpcPairCase):
    """Servers in maintenance mode."""

    def test_maintenance(self) -> None:
        """What Go refuses is refused."""
        self.compare(cases.maintenance_cases())


class CopyTests(RpcPairCase):
    """Servers with two directories that copy from a third server."""

    folders = ("one", "two")

    def setUp(self) -> None:
        super().setUp()
        self.go.source = self.ours.source = _source()

    def test_copies(self) -> None:
        """What comes, and what is left, is as for Go."""
        self.compare(cases.copying_cases())


_SOURCES: list[str] = []


def _source() -> str:
    """The address of a Go server with two erasure-coded volumes."""
    if not _SOURCES:
        base = tempfile.TemporaryDirectory(prefix="source", dir=os.environ.get("CONFORMANCE_SCRATCH"))
        atexit.register(base.cleanup)
        server = RpcServer("go", pathlib.Path(base.name))
        atexit.register(server.stop)
        server.start()
        steps = (
            *cases.encoded(5), cases.mount(5), cases.forget(5, 2), cases.forget(5, 4),
            *cases.encoded(6, "c", count=4), cases.mount(6, collection="c"))
        for step in steps:
            _take(server, step)
        _SOURCES.append(f"127.0.0.1:{server.port}.{server.grpc_port}")
    return _SOURCES[0]


def _take(server: RpcServer, step: Step) -> None:
    if isinstance(step, Place):
        path = server.base / step.name
        path.unlink() if step.content is None else path.write_bytes(step.content)
        return
    assert isinstance(step, Call)
    assert server.call(step.method, step.request).code == "OK", step
