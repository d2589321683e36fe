"""Reads of volumes that are elsewhere: passed on, or sent there."""

from __future__ import annotations

import gzip

from twisted.internet.error import ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.interfaces import Location
from seaweedvol.web.general.upstream import HIGH_WATER
from tests.conformance.exchange import get
from tests.web.serving import HERE, FakeResponse, World, make_world

ITSELF, OTHER = Location(HERE, HERE), Location("b:2", "public.b:2")
PATH = "/5,025eaf00d5"
URL = f"http://b:2{PATH}?proxied=true"


class ElsewhereTests(SynchronousTestCase):
    """A server without volumes; volume 5 is on b."""

    def make_world(self, mode: str) -> World:
        """A server with that read mode."""
        world = make_world(self, f"-readMode={mode}")
        world.locations.holders[5] = [ITSELF, OTHER]
        return world

    def check_status(self, world: World, status: int, path: str = PATH) -> None:
        """A read is answered with ``status`` and nothing else."""
        answer = world.ask("GET", path)
        self.assertEqual((answer.status, answer.body), (status, b""))


class LocalTests(ElsewhereTests):
    """``-readMode=local``"""

    def test_not_found(self) -> None:
        """What is not here is not found, and nobody is asked."""
        world = self.make_world("local")
        self.check_status(world, 404)
        self.assertEqual(world.agent.asked, [])


class RedirectTests(ElsewhereTests):
    """``-readMode=redirect``"""

    def test_sent_there(self) -> None:
        """The client is told where the volume is; of the query only the collection survives."""
        world = self.make_world("redirect")
        answer = world.ask("GET", "/5/025eaf00d5/name.txt?collection=a%20b&width=5")
        place = "http://b:2/5,025eaf00d5?collection=a+b&proxied=true"
        self.assertEqual((answer.status, answer.header("Location")), (301, place))
        self.assertEqual(answer.body.decode("ascii"),
                         f'<a href="{place.replace("&", "&amp;")}">Moved Permanently</a>.\n\n')
        self.assertEqual(world.agent.asked, [])

    def test_nowhere(self) -> None:
        """Not found: volumes nobody has, those that only this server is said to have, and all without a master."""
        world = self.make_world("redirect")
        self.check_status(world, 404, "/6,025eaf00d5")
        world.locations.holders[5] = [ITSELF]
        self.check_status(world, 404)
        world.locations.failure = "no master"
        self.check_status(world, 404)


class ProxyTests(ElsewhereTests):
    """``-readMode=proxy``, which is the default."""

    def setUp(self) -> None:
        self.world = self.make_world("proxy")
        self.answers = self.world.agent.answers

    def test_passed_on(self) -> None:
        """The client's headers go there, the other's answer comes back, but for what belongs to a connection."""
        self.answers[f"http://b:2{PATH}?a=1&proxied=true"] = FakeResponse(
            206, b"part", ("Server", "other"), ("Content-Range", "bytes 0-3/9"), ("Etag", '"x"'), ("X-Twice", "1"),
            ("X-Twice", "2"), ("Content-Length", "4"))
        answer = self.world.ask("GET", PATH + "?a=1", None, ("Range", "bytes=0-3"), ("X-Own", "mine"),
                                ("Connection", "keep-alive"))
        self.assertEqual((answer.status, answer.body), (206, b"part"))
        self.assertEqual(answer.header("Content-Range"), "bytes 0-3/9")
        self.assertEqual([value for name, value in answer.headers if name == "X-Twice"], ["1", "2"])
        self.assertEqual([value for name, value in answer.headers if name == "Server"], ["SeaweedFS Volume 30GB 4.44"])
        asked, = self.world.agent.asked
        self.assertEqual((asked.method, asked.headers), ("GET", {"Range": ["bytes=0-3"], "X-Own": ["mine"]}))

    def test_other_statuses(self) -> None:
        """Whatever the other says is said here."""
        for status, body in ((404, b""), (401, b'{"error":"wrong jwt"}'), (304, b"")):
            self.answers[URL] = FakeResponse(status, body)
            answer = self.world.ask("GET", PATH)
            self.assertEqual((answer.status, answer.body), (status, body))

    def test_unreachable(self) -> None:
        """A server that cannot be asked is an error of this one."""
        self.check_status(self.world, 500)

    def test_packed_for_us(self) -> None:
        """Who does not ask for gzip gets plain data, though servers send them packed to each other."""
        self.answers[URL] = FakeResponse(200, gzip.compress(b"plain"), ("Content-Encoding", "gzip"))
        answer = self.world.ask("GET", PATH)
        self.assertEqual((answer.body, answer.header("Content-Encoding")), (b"plain", None))
        self.assertEqual(self.world.agent.asked[0].headers["Accept-Encoding"], ["gzip"])

    def test_packed_for_client(self) -> None:
        """Who asks for gzip gets what the other sent."""
        packed = gzip.compress(b"plain")
        self.answers[URL] = FakeResponse(200, packed, ("Content-Encoding", "gzip"))
        answer = self.world.ask("GET", PATH, None, ("Accept-Encoding", "gzip"))
        self.assertEqual((answer.body, answer.header("Content-Encoding")), (packed, "gzip"))

    def test_slow_client(self) -> None:
        """No more than a bounded part of the other's answer waits for a client that does not read."""
        response = self.answers[URL] = FakeResponse(200, b"x" * (1 << 20), ends=False)
        client = self.world.client()
        client.wire.takes_bytes = False
        client.send(get(PATH))
        assert response.wire is not None
        response.reader.dataReceived(b"y" * (HIGH_WATER + 1))
        self.assertEqual(response.wire.producerState, "paused")
        client.take_bytes()
        self.assertEqual(response.wire.producerState, "producing")
        response.end()
        self.assertTrue(client.answers()[0].body == b"x" * (1 << 20) + b"y" * (HIGH_WATER + 1))

    def test_client_gone(self) -> None:
        """When the client is gone the other is told to stop."""
        response = self.answers[URL] = FakeResponse(200, b"x" * (1 << 20), ends=False)
        client = self.world.client()
        client.wire.takes_bytes = False
        client.send(get(PATH))
        assert response.wire is not None
        client.leave(ConnectionLost)
        self.assertTrue(response.wire.disconnected)

    def test_head(self) -> None:
        """A HEAD is passed on as a GET whose body is not taken; the connection to the other is not left open."""
        response = self.answers[URL] = FakeResponse(200, b"x" * (1 << 20), ("Etag", '"x"'), ends=False)
        answer = self.world.ask("HEAD", PATH)
        self.assertEqual((answer.status, answer.header("Etag"), answer.body), (200, '"x"', b""))
        assert response.wire is not None
        self.assertTrue(response.wire.disconnected)

    def test_other_breaks_off(self) -> None:
        """When the other breaks off, so do we, and the client can see that it has not everything."""
        self.answers[URL] = FakeResponse(200, b"x" * (1 << 20), breaks_off=True)
        client = self.world.client()
        client.send(get(PATH))
        self.assertTrue(client.is_aborted)
        self.assertFalse(client.received.endswith(b"0\r\n\r\n"))

    def test_downloads_are_not_counted(self) -> None:
        """What goes through counts for the server that reads it."""
        response = self.answers[URL] = FakeResponse(200, b"x" * (1 << 20), ends=False)
        self.world.client().send(get(PATH))
        self.assertEqual(self.world.server.download_limit.in_flight, 0)
        response.end()
