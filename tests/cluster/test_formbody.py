"""A form on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import defer
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.formbody import INLINE_BYTES, FormBody
from seaweedvol.cluster.multipart import Form
from tests.cluster.test_replicate import Data, at_once


class Consumer:
    """A transport that may be full."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Remember."""
        self.written.append(data)


class FormBodyTests(SynchronousTestCase):
    """The producer between a body and a connection."""

    FORM = Form("type", b"<", b">")

    def test_pause_holds_chunks_back(self) -> None:
        """No chunk is read while the connection is full; all come once it is not."""
        consumer = Consumer()
        body = FormBody(self.FORM, Data(), at_once)
        body.pauseProducing()
        done = body.startProducing(consumer)  # type: ignore[arg-type]
        self.assertEqual(consumer.written, [b"<"])
        body.resumeProducing()
        self.successResultOf(done)
        self.successResultOf(body.sent)
        self.assertEqual(b"".join(consumer.written), b"<hello>")
        self.assertEqual(body.length, 7)

    def test_stop_ends_silently(self) -> None:
        """After a stop nothing is written and nothing fires."""
        consumer = Consumer()
        body = FormBody(self.FORM, Data(), at_once)
        body.pauseProducing()
        done = body.startProducing(consumer)  # type: ignore[arg-type]
        body.stopProducing()
        self.assertNoResult(done)
        self.assertEqual(consumer.written, [b"<"])

    def test_large_bodies_are_read_in_a_thread(self) -> None:
        """What may lie in a file is never read on the reactor's thread, small bodies always are."""
        in_thread: list[object] = []

        def thread(function: Callable[..., Any], *args: Any) -> defer.Deferred[Any]:
            in_thread.append(function)
            return defer.maybeDeferred(function, *args)

        for pieces, is_threaded in (((b"x",), False), ((b"x" * INLINE_BYTES, b"y"), True)):
            in_thread.clear()
            consumer = Consumer()
            self.successResultOf(FormBody(self.FORM, Data(pieces), thread).startProducing(
                consumer))  # type: ignore[arg-type]
            self.assertEqual(bool(in_thread), is_threaded)
            self.assertEqual(b"".join(consumer.written), b"<" + b"".join(pieces) + b">")
