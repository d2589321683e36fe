"""Tests of :mod:`seaweedvol.web.pages.debugging`."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet import defer
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.profiling.pages import Pages
from seaweedvol.web.pages import debugging
from seaweedvol.web.pages.debugging import DebugService
from tests.conformance.exchange import get
from tests.web.serving import World, make_world

PATH = "/debug/pprof/"


class MainPortTests(SynchronousTestCase):
    """Profiles below a path of the main port."""

    def world(self, *, has_profiles: bool) -> World:
        """A server with profiles or without."""
        world = make_world(self)
        app = cast(Any, world.site)._app
        object.__setattr__(app, "profiles", Pages(lambda act: act(), lambda seconds: None) if has_profiles else None)
        return world

    def test_on(self) -> None:
        """They are answered, with what a browser needs to know."""
        client = self.world(has_profiles=True).client()
        index, profile, text = client.send(
            get(PATH), get(PATH + "profile?seconds=1"), get(PATH + "goroutine?debug=1"))
        self.assertIn(b"goroutine?debug=1", index.body)
        self.assertEqual((profile.status, profile.body[:2]), (200, b"\x1f\x8b"))
        self.assertIn(("Content-Disposition", 'attachment; filename="profile.pb.gz"'), profile.headers)
        self.assertIn(b"MainThread", text.body)

    def test_off(self) -> None:
        """Without the flag the path is one of a needle like any."""
        world = self.world(has_profiles=False)
        self.assertEqual([answer.status for answer in world.client().send(get(PATH + "profile"))], [400])

    def test_public(self) -> None:
        """So it is on the read-only port."""
        world = self.world(has_profiles=True)
        self.assertEqual([answer.status for answer in world.client(is_public=True).send(get(PATH))], [400])


class OwnPortTests(SynchronousTestCase):
    """A port for nothing else."""

    def setUp(self) -> None:
        self.reactor = cast(Any, MemoryReactorClock())
        self.reactor.callFromThread = lambda act: act()
        self.patch(debugging, "deferToThread", defer.maybeDeferred)
        self.service = DebugService(self.reactor, 6060)

    def ask(self, path: str) -> bytes:
        """The whole answer."""
        factory = self.reactor.tcpServers[0][1]
        protocol, wire = factory.buildProtocol(None), StringTransport()
        protocol.makeConnection(wire)
        protocol.dataReceived(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        return bytes(wire.value())

    def test_answers(self) -> None:
        """On the loopback interface profiles are answered, and nothing else is."""
        self.service.startService()
        port, _, _, host = self.reactor.tcpServers[0]
        self.assertEqual((port, host), (6060, "127.0.0.1"))
        answer = self.ask(PATH + "goroutine?debug=1")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertIn(b"MainThread", answer)
        self.assertTrue(self.ask("/status").startswith(b"HTTP/1.1 404 "))
        self.successResultOf(self.service.stopService())

    def test_taken(self) -> None:
        """A port that cannot be had is told of; the server serves on."""
        def refuse(port: int, *args: object, **more: object) -> None:
            raise CannotListenError("127.0.0.1", port, OSError("taken"))

        self.reactor.listenTCP = refuse
        with capturedLogs() as events:
            self.service.startService()
        self.assertIn("no profiles are served", str(events[0]["log_format"]))
        self.successResultOf(self.service.stopService())

    def test_failure(self) -> None:
        """A profile that cannot be made is an error of the server, told in the log."""
        self.service.startService()
        self.patch(Pages, "answer", lambda pages, path, query: 1 / 0)
        self.assertTrue(self.ask(PATH).startswith(b"HTTP/1.1 500 "))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
