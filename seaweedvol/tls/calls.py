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
from seaweedvol.tls.kept import Kept

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
class _Named:
    """What a server's certificate says, as it was found out last; None: could not be.

    :ivar asking: held by who finds it out.
    """

    asking: threading.Lock = attrs.field(factory=threading.Lock)
    name: str | None = None
    asked_at: float | None = None


class SecureChannels:
    """Channels to servers, opened when first needed. Any thread, but for the reactor's: a server may have to be asked.

    :param material: what is in use now.
    """

    def __init__(self, material: Callable[[], GrpcMaterial], options: Options, refusals: Refusals) -> None:
        self._material, self._options, self._refusals = material, list(options), refusals
        self._kept = Kept()
        self._lock = threading.Lock()
        self._names: dict[str, _Named] = {}
        self.at_hand = self._kept.at
        self.renew = self._kept.leave_all
        self.close = self._kept.close

    def to(self, target: str) -> grpc.Channel:
        """*Blocking.* The channel to ``host:port``."""
        found = self._kept.at(target)
        if found is not None:
            return found
        material = self._material()
        name = self._name_at(target, material)
        return self._kept.to(target, lambda: self._channel(target, name, material))

    def open(self, target: str) -> grpc.Channel:
        """*Blocking.* A channel of one's own, to be closed."""
        material = self._material()
        return self._channel(target, self._name_at(target, material), material)

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
        with self._lock:
            named = self._names.setdefault(target, _Named())
        with named.asking:
            if named.asked_at is None or time.monotonic() - named.asked_at >= PROBE_REST_SECONDS:
                try:
                    named.name = self._asked_name(target, material)
                except OSError:
                    # The call will say so. Once there is a connection, the name may well be as before.
                    pass
                named.asked_at = time.monotonic()
            return named.name

    def _asked_name(self, target: str, material: GrpcMaterial) -> str | None:
        try:
            certificate = certificate_at(target, material)
        except Unproven as error:
            self._refusals.tell(KIND, f"{target} cannot be called: {error}")
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
