"""A Go master and volume server on loopback, and a record of everything that is asked of them.

Knows how to run and stop them and how an exchange is written down; not what is asked (see ``cases``).
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import grpc
from google.protobuf import json_format
from google.protobuf.message import Message

from seaweedvol.pb import volume_server_pb2, volume_server_pb2_grpc

HOST = "127.0.0.1"
KEPT = ("*.dat", "*.idx", "*.vif", "vol_dir.uuid", "state.pb")
NOISE = ("Date", "X-Amz-Request-Id")
"""Headers of answers that differ each time and say nothing."""
START_SECONDS = 30.0
STOP_SECONDS = 30.0
Pairs = Iterable[tuple[str, str]]


def as_json(body: bytes) -> dict[str, str]:
    """``body`` as text where it is plain text, else as base64; nothing when it is empty."""
    if not body:
        return {}
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode("ascii")}
    if all(char.isprintable() or char in "\r\n\t" for char in text):
        return {"body": text}
    return {"body_base64": base64.b64encode(body).decode("ascii")}


def body_of(half: Mapping[str, Any]) -> bytes:
    """The bytes of one half (``request`` or ``response``) of a recorded exchange."""
    if "body_base64" in half:
        return base64.b64decode(half["body_base64"])
    return str(half.get("body", "")).encode("utf-8")


@attrs.define
class GoServers:
    """A Go master and a volume server that belongs to it; ports are ``first_port`` and the three after it."""

    weed: str
    scratch: Path
    first_port: int
    _master: subprocess.Popen[bytes] | None = None
    _volume: subprocess.Popen[bytes] | None = None

    @property
    def ports(self) -> dict[str, int]:
        """Where each service listens."""
        return {
            "master": self.first_port, "volume": self.first_port + 1,
            "master.grpc": self.first_port + 2, "volume.grpc": self.first_port + 3,
        }

    def start_master(self) -> None:
        """Start the master; its metadata are kept apart from the volumes."""
        self._master = self._run(
            "master", f"-port={self.ports['master']}", f"-port.grpc={self.ports['master.grpc']}",
            f"-mdir={self.scratch / 'meta'}", "-peers=none",
        )

    def start_volume(self) -> None:
        """Start the volume server and wait until the master knows it."""
        self._volume = self._run(
            "volume", f"-port={self.ports['volume']}", f"-port.grpc={self.ports['volume.grpc']}",
            f"-dir={self.scratch / 'data'}", "-max=20", "-preStopSeconds=1",
            f"-master={HOST}:{self.ports['master']}.{self.ports['master.grpc']}",
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._has_joined():
            if time.monotonic() > deadline:
                raise TimeoutError("the volume server did not join the master")
            time.sleep(0.2)

    def stop_volume(self) -> None:
        """Stop the volume server as an operator would."""
        _stop(self._volume)
        self._volume = None

    def stop(self) -> None:
        """Stop whatever still runs."""
        try:
            self.stop_volume()
        finally:
            _stop(self._master)

    def _run(self, role: str, *flags: str) -> subprocess.Popen[bytes]:
        command = [self.weed, role, f"-ip={HOST}", *flags]
        with (self.scratch / f"{role}.log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.scratch, stdout=log, stderr=subprocess.STDOUT)

    def _has_joined(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.ports["master"], timeout=5)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/dir/status")
                return b'"DataNodes":[{' in connection.getresponse().read().replace(b" ", b"")
            except OSError:
                return False


def _stop(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@attrs.define
class Recorder:
    """Sends requests to the servers and keeps what was said."""

    servers: GoServers
    exchanges: list[dict[str, Any]] = attrs.field(factory=list)

    def ask(
        self, method: str, path: str, headers: Pairs = (), body: bytes = b"", *, server: str = "volume", note: str = "",
    ) -> bytes:
        """One HTTP exchange on a connection of its own: the body of the answer."""
        port = self.servers.ports[server]
        sent = [("Host", f"{HOST}:{port}"), *headers]
        if method in ("POST", "PUT"):
            sent.append(("Content-Length", str(len(body))))
        connection = http.client.HTTPConnection(HOST, port, timeout=20)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent:
                connection.putheader(name, value.encode("utf-8"))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            content = answer.read()
        received = [[name, value] for name, value in answer.getheaders() if name not in NOISE]
        self._keep(
            server, note, {"method": method, "path": path, "headers": [list(pair) for pair in sent], **as_json(body)},
            {"status": answer.status, "headers": received, **as_json(content)},
        )
        return content

    def call(self, name: str, request: Message, note: str = "") -> None:
        """One RPC of the volume server; of a stream of answers all are kept."""
        with grpc.insecure_channel(f"{HOST}:{self.servers.ports['volume.grpc']}") as channel:
            stub = volume_server_pb2_grpc.VolumeServerStub(channel)
            answer = getattr(stub, name)(request, timeout=20)
            answers = [answer] if isinstance(answer, Message) else list(answer)
        self._keep(
            "volume.grpc", note, {"method": name, "message": json_format.MessageToDict(request)},
            {"messages": [json_format.MessageToDict(each) for each in answers]},
        )

    def allocate(self, volume_id: int, *, version: int = 3, replication: str = "000", **fields: str) -> None:
        """Make a volume without asking the master; the only way to an old version of the layout."""
        self.call("AllocateVolume", volume_server_pb2.AllocateVolumeRequest(
            volume_id=volume_id, version=version, replication=replication, **fields,  # type: ignore[arg-type]
        ))

    def restart(self, note: str) -> None:
        """Stop and start the volume server."""
        self.servers.stop_volume()
        self.servers.start_volume()
        self._keep("volume", note, {"method": "restart"}, {})

    def _keep(self, server: str, note: str, request: dict[str, Any], response: dict[str, Any]) -> None:
        told = {"note": note} if note else {}
        self.exchanges.append({**told, "server": server, "request": request, "response": response})


def record(servers: GoServers, case: Callable[[Recorder], None], target: Path) -> None:
    """Run ``case`` on fresh servers; leave in ``target`` what it wrote, and what was said."""
    shutil.rmtree(servers.scratch, ignore_errors=True)
    for name in ("data", "meta"):
        (servers.scratch / name).mkdir(parents=True)
    recorder = Recorder(servers)
    try:
        servers.start_master()
        servers.start_volume()
        case(recorder)
    finally:
        servers.stop()
    target.mkdir(exist_ok=True)
    for old in target.iterdir():
        old.unlink()
    for pattern in KEPT:
        for path in (servers.scratch / "data").glob(pattern):
            shutil.copyfile(path, target / path.name)
    lines = [json.dumps(exchange, ensure_ascii=False) for exchange in recorder.exchanges]
    (target / "requests.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
