"""Connections of the lane."""

from __future__ import annotations

import socket

from twisted.internet.interfaces import IConsumer, IPushProducer, ITCPTransport
from twisted.trial import unittest
from zope.interface.verify import verifyObject

from seaweedvol.web.lane.outgoing import NOTHING, ColdPages
from tests.web.lanes import HERE, THERE, Connection, HalfListener, Listener, Pulled, Pushing, Script, World


class ConnectionCase(unittest.SynchronousTestCase):
    """One connection."""

    def setUp(self) -> None:
        self.world = World(self)
        self.turn = self.world.turn
        self.use(Listener())

    def use(self, protocol: Listener) -> None:
        """Use a connection with this protocol from now on."""
        self.connection: Connection = self.world.connect(protocol)
        self.protocol = protocol
        self.transport = self.connection.transport
        self.there = self.connection.there

    def lost(self) -> list[str]:
        """How the connection ended, if it has."""
        return [line for line in self.protocol.log if line != "made"]


class ReadingTests(ConnectionCase):
    """Bytes that come in, and their end."""

    def test_interfaces(self) -> None:
        """It is what Twisted's transport is."""
        for interface in (ITCPTransport, IConsumer, IPushProducer):
            verifyObject(interface, self.transport)
        self.assertEqual((self.transport.getPeer(), self.transport.getHost()), (THERE, HERE))
        self.assertEqual(self.protocol.log, ["made"])

    def test_bytes_come_in(self) -> None:
        """All of them, in order."""
        data = bytes(range(256)) * 600
        self.there.send(data)
        self.turn()
        self.assertEqual(self.protocol.received, data)

    def test_pause(self) -> None:
        """Nothing comes in while reading is paused."""
        self.transport.pauseProducing()
        self.there.send(b"hello")
        self.turn()
        self.assertEqual(self.protocol.received, b"")
        self.transport.resumeProducing()
        self.turn()
        self.assertEqual(self.protocol.received, b"hello")

    def test_pause_in_the_same_round(self) -> None:
        """Not even what was ready when another one paused it."""
        other = self.world.connect()
        pairs = ((self.connection, other), (other, self.connection))
        for one, two in pairs:
            def pause(data: bytes, two: Connection = two) -> None:
                two.transport.pauseProducing()
            one.protocol.on_data = pause
            one.there.send(b"x")
        self.turn()
        self.assertEqual(sorted([self.protocol.received, other.protocol.received]), [b"", b"x"])

    def test_end(self) -> None:
        """The client's end is the connection's, for a protocol that knows no halves."""
        self.there.shutdown(socket.SHUT_WR)
        self.turn()
        self.assertEqual(self.lost(), ["ConnectionDone"])
        self.assertTrue(self.connection.is_ended)
        self.assertTrue(self.transport.disconnected)

    def test_half_end(self) -> None:
        """A protocol that knows halves is told once, and may answer."""
        self.use(HalfListener())
        self.there.shutdown(socket.SHUT_WR)
        self.turn()
        self.transport.pauseProducing()
        self.transport.resumeProducing()
        self.transport.write(b"answer")
        self.turn()
        self.assertEqual(self.lost(), ["read lost"])
        self.assertEqual(self.connection.read(), b"answer")
        self.transport.loseConnection()
        self.turn()
        self.assertEqual(self.lost(), ["read lost", "ConnectionDone"])

    def test_reset(self) -> None:
        """A connection that was reset is lost."""
        self.transport.write(b"unread")
        self.there.close()
        self.turn()
        self.assertEqual(self.lost(), ["ConnectionLost"])

    def test_reset_while_paused(self) -> None:
        """Also when nobody reads."""
        self.transport.pauseProducing()
        self.transport.write(b"unread")
        self.there.close()
        self.turn()
        self.assertEqual(self.lost(), ["ConnectionLost"])

    def test_end_while_paused(self) -> None:
        """A client that went away in good order does not keep the lane busy; its last bytes are there to be read."""
        self.transport.pauseProducing()
        self.there.send(b"last")
        self.there.close()
        self.turn()
        self.assertEqual(self.lost(), [])
        rounds: list[None] = []
        self.world.lane.after_round.append(lambda: rounds.append(None))
        self.turn()
        self.assertEqual(rounds, [])
        self.transport.resumeProducing()
        self.turn()
        self.assertEqual((self.protocol.received, self.lost()), (b"last", ["ConnectionDone"]))


class WritingTests(ConnectionCase):
    """Bytes that go out."""

    def test_leaves_at_once(self) -> None:
        """What the socket takes leaves within the call."""
        self.transport.write(b"hello")
        self.transport.writeSequence([b" ", b"world"])
        self.assertEqual(self.there.recv(100), b"hello world")
        self.assertTrue(self.transport.is_clear)

    def test_rest_waits(self) -> None:
        """What it does not take leaves when the client reads, before anything that is written later."""
        data = self.connection.fill()
        self.transport.write(b"later")
        self.assertEqual(self.connection.read(), data + b"later")
        self.assertTrue(self.transport.is_clear)

    def test_many_pieces(self) -> None:
        """However many pieces wait."""
        data = self.connection.fill()
        pieces = [b"%d," % number for number in range(1000)]
        for piece in pieces:
            self.transport.write(piece)
        self.assertEqual(self.connection.read(), data + b"".join(pieces))

    def test_client_is_gone(self) -> None:
        """Writing to nobody is no error of the writer; the protocol hears of it later."""
        self.transport.pauseProducing()
        self.there.close()
        self.transport.write(b"hello")
        self.transport.write(b"again")
        self.assertEqual(self.lost(), [])
        self.turn()
        self.assertEqual(self.lost(), ["ConnectionLost"])
        self.transport.write(b"nothing")
        self.transport.loseConnection()
        self.transport.abortConnection()

    def test_client_goes_while_bytes_wait(self) -> None:
        """It is the same when bytes waited."""
        self.transport.pauseProducing()
        self.connection.fill()
        self.there.close()
        self.turn()
        self.assertEqual(self.lost(), ["ConnectionLost"])

    def test_close(self) -> None:
        """Closing waits for all bytes, takes no more input, and is told later."""
        data = self.connection.fill()
        self.transport.loseConnection()
        self.there.send(b"too late")
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual(self.connection.read(), data)
        self.assertEqual((self.protocol.received, self.lost()), (b"", ["ConnectionDone"]))
        self.assertTrue(self.connection.is_ended)

    def test_close_when_all_has_left(self) -> None:
        """The protocol hears of it in the next turn, not at once."""
        self.transport.write(b"bye")
        self.transport.loseConnection()
        self.transport.loseConnection()
        self.assertEqual(self.lost(), [])
        self.turn()
        self.assertEqual(self.lost(), ["ConnectionDone"])
        self.assertEqual(self.connection.read(), b"bye")

    def test_abort(self) -> None:
        """Nothing that waits is sent, nothing is read; the protocol hears of it in the next turn."""
        data = self.connection.fill()
        self.transport.abortConnection()
        self.transport.write(b"more")
        self.transport.resumeProducing()
        self.there.send(b"hello")
        self.assertEqual(self.lost(), [])
        self.turn()
        self.assertEqual((self.protocol.received, self.lost()), (b"", ["ConnectionAborted"]))
        self.assertLess(len(self.connection.read()), len(data))

    def test_half_close(self) -> None:
        """Our side closes when all bytes have left; the client may go on."""
        self.use(HalfListener())
        data = self.connection.fill()
        self.transport.loseWriteConnection()
        self.assertEqual(self.connection.read(), data)
        self.assertTrue(self.connection.is_ended)
        self.transport.write(b"too late")
        self.there.send(b"hello")
        self.turn()
        self.assertEqual((self.protocol.received, self.lost()), (b"hello", ["write lost"]))
        self.transport.loseConnection()
        self.assertEqual(self.lost(), ["write lost", "ConnectionDone"])

    def test_both_halves_closed(self) -> None:
        """A connection that is closed on both sides waits for its protocol, and does not keep the lane busy."""
        self.use(HalfListener())
        self.transport.loseWriteConnection()
        self.there.shutdown(socket.SHUT_WR)
        self.turn()
        rounds: list[None] = []
        self.world.lane.after_round.append(lambda: rounds.append(None))
        self.turn()
        self.assertEqual((rounds, sorted(self.lost())), ([], ["read lost", "write lost"]))
        self.transport.loseConnection()
        self.assertIn("ConnectionDone", self.lost())


class ProducerTests(ConnectionCase):
    """Producers that write when they are told to."""

    def test_pull(self) -> None:
        """A pull producer is asked whenever nothing waits."""
        big = bytes(1 << 20)
        producer = Pulled(self.transport, b"a", b"b", big, b"c")
        self.transport.registerProducer(producer, False)
        self.assertEqual(self.connection.read(), b"ab" + big + b"c")
        self.assertEqual(producer.asked, 5)

    def test_pull_without_end(self) -> None:
        """One that writes little at a time and long neither recurses nor keeps the lane."""
        producer = Pulled(self.transport, *[b"x"] * 5000)
        self.transport.registerProducer(producer, False)
        self.assertLess(producer.asked, 20)
        self.turn(2000)
        self.assertEqual(len(self.connection.read()), 5000)

    def test_pull_is_asked_after_others_writes(self) -> None:
        """It is asked after each write that leaves at once, by whomever."""
        producer = Pulled(self.transport)
        self.transport.registerProducer(producer, False)
        self.transport.write(b"x")
        self.transport.write(b"x")
        self.transport.write(b"")
        self.assertEqual(producer.asked, 3)

    def test_pull_is_not_asked_while_bytes_wait(self) -> None:
        """A slow client is not given more than it takes."""
        producer = Pulled(self.transport)
        self.transport.registerProducer(producer, False)
        self.connection.fill()
        self.turn()
        self.assertEqual(producer.asked, 1)
        self.connection.read()
        self.assertEqual(producer.asked, 2)

    def test_close_waits_for_pull(self) -> None:
        """The connection does not close before its producer has gone."""
        producer = Pulled(self.transport)
        self.transport.registerProducer(producer, False)
        self.transport.loseConnection()
        self.turn()
        self.assertEqual(self.lost(), [])
        self.transport.write(b"last words")
        self.transport.unregisterProducer()
        self.turn()
        self.assertEqual((self.connection.read(), self.lost()), (b"last words", ["ConnectionDone"]))

    def test_push(self) -> None:
        """A push producer pauses while much waits."""
        producer = Pushing()
        self.transport.registerProducer(producer, True)
        self.transport.write(b"little")
        self.assertEqual(producer.log, [])
        self.connection.fill()
        self.transport.write(b"more")
        self.assertEqual(producer.log, ["pause"])
        self.connection.read()
        self.assertEqual(producer.log, ["pause", "resume"])
        self.transport.stopConsuming()
        self.turn()
        self.assertEqual(self.lost(), ["ConnectionDone"])
        self.assertEqual(producer.log, ["pause", "resume"])

    def test_lost(self) -> None:
        """A producer is stopped when the connection is lost, or was."""
        producer, late = Pushing(), Pushing()
        self.transport.registerProducer(producer, True)
        self.there.close()
        self.turn()
        self.transport.registerProducer(late, True)
        self.assertEqual((producer.log, late.log), (["stop"], ["stop"]))

    def test_one_at_a_time(self) -> None:
        """There is one producer."""
        self.transport.registerProducer(Pushing(), True)
        self.assertRaises(RuntimeError, self.transport.registerProducer, Pushing(), True)

    def test_failure(self) -> None:
        """What a producer raises is not the writer's fault; the connection is lost."""
        class Failing(Pulled):
            def resumeProducing(self) -> None:
                if self.pieces:
                    raise ZeroDivisionError

        producer = Failing(self.transport)
        self.transport.registerProducer(producer, False)
        producer.pieces = [b"x"]
        self.transport.write(b"hello")
        self.turn()
        self.assertEqual(self.lost(), ["ZeroDivisionError"])
        self.assertTrue(producer.is_stopped)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class OutgoingTests(ConnectionCase):
    """Senders that send themselves."""

    def setUp(self) -> None:
        super().setUp()
        self.ends: list[Exception | None] = []

    def send(self, *steps: bytes | Exception) -> Script:
        """Let a sender send itself."""
        script = Script(self.transport.getHandle(), *steps)
        self.transport.write_from(script, self.ends.append)
        return script

    def test_sends_at_once(self) -> None:
        """When nothing waits and the socket takes all, it is over within the call."""
        self.send(b"body")
        self.assertEqual((self.there.recv(100), self.ends), (b"body", [None]))
        self.assertTrue(self.transport.is_clear)

    def test_keeps_order(self) -> None:
        """It goes after what was written before, and before what is written later."""
        data = self.connection.fill()
        self.send(b"one", b"two", bytes(1 << 20))
        self.transport.write(b"after")
        self.send(b"three")
        self.turn()
        self.assertEqual(self.ends, [])
        self.assertEqual(self.connection.read(), data + b"onetwo" + bytes(1 << 20) + b"afterthree")
        self.assertEqual(self.ends, [None, None])

    def test_nothing_tells_when_all_has_left(self) -> None:
        """NOTHING is over when everything before it has left."""
        self.connection.fill()
        self.transport.write_from(NOTHING, self.ends.append)
        self.turn()
        self.assertEqual(self.ends, [])
        self.connection.read()
        self.assertEqual(self.ends, [None])

    def test_reads_meanwhile(self) -> None:
        """Bytes come in while it sends."""
        self.send(bytes(1 << 20))
        self.there.send(b"hello")
        self.turn()
        self.assertEqual((self.protocol.received, self.ends), (b"hello", []))

    def test_next_one_from_the_end_of_one(self) -> None:
        """Whoever is told of the end may write and send on, and close."""
        def go_on(error: Exception | None) -> None:
            self.ends.append(error)
            self.transport.write(b"2")
            self.transport.write_from(Script(self.transport.getHandle(), b"3"), self.ends.append)
            self.transport.loseConnection()

        self.transport.write_from(Script(self.transport.getHandle(), b"1"), go_on)
        self.assertEqual(self.lost(), [])
        self.assertEqual(self.connection.read(), b"123")
        self.assertEqual((self.ends, self.lost()), ([None, None], ["ConnectionDone"]))

    def test_cold_pages(self) -> None:
        """Bytes that are not at hand are waited for, without keeping the lane busy, and in their place."""
        script = self.send(b"one", ColdPages(), b"two")
        self.transport.write(b"after")
        rounds: list[None] = []
        self.world.lane.after_round.append(lambda: rounds.append(None))
        self.transport.loseConnection()
        self.transport.loseWriteConnection()
        self.assertEqual(self.connection.read(), b"one")
        self.assertLess(len(rounds), 3)
        script.warming.callback(None)
        self.assertEqual(self.connection.read(), b"twoafter")
        self.assertEqual((self.ends, self.lost()), ([None], ["ConnectionDone"]))

    def test_pages_that_are_there_at_once(self) -> None:
        """The wait may be over before it begins."""
        script = Script(self.transport.getHandle(), ColdPages(), b"two")
        script.warming.callback(None)
        self.transport.write_from(script, self.ends.append)
        self.assertEqual((self.connection.read(), self.ends), (b"two", [None]))

    def test_pages_that_cannot_be_had(self) -> None:
        """Then the connection is broken off."""
        script = self.send(ColdPages(), b"two")
        script.warming.errback(OSError("broken"))
        self.turn()
        self.assertEqual((str(self.ends[0]), self.lost()), ("broken", ["ConnectionAborted"]))

    def test_lost_while_cold(self) -> None:
        """A client that goes while pages are waited for is an end too, and the only one."""
        for result in (None, OSError("broken")):
            self.ends = []
            self.use(Listener())
            script = self.send(ColdPages(), b"two")
            self.there.close()
            self.turn()
            self.assertEqual((len(self.ends), self.lost()), (1, ["ConnectionDone"]))
            script.warming.callback(None) if result is None else script.warming.errback(result)
            self.turn()
            self.assertEqual(len(self.ends), 1)

    def test_failure(self) -> None:
        """One that cannot go on breaks the connection off: the client must not take what it has for the whole."""
        self.send(b"part", OSError("broken"), b"rest")
        self.assertEqual(self.ends, [])
        self.assertEqual(self.connection.read(), b"part")
        self.assertEqual((str(self.ends[0]), self.lost()), ("broken", ["ConnectionAborted"]))

    def test_no_connection(self) -> None:
        """One that can never be sent ends at once."""
        for end in (self.transport.abortConnection, self.turn):
            end()
            self.ends = []
            self.send(b"x")
            self.assertEqual([type(error).__name__ for error in self.ends], ["ConnectionLost"])

    def test_lost(self) -> None:
        """All that wait end when the connection does, whatever one of them does about it."""
        def fail(error: Exception | None) -> None:
            raise ZeroDivisionError

        self.connection.fill()
        self.transport.write_from(NOTHING, fail)
        self.send(b"x")
        self.transport.abortConnection()
        self.turn()
        self.assertEqual([type(error).__name__ for error in self.ends], ["ConnectionAborted"])
        self.assertEqual(self.lost(), ["ConnectionAborted"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_pull_producer_after_it(self) -> None:
        """A pull producer is asked when it is over."""
        producer = Pulled(self.transport)
        self.transport.registerProducer(producer, False)
        self.send(b"x")
        self.assertEqual(producer.asked, 2)
        self.send(bytes(1 << 20))
        self.assertEqual(producer.asked, 2)
        self.connection.read()
        self.assertEqual(producer.asked, 3)
