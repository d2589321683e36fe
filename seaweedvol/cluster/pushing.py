"""Sends ``/metrics`` to a Prometheus push gateway every few seconds, if the master says where.

As SeaweedFS ``stats/metrics.go`` (LoopPushingMetric): address and interval are those of the first master that answers
at the start; job ``volumeServer``, instance ``host:port``; what the gateway had of us is replaced. Differs: a master
that does not answer is asked again later and the server starts without it. Knows the reactor and HTTP, no numbers.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol
from urllib.parse import quote

from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.internet.interfaces import IConsumer, IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.web.client import PartialDownloadError, readBody
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer
from zope.interface import implementer

from seaweedvol.server.interfaces import RemoteCallFailed

JOB: Final = "volumeServer"
#: As Go's master gives it when its interval is below 0.
DEFAULT_SECONDS: Final = 15
#: Between two questions to the masters (Go: as often as it tries all of them before it starts at all).
ASK_SECONDS: Final = 1.79
TIMEOUT_SECONDS: Final = 30.0
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_ACCEPTED: Final = (200, 202)

_log = Logger()


class Configured(Protocol):
    """What a master says of metrics."""

    @property
    def metrics_address(self) -> str:
        """Of the gateway; "" for none."""

    @property
    def metrics_interval_seconds(self) -> int:
        """0 for never."""


def push_url(address: str, instance: str) -> str:
    """Where a gateway at ``address`` (with or without a scheme) takes the metrics of ``instance``."""
    base = address if "://" in address else f"http://{address}"
    return f"{base.rstrip('/')}/metrics/job/{JOB}/{_grouped('instance', instance)}"


def _grouped(name: str, value: str) -> str:
    """A label as part of a path, as Go's client writes it: what has a slash in it as base64."""
    if "/" in value:
        return f"{name}@base64/{base64.urlsafe_b64encode(value.encode()).decode().rstrip('=')}"
    return f"{name}/{quote(value, safe='')}" if value else f"{name}@base64/="


@implementer(IBodyProducer)
class _Text:
    """A body that is there."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self.length = len(text)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Write it."""
        consumer.write(self._text)
        return succeed(None)

    def pauseProducing(self) -> None:
        """All is written already."""

    def resumeProducing(self) -> None:
        """All is written already."""

    def stopProducing(self) -> None:
        """All is written already."""


class Pusher(Service):
    """Pushes for as long as it runs.

    :param masters: their addresses, in the order in which they are asked.
    :param ask: *blocking*; what a master says, or RemoteCallFailed.
    :param read: all metrics as text; called in the reactor's thread.
    """

    name = "pusher"

    def __init__(self, *, masters: Sequence[str], ask: Callable[[str], Configured],
                 read: Callable[[], Awaitable[bytes]], instance: str, agent: IAgent, clock: IReactorTime,
                 in_thread: Callable[..., Awaitable[Any]]) -> None:
        self._masters, self._ask, self._read, self._instance = tuple(masters), ask, read, instance
        self._agent, self._clock, self._in_thread = agent, clock, in_thread
        self._next: IDelayedCall | None = None
        self._under_way: Deferred[None] | None = None

    def startService(self) -> None:
        """Ask where to."""
        super().startService()
        self._begin(self._find)

    def stopService(self) -> None:
        """Push no more."""
        super().stopService()
        if self._next is not None and self._next.active():
            self._next.cancel()
        if self._under_way is not None:
            self._under_way.cancel()

    def _begin(self, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        async def run() -> None:
            try:
                await work(*arguments)
            except Exception:
                if self.running:
                    _log.failure("cannot push metrics")

        self._under_way = ensureDeferred(run())

    def _later(self, seconds: float, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        if self.running:
            self._next = self._clock.callLater(seconds, self._begin, work, *arguments)

    async def _find(self) -> None:
        for master in self._masters:
            try:
                found = await self._in_thread(self._ask, master)
            except RemoteCallFailed as error:
                _log.debug("{master} does not say where metrics go: {error}", master=master, error=error)
                continue
            address, seconds = found.metrics_address, found.metrics_interval_seconds
            if address and seconds:
                seconds = seconds if seconds > 0 else DEFAULT_SECONDS
                _log.info("{job} server sends metrics to {address} every {seconds} seconds", job=JOB, address=address,
                          seconds=seconds)
                await self._push(push_url(address, self._instance), seconds)
            return
        self._later(ASK_SECONDS, self._find)

    async def _push(self, url: str, seconds: int) -> None:
        try:
            await self._push_once(url)
        except Exception as error:
            if self.running:
                _log.info("could not push metrics to prometheus push gateway {url}: {error}", url=url, error=error)
        self._later(seconds, self._push, url, seconds)

    async def _push_once(self, url: str) -> None:
        text = await self._read()
        headers = Headers({"Content-Type": [CONTENT_TYPE]})
        asked = self._agent.request(b"PUT", url.encode("ascii"), headers, _Text(text))
        asked.addTimeout(TIMEOUT_SECONDS, self._clock)
        response = await asked
        try:
            body = await readBody(response)
        except PartialDownloadError as error:
            # Its end is that of the connection: a proxy before the gateway, perhaps. What counts is the code.
            body = error.response or b""
        if response.code not in _ACCEPTED:
            raise RemoteCallFailed(f"unexpected status code {response.code} while pushing to {url}: "
                                   f"{body.decode('utf-8', 'replace')}")
