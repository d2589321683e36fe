"""A port is emptied before the server stops: nobody is cut off, and nobody stays."""

from __future__ import annotations

from seaweedvol.web.connection.ending import BUSY_SECONDS, MOMENT_SECONDS
from tests.conformance.exchange import Request, get
from tests.web.connection.test_channel import GENERAL, ChannelTests


class SiteTests(ChannelTests):
    """How a port is emptied before the server stops."""

    def test_drain(self) -> None:
        """Idle connections close at once, others with their answer, which says so; then nobody is left."""
        self.world.clock.advance(BUSY_SECONDS)
        busy = self.world.client()
        self.threads.is_open = False
        busy.send(get(self.path + GENERAL), get(self.path))
        emptied = self.world.site.drain()
        self.assertTrue(self.client.is_closed)
        self.assertFalse(busy.is_closed)
        self.client.leave()
        self.assertNoResult(emptied)
        self.threads.open()
        self.assertEqual(busy.statuses, [200])
        self.assertIn(b"\r\nConnection: close\r\n", busy.received)
        self.assertTrue(busy.is_closed)
        busy.leave()
        self.successResultOf(emptied)

    def test_drain_of_the_busy(self) -> None:
        """Who has asked something just now may ask once more, and is told then that this was the last time."""
        self.client.send(get(self.path))
        asking = self.world.client()
        asking.send(get(self.path))
        self.world.site.drain()
        asking.send(get(self.path))
        self.assertEqual((asking.statuses, asking.is_closed), ([200, 200], True))
        self.assertFalse(self.client.is_closed)
        self.world.clock.advance(MOMENT_SECONDS)
        self.assertTrue(self.client.is_closed)

    def test_drain_within_a_head(self) -> None:
        """Half a request counts as one: the rest of it is waited for."""
        self.world.clock.advance(BUSY_SECONDS)
        self.client.write(b"GET " + self.path.encode() + b" HTTP/1.1\r\nHost")
        self.world.site.drain()
        self.world.clock.advance(BUSY_SECONDS)
        self.client.write(b": h\r\n\r\n")
        self.assertEqual((self.client.statuses, self.client.is_closed), ([200], True))

    def test_goodbye(self) -> None:
        """Before that the port serves on, old connections and new ones, but each for one reply only."""
        self.client.send(get(self.path))
        self.world.site.say_goodbye()
        new = self.world.client()
        for client in (self.client, new):
            self.assertFalse(client.is_closed)
            client.send(get(self.path))
            self.assertTrue(client.is_closed)
            self.assertIn(b"\r\nConnection: close\r\n", client.received)

    def test_nobody_there(self) -> None:
        """A port without connections is empty at once."""
        self.client.leave()
        self.successResultOf(self.world.site.drain())

    def test_abort(self) -> None:
        """Who is left in the end is thrown out."""
        self.threads.is_open = False
        self.client.send(Request("GET", self.path))
        self.world.site.abort()
        self.assertTrue(self.client.is_aborted)
        self.client.leave()
        self.threads.open()
        self.assertEqual(self.world.server.download_limit.in_flight, 0)
