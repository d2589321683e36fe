"""HTTPS to other volume servers, as Twisted's HTTP client asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from seaweedvol.tls.contexts import client_connection

if TYPE_CHECKING:
    from twisted.protocols.tls import TLSMemoryBIOProtocol

    from seaweedvol.tls.credentials import Credentials

_KIND = "HTTPS"


@implementer(IOpenSSLClientConnectionCreator)
class _Creator:
    """Makes connections to one server."""

    def __init__(self, secured: Credentials, host: str, port: int) -> None:
        self._secured, self._host, self._port = secured, host, port

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802, N803
        """See IOpenSSLClientConnectionCreator."""
        return self.connection()

    def connection(self) -> SSL.Connection:
        """With the certificates that are in use now."""
        client = self._secured.in_use.client
        assert client is not None, "an https address without https.client"
        return client_connection(client.context, self._host, self._tell)

    def _tell(self, problem: str) -> None:
        self._secured.refusals.tell(_KIND, f"{self._host}:{self._port} is not asked: {problem}")


@implementer(IPolicyForHTTPS)
class HttpsPolicy:
    """Verifies servers by the settings of ``https.client``."""

    def __init__(self, secured: Credentials) -> None:
        self._secured = secured

    def creatorForNetloc(self, hostname: bytes, port: int) -> _Creator:  # noqa: N802
        """See IPolicyForHTTPS."""
        return _Creator(self._secured, hostname.decode("ascii").strip("[]"), port)

    def connection_to(self, url: str) -> SSL.Connection:
        """One end of TLS to ``host:port``, over no socket."""
        host, _, port = url.rpartition(":")
        return _Creator(self._secured, host.strip("[]"), int(port)).connection()
