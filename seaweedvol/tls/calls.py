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
from seaweedvol.tls.watched import watched

PROBE_SECONDS: Final = 5.0
#: A server is not asked for its names more often.
PROBE_REST_SECONDS: Final = 1.0
KIND: Final = "gRPC"

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

    :ivar channel: for calls, watched; ``made`` is what they go over.
    :ivar name: what the server's certificate must say; None: could not be found out.
    :ivar is_doubted: whether it may say something else by now, or there is no connection: it needs a new channel.
    """

    channel: grpc.Channel
    made: grpc.Channel
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
        if known is not None and not known.is_doubted:
            return known.channel
        material = self._material()
        if known is not None and time.monotonic() - known.asked_at < PROBE_REST_SECONDS:
            name, asked_at = known.name, known.asked_at
        else:
            name, asked_at = self._name_at(target, material), time.monotonic()
        with self._lock:
            found = self._known.get(target)
            if found is not None and found is not known and not found.is_doubted:
                return found.channel
            made = self._channel(target, name, material)
            found = _Known(watched(made, lambda: self._doubt(target, made)), made, name, asked_at, name is None)
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

    def _doubt(self, target: str, made: grpc.Channel) -> None:
        with self._lock:
            known = self._known.get(target)
            if known is not None and known.made is made:
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
