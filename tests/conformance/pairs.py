"""A Go server and one of ours with the same volumes, and the same requests to both at once."""

from __future__ import annotations

import atexit
import os
import pathlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import Sequence

from seaweedvol.pb import volume_server_pb2
from tests.conformance.case import HOURLY, PICTURES, PLAIN, READ_ONLY
from tests.conformance.compare import Names
from tests.conformance.exchange import Request, Response, send
from tests.conformance.servers import Server, launch

#: "go" compares Go with itself, which shows what no comparison can tell apart.
SUBJECT = os.environ.get("CONFORMANCE_SUBJECT", "ours")
_SENDERS = ThreadPoolExecutor(2)


def launch_pair(
    flags: Sequence[str] = (), security: str = "", *, has_volumes: bool = True
) -> tuple[Server, Server]:
    """Both servers with the volumes that cases use; they end with this process, as trial has no end of a class."""
    base = tempfile.TemporaryDirectory(prefix="conformance")
    atexit.register(base.cleanup)
    servers = []
    for place, kind in (("go", "go"), ("ours", SUBJECT)):
        server = launch(kind, pathlib.Path(base.name) / place, flags=flags, security=security)
        atexit.register(server.stop)
        if has_volumes:
            _allocate(server)
        servers.append(server)
    return servers[0], servers[1]


def _allocate(server: Server) -> None:
    server.allocate(PLAIN)
    server.allocate(PICTURES, collection="pics")
    server.allocate(HOURLY, ttl="1h")
    server.allocate(READ_ONLY)
    server.stub().VolumeMarkReadonly(volume_server_pb2.VolumeMarkReadonlyRequest(volume_id=READ_ONLY))


def names_of(servers: tuple[Server, Server]) -> tuple[Names, Names]:
    """What each side calls itself, for :func:`compare.differences`."""
    one, other = (
        (f"127.0.0.1:{server.port}", f"127.0.0.1:{server.public_port}", f"127.0.0.1:{server.master_port}")
        for server in servers
    )
    return one, other


def send_to_both(servers: tuple[Server, Server], request: Request) -> list[list[Response]]:
    """The answers of each server to one request."""

    def answers(server: Server) -> list[Response]:
        return send(server.public_port if request.public else server.port, request)

    return list(_SENDERS.map(answers, servers))
