"""Random conversations over a connection of the lane and over Twisted's own: protocols must not tell them apart."""

from __future__ import annotations

import socket
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.error import ConnectionLost
from twisted.internet.tcp import Server
from twisted.python.failure import Failure
from twisted.trial import unittest

from seaweedvol.web.lane.lane import Lane
from seaweedvol.web.lane.transport import LaneTransport
from tests.web.lanes import HERE, THERE, HalfListener, Listener, Pulled

SIZES = st.sampled_from((1, 100, 70_000, 600_000))
STEPS = st.one_of(
    st.tuples(st.just("write"), SIZES), st.tuples(st.just("sequence"), SIZES), st.tuples(st.just("send"), SIZES),
    st.tuples(st.just("pull"), SIZES),
    st.tuples(st.sampled_from(("read", "pause", "resume", "unregister", "turn")), st.just(0)),
    st.tuples(st.sampled_from(("lose", "abort", "lose_write", "end")), st.just(0)))


class Half:
    """One of the two conversations."""

    def __init__(self, reactor: Any, lane: Lane | None, is_half_closeable: bool) -> None:
        here, self.there = socket.socketpair()
        here.setblocking(False)
        self.there.setblocking(False)
        self._reactor = reactor
        self.protocol = HalfListener() if is_half_closeable else Listener()
        self.transport: Any
        if lane is None:
            port: Any = None
            self.transport = Server(here, self.protocol, ("127.0.0.1", 4711), port, 1, reactor)
            self.protocol.makeConnection(self.transport)
        else:
            self.transport = LaneTransport(lane, reactor, here, self.protocol, THERE, lambda address: HERE)
            self.transport.start()
        self.read = b""
        self.producer: Pulled | None = None
        self._is_half_closed = False

    def turn(self) -> None:
        """Let the reactor do what there is to do."""
        for _ in range(6):
            self._reactor.runUntilCurrent()
            self._reactor.doIteration(0)

    def do(self, step: str, size: int) -> None:
        """One step of the conversation."""
        data = (b"%d:" % size + bytes(size))[:size]
        if step == "write":
            self.transport.write(data)
        elif step == "sequence":
            self.transport.writeSequence([data, data])
        elif step == "send":
            self._send(data)
        elif step == "pull":
            # How soon it is asked again depends on what the socket takes, and so does what comes between its pieces.
            self.read_all()
            if self.transport.producer is None:
                self.producer = Pulled(self.transport, data, b"x", data)
                self.transport.registerProducer(self.producer, False)
            self.read_all()
        elif step == "unregister":
            # Twisted would not close its half any more.
            if not self._is_half_closed:
                self.transport.unregisterProducer()
        elif step == "read":
            self.read_all()
        elif step == "end":
            self.there.shutdown(socket.SHUT_WR)
        elif self.transport.connected and not (step == "lose_write" and self._is_half_closed):
            # Twisted's transport is not to be asked for these when it is closed, nor to close its half twice.
            self._is_half_closed = self._is_half_closed or step == "lose_write"
            call = {"pause": self.transport.pauseProducing, "resume": self.transport.resumeProducing,
                    "lose": self.transport.loseConnection, "abort": self.transport.abortConnection,
                    "lose_write": self.transport.loseWriteConnection, "turn": self.turn}[step]
            call()

    def _send(self, data: bytes) -> None:
        try:
            self.there.send(data)
        except OSError:
            pass

    def read_all(self) -> None:
        """The client reads what there is."""
        while True:
            self.turn()
            try:
                data = self.there.recv(1 << 20)
            except OSError:
                return
            if not data:
                return
            self.read += data

    def close(self) -> None:
        """Be gone."""
        self.there.close()
        self.turn()

    def outcome(self) -> tuple[object, ...]:
        """What the protocol, its producer and the client know."""
        producer = self.producer
        # Twisted tells of the end of the input each time that reading is resumed after it.
        return (list(dict.fromkeys(self.protocol.log)), len(self.protocol.received), hash(self.protocol.received),
                bool(self.transport.connected), bool(self.transport.disconnecting), bool(self.transport.disconnected),
                producer is not None and (producer.is_stopped, len(producer.pieces)))


class TwinTests(unittest.SynchronousTestCase):
    """Two transports, one behaviour."""

    def setUp(self) -> None:
        self.reactor: Any = EPollReactor()
        self.lane = Lane(self.reactor)
        self.lane.start()
        self.addCleanup(self._close)

    def _close(self) -> None:
        self.lane.stop()
        for reader in self.reactor.removeAll():
            reader.connectionLost(Failure(ConnectionLost()))
        for waker in self.reactor._internalReaders:
            waker.connectionLost(None)
        self.reactor._poller.close()

    @given(st.booleans(), st.lists(STEPS, max_size=12))
    @settings(max_examples=60, deadline=None)
    def test_same_behaviour(self, is_half_closeable: bool, steps: list[tuple[str, int]]) -> None:
        """Whatever is written, paused, produced and closed in whatever order: both ends see the same."""
        twins = [Half(self.reactor, lane, is_half_closeable) for lane in (None, self.lane)]
        for step, size in steps:
            for twin in twins:
                twin.do(step, size)
                twin.turn()
            if step == "read":
                self.assertEqual(twins[0].outcome(), twins[1].outcome())
        for twin in twins:
            twin.read_all()
        self.assertEqual(twins[0].outcome(), twins[1].outcome())
        theirs, ours = twins[0].read, twins[1].read
        # The lane's bytes leave earlier: more of them have left when a connection ends too early.
        is_cut = any(step in ("abort", "end") for step, _ in steps)
        self.assertEqual(theirs, ours[:len(theirs)] if is_cut else ours)
        for twin in twins:
            twin.close()
