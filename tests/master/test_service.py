"""The embedded master's life."""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.model import EmbeddedMasterSettings
from seaweedvol.master.ledger import FILE_NAME, LedgerUnreadable
from seaweedvol.master.master import Master
from seaweedvol.master.service import EmbeddedMaster
from seaweedvol.security.guard import Guard


class FakeSurface:
    """A gRPC server that is none."""

    is_stopped = False

    def stop(self, grace: float) -> FakeSurface:
        """Remember."""
        self.is_stopped = True
        return self

    def wait(self) -> None:
        """At once."""


class EmbeddedMasterTests(SynchronousTestCase):
    """What is opened and where."""

    def setUp(self) -> None:
        """A service that is not started."""
        self.directory = self.mktemp()
        self.reactor = MemoryReactorClock()
        self.opened: list[tuple[Master, str]] = []
        self.surface = FakeSurface()

    def service(self, ip: str = "127.0.0.1") -> EmbeddedMaster:
        """The service."""
        return EmbeddedMaster(EmbeddedMasterSettings(ip, 9333, 19333, self.directory), Guard(), self.reactor,
                              self.open_surface)

    def open_surface(self, master: Master, target: str) -> Any:
        """Remember."""
        self.opened.append((master, target))
        return self.surface

    def started(self, ip: str = "127.0.0.1") -> EmbeddedMaster:
        """A started service, whose threads end with the test."""
        service = self.service(ip)
        service.startService()
        self.addCleanup(service._threads.stop)
        return service

    def test_listens_where_it_is_told(self) -> None:
        """HTTP and gRPC on one address only."""
        service = self.started()
        port, _, _, interface = self.reactor.tcpServers[0]
        self.assertEqual((port, interface), (9333, "127.0.0.1"))
        self.assertEqual(self.opened, [(service.master, "127.0.0.1:19333")])

    def test_warns_when_others_can_reach_it(self) -> None:
        """Loopback, by whatever name, is nothing to tell; any other address is."""
        for ip, warnings in (("127.0.0.1", 0), ("::1", 0), ("localhost", 0), ("10.0.0.1", 1), ("0.0.0.0", 1)):
            with capturedLogs() as told:
                self.started(ip)
            self.assertEqual(sum(event["log_level"] is LogLevel.warn for event in told), warnings, ip)

    def test_ipv6(self) -> None:
        """gRPC wants brackets."""
        self.started("::1")
        self.assertEqual(self.opened[0][1], "[::1]:19333")

    def test_settings_reach_the_master(self) -> None:
        """Address and limit are the configured ones; the usual gRPC port is not written out."""
        master = self.service().master
        self.assertEqual((master.address, master.volume_size_limit_mb, master.replication),
                         ("127.0.0.1:9333", 30000, "000"))

    def test_damaged_memory_stops_the_start(self) -> None:
        """Ids are not given out when it is not known which are taken."""
        self.service()
        with open(f"{self.directory}/{FILE_NAME}", "w", encoding="ascii") as file:
            file.write("{")
        self.assertRaises(LedgerUnreadable, self.service)
