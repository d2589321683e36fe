"""The ports as services: what listens, and how it stops."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.connection.site import STOP_SECONDS, Site, SiteService
from seaweedvol.web.poolservice import PoolService
from seaweedvol.web.sites import make_sites
from tests.conformance.exchange import get
from tests.web.serving import Client, FakeAgent, make_world


# The answer waits for a byte that does not come.
UNDER_WAY = b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"


class SitesTests(SynchronousTestCase):
    """The HTTP side of a server, on a reactor without sockets."""

    def make(self, *flags: str, reactor: MemoryReactorClock | None = None) -> tuple[PoolService, MemoryReactorClock]:
        """The services of a server with those flags, not started."""
        reactor = reactor or MemoryReactorClock()
        world = make_world(self, "-port=8080", *flags)

        def endpoint_at(host: str, port: int) -> IStreamServerEndpoint:
            return TCP4ServerEndpoint(cast(Any, reactor), port, interface=host)

        return make_sites(world.server, cast(Any, reactor), agent=FakeAgent(), endpoint_at=endpoint_at), reactor

    def start(self, *flags: str) -> tuple[PoolService, MemoryReactorClock]:
        """The same, started until the test ends."""
        service, reactor = self.make(*flags)
        service.startService()
        self.addCleanup(self.stop, service)
        return service, reactor

    def stop(self, service: PoolService) -> None:
        """End it, if it has not ended."""
        if service.running:
            service.stopService()

    def client(self, service: PoolService, name: str = "http.admin") -> Client:
        """A connection to one of its ports."""
        client = Client(self.site(service, name))
        self.addCleanup(client.leave)
        return client

    def site(self, service: PoolService, name: str = "http.admin") -> Site:
        """One of its sites."""
        child = service.getServiceNamed(name)
        assert isinstance(child, SiteService)
        return child.site


class StartTests(SitesTests):
    """What listens where."""

    def test_one_port(self) -> None:
        """Without a port of its own the read-only side has none."""
        service, reactor = self.start("-ip.bind=127.0.0.1")
        self.assertEqual([(port, interface) for port, _, _, interface in reactor.tcpServers], [(8080, "127.0.0.1")])
        self.assertEqual([child.name for child in service], ["http.admin"])
        self.assertFalse(self.site(service).is_public)

    def test_two_ports(self) -> None:
        """With one it has."""
        service, reactor = self.start("-port.public=8090")
        self.assertEqual([port for port, *_ in reactor.tcpServers], [8080, 8090])
        self.assertTrue(self.site(service, "http.public").is_public)
        self.assertEqual(self.client(service).send(get("/healthz"))[0].status, 503)
        self.assertEqual(self.client(service, "http.public").send(get("/healthz"))[0].status, 400)

    def test_nothing_before_the_start(self) -> None:
        """Making the services opens nothing."""
        _, reactor = self.make()
        self.assertEqual(reactor.tcpServers, [])

    def test_port_taken(self) -> None:
        """A port that is taken is an error of the start."""
        class Taken(MemoryReactorClock):
            def listenTCP(self, port: int, *args: Any, **kwargs: Any) -> Any:
                raise CannotListenError("", port, OSError(98, "Address already in use"))

        service, _ = self.make(reactor=Taken())
        self.addCleanup(self.stop, service)
        self.assertRaises(CannotListenError, service.startService)


class StopTests(SitesTests):
    """How it ends."""

    def test_in_order(self) -> None:
        """Stopping waits for the clients, and is over with the last of them."""
        service, reactor = self.start()
        client = self.client(service)
        client.write(UNDER_WAY)
        stopped = service.stopService()
        self.assertTrue(self.site(service).is_stopping)
        self.assertNoResult(stopped)
        self.assertFalse(client.is_closed)
        reactor.advance(STOP_SECONDS - 1)
        self.assertNoResult(stopped)
        client.leave()
        self.successResultOf(stopped)
        self.assertEqual(reactor.getDelayedCalls(), [])

    def test_patience_ends(self) -> None:
        """Clients that do not come to an end are thrown out after half a minute."""
        service, reactor = self.start()
        client = self.client(service)
        client.write(UNDER_WAY)
        stopped = service.stopService()
        reactor.advance(STOP_SECONDS)
        self.assertTrue(client.is_aborted)
        client.leave()
        self.successResultOf(stopped)

    def test_nobody_there(self) -> None:
        """Without clients it is over at once, threads included."""
        service, _ = self.start("-port.public=8090")
        self.successResultOf(service.stopService())
