"""Waiting until bytes have left a transport, on any of Twisted's."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

from seaweedvol.web.connection.exchange import ClientGone


@implementer(IPullProducer)
class Outflow:
    """Tells when a transport has handed all bytes to the kernel: it asks for more each time it is empty."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._is_registered = False
        self._waiter: Deferred[None] | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for bytes to leave."""
        return self._waiter is not None

    def write(self, data: bytes) -> Deferred[None]:
        """Write, and fire when all has left."""
        if not self._is_registered:
            self._is_registered = True
            self._transport.registerProducer(self, False)
        waiter: Deferred[None] = Deferred()
        self._waiter = waiter
        self._transport.write(data)
        return waiter

    def release(self) -> None:
        """Stop watching the transport."""
        if self._is_registered:
            self._is_registered = False
            self._transport.unregisterProducer()

    def resumeProducing(self) -> None:
        """The transport is empty."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.callback(None)

    def stopProducing(self) -> None:
        """The connection is lost."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.errback(ClientGone())
