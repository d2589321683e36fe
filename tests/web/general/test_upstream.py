"""Another server's body is taken in no faster than it is wanted."""

from __future__ import annotations

import gzip
from typing import cast

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.iweb import IResponse

from seaweedvol.web.general.upstream import HIGH_WATER, CutShort, get, pieces_of
from tests.web.serving import FakeAgent, FakeResponse


async def collect(response: FakeResponse, *, is_packed: bool = False) -> bytes:
    """The whole body."""
    pieces = pieces_of(cast(IResponse, response), is_packed=is_packed)
    return b"".join([piece async for piece in pieces])


class PiecesTests(SynchronousTestCase):
    """Bodies, piece by piece."""

    def collect(self, response: FakeResponse, *, is_packed: bool = False) -> Deferred[bytes]:
        """As :func:`collect`."""
        return ensureDeferred(collect(response, is_packed=is_packed))

    def test_whole(self) -> None:
        """All of it arrives, unpacked if it was packed for us."""
        self.assertEqual(self.successResultOf(self.collect(FakeResponse(200, b"hello"))), b"hello")
        packed = FakeResponse(200, gzip.compress(b"hello"))
        self.assertEqual(self.successResultOf(self.collect(packed, is_packed=True)), b"hello")

    def test_cut_short(self) -> None:
        """A connection that breaks is not an end."""
        self.failureResultOf(self.collect(FakeResponse(200, b"hel", breaks_off=True)), CutShort)

    def test_pauses(self) -> None:
        """The sender waits while too much is there."""
        response = FakeResponse(200, b"a" * (HIGH_WATER + 1), ends=False)
        pieces = pieces_of(cast(IResponse, response))
        first = self.successResultOf(ensureDeferred(_next(pieces)))
        assert response.wire is not None
        self.assertEqual((len(first), response.wire.producerState), (HIGH_WATER + 1, "producing"))
        response.reader.dataReceived(b"b" * (HIGH_WATER + 1))
        self.assertEqual(response.wire.producerState, "paused")
        self.successResultOf(ensureDeferred(_next(pieces)))
        self.assertEqual(response.wire.producerState, "producing")


async def _next(pieces: object) -> bytes:
    async for piece in pieces:  # type: ignore[attr-defined]
        return cast(bytes, piece)
    return b""


class GetTests(SynchronousTestCase):
    """Requests to other servers."""

    def ask(self, headers: dict[str, list[str]], *answer: tuple[str, str]) -> tuple[FakeAgent, bool]:
        """Ask, and tell whether the answer has to be unpacked."""
        agent = FakeAgent({"http://a/": FakeResponse(200, b"", *answer)})
        _, is_packed = self.successResultOf(ensureDeferred(get(agent, "http://a/", headers)))
        return agent, is_packed

    def test_asks_for_gzip(self) -> None:
        """On our own account, when nobody else says what they take."""
        agent, is_packed = self.ask({}, ("Content-Encoding", "gzip"))
        self.assertEqual((agent.asked[0].headers, is_packed), ({"Accept-Encoding": ["gzip"]}, True))
        self.assertFalse(self.ask({})[1])

    def test_leaves_it_alone(self) -> None:
        """A client that says what it takes gets it as it comes; ranges are never packed."""
        agent, is_packed = self.ask({"Accept-Encoding": ["br"]}, ("Content-Encoding", "gzip"))
        self.assertEqual((agent.asked[0].headers, is_packed), ({"Accept-Encoding": ["br"]}, False))
        self.assertEqual(self.ask({"Range": ["bytes=1-"]})[0].asked[0].headers, {"Range": ["bytes=1-"]})
