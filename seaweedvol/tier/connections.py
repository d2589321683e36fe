"""HTTP connections to one endpoint: kept open, given out one at a time, never more than a fixed number.

``http.client`` in worker threads. The alternative, treq in the reactor, would send every page of every tiered read
through two threads, and its bodies through a reactor that serves all other requests meanwhile.
"""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import attrs

from seaweedvol.tier.addresses import Connect, connect_anywhere

MAX_CONNECTIONS: Final = 32
READ_SECONDS: Final = 60.0

Body = bytes | Iterable[bytes]


@attrs.frozen
class Answer:
    """A response that is no stream of data; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """All connections to one endpoint.

    :param endpoint: ``http://host:port`` or ``https://...``; a path in it is put before every other.
    :param connect: who connects, and perhaps judges the address first.
    :param security: for ``https``; None: any server is trusted that the system trusts.
    """

    def __init__(self, endpoint: str, connect: Connect = connect_anywhere, *, limit: int = MAX_CONNECTIONS,
                 security: ssl.SSLContext | None = None) -> None:
        parts = urllib.parse.urlsplit(endpoint)
        self.is_secure = parts.scheme.lower() == "https"
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if self.is_secure else 80)
        self.prefix = parts.path.rstrip("/")
        self._connect = connect
        self._room = threading.BoundedSemaphore(limit)
        self._idle: list[http.client.HTTPConnection] = []
        # Made once: it reads all certificates that the system trusts.
        self._security = (security or ssl.create_default_context()) if self.is_secure else None
        self._lock = threading.Lock()

    def host_header(self, label: str = "") -> str:
        """What to send as Host; ``label`` is put before it, for a bucket that is named there."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        host = f"{label}.{host}" if label else host
        usual = 443 if self.is_secure else 80
        return host if self.port == usual else f"{host}:{self.port}"

    @contextlib.contextmanager
    def exchange(self, method: str, target: str, headers: Mapping[str, str],
                 body: Body | None = None) -> Iterator[http.client.HTTPResponse]:
        """Send a request; the response is to be read within.

        A request without body that meets a connection which the other side has closed meanwhile is sent once more.

        :raises OSError, http.client.HTTPException: when there is no connection, or it broke.
        """
        with self._room:
            connection, response = self._sent(method, target, headers, body)
            is_done = False
            try:
                yield response
                # What nobody wanted to read would be taken for the next answer.
                is_done = response.isclosed()
            finally:
                if is_done and not response.will_close:
                    with self._lock:
                        self._idle.append(connection)
                else:
                    connection.close()

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: Body | None = None) -> Answer:
        """As :meth:`exchange`, for an answer that is short."""
        with self.exchange(method, target, headers, body) as response:
            return answer_of(response)

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _sent(self, method: str, target: str, headers: Mapping[str, str],
              body: Body | None) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is not None:
            try:
                return connection, _send(connection, method, target, headers, body)
            except BaseException as error:
                connection.close()
                is_stale = isinstance(error, OSError | http.client.HTTPException)
                if not is_stale or body is not None:
                    raise
        connection = self._new()
        try:
            return connection, _send(connection, method, target, headers, body)
        except BaseException:
            connection.close()
            raise

    def _new(self) -> http.client.HTTPConnection:
        sock = self._connect(self.host, self.port)
        sock.settimeout(READ_SECONDS)
        if self._security is not None:
            sock = self._security.wrap_socket(sock, server_hostname=self.host)
        connection = http.client.HTTPConnection(self.host, self.port, timeout=READ_SECONDS)
        connection.sock = sock
        return connection


def answer_of(response: http.client.HTTPResponse) -> Answer:
    """All of a response."""
    body = response.read()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def _send(connection: http.client.HTTPConnection, method: str, target: str, headers: Mapping[str, str],
          body: Body | None) -> http.client.HTTPResponse:
    # Host and length are among the headers, since they are signed.
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    for chunk in (body,) if isinstance(body, bytes) else body or ():
        connection.send(chunk)
    return connection.getresponse()
