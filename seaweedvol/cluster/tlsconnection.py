"""A connection to another volume server over TLS: as :mod:`replicaconnection`, with a handshake between.

Knows pyOpenSSL and non-blocking sockets; must not know what is asked.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import Any, Final

from OpenSSL import SSL

from seaweedvol.cluster.replicaconnection import Call, Connection, Owner, Sockets
from seaweedvol.cluster.watching import READABLE
from seaweedvol.tls.contexts import why_failed

_PIECE: Final = 64 << 10

NewTls = Callable[[str], SSL.Connection]
"""Makes one end of TLS, over no socket, for a host."""


class TlsStream:
    """A connected socket with TLS, as much of a socket as a connection needs.

    :param connection: over no socket, not begun.
    """

    def __init__(self, raw: socket.socket, connection: SSL.Connection) -> None:
        self._raw, self._tls = raw, connection
        self._encrypted = b""
        self._is_owing = False
        self._is_shaken = False

    def shake(self) -> bool:
        """Go on with the handshake; whether it is done.

        :raises OSError: when it cannot be.
        """
        try:
            if self._encrypted:
                self._flush()
            else:
                self._take_in()
        except BlockingIOError:
            pass
        try:
            self._tls.do_handshake()
            self._is_shaken = True
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            self._flush()
            raise OSError(errno.EPROTO, f"tls: {why_failed(self._tls, error)}") from None
        self._flush()
        return self._is_shaken

    def send(self, data: bytes | memoryview) -> int:
        """Send; as of a socket, but that the last byte is told of only when all of it has left.

        :raises BlockingIOError: when the socket takes nothing.
        """
        if not self._is_owing:
            self._encrypt(data)
        self._flush()
        is_owing, self._is_owing = self._is_owing, bool(self._encrypted)
        if not self._encrypted:
            return len(data)
        if is_owing:
            raise BlockingIOError()
        return len(data) - 1

    def recv(self, length: int) -> bytes:
        """What has come.

        :raises BlockingIOError: when that is nothing.
        """
        if not self._take_in():
            return b""
        pieces = []
        try:
            while True:
                pieces.append(self._tls.recv(_PIECE))
        except SSL.WantReadError:
            self._flush()
        except SSL.ZeroReturnError:
            return b"".join(pieces)
        except SSL.Error as error:
            raise OSError(errno.EPROTO, f"tls: {why_failed(self._tls, error)}") from None
        if not pieces:
            raise BlockingIOError()
        return b"".join(pieces)

    def close(self) -> None:
        """Say goodbye, if that can be done at once, and close."""
        try:
            if self._is_shaken and not self._encrypted:
                self._tls.shutdown()
                self._flush()
        except (SSL.Error, OSError):
            pass
        self._raw.close()

    def getsockname(self) -> Any:
        """As of the socket."""
        return self._raw.getsockname()

    def _take_in(self) -> bool:
        """Read what is there; whether it is not the end."""
        data = self._raw.recv(_PIECE)
        if data:
            self._tls.bio_write(data)
        elif not self._is_shaken:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        return bool(data)

    def _encrypt(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._tls.send(rest[:_PIECE]):]
        except SSL.Error as error:
            raise OSError(errno.EPROTO, f"tls: {why_failed(self._tls, error)}") from None

    def _flush(self) -> None:
        """Send what TLS has made, as far as the socket takes it."""
        pieces = [self._encrypted]
        try:
            while True:
                pieces.append(self._tls.bio_read(_PIECE))
        except SSL.WantReadError:
            pass
        self._encrypted = b"".join(pieces)
        while self._encrypted:
            try:
                self._encrypted = self._encrypted[self._raw.send(self._encrypted):]
            except BlockingIOError:
                return


class TlsConnection(Connection):
    """See the module."""

    __slots__ = ("_is_shaking", "_new_tls")

    def __init__(self, sockets: Sockets, owner: Owner, call: Call, new_tls: NewTls) -> None:
        super().__init__(sockets, owner, call)
        self._new_tls = new_tls
        self._is_shaking = False

    def on_event(self, event: int) -> None:
        """See Connection."""
        if self._is_shaking:
            self._shake()
        else:
            super().on_event(event)

    def _begin(self) -> None:
        self._socket = TlsStream(self._socket, self._new_tls(self._owner.url))
        self._is_connecting = self._is_shaking = True
        self._watcher.change(self._descriptor, READABLE)
        self._shake()

    def _shake(self) -> None:
        try:
            if not self._socket.shake():
                return
        except OSError as error:
            self._is_shaking = False
            self.fail(f"dial tcp {self._owner.url}: {error.strerror}")
            return
        self._is_connecting = self._is_shaking = False
        if self._call is not None:
            self.send(self._call)


def tls_connections(new_tls: NewTls) -> Callable[[Sockets, Owner, Call], Connection]:
    """What a pool makes connections by."""
    return lambda sockets, owner, call: TlsConnection(sockets, owner, call, new_tls)
