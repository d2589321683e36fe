"""A connection ends in time when nothing happens on it, and not while something does."""

from __future__ import annotations

from tests.conformance.exchange import get
from tests.web.connection.test_channel import GENERAL, ChannelTests, head
from tests.web.serving import IDLE_SECONDS, fid, make_world


class IdleTests(ChannelTests):
    """How long nothing may happen."""

    def test_idle(self) -> None:
        """A connection on which nothing is asked is closed in time, and not before."""
        self.world.clock.advance(IDLE_SECONDS - 1)
        self.client.send(get(self.path))
        self.world.clock.advance(IDLE_SECONDS - 1)
        self.assertFalse(self.client.is_closed)
        self.world.clock.advance(2)
        self.assertEqual((self.client.is_closed, self.client.is_aborted), (True, False))

    def test_half_a_head(self) -> None:
        """So is one on which half a request stands, with a complaint."""
        self.talk(b"GET / HT")
        self.world.clock.advance(IDLE_SECONDS + 1)
        self.assertEqual((self.client.statuses, self.client.is_closed, self.client.is_aborted), ([400], True, False))

    def test_slow_but_steady(self) -> None:
        """An upload may take any time while bytes come."""
        self.talk(head("PUT", fid(2), "Content-Length: 20"))
        for _ in range(20):
            self.world.clock.advance(IDLE_SECONDS - 1)
            self.talk(b"x")
        self.assertEqual(self.client.statuses, [201])

    def test_silent_within_body(self) -> None:
        """An upload that stops is refused in time, in Go's words."""
        self.talk(head("PUT", fid(2), "Content-Length: 20") + b"x")
        self.world.clock.advance(IDLE_SECONDS + 1)
        self.assertEqual(
            [(answer.status, answer.body) for answer in self.client.answers()],
            [(400, b'{"error":"read tcp 127.0.0.1:8080-\\u003e127.0.0.1:4711: i/o timeout"}')])
        self.assertTrue(self.client.is_closed)
        self.assertEqual(self.in_flight(), 0)

    def test_busy(self) -> None:
        """A request that takes its time here is not idle."""
        self.threads.is_open = False
        self.client.send(get(self.path + GENERAL))
        self.world.clock.pump([IDLE_SECONDS] * 5)
        self.assertFalse(self.client.is_closed)
        self.threads.open()
        self.assertEqual(self.client.statuses, [200])

    def test_does_not_read(self) -> None:
        """A client that does not take its answer is given up in time."""
        self.world.put(2, bytes(3 << 20))
        self.client.wire.takes_bytes = False
        self.client.send(get(fid(2)))
        self.world.clock.advance(IDLE_SECONDS + 1)
        self.assertTrue(self.client.is_aborted)
        self.client.leave()
        self.assertEqual(self.world.server.download_limit.in_flight, 0)

    def test_no_limit(self) -> None:
        """With a timeout of 0 nobody is thrown out."""
        patient = make_world(self, idle_seconds=0)
        client = patient.client()
        patient.clock.advance(10**6)
        self.assertFalse(client.is_closed)
        self.assertEqual(patient.clock.getDelayedCalls(), [])
