"""The port for Prometheus: ``/metrics``, as SeaweedFS ``stats/metrics.go`` serves it.

Beside it, what is looked at every second whether anybody reads or not: how late the reactor is, how many requests there
were. Knows the wire and the reactor; what is told is :mod:`seaweedvol.metrics`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from seaweedvol.metrics.exposition import CONTENT_TYPE, packed, text_of
from seaweedvol.metrics.history import History
from seaweedvol.metrics.instruments import Instruments

PATH: Final = b"/metrics"
TICK_SECONDS: Final = 1.0
_READS: Final = ("GET", "HEAD", "OPTIONS")
_WRITES: Final = ("POST", "PUT")

InThread = Callable[..., Awaitable[Any]]

_log = Logger()


async def read(instruments: Instruments, in_thread: InThread) -> bytes:
    """All that is told, as text. To be called in the reactor's thread."""
    instruments.prepare()
    text: bytes = await in_thread(text_of, instruments.registry)
    return text


class Ticker(Service):
    """Looks at the clock every second."""

    name = "ticker"

    def __init__(self, instruments: Instruments, history: History, clock: IReactorTime,
                 now: Callable[[], float]) -> None:
        self._instruments = instruments
        self._history = history
        self._clock = clock
        self._now = now
        self._due = 0.0
        self._calls = LoopingCall(self._tick)
        self._calls.clock = clock

    def startService(self) -> None:
        """Begin."""
        super().startService()
        self._due = self._clock.seconds() + TICK_SECONDS
        self._calls.start(TICK_SECONDS, now=False)

    def stopService(self) -> None:
        """End."""
        super().stopService()
        if self._calls.running:
            self._calls.stop()

    def _tick(self) -> None:
        seconds = self._clock.seconds()
        self._instruments.loop_lag.observe(max(seconds - self._due, 0.0))
        # The library keeps to whole seconds since the start, and so do we.
        while self._due <= seconds:
            self._due += TICK_SECONDS
        self._instruments.prepare()
        reads, writes, deletions = totals(self._instruments)
        self._history.note(self._now(), reads, writes, deletions)


def totals(instruments: Instruments) -> tuple[int, int, int]:
    """How many reads, writes and deletions there were since the start."""
    counts = {"reads": 0.0, "writes": 0.0, "deletions": 0.0}
    for (kind, _), count in instruments.requests.values().items():
        name = "reads" if kind in _READS else "writes" if kind in _WRITES else "deletions" if kind == "DELETE" else ""
        if name:
            counts[name] += count
    return int(counts["reads"]), int(counts["writes"]), int(counts["deletions"])


class MetricsPort(Service):
    """The port. One that is taken ends the server, as in Go."""

    name = "metrics"

    def __init__(self, instruments: Instruments, reactor: Any, in_thread: InThread, host: str, port: int) -> None:
        self._instruments = instruments
        self._reactor = reactor
        self._in_thread = in_thread
        self._host, self._number = host, port
        self._port: Any = None

    def startService(self) -> None:
        """Listen.

        :raises OSError: when the port is taken.
        """
        if self._port is not None:
            return
        site = QuietSite(MetricsPage(self._instruments, self._in_thread))
        try:
            self._port = self._reactor.listenTCP(self._number, site, interface=self._host)
        except CannotListenError as error:
            reason = getattr(error.socketError, "strerror", None) or error.socketError
            host = f"[{self._host}]" if ":" in self._host else self._host or "*"
            raise OSError(f"cannot listen for metrics (-metricsPort) on {host}:{self._number}: {reason}") from None
        super().startService()
        _log.info("metrics at http://{host}:{port}/metrics", host=self._host or "*", port=self._number)

    def stopService(self) -> Deferred[Any]:
        """Listen no more."""
        super().stopService()
        port, self._port = self._port, None
        return succeed(None) if port is None else maybeDeferred(port.stopListening)


class QuietSite(Site):
    """Tells nothing of single requests."""

    noisy = False

    def log(self, request: object) -> None:
        """Not."""


class MetricsPage(Resource):
    """``/metrics``, and Go's words for everything else."""

    isLeaf = True

    def __init__(self, instruments: Instruments, in_thread: InThread) -> None:
        super().__init__()
        self._instruments = instruments
        self._in_thread = in_thread

    def render(self, request: Request) -> Any:
        """Whatever the method is, as in Go."""
        request.responseHeaders.removeHeader("Server")
        if request.path != PATH:
            request.setResponseCode(404)
            request.setHeader("Content-Type", "text/plain; charset=utf-8")
            request.setHeader("X-Content-Type-Options", "nosniff")
            return b"404 page not found\n"
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        ensureDeferred(self._send(request, gone))
        return NOT_DONE_YET

    async def _send(self, request: Request, gone: list[object]) -> None:
        try:
            text = await read(self._instruments, self._in_thread)
            accepted = request.getHeader("Accept-Encoding") or ""
            is_packed = "gzip" in accepted
            body = await self._in_thread(packed, text) if is_packed else text
        except Exception:
            _log.failure("cannot tell metrics")
            if not gone:
                request.setResponseCode(500)
                request.finish()
            return
        if gone:
            return
        request.setHeader("Content-Type", CONTENT_TYPE)
        if is_packed:
            request.setHeader("Content-Encoding", "gzip")
        request.setHeader("Content-Length", str(len(body)))
        if request.method != b"HEAD":
            request.write(body)
        request.finish()
