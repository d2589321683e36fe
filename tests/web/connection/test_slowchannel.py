"""Tests of :mod:`seaweedvol.web.connection.slowchannel`: both roads, and that nothing changes where nobody asked."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.connection.channel import Channel
from seaweedvol.web.connection.slowchannel import SlowChannel
from tests.conformance.exchange import get, post
from tests.server.test_slowness import slow_lines
from tests.web.serving import HeldThreads, make_world

GENERAL = "?general=road"


class SlowChannelTests(SynchronousTestCase):
    """A server that tells of what takes half a second, and whose threads wait for the test."""

    def setUp(self) -> None:
        self.threads = HeldThreads(is_open=True)
        self.world = make_world(self, "-log_slow=500ms", in_thread=self.threads)
        self.world.allocate()
        self.path = self.world.put(1, b"stored before")
        self.client = self.world.client()

    def wait(self, seconds: float) -> list[tuple[str, str]]:
        """Let the threads work after so long; what was told, and on behalf of which request."""
        with slow_lines() as lines:
            self.world.clock.advance(seconds)
            self.threads.open()
        return lines

    def test_general_road(self) -> None:
        """A request of the general road is told with its path, its status and the id that the client has."""
        self.threads.is_open = False
        self.client.send(get(self.path + GENERAL))
        (line, request_id), = self.wait(0.7)
        self.assertRegex(line, f"^slow request: GET {self.path}\\?general=road from .* took 0.700 s, 200$")
        self.assertIn(b": " + request_id.encode() + b"\r\n", self.client.received)

    def test_express_lane(self) -> None:
        """So is an upload that the lane has to hold."""
        self.threads.is_open = False
        self.client.send(post("/1,0200c0ffee?fsync=true", b"data", method="PUT"))
        self.assertEqual(self.client.statuses, [])
        (line, request_id), = self.wait(0.6)
        self.assertRegex(line, r"^slow request: PUT /1,0200c0ffee\?fsync=true from .* took 0.600 s, 201$")
        self.assertTrue(request_id)
        self.assertIn(b": " + request_id.encode() + b"\r\n", self.client.received)

    def test_tokens(self) -> None:
        """A token that stands in the path is not told, on either road."""
        self.threads.is_open = False
        self.client.send(get(self.path + GENERAL + "&jwt=SECRET"))
        self.assertIn("?general=road&jwt=... from", self.wait(0.7)[0][0])
        self.threads.is_open = False
        self.client.send(post("/1,0200c0ffee?jwt=SECRET", b"data", method="PUT"))
        self.assertIn("PUT /1,0200c0ffee?jwt=... from", self.wait(0.7)[0][0])

    def test_quick(self) -> None:
        """What is quick is not told of, and the next request's time begins anew."""
        with self.assertNoLogs("seaweedvol.server.slowness"):
            for path in (self.path, self.path + GENERAL):
                self.client.send(get(path))
                self.world.clock.advance(0.4)
                self.client.send(get(path))
                self.world.clock.advance(0.4)
        self.assertEqual(self.client.statuses, [200] * 4)

    def test_only_where_asked_for(self) -> None:
        """Without the option connections are those that know of nothing."""
        self.assertIs(type(make_world(self).site.buildProtocol(None)), Channel)
        self.assertIs(type(self.world.site.buildProtocol(None)), SlowChannel)
