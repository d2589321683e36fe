"""The lane: many descriptors behind one."""

from __future__ import annotations

import os
import select

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from twisted.trial import unittest
from zope.interface.verify import verifyObject

from seaweedvol.web.lane.lane import BATCH, ROUNDS, Lane
from tests.web.lanes import Listener, World


class Pipe:
    """A descriptor of the lane's that is ready until it is read."""

    def __init__(self, world: World, test: unittest.SynchronousTestCase, log: list[str], name: str = "",
                 accepts: bool = False) -> None:
        self.accepts = accepts
        self.number, self._writer = os.pipe()
        self._lane = world.lane
        self._log = log
        self._name = name
        test.addCleanup(self.close)
        self._lane.watch(self.number, self, select.EPOLLIN)

    def write(self) -> None:
        """Make it ready."""
        os.write(self._writer, b"x")

    def on_event(self, event: int) -> None:
        """See Watched."""
        os.read(self.number, 1)
        self._log.append(self._name)

    def read_ended(self) -> None:
        """See Watched."""

    def connectionLost(self, reason: Failure) -> None:
        """See Watched."""
        self._log.append(f"{self._name} {type(reason.value).__name__}")
        self._lane.forget(self.number)

    def close(self) -> None:
        """Clean up."""
        self._lane.forget(self.number)
        os.close(self.number)
        os.close(self._writer)


class LaneTests(unittest.SynchronousTestCase):
    """Turns, rounds, and who is told of what."""

    def setUp(self) -> None:
        self.world = World(self)
        self.lane = self.world.lane
        self.log: list[str] = []

    def test_is_one_reader(self) -> None:
        """The reactor sees one descriptor, for as long as the lane runs."""
        verifyObject(IReadDescriptor, self.lane)
        self.lane.start()
        self.assertEqual(self.world.reactor.getReaders(), [self.lane])
        self.assertGreater(self.lane.fileno(), 0)
        self.lane.stop()
        self.lane.stop()
        self.assertEqual((self.world.reactor.getReaders(), self.lane.fileno(), self.lane.is_running), ([], -1, False))

    def test_is_ready_when_one_of_its_own_is(self) -> None:
        """The inner epoll wakes the outer one."""
        outer = select.epoll()
        self.addCleanup(outer.close)
        outer.register(self.lane.fileno(), select.EPOLLIN)
        pipe = Pipe(self.world, self, self.log)
        self.assertEqual(outer.poll(0), [])
        pipe.write()
        self.assertEqual(len(outer.poll(0)), 1)

    def test_watches_only_when_running(self) -> None:
        """A lane that does not run takes nobody."""
        lane = Lane(self.world.reactor)
        self.assertRaises(RuntimeError, lane.watch, 0, None, 0)

    def test_starts_again(self) -> None:
        """A lane that was stopped serves again when it is started."""
        self.lane.stop()
        self.lane.start()
        connection = self.world.connect()
        connection.there.send(b"hello")
        self.world.turn()
        self.assertEqual(connection.protocol.received, b"hello")

    def test_stop_drops_connections(self) -> None:
        """Whoever is connected hears that this is over, also one that is not told of anything at the moment."""
        connections = [self.world.connect() for _ in range(3)]
        connections[1].transport.pauseProducing()
        self.lane.ignore(connections[2].transport.getHandle().fileno())
        self.lane.stop()
        for connection in connections:
            self.assertEqual(connection.protocol.log, ["made", "ConnectionLost"])
            self.assertTrue(connection.is_ended)

    def test_reactor_stops(self) -> None:
        """It is the same when the reactor says so."""
        connection = self.world.connect()
        self.lane.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(connection.protocol.log, ["made", "ConnectionLost"])
        self.assertFalse(self.lane.is_running)

    def test_round_has_an_end(self) -> None:
        """After each round those are called who wait for that; nothing is called when nothing was ready."""
        self.lane.after_round.append(lambda: self.log.append("over"))
        first, second = Pipe(self.world, self, self.log, "a"), Pipe(self.world, self, self.log, "b")
        self.lane.doRead()
        first.write()
        second.write()
        self.lane.doRead()
        self.assertEqual(sorted(self.log[:2]), ["a", "b"])
        self.assertEqual(self.log[2:], ["over"])

    def test_rounds_of_a_turn_are_limited(self) -> None:
        """One that is always ready does not keep the reactor."""
        rounds: list[int] = []
        self.lane.after_round.append(lambda: rounds.append(1))
        pipe = Pipe(self.world, self, self.log)
        for _ in range(ROUNDS + 1):
            pipe.write()
        self.lane.doRead()
        self.assertEqual(rounds, [1] * ROUNDS)

    def test_batch_is_limited(self) -> None:
        """No round serves more than a batch, and nobody is forgotten."""
        pipes = [Pipe(self.world, self, self.log, "x") for _ in range(BATCH + 3)]
        for pipe in pipes:
            pipe.write()
        sizes: list[int] = []
        self.lane.after_round.append(lambda: sizes.append(len(self.log)))
        self.lane.doRead()
        self.assertEqual(sizes, [BATCH, BATCH + 3])

    def test_accepting_comes_last(self) -> None:
        """A descriptor born in a round cannot get an event that was meant for a closed one of the same number."""
        pipes = [Pipe(self.world, self, self.log, name, accepts=name in "ac") for name in "abcd"]
        for pipe in pipes:
            pipe.write()
        self.lane.doRead()
        self.assertEqual([sorted(self.log[:2]), sorted(self.log[2:])], [["b", "d"], ["a", "c"]])

    def test_one_that_was_forgotten_in_the_round(self) -> None:
        """An event for a descriptor that another one has closed meanwhile is nobody's."""
        one, two = self.world.connect(), self.world.connect()
        for closer, closed in ((one, two), (two, one)):
            def close(data: bytes, closed: object = closed) -> None:
                closed.transport.connectionLost(Failure(ConnectionLost()))  # type: ignore[attr-defined]
            closer.protocol.on_data = close
            closer.there.send(b"x")
        self.world.turn()
        self.assertEqual(sorted([one.protocol.received, two.protocol.received]), [b"", b"x"])

    def test_exceptions_cost_one_connection(self) -> None:
        """What a protocol raises is logged, and that connection is lost; the others are served."""
        def fail(data: bytes) -> None:
            raise ZeroDivisionError

        failing = [self.world.connect(Listener(fail)) for _ in range(2)]
        other = self.world.connect()
        for connection in (*failing, other):
            connection.there.send(b"hello")
        self.world.turn()
        self.assertEqual([one.protocol.log for one in failing], [["made", "ZeroDivisionError"]] * 2)
        self.assertEqual((other.protocol.received, other.protocol.log), (b"hello", ["made"]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_exceptions_at_the_end_of_a_round(self) -> None:
        """What is raised there is logged, and the others are called."""
        def fail() -> None:
            raise ZeroDivisionError

        self.lane.after_round += [fail, lambda: self.log.append("over")]
        self.world.connect().there.send(b"hello")
        self.lane.doRead()
        self.assertEqual(self.log, ["over"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_exceptions_at_the_end_of_a_connection(self) -> None:
        """A protocol that cannot even be told of its end does not keep others from being told."""
        class Stubborn(Listener):
            def connectionLost(self, reason: Failure = Failure(ConnectionError())) -> None:
                raise ZeroDivisionError

        for protocol in (Stubborn(), Stubborn()):
            self.world.connect(protocol)
        other = self.world.connect()
        self.lane.stop()
        self.assertEqual(other.protocol.log, ["made", "ConnectionLost"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
