"""Our server as a process of its own on loopback, for tests that kill it, load it, or slow its disk down."""

from __future__ import annotations

import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import time

import attrs
import grpc

from seaweedvol.pb import volume_server_pb2, volume_server_pb2_grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY_WITHIN = 20.0


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@attrs.define
class VolumeProcess:
    """Starts, kills and asks one server; its master is an address where nobody listens.

    :ivar module: what runs: the product, or something that prepares it.
    :ivar flags: further words of the command line.
    :ivar environ: variables beside those of this process.
    :ivar disks: names of its data directories.
    :ivar stdin: where the process reads from, as :class:`subprocess.Popen` takes it.
    """

    directory: pathlib.Path
    port: int = attrs.field(factory=free_port)
    grpc_port: int = attrs.field(factory=free_port)
    popen: "subprocess.Popen[bytes] | None" = None
    module: str = "seaweedvol.cli"
    flags: tuple[str, ...] = ()
    stdin: int = subprocess.DEVNULL
    disks: tuple[str, ...] = ("data",)
    environ: dict[str, str] = attrs.field(factory=dict)

    def command(self) -> list[str]:
        """The command line, but for the directory."""
        return [
            sys.executable,
            "-m",
            self.module,
            f"-port={self.port}",
            f"-port.grpc={self.grpc_port}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-max=8",
            "-master=127.0.0.1:1",
            "-preStopSeconds=0",
            *self.flags,
        ]

    def start(self) -> None:
        """Start it and wait until it answers HTTP.

        :raises RuntimeError: with the end of the log, when it does not.
        """
        log = self.directory / "server.log"
        places = [self.directory.absolute() / name for name in self.disks]
        for place in places:
            place.mkdir(exist_ok=True)
        with log.open("ab") as sink:
            self.popen = subprocess.Popen(
                [*self.command(), f"-dir={','.join(map(str, places))}"],
                stdin=self.stdin,
                stdout=sink,
                stderr=sink,
                cwd=ROOT,
                env={**os.environ, **self.environ},
            )
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self.popen.poll() is None:
            if self._answers():
                return
            time.sleep(0.05)
        raise RuntimeError(f"did not start:\n{log.read_text(errors='replace')[-3000:]}")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return connection.recv(100).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        if self.popen is not None and self.popen.poll() is None:
            self.popen.send_signal(signal.SIGKILL)
            self.popen.wait()

    def resident(self) -> int:
        """Bytes of memory the process has now."""
        assert self.popen is not None
        pages = pathlib.Path(f"/proc/{self.popen.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()

    def open_files(self) -> int:
        """How many descriptors it holds."""
        assert self.popen is not None
        return len(list(pathlib.Path(f"/proc/{self.popen.pid}/fd").iterdir()))

    def stub(self) -> volume_server_pb2_grpc.VolumeServerStub:
        """A client of its gRPC service."""
        return volume_server_pb2_grpc.VolumeServerStub(grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}"))

    def allocate(self, volume_id: int) -> None:
        """Make a volume."""
        self.stub().AllocateVolume(
            volume_server_pb2.AllocateVolumeRequest(volume_id=volume_id, replication="000", version=3)
        )

    def is_read_only(self, volume_id: int) -> bool:
        """Whether the volume refuses writes."""
        answer = self.stub().VolumeStatus(volume_server_pb2.VolumeStatusRequest(volume_id=volume_id))
        return bool(answer.is_read_only)
