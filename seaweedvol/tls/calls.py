"""gRPC with mTLS: what a server needs, and channels to servers whose host name is not checked.

Go's clients look only whether a CA of ours has signed a server's certificate, since one certificate may be shared.
grpcio insists on a name: so the server is asked first which names its certificate has, and one of them is what grpcio
is told to expect. It verifies the certificate itself, on each connection it makes.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
import grpc
from cryptography import x509
from OpenSSL import SSL

from seaweedvol.security.refusals import Refusals
from seaweedvol.tls.certificates import alternative_names, common_name, has_alternative_names
from seaweedvol.tls.contexts import HTTP2, client_connection, client_context, why_failed
from seaweedvol.tls.credentials import GrpcMaterial

PROBE_SECONDS: Final = 5.0
#: A server is not asked for its names more often.
PROBE_REST_SECONDS: Final = 1.0
KIND: Final = "gRPC"

_BROKEN: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED)
_NO_NAME: Final = "its certificate has no name that grpcio could check: give it a DNS name or a common name"

Options = Sequence[tuple[str, Any]]


def server_credentials(material: Callable[[], GrpcMaterial]) -> grpc.ServerCredentials:
    """Of a server that wants certificates; each new connection is made with what is in use then."""
    used = material()

    def newer() -> grpc.ServerCertificateConfiguration | None:
        nonlocal used
        found = material()
        if found is used:
            return None
        used = found
        return _configuration(found)

    # None, for "as before", is missing in grpcio's annotations.
    return grpc.dynamic_ssl_server_credentials(_configuration(used), newer, True)  # type: ignore[arg-type]


def _configuration(material: GrpcMaterial) -> grpc.ServerCertificateConfiguration:
    assert material.own is not None
    return grpc.ssl_server_certificate_configuration(
        [(material.own.key_pem, material.own.chain_pem)], material.authorities.pem)


@attrs.define
class _Known:
    """A channel.

    :ivar name: what the server's certificate must say; None: could not be found out.
    :ivar is_doubted: whether it may say something else by now.
    """

    channel: grpc.Channel
    name: str | None
    asked_at: float
    is_doubted: bool = False


class SecureChannels:
    """Channels to servers, opened when first needed. Any thread, but for the reactor's: a server may have to be asked.

    :param material: what is in use now.
    """

    def __init__(self, material: Callable[[], GrpcMaterial], options: Options, refusals: Refusals) -> None:
        self._material, self._options, self._refusals = material, list(options), refusals
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def to(self, target: str) -> grpc.Channel:
        """*Blocking.* The channel to ``host:port``."""
        with self._lock:
            known = self._known.get(target)
        if known is not None and (
                not known.is_doubted or time.monotonic() - known.asked_at < PROBE_REST_SECONDS):
            return known.channel
        material = self._material()
        name = self._name_at(target, material)
        with self._lock:
            known = self._known.get(target)
            if known is not None and known.name == name:
                known.is_doubted, known.asked_at = name is None, time.monotonic()
                return known.channel
            found = _Known(_Watched.over(self._channel(target, name, material), self._doubt, target), name,
                           time.monotonic(), name is None)
            self._known[target] = found
            return found.channel

    def at_hand(self, target: str) -> grpc.Channel | None:
        """The channel to ``host:port``, if nobody has to be asked for it."""
        with self._lock:
            known = self._known.get(target)
            return None if known is None or known.is_doubted else known.channel

    def open(self, target: str) -> grpc.Channel:
        """*Blocking.* A channel of one's own, to be closed."""
        material = self._material()
        return self._channel(target, self._name_at(target, material), material)

    def renew(self) -> None:
        """Make new channels from now on. Calls under way go on over the old ones, which end with the last of them."""
        with self._lock:
            self._known = {}

    def close(self) -> None:
        """Close all; calls under way fail."""
        with self._lock:
            channels, self._known = list(self._known.values()), {}
        for known in channels:
            known.channel.close()

    def _doubt(self, target: str) -> None:
        with self._lock:
            known = self._known.get(target)
            if known is not None:
                known.is_doubted = True

    def _channel(self, target: str, name: str | None, material: GrpcMaterial) -> grpc.Channel:
        own = material.own_as_client
        options = list(self._options)
        host = _host_of(target)
        if name is not None and name != host:
            # The authority stays what it would be without: servers look at it too.
            options += [("grpc.ssl_target_name_override", name), ("grpc.default_authority", host)]
        credentials = grpc.ssl_channel_credentials(material.authorities.pem, own.key_pem, own.chain_pem)
        return grpc.secure_channel(target, credentials, options=options)

    def _name_at(self, target: str, material: GrpcMaterial) -> str | None:
        try:
            certificate = certificate_at(target, material)
        except Unproven as error:
            self._refusals.tell(KIND, f"{target} cannot be called: {error}")
            return None
        except OSError:
            # The call will say so.
            return None
        name = name_for(certificate, _host_of(target))
        if name is None:
            self._refusals.tell(KIND, f"{target} cannot be called: {_NO_NAME}")
        return name


class Unproven(Exception):
    """Raised when a server is not who it must be, in one line."""


def certificate_at(target: str, material: GrpcMaterial) -> x509.Certificate:
    """*Blocking.* The certificate of the server at ``host:port``, signed by a CA of ours.

    :raises Unproven: when it is not.
    :raises OSError: when there is no connection.
    """
    context = client_context(material.own_as_client, material.authorities, protocol=HTTP2)
    connection = client_connection(context, "")
    host, _, port = target.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port) if port.isdecimal() else 0), PROBE_SECONDS) as stream:
        ends_at = time.monotonic() + PROBE_SECONDS
        while True:
            try:
                connection.do_handshake()
                break
            except SSL.WantReadError:
                pass
            except SSL.Error as error:
                raise Unproven(why_failed(connection, error)) from None
            stream.settimeout(max(0.01, ends_at - time.monotonic()))
            _flush(connection, stream)
            data = stream.recv(1 << 16)
            if not data:
                raise Unproven("it hung up; perhaps it speaks no TLS")
            connection.bio_write(data)
        # Whether it takes our certificate comes out with the first call.
        _flush(connection, stream)
    found = connection.get_peer_certificate()
    assert found is not None
    return found.to_cryptography()


def _flush(connection: SSL.Connection, stream: socket.socket) -> None:
    try:
        while True:
            stream.sendall(connection.bio_read(1 << 16))
    except SSL.WantReadError:
        pass


def name_for(certificate: x509.Certificate, host: str) -> str | None:
    """One name that grpcio finds in the certificate, ``host`` if that is one; None when there is none."""
    names = alternative_names(certificate)
    if host in names:
        return host
    if names:
        # A star stands for any one label.
        return names[0].replace("*", "any", 1)
    return None if has_alternative_names(certificate) else common_name(certificate) or None


def _host_of(target: str) -> str:
    return target.rpartition(":")[0].strip("[]")


class _Watched(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor,
               grpc.StreamUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):
    """Tells when calls fail as they do when a server is not whom we take it for."""

    def __init__(self, doubt: Callable[[str], None], target: str) -> None:
        self._doubt, self._target = doubt, target

    @classmethod
    def over(cls, channel: grpc.Channel, doubt: Callable[[str], None], target: str) -> grpc.Channel:
        """The channel, watched."""
        return grpc.intercept_channel(channel, cls(doubt, target))

    def _note(self, call: Any) -> None:
        if call.code() in _BROKEN:
            self._doubt(self._target)

    def _watch(self, continuation: Callable[[Any, Any], Any], details: Any, request: Any) -> Any:
        call = continuation(details, request)
        call.add_done_callback(self._note)
        return call

    # Whatever kind of call it is: it tells when it is over.
    intercept_unary_unary = _watch  # type: ignore[assignment]
    intercept_unary_stream = _watch  # type: ignore[assignment]
    intercept_stream_unary = _watch  # type: ignore[assignment]
    intercept_stream_stream = _watch  # type: ignore[assignment]
