"""SIGTERM under load: each request that the server has begun to receive is answered: on all roads, within TLS too."""

from __future__ import annotations

import http.client
import pathlib
import signal
import ssl
import threading
import time
from collections.abc import Callable
from typing import Final

import attrs
import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import volume_server_pb2, volume_server_pb2_grpc
from tests.robustness.running import VolumeProcess, free_port
from tests.tls.pki import HERE, Authority

SMALL: Final = b"small " * 150
LARGE: Final = bytes(range(256)) * (24 << 10)
SMALL_PATH: Final = "/1,0100c0ffee"
LARGE_PATH: Final = "/1,0200c0ffee"
SECONDS: Final = 20.0


class Stoppable(VolumeProcess):
    """A server.

    :ivar trust: what its clients trust; None: it speaks plain HTTP.
    """

    trust: ssl.SSLContext | None = None


class ServerWithMaster(Stoppable):
    """A server that a master knows: its own, so that it waits for clients before it stops."""

    def command(self) -> list[str]:
        """As usual, but for the master."""
        config = self.directory / "volume.toml"
        config.write_text(f"[master]\nembedded = true\nport = {free_port()}\nport_grpc = {free_port()}\n")
        words = [word for word in super().command() if not word.startswith(("-master", "-preStop"))]
        return [*words, f"-config={config.absolute()}", "-preStopSeconds=2"]


class ServerWithHttps(Stoppable):
    """A server that speaks HTTPS, with a certificate of its own."""

    def command(self) -> list[str]:
        """As usual, with ``https.volume``."""
        authority = Authority()
        cert, key = authority.sign("volume", HERE).save(self.directory.absolute(), "volume")
        self.trust = ssl.create_default_context(cadata=authority.pem.decode())
        config = self.directory / "security.toml"
        config.write_text(f'[https.volume]\ncert = "{cert}"\nkey = "{key}"\n')
        return [*super().command(), f"-securityFile={config.absolute()}"]

    def _answers(self) -> bool:
        try:
            return connected(self.port, self.trust).sock is not None
        except OSError:
            return False


def connected(port: int, trust: ssl.SSLContext | None) -> http.client.HTTPConnection:
    """A new connection, handshake included.

    :param trust: for HTTPS; None: plain HTTP.
    :raises OSError: when there is none to be had.
    """
    connection = (http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS) if trust is None else
                  http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=trust))
    connection.connect()
    return connection


@attrs.define
class Load:
    """Clients that ask until nobody is there any more, and what became of their requests.

    :ivar trust: for HTTPS; None: plain HTTP.
    :ivar done: answered requests, by kind.
    :ivar failed: what went wrong, by kind: a request that was taken and not answered as it should be.
    """

    port: int
    grpc_port: int
    trust: ssl.SSLContext | None = None
    done: dict[str, int] = attrs.field(factory=dict)
    failed: list[str] = attrs.field(factory=list)
    is_over: bool = False

    def run(self, kind: str, ask: Callable[[Load], Asking]) -> threading.Thread:
        """One more client."""
        thread = threading.Thread(target=self._client, args=(kind, ask), daemon=True)
        thread.start()
        return thread

    def _client(self, kind: str, make: Callable[[Load], Asking]) -> None:
        asking = make(self)
        until = time.monotonic() + SECONDS
        while not self.is_over and time.monotonic() < until:
            try:
                asking.connect()
            except ConnectionRefusedError:
                return  # it listens no more: no request was sent
            except OSError as error:
                self.failed.append(f"{kind}, connecting: {error!r}")
                return
            try:
                asking.ask()
            except Gone:
                return
            except Exception as error:
                self.failed.append(f"{kind}: {error!r}")
                return
            self.done[kind] = self.done.get(kind, 0) + 1


class Gone(Exception):
    """Raised when a call did not reach the server."""


class Asking:
    """One client."""

    def __init__(self, load: Load) -> None:
        self.load = load

    def connect(self) -> None:
        """Be connected.

        :raises OSError: when nobody listens.
        """

    def ask(self) -> None:
        """One request, and its answer."""
        raise NotImplementedError


class OverHttp(Asking):
    """Requests on a connection that is kept as long as the server keeps it."""

    method, path, keeps = "GET", SMALL_PATH, True
    body: bytes | None = None
    wanted: tuple[int, bytes | None] = (200, SMALL)
    connection: http.client.HTTPConnection | None = None

    def connect(self) -> None:
        """Only where the last reply has closed the connection."""
        if self.connection is None or self.connection.sock is None or not self.keeps:
            self.connection = connected(self.load.port, self.load.trust)

    def ask(self) -> None:
        """One request; http.client closes the connection when the reply says so."""
        assert self.connection is not None
        self.connection.request(self.method, self.path, self.body)
        answer = self.connection.getresponse()
        body = answer.read()
        status, wanted = self.wanted
        assert answer.status == status and (wanted is None or body == wanted), (answer.status, len(body))


class GeneralRoad(OverHttp):
    """What the express lane leaves alone."""

    path = SMALL_PATH + "?general=road"


class NewConnections(OverHttp):
    """A connection for each request."""

    keeps = False


class Large(OverHttp):
    """What does not go out at once."""

    path, wanted = LARGE_PATH, (200, LARGE)


class Uploads(OverHttp):
    """Always the same needle, in changing form."""

    method, path, wanted = "PUT", "/1,0300c0ffee", (201, None)
    count = 0

    def ask(self) -> None:
        """Other bytes each time."""
        self.count += 1
        self.body = b"%d" % self.count + SMALL
        super().ask()


class SlowUploads(OverHttp):
    """Uploads whose bodies are on their way when the server is told to stop."""

    def ask(self) -> None:
        """In pieces, over more than a second."""
        assert self.connection is not None and self.connection.sock is not None
        self.connection.putrequest("PUT", "/1,0400c0ffee")
        self.connection.putheader("Content-Length", str(8 * len(SMALL)))
        self.connection.endheaders()
        for number in range(8):
            self.connection.send(SMALL[:-1] + b"%d" % number)
            time.sleep(0.15)
        answer = self.connection.getresponse()
        assert answer.status in (201, 204), answer.status
        answer.read()


class OverGrpc(Asking):
    """Calls with one response, and streams."""

    def __init__(self, load: Load) -> None:
        super().__init__(load)
        channel = grpc.insecure_channel(f"127.0.0.1:{load.grpc_port}", options=[("grpc.use_local_subchannel_pool", 1)])
        self.stub = volume_server_pb2_grpc.VolumeServerStub(channel)

    def ask(self) -> None:
        """One call."""
        try:
            self.call()
        except grpc.RpcError as error:
            assert isinstance(error, grpc.Call)
            if error.code() is grpc.StatusCode.UNAVAILABLE and "connect" in (error.details() or ""):
                raise Gone from None
            raise

    def call(self) -> None:
        """A small one."""
        self.stub.VolumeStatus(volume_server_pb2.VolumeStatusRequest(volume_id=1))


class Streams(OverGrpc):
    """The whole .dat."""

    def call(self) -> None:
        """In pieces, read slowly enough to be under way when the server is told to stop."""
        request = volume_server_pb2.CopyFileRequest(
            volume_id=1, ext=".dat", compaction_revision=0, stop_offset=1 << 20)
        length = 0
        for piece in self.stub.CopyFile(request):
            length += len(piece.file_content)
        assert length == 1 << 20, length


class StopTests(SynchronousTestCase):
    """A server with two needles and clients of every kind."""

    kinds: Final = {"lane": OverHttp, "general road": GeneralRoad, "new connections": NewConnections, "large": Large,
                    "uploads": Uploads, "slow uploads": SlowUploads, "calls": OverGrpc, "streams": Streams}

    def start(self, server: Stoppable) -> Load:
        """A running server with its needles, and the load on it."""
        server.start()
        self.addCleanup(server.kill)
        server.allocate(1)
        for path, data in ((SMALL_PATH, SMALL), (LARGE_PATH, LARGE)):
            connection = connected(server.port, server.trust)
            connection.request("PUT", path, data)
            self.assertEqual(connection.getresponse().status, 201)
            connection.close()
        load = Load(server.port, server.grpc_port, server.trust)
        self.threads = [load.run(kind, make) for kind, make in self.kinds.items()]
        self.addCleanup(setattr, load, "is_over", True)
        time.sleep(1.5)
        return load

    def end(self, server: Stoppable, load: Load) -> None:
        """Told to stop, the server answers everything; then nobody is there."""
        assert server.popen is not None
        before = dict(load.done)
        server.popen.send_signal(signal.SIGTERM)
        self.assertEqual(server.popen.wait(SECONDS), 0)
        for thread in self.threads:
            thread.join(SECONDS)
        self.assertEqual(load.failed, [])
        self.assertEqual(set(load.done), set(self.kinds))
        self.assertGreater(sum(load.done.values()), sum(before.values()))
        log = (server.directory / "server.log").read_text()
        self.assertNotIn("Traceback", log)

    def directory(self) -> pathlib.Path:
        """A new one."""
        directory = pathlib.Path(self.mktemp())
        directory.mkdir()
        return directory

    def test_at_once(self) -> None:
        """Without seconds to wait."""
        server = Stoppable(self.directory())
        self.end(server, self.start(server))

    def test_https(self) -> None:
        """The same within TLS: who has a connection, handshake done or not, is served."""
        server = ServerWithHttps(self.directory())
        self.end(server, self.start(server))

    def test_after_a_while(self) -> None:
        """With seconds in which clients may notice, all of them are served meanwhile."""
        server = ServerWithMaster(self.directory())
        load = self.start(server)
        deadline = time.monotonic() + SECONDS
        while not self.is_healthy(server.port) and time.monotonic() < deadline:
            time.sleep(0.1)
        began = time.monotonic()
        self.end(server, load)
        self.assertGreater(time.monotonic() - began, 2)
        self.assertIn("more seconds for clients to notice", (server.directory / "server.log").read_text())

    def is_healthy(self, port: int) -> bool:
        """Whether a master knows the server."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
        connection.close()
        return status == 200
