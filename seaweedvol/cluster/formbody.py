"""A form on its way: the producer between a body that is read in pieces and an HTTP connection.

Knows Twisted's producers and the form around the data. Must not know requests or what the data are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, Protocol

from twisted.internet import defer
from twisted.internet.interfaces import IConsumer
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from seaweedvol.cluster.multipart import Form

# Larger bodies lie in files and are read in a thread.
INLINE_BYTES: Final = 1 << 20

InThread = Callable[..., Awaitable[Any]]


class Body(Protocol):
    """The data of a needle; may be read several times at once."""

    @property
    def length(self) -> int:
        """Bytes."""

    def chunks(self) -> Iterator[bytes]:
        """All bytes, in pieces of bounded size; may block."""


@implementer(IBodyProducer)
class FormBody:
    """The form around a body that is read chunk by chunk, never faster than the connection takes it.

    :ivar sent: fires when all was handed to the connection.
    """

    def __init__(self, form: Form, body: Body, in_thread: InThread) -> None:
        self._form, self._body, self._in_thread = form, body, in_thread
        self.length = len(form.head) + body.length + len(form.tail)
        self._going: defer.Deferred[None] | None = None
        self._is_stopped = False
        self.sent: defer.Deferred[None] = defer.Deferred()

    def startProducing(self, consumer: IConsumer) -> defer.Deferred[None]:
        """Write everything to ``consumer``."""
        return defer.Deferred.fromCoroutine(self._produce(consumer))

    def pauseProducing(self) -> None:
        """Hold on."""
        if self._going is None:
            self._going = defer.Deferred()

    def resumeProducing(self) -> None:
        """Go on."""
        going, self._going = self._going, None
        if going is not None:
            going.callback(None)

    def stopProducing(self) -> None:
        """The connection is gone; the result of ``startProducing`` never fires, as its contract asks."""
        self._is_stopped = True
        self.resumeProducing()

    async def _produce(self, consumer: IConsumer) -> None:
        consumer.write(self._form.head)
        chunks = iter(self._body.chunks())
        while True:
            while self._going is not None:
                await self._going
            if self._is_stopped:
                # Never fires: nobody waits any more.
                await defer.Deferred()
            chunk = await self._next(chunks)
            if chunk is None:
                break
            if not self._is_stopped:
                consumer.write(chunk)
        if not self._is_stopped:
            consumer.write(self._form.tail)
            self.sent.callback(None)

    async def _next(self, chunks: Iterator[bytes]) -> bytes | None:
        if self._body.length <= INLINE_BYTES:
            return next(chunks, None)
        chunk: bytes | None = await self._in_thread(next, chunks, None)
        return chunk
