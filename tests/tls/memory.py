"""The other end of TLS, in memory: bytes in, bytes out."""

from __future__ import annotations

import pathlib
import tempfile

from OpenSSL import SSL

from seaweedvol.config.tls import TlsRules
from seaweedvol.tls.certificates import Authorities, Pair, read_authorities, read_pair
from seaweedvol.tls.contexts import client_connection, client_context, server_connection, server_context, why_failed
from tests.tls.pki import HERE, Authority, Signed

CA = Authority()
OTHER = Authority("Another CA")


def pair_of(signed: Signed) -> Pair:
    """As read from files."""
    with tempfile.TemporaryDirectory() as place:
        return read_pair(*signed.save(pathlib.Path(place), "own"))


def authorities_of(authority: Authority) -> Authorities:
    """As read from a file."""
    with tempfile.TemporaryDirectory() as place:
        return read_authorities(authority.save(pathlib.Path(place)))


def server_end(signed: Signed | None = None, *, asks: bool = True, rules: TlsRules = TlsRules()) -> SSL.Context:
    """What a server has."""
    return server_context(pair_of(signed or CA.sign("server", HERE)), authorities_of(CA) if asks else None, rules)


def client_end(signed: Signed | None = None, authority: Authority = CA) -> SSL.Context:
    """What a client has."""
    return client_context(None if signed is None else pair_of(signed), authorities_of(authority))


class End:
    """One end; what it was sent is in ``received``.

    :ivar reason: why it gave up.
    :ivar is_over: whether the other end has said goodbye.
    """

    def __init__(self, connection: SSL.Connection) -> None:
        self.connection = connection
        self.received = b""
        self.reason = ""
        self.is_over = False
        self.is_shaken = False

    @classmethod
    def client(cls, context: SSL.Context, host: str = "127.0.0.1") -> End:
        """The end that begins."""
        return cls(client_connection(context, host))

    @classmethod
    def server(cls, context: SSL.Context) -> End:
        """The end that is begun with."""
        return cls(server_connection(context))

    def take(self, data: bytes) -> bytes:
        """What is said to ``data``."""
        if data:
            self.connection.bio_write(data)
        try:
            if not self.is_shaken:
                self.connection.do_handshake()
                self.is_shaken = True
            while True:
                self.received += self.connection.recv(1 << 16)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.is_over = True
        except SSL.Error as error:
            self.reason = self.reason or why_failed(self.connection, error)
        return self.said()

    def say(self, data: bytes) -> bytes:
        """``data``, encrypted."""
        while data:
            data = data[self.connection.send(data):]
        return self.said()

    def goodbye(self) -> bytes:
        """The last words."""
        self.connection.shutdown()
        return self.said()

    def said(self) -> bytes:
        """What waits to be sent."""
        pieces = []
        try:
            while True:
                pieces.append(self.connection.bio_read(1 << 16))
        except SSL.WantReadError:
            return b"".join(pieces)
