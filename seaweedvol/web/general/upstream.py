"""Reading the body of another server's reply piece by piece, no faster than it is wanted.

For proxied reads and the chunks of chunked files. Knows Twisted's HTTP client; must not know needles or our replies.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Final, cast

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IResponse

if TYPE_CHECKING:
    from seaweedvol.tls.credentials import Credentials

HIGH_WATER: Final = 256 << 10
KEPT_CONNECTIONS: Final = 64
CONNECT_SECONDS: Final = 10.0


class CutShort(Exception):
    """Raised when a reply ends before its body does."""


def new_agent(reactor: Any, secured: Credentials | None = None) -> IAgent:
    """A client that keeps connections to other volume servers.

    :param secured: for TLS.
    """
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = KEPT_CONNECTIONS
    # A kept connection may be gone by now; a GET can be sent again, and Twisted does so once.
    pool.retryAutomatically = True
    return cast(IAgent, Agent(reactor, _policy(secured), connectTimeout=CONNECT_SECONDS, pool=pool))


def _policy(secured: Credentials | None) -> Any:
    if secured is None:
        return BrowserLikePolicyForHTTPS()
    from seaweedvol.web.general.httpspolicy import HttpsPolicy

    return HttpsPolicy(secured)


class Intake(Protocol):
    """Takes a reply's body in; pauses the sender while more than ``HIGH_WATER`` bytes wait."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._end: Exception | None = None
        self._is_over = False
        self._is_paused = False
        self._waiter: Deferred[None] | None = None

    def dataReceived(self, data: bytes) -> None:
        """More of the body."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size > HIGH_WATER and not self._is_paused:
            self._is_paused = True
            cast(Any, self.transport).pauseProducing()
        self._wake()

    def connectionLost(self, reason: Failure = cast(Failure, None)) -> None:
        """The end of the body, in order or not."""
        self._is_over = True
        if reason is not None and not reason.check(ResponseDone, PotentialDataLoss):
            self._end = CutShort("unexpected EOF")
        self._wake()

    async def read(self) -> bytes:
        """The next piece, b"" at the end.

        :raises CutShort: when the sender broke off.
        """
        while not self._pieces:
            if self._is_over:
                if self._end is not None:
                    raise self._end
                return b""
            self._waiter = Deferred()
            await self._waiter
        piece = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._is_paused and not self._is_over:
            self._is_paused = False
            cast(Any, self.transport).resumeProducing()
        return piece

    def drop(self) -> None:
        """The rest is not wanted."""
        if not self._is_over:
            transport = cast(Any, self.transport)
            stop = getattr(transport, "abortConnection", None) or transport.stopProducing
            stop()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.callback(None)


async def pieces_of(response: IResponse, *, is_packed: bool = False) -> AsyncGenerator[bytes, None]:
    """The body of ``response``.

    :param is_packed: undo the gzip that was asked for on our own account.
    :raises CutShort: when it breaks off.
    """
    intake = Intake()
    response.deliverBody(intake)
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if is_packed else None
    try:
        while piece := await intake.read():
            if unpack is not None:
                piece = unpack.decompress(piece)
                if not piece:
                    continue
            yield piece
    finally:
        intake.drop()


def drop(response: IResponse) -> None:
    """Let go of a response whose body is not wanted; its connection would stay open otherwise."""
    intake = Intake()
    response.deliverBody(intake)
    intake.drop()


async def get(agent: IAgent, url: str, headers: dict[str, list[str]]) -> tuple[IResponse, bool]:
    """GET ``url``, asking for gzip on our own account unless the caller says what it takes, as Go's client does.

    :param url: ASCII.
    :returns: the response, and whether its body has to be unpacked.
    """
    asks = "Accept-Encoding" not in headers and "Range" not in headers
    sent = Headers()
    for name, values in headers.items():
        sent.setRawHeaders(name.encode("latin-1"), [value.encode("latin-1", "replace") for value in values])
    if asks:
        sent.setRawHeaders(b"Accept-Encoding", [b"gzip"])
    response = await agent.request(b"GET", url.encode("ascii"), sent, None)
    codings = response.headers.getRawHeaders(b"Content-Encoding", [])
    return response, asks and [coding.lower() for coding in codings] == [b"gzip"]
