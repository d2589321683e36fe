"""The port for Prometheus, and what is looked at every second."""

from __future__ import annotations

import gzip
from typing import Any

from prometheus_client.registry import Collector
from twisted.internet.error import CannotListenError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Request
from twisted.web.test.requesthelper import DummyChannel

from seaweedvol.metrics.history import History
from seaweedvol.metrics.instruments import Instruments
from seaweedvol.web.pages.metricsport import MetricsPage, MetricsPort, QuietSite, Ticker, totals
from seaweedvol.web.threads import inline


class PageTests(SynchronousTestCase):
    """Go's answers."""

    def setUp(self) -> None:
        self.instruments = Instruments()
        self.prepared: list[None] = []
        self.instruments.before_reading.append(lambda: self.prepared.append(None))

    def ask(self, path: bytes, *headers: tuple[str, str], method: bytes = b"GET") -> tuple[Request, bytes]:
        """One request: itself, and the body of its answer."""
        channel = DummyChannel()
        request = Request(channel, False)
        for name, value in headers:
            request.requestHeaders.addRawHeader(name, value)
        request.gotLength(0)
        channel.site = QuietSite(MetricsPage(self.instruments, inline))
        request.site = channel.site
        request.requestReceived(method, path, b"HTTP/1.1")
        head, _, body = channel.transport.written.getvalue().partition(b"\r\n\r\n")
        self.assertNotIn(b"Server:", head)
        return request, body

    def test_text(self) -> None:
        """Everything that is told, after what is counted elsewhere has been brought together."""
        request, body = self.ask(b"/metrics")
        self.assertEqual((request.code, len(self.prepared)), (200, 1))
        self.assertEqual(request.responseHeaders.getRawHeaders("Content-Type"),
                         ["text/plain; version=0.0.4; charset=utf-8; escaping=underscores"])
        self.assertIn(b"\nSeaweedFS_volumeServer_file_read_failures 0\n", body)

    def test_packed(self) -> None:
        """As gzip for whom takes it."""
        request, body = self.ask(b"/metrics", ("Accept-Encoding", "deflate, gzip"))
        self.assertEqual(request.responseHeaders.getRawHeaders("Content-Encoding"), ["gzip"])
        self.assertIn(b"# TYPE", gzip.decompress(body))

    def test_methods(self) -> None:
        """Nobody asks for the method; HEAD has no body."""
        self.assertIn(b"# TYPE", self.ask(b"/metrics", method=b"POST")[1])
        self.assertEqual(self.ask(b"/metrics", method=b"HEAD")[1], b"")

    def test_elsewhere(self) -> None:
        """There is nothing else."""
        for path in (b"/", b"/metrics/", b"/metricsx"):
            request, body = self.ask(path)
            self.assertEqual((request.code, body), (404, b"404 page not found\n"), path)

    def test_failure(self) -> None:
        """A collector that fails is an error of the server, and logged."""
        class Broken(Collector):
            """Has no numbers."""

            def collect(self) -> Any:
                """See Collector."""
                raise ValueError("broken")

        self.instruments.registry.register(Broken())
        self.assertEqual(self.ask(b"/metrics")[0].code, 500)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)


class ServiceTests(SynchronousTestCase):
    """What runs beside."""

    def test_port(self) -> None:
        """Listens on its address while it runs."""
        reactor = MemoryReactorClock()
        service = MetricsPort(Instruments(), reactor, inline, "10.0.0.7", 9325)
        service.startService()
        (port, _, _, host), = reactor.tcpServers
        self.assertEqual((port, host), (9325, "10.0.0.7"))
        self.successResultOf(service.stopService())
        self.assertFalse(service.running)

    def test_taken(self) -> None:
        """A port that cannot be had is called by its option, with the system's reason."""
        class Busy(MemoryReactorClock):
            """Has no port for anybody."""

            def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
                """None."""
                raise CannotListenError(interface, port, OSError(98, "Address already in use"))

        for host, place in (("127.0.0.1", "127.0.0.1:9325"), ("::1", "[::1]:9325"), ("", "*:9325")):
            port = MetricsPort(Instruments(), Busy(), inline, host, 9325)
            error = self.assertRaises(OSError, port.startService)
            self.assertEqual(str(error),
                             f"cannot listen for metrics (-metricsPort) on {place}: Address already in use")

    def test_ticks(self) -> None:
        """Every second it is noted how late that is, and how many requests there were."""
        clock, instruments, history = Clock(), Instruments(), History()
        service = Ticker(instruments, history, clock, lambda: 1000 + clock.seconds())
        service.startService()
        instruments.note_request("GET", 200, 0.1)
        instruments.note_request("PUT", 201, 0.1)
        instruments.note_request("DELETE", 202, 0.1)
        instruments.note_request("INVALID", 400, 0.1)
        clock.pump([1, 1, 3.5])
        service.stopService()
        clock.advance(5)
        samples = {each.name: each.value for each in instruments.loop_lag.metric().samples if not each.labels}
        self.assertEqual((samples["seaweedvol_event_loop_lag_seconds_count"],
                          samples["seaweedvol_event_loop_lag_seconds_sum"]), (3, 2.5))
        self.assertEqual(totals(instruments), (1, 1, 1))
        self.assertEqual([sum(series.rings["DayCounter"].values)
                          for series in (history.reads, history.writes, history.deletions)], [1, 1, 1])
