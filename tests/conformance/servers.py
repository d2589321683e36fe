"""Starts what is compared: a Go master with a Go volume server, and another Go master with ours."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from typing import Sequence

import attrs
import grpc

from seaweedvol.pb import volume_server_pb2, volume_server_pb2_grpc

WEED = os.environ.get("WEED_BINARY", "")
READY_WITHIN = 30.0
ROOT = pathlib.Path(__file__).resolve().parents[2]


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on, each with its gRPC neighbour (port + 10000) free as well."""
    # Both below 32768: from there on the system takes ports for outgoing connections.
    low, span = 11000, 11000
    found: list[int] = []
    port = low + os.getpid() * 64 % span
    while len(found) < count:
        port = low + (port - low + 1) % span
        if all(_is_free(candidate) for candidate in (port, port + 10000)):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@attrs.define
class Process:
    """One started program and where its output goes."""

    popen: "subprocess.Popen[bytes]"
    log: pathlib.Path

    def stop(self, *, hard: bool = False) -> None:
        """End it and wait; ``hard`` means SIGKILL."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGKILL if hard else signal.SIGINT)
            try:
                self.popen.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()


def start(command: Sequence[str], log: pathlib.Path) -> Process:
    """Start ``command`` with both outputs appended to ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    # What other tests in this process have told grpcio is not for servers.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GRPC_")}
    environ["PYTHONPATH"] = str(ROOT)
    with log.open("ab") as sink:
        popen = subprocess.Popen(
            command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, env=environ, cwd=log.parent
        )
    return Process(popen, log)


def wait_until_up(port: int, path: str, process: Process) -> None:
    """Poll ``GET path`` until it answers below 500.

    :raises RuntimeError: with the end of the log, when it does not in time.
    """
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and process.popen.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                status = connection.recv(4096).split(b" ")
                if len(status) > 1 and int(status[1]) < 500:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    log = process.log.read_text(errors="replace")[-3000:]
    raise RuntimeError(f"not up on {port}, exit status {process.popen.poll()}:\n{log}")


@attrs.define
class Server:
    """A running volume server with a master of its own."""

    name: str
    port: int
    public_port: int
    grpc_port: int
    directory: pathlib.Path
    master_port: int
    processes: list[Process]

    def stub(self) -> volume_server_pb2_grpc.VolumeServerStub:
        """A client of its gRPC service."""
        channel = grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}")
        return volume_server_pb2_grpc.VolumeServerStub(channel)

    def allocate(self, volume_id: int, *, collection: str = "", ttl: str = "", replication: str = "000") -> None:
        """Make a volume through the RPC that masters use."""
        self.stub().AllocateVolume(
            volume_server_pb2.AllocateVolumeRequest(
                volume_id=volume_id, collection=collection, ttl=ttl, replication=replication, version=3
            )
        )

    def stop(self) -> None:
        """End the volume server, then the master."""
        for process in reversed(self.processes):
            process.stop()


def launch(
    kind: str, base: pathlib.Path, *, flags: Sequence[str] = (), security: str = "", master: int | None = None,
    ready: str = "/healthz", volume_mb: int = 64,
) -> Server:
    """Start a volume server of ``kind`` ("go" or "ours"), and a Go master unless the port of one is given.

    :param ready: what must answer below 500 before it counts as up.
    :param volume_mb: from which size on a volume is full, if a master is started.
    """
    base.mkdir(parents=True, exist_ok=True)
    (base / "data").mkdir(exist_ok=True)
    (base / "config").mkdir(exist_ok=True)
    (base / "config" / "security.toml").write_text(security)
    port, public, grpc_port, master_port = free_ports(4)
    processes = []
    if master is None:
        processes.append(_start_master(base, master_port, volume_mb))
    else:
        master_port = master
    arguments = [
        f"-port={port}",
        f"-port.grpc={grpc_port}",
        f"-port.public={public}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-dir={base / 'data'}",
        "-max=16",
        f"-master=127.0.0.1:{master_port}",
        "-preStopSeconds=0",
        *flags,
    ]
    if kind == "go":
        command = [WEED, f"-config_dir={base / 'config'}", "volume", *arguments]
    else:
        command = [
            sys.executable,
            "-m",
            "seaweedvol.cli",
            *arguments,
            f"-securityFile={base / 'config' / 'security.toml'}",
        ]
    volume = start(command, base / f"{kind}-volume.log")
    processes.append(volume)
    server = Server(kind, port, public, grpc_port, base / "data", master_port, processes)
    try:
        wait_until_up(port, ready, volume)
    except RuntimeError:
        server.stop()
        raise
    return server


def _start_master(base: pathlib.Path, port: int, volume_mb: int) -> Process:
    (base / "master").mkdir(exist_ok=True)
    process = start(
        [
            WEED,
            f"-config_dir={base / 'config'}",
            "master",
            "-ip=127.0.0.1",
            f"-port={port}",
            f"-mdir={base / 'master'}",
            "-peers=none",
            f"-volumeSizeLimitMB={volume_mb}",
        ],
        base / "master.log",
    )
    wait_until_up(port, "/dir/status", process)
    return process
