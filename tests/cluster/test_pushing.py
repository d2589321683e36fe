"""Metrics on their way to a push gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IAgent

from seaweedvol.cluster.pushing import Pusher, push_url
from seaweedvol.server.interfaces import RemoteCallFailed


@attrs.frozen
class Settings:
    """What a master says."""

    metrics_address: str = ""
    metrics_interval_seconds: int = 0


class Consumer:
    """Where a body goes."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        """See IConsumer."""
        self.data += data


@attrs.define
class Answer:
    """Of the gateway.

    :ivar phrase: as of a Twisted response; ``end`` is why there is no more of the body.
    """

    code: int
    end: Exception = attrs.field(factory=ResponseDone)
    phrase: bytes = b"said"

    def deliverBody(self, protocol: Any) -> None:
        """See IResponse."""
        protocol.dataReceived(b"said")
        protocol.connectionLost(Failure(self.end))


class Gateway:
    """Takes requests.

    :ivar pushed: method, URL and body of each.
    """

    def __init__(self) -> None:
        self.pushed: list[tuple[str, str, bytes]] = []
        self.answer: Callable[[], Deferred[Any]] = lambda: succeed(Answer(202))

    def request(self, method: bytes, uri: bytes, headers: Any = None, body: Any = None) -> Deferred[Any]:
        """See IAgent."""
        consumer = Consumer()
        body.startProducing(consumer)
        assert body.length == len(consumer.data)
        self.pushed.append((method.decode(), uri.decode(), consumer.data))
        return self.answer()


class PusherTests(SynchronousTestCase):
    """Two masters and a gateway."""

    def setUp(self) -> None:
        self.clock, self.gateway = Clock(), Gateway()
        self.said: dict[str, Settings] = {}
        self.asked: list[str] = []
        self.pusher = Pusher(
            masters=["one:9333", "two:9333"], ask=self.ask, read=self.read, instance="10.0.0.7:8080",
            agent=cast(IAgent, self.gateway), clock=self.clock, in_thread=self.in_thread)
        self.addCleanup(self.pusher.stopService)

    def ask(self, master: str) -> Settings:
        """What a master says; those of whom nothing is known do not answer."""
        self.asked.append(master)
        if master not in self.said:
            raise RemoteCallFailed("nobody there")
        return self.said[master]

    async def read(self) -> bytes:
        """All metrics."""
        return b"a 1\n"

    async def in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Here."""
        return work(*arguments)

    def test_pushes(self) -> None:
        """To where the first master that answers says, as often as it says, replacing what was there."""
        self.said["two:9333"] = Settings("gateway:9091", 7)
        self.pusher.startService()
        self.assertEqual(self.gateway.pushed, [
            ("PUT", "http://gateway:9091/metrics/job/volumeServer/instance/10.0.0.7%3A8080", b"a 1\n")])
        self.clock.pump([6.9, 0.2, 7])
        self.assertEqual((len(self.gateway.pushed), self.asked), (3, ["one:9333", "two:9333"]))
        self.pusher.stopService()
        self.clock.advance(30)
        self.assertEqual(len(self.gateway.pushed), 3)

    def test_off(self) -> None:
        """Without address or interval nothing is pushed, and nobody asked again."""
        for settings in (Settings("", 5), Settings("gateway:9091", 0)):
            self.said["one:9333"] = settings
            self.pusher.startService()
            self.clock.advance(100)
            self.pusher.stopService()
        self.assertEqual((self.gateway.pushed, self.asked), ([], ["one:9333"] * 2))

    def test_interval(self) -> None:
        """An interval below nothing is a quarter of a minute."""
        self.said["one:9333"] = Settings("gateway:9091", -1)
        self.pusher.startService()
        self.clock.pump([14.9, 0.2])
        self.assertEqual(len(self.gateway.pushed), 2)

    def test_later(self) -> None:
        """As long as no master answers they are asked again."""
        self.pusher.startService()
        self.said["one:9333"] = Settings("https://gateway/base/", 5)
        self.clock.advance(2)
        self.assertEqual([url for _, url, _ in self.gateway.pushed],
                         ["https://gateway/base/metrics/job/volumeServer/instance/10.0.0.7%3A8080"])

    def test_failures(self) -> None:
        """A gateway that refuses, or is not there, is tried again; 200 is as good as 202."""
        self.said["one:9333"] = Settings("gateway:9091", 5)
        answers = [fail(ConnectionRefusedError()), succeed(Answer(500)), succeed(Answer(200))]
        self.gateway.answer = lambda: answers.pop(0)
        self.pusher.startService()
        self.clock.pump([5, 5])
        self.assertEqual((len(self.gateway.pushed), answers), (3, []))

    def test_end_of_connection(self) -> None:
        """An answer that ends with its connection counts by its code."""
        self.said["one:9333"] = Settings("gateway:9091", 5)
        answers = [Answer(200, PotentialDataLoss()), Answer(500, PotentialDataLoss())]
        self.gateway.answer = lambda: succeed(answers.pop(0))
        with capturedLogs() as events:
            self.pusher.startService()
            self.assertEqual([event for event in events if "could not push" in event["log_format"]], [])
            self.clock.advance(5)
        self.assertEqual([str(event["error"]).partition(" while")[0] for event in events if "error" in event],
                         ["unexpected status code 500"])

    def test_silence(self) -> None:
        """A gateway that says nothing is given up after a while, and does not keep the server from stopping."""
        self.said["one:9333"] = Settings("gateway:9091", 5)
        self.gateway.answer = Deferred
        self.pusher.startService()
        self.clock.pump([31, 5])
        self.assertEqual(len(self.gateway.pushed), 2)
        self.pusher.stopService()

    def test_instance(self) -> None:
        """A name with a slash, or none, is written as Go writes it."""
        self.assertTrue(push_url("g", "a/b").endswith("/instance@base64/YS9i"))
        self.assertTrue(push_url("g", "").endswith("/instance@base64/="))
