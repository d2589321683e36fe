"""A volume server with certificates, and knocking on each of its ports with one credential or another.

Works for Go's server and ours alike; what comes out is one word, or a status of HTTP.
"""

from __future__ import annotations

import http.client
import pathlib
import socket
import ssl
import tempfile
import time
from collections.abc import Mapping
from typing import Any, Final

import attrs
import grpc
import jwt
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from seaweedvol.pb import volume_server_pb2 as pb, volume_server_pb2_grpc
from tests.conformance.servers import Server, launch
from tests.tls.pki import HERE, Authority, Signed

SERVED: Final = "served"
REFUSED: Final = "refused"
WRITE_KEY: Final = "the key of writes, long enough for HS512"
READ_KEY: Final = "the key of reads, which is another one"
FID: Final = "7,01637037d6"
#: In the same volume, but never there.
UNWRITTEN: Final = "7,02637037d6"
SECONDS: Final = 20.0

KEYS: Final = f'[jwt.signing]\nkey = "{WRITE_KEY}"\n[jwt.signing.read]\nkey = "{READ_KEY}"\n'
NAMES: Final = 'allowed_commonNames = "client01,volume01"\n'
DOMAIN: Final = 'allowed_wildcard_domain = ".example.com"\n'


@attrs.frozen
class Profile:
    """How a server is set up.

    :ivar asks: whether HTTPS clients need a certificate.
    :ivar grpc: more of the section ``grpc``.
    :ivar names: more of the section ``grpc.volume``.
    :ivar more: more sections.
    """

    asks: bool = True
    grpc: str = ""
    names: str = ""
    more: str = ""

    def text(self, directory: pathlib.Path) -> str:
        """The security.toml."""
        own = f'cert = "{directory}/volume.crt"\nkey = "{directory}/volume.key"\n'
        ca = f'ca = "{directory}/ca.crt"\n'
        return (f"[grpc]\n{ca}{self.grpc}[grpc.volume]\n{own}{self.names}"
                f'[grpc.master]\n{own}allowed_commonNames = "volume01"\n'
                f"[https.volume]\n{own}{ca if self.asks else ''}{self.more}")


PROFILES: Final[Mapping[str, Profile]] = {
    "mutual": Profile(grpc=DOMAIN, names=NAMES, more=KEYS),
    "open": Profile(asks=False, more='[guard]\nwhite_list = "10.1.2.3"\n'),
    "latest": Profile(names=NAMES, more='[tls]\nmin_version = "TLS 1.3"\nmax_version = "TLS 1.3"\n'),
    "domain": Profile(grpc=DOMAIN, more='[tls]\ncipher_suites = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"\n'),
}

CA: Final = Authority()
OTHER_CA: Final = Authority("Another CA")
#: By name; "" is none at all.
CREDENTIALS: Final[Mapping[str, Signed]] = {
    "right": CA.sign("client01"),
    "other ca": OTHER_CA.sign("client01"),
    "expired": CA.sign("client01", days=-1),
    "not yet": CA.sign("client01", starts_in=1),
    "for servers": CA.sign("client01", usage="server"),
    "for clients": CA.sign("client01", usage="client"),
    "wrong name": CA.sign("evil"),
    "longer name": CA.sign("client01.evil"),
    "shouted name": CA.sign("CLIENT01"),
    "no name": CA.sign("", ("client01",)),
    "in domain": CA.sign("any.example.com"),
    "domain before": CA.sign("any.example.com.evil"),
    "domain only": CA.sign("example.com"),
    "name elsewhere": CA.sign("evil", ("client01", "any.example.com")),
}


class Knocker:
    """Knows a server, and how to knock."""

    def __init__(self, server: Server, directory: pathlib.Path) -> None:
        self.server, self._directory = server, directory

    # --- HTTP ---

    def context(self, credential: str, newest: ssl.TLSVersion | None = None, suites: str = "") -> ssl.SSLContext:
        """What a client shows and can do."""
        context = ssl.create_default_context(cadata=CA.pem.decode())
        if newest is not None:
            context.maximum_version = newest
        if suites:
            context.set_ciphers(suites)
        if credential:
            path = self._directory / "shown.pem"
            shown = CREDENTIALS[credential]
            path.write_bytes(shown.cert + shown.key)
            context.load_cert_chain(path)
        return context

    def https(self, context: ssl.SSLContext | None, method: str = "GET", target: str = "/status",
              body: bytes | None = None, headers: Mapping[str, str] | None = None, *, public: bool = False) -> object:
        """A request, its status; or that there was none."""
        port = self.server.public_port if public else self.server.port
        if context is None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        else:
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=context)
        try:
            connection.request(method, target, body, dict(headers or {}))
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return REFUSED
        finally:
            connection.close()

    # --- gRPC ---

    def channel(self, credential: str, authority: Authority = CA) -> grpc.Channel:
        """A channel that shows a certificate; "plain": without TLS."""
        target = f"127.0.0.1:{self.server.grpc_port}"
        if credential == "plain":
            return grpc.insecure_channel(target)
        shown = CREDENTIALS[credential] if credential else None
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(
            authority.pem, None if shown is None else shown.key, None if shown is None else shown.cert))

    def call(self, credential: str, name: str = "VolumeServerStatus", authority: Authority = CA) -> str:
        """A call: served, refused by TLS or for its name, or else the status."""
        channel = self.channel(credential, authority)
        try:
            self._call(channel, name)
            return SERVED
        except grpc.RpcError as error:
            code = error.code()
            # Go refuses a name in the handshake.
            is_refused = code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED,
                                  grpc.StatusCode.DEADLINE_EXCEEDED)
            return REFUSED if is_refused else str(code.name)
        finally:
            channel.close()

    def shake(self, context: ssl.SSLContext) -> str:
        """A handshake at the gRPC port, up to the first bytes of HTTP/2."""
        context.set_alpn_protocols(["h2"])
        try:
            with socket.create_connection(("127.0.0.1", self.server.grpc_port), SECONDS) as raw:
                with context.wrap_socket(raw, server_hostname="127.0.0.1") as connection:
                    return SERVED if connection.recv(1) else REFUSED
        except OSError:
            return REFUSED

    def _call(self, channel: grpc.Channel, name: str) -> None:
        if name == "reflection":
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
            next(stub.ServerReflectionInfo(asked, timeout=SECONDS))
            return
        volume_server = volume_server_pb2_grpc.VolumeServerStub(channel)
        requests: dict[str, Any] = {
            "VolumeServerStatus": pb.VolumeServerStatusRequest(),
            "VolumeNeedleStatus": pb.VolumeNeedleStatusRequest(volume_id=7, needle_id=1),
            "AllocateVolume": pb.AllocateVolumeRequest(volume_id=7, replication="000", version=3),
            "CopyFile": pb.CopyFileRequest(volume_id=7, ext=".dat", stop_offset=8, compaction_revision=0),
            "ReceiveFile": iter([pb.ReceiveFileRequest()]),
            "BatchDelete": pb.BatchDeleteRequest(file_ids=[]),
        }
        answer = getattr(volume_server, name)(requests[name], timeout=SECONDS)
        if name == "CopyFile":
            list(answer)


def token(key: str, fid: str = FID, *, algorithm: str = "HS256", **claims: object) -> str:
    """A JWT."""
    found: str = jwt.encode({"fid": fid, "exp": int(time.time()) + 60, **claims}, key, algorithm=algorithm)
    return found


def prepare(directory: pathlib.Path) -> None:
    """The server's own files."""
    CA.save(directory)
    CA.sign("volume01", HERE).save(directory, "volume")


def start(kind: str, profile: str) -> tuple[Knocker, "tempfile.TemporaryDirectory[str]"]:
    """A server of ``kind``, and where its files are; the caller ends both. Go's needs a master to start."""
    base = tempfile.TemporaryDirectory(prefix="tls")
    place = pathlib.Path(base.name)
    prepare(place)
    server = launch(kind, place, security=PROFILES[profile].text(place),
                    master=1 if kind == "ours" else None)
    knocker = Knocker(server, place)
    knocker.call("right", "AllocateVolume")
    return knocker, base
