"""Starts what is measured, each on the server core: ours, Go's and the Rust port, with a Go master where there is one.

WEED_BINARY names Go's ``weed``, RUST_VOLUME_BINARY the Rust ``weed-volume``; a kind without its binary is left out, and
KINDS="ours go" measures only these. The driver and the masters stay on the client core. BENCH_FIRST_PORT moves the 200
ports that are used.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from typing import Iterator, Sequence

import attrs
import grpc

from seaweedvol.pb import volume_server_pb2, volume_server_pb2_grpc
from tests.benchmarks.clients import ROOT, Asker

BINARIES = {"ours": sys.executable, "go": os.environ.get("WEED_BINARY", ""),
            "rust": os.environ.get("RUST_VOLUME_BINARY", "")}
_ASKED_FOR = os.environ.get("KINDS", "ours go rust").split()
KINDS = tuple(kind for kind, binary in BINARIES.items() if binary and kind in _ASKED_FOR)
WEED = BINARIES["go"]
FIRST_PORT = int(os.environ.get("BENCH_FIRST_PORT", "21500"))
PORTS = itertools.cycle(range(FIRST_PORT, FIRST_PORT + 200))
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
READY_WITHIN = 120.0
NO_MASTER = 1  # a port that nobody answers on


def free_port() -> int:
    """The next port that nobody listens on."""
    for _ in range(200):
        port = next(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("no free port")


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Whatever is started inside runs on ``core`` only, with all its threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, its threads, dead threads and living children included; to the nanosecond."""
    total = time.clock_gettime((~pid << 3) | 2)
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += sum(cpu_seconds(int(child)) for child in (task / "children").read_text().split())
    return total


def resident_bytes(pid: int) -> int:
    """Memory that a process holds now."""
    fields = pathlib.Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


@attrs.define
class Server:
    """One running volume server, and its master if it has one of its own."""

    kind: str
    port: int
    grpc_port: int
    directory: pathlib.Path
    master: str
    popens: "list[subprocess.Popen[bytes]]"
    asker: Asker

    @property
    def pid(self) -> int:
        """Of the volume server."""
        return self.popens[-1].pid

    @property
    def master_port(self) -> int:
        """Where its master speaks HTTP."""
        return int(self.master.partition(":")[2].partition(".")[0])

    @property
    def cpu_seconds(self) -> float:
        """CPU time so far."""
        return cpu_seconds(self.pid)

    @contextlib.contextmanager
    def stub(self) -> Iterator[volume_server_pb2_grpc.VolumeServerStub]:
        """A client of its gRPC service."""
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}") as channel:
            yield volume_server_pb2_grpc.VolumeServerStub(channel)

    def allocate(self, volume_id: int, replication: str = "000") -> None:
        """Make a volume through the RPC that masters use."""
        with self.stub() as stub:
            stub.AllocateVolume(volume_server_pb2.AllocateVolumeRequest(
                volume_id=volume_id, replication=replication, version=3))

    def mount(self, volume_id: int) -> None:
        """Take a volume whose files were put into its directory."""
        with self.stub() as stub:
            stub.VolumeMount(volume_server_pb2.VolumeMountRequest(volume_id=volume_id))

    def drop(self, volume_id: int) -> None:
        """Delete a volume with its files."""
        with self.stub() as stub:
            stub.VolumeDelete(volume_server_pb2.VolumeDeleteRequest(volume_id=volume_id))

    def stop(self) -> None:
        """End the volume server, then the master."""
        self.asker.close()
        for popen in reversed(self.popens):
            _end(popen)


def _end(popen: "subprocess.Popen[bytes]") -> None:
    if popen.poll() is None:
        popen.send_signal(signal.SIGINT)
        try:
            popen.wait(timeout=20)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()


def start_program(command: Sequence[str], log: pathlib.Path, core: int) -> "subprocess.Popen[bytes]":
    """Start a program on one core with both outputs appended to ``log``."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    if core == SERVER_CORE:
        environ["GOMAXPROCS"] = "1"
    with log.open("ab") as sink, on_core(core):
        return subprocess.Popen(command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, env=environ,
                                cwd=log.parent)


def wait_for(port: int, path: str, popen: "subprocess.Popen[bytes]", log: pathlib.Path, pause: float = 0.05) -> None:
    """Poll ``GET path`` every ``pause`` seconds until it answers 200.

    :raises RuntimeError: with the end of the log, when it does not in time.
    """
    deadline = time.monotonic() + READY_WITHIN
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    while time.monotonic() < deadline and popen.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(request)
            if connection.recv(4096)[9:12] == b"200":
                return
        time.sleep(pause)
    raise RuntimeError(f"{path} not up, exit status {popen.poll()}:\n{log.read_text(errors='replace')[-2000:]}")


def start_master(base: pathlib.Path) -> "tuple[str, subprocess.Popen[bytes]]":
    """A Go master; its address in Go's notation, with the port for gRPC behind a dot."""
    (base / "master").mkdir(parents=True, exist_ok=True)
    port, grpc_port = free_port(), free_port()
    popen = start_program(
        [WEED, f"-config_dir={base}", "master", "-ip=127.0.0.1", f"-port={port}", f"-port.grpc={grpc_port}",
         f"-mdir={base / 'master'}", "-peers=none", "-volumeSizeLimitMB=30000"], base / "master.log", CLIENT_CORE)
    try:
        wait_for(port, "/dir/status", popen, base / "master.log")
    except RuntimeError:
        _end(popen)
        raise
    return f"127.0.0.1:{port}.{grpc_port}", popen


def start_server(kind: str, base: pathlib.Path, *, security: str = "", master: str = "") -> Server:
    """Start a volume server of ``kind`` on the server core; do not wait for it.

    :param master: the address of one that runs already; else Go's is started where there is a ``weed``.
    """
    (base / "data").mkdir(parents=True, exist_ok=True)
    (base / "security.toml").write_text(security)
    popens = []
    if not master and WEED:
        master, popen = start_master(base)
        popens.append(popen)
    port, grpc_port = free_port(), free_port()
    arguments = [f"-port={port}", f"-port.grpc={grpc_port}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
                 f"-dir={base / 'data'}", "-max=300", f"-master={master or f'127.0.0.1:{NO_MASTER}'}",
                 "-preStopSeconds=0"]
    secured = f"-securityFile={base / 'security.toml'}"
    command = {"ours": [BINARIES["ours"], "-m", "seaweedvol.cli", *arguments, secured],
               "go": [BINARIES["go"], f"-config_dir={base}", "volume", *arguments],
               "rust": [BINARIES["rust"], *(f"-{one}" for one in (*arguments, secured))]}[kind]
    popens.append(start_program(command, base / "volume.log", SERVER_CORE))
    return Server(kind, port, grpc_port, base / "data", master, popens, Asker(port))


def wait_until_up(server: Server, path: str = "/status", pause: float = 0.05) -> None:
    """Wait until ``path`` answers 200; a server that does not is ended.

    :raises RuntimeError: with the end of the log, when it does not in time.
    """
    try:
        wait_for(server.port, path, server.popens[-1], server.directory.parent / "volume.log", pause)
    except RuntimeError:
        server.stop()
        raise
