"""gRPC from the reactor's side: errors, channels, and the way back from threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import grpc
from twisted.internet import defer, task
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.calls import Channels, as_deferred, go_text
from seaweedvol.tls.kept import REST_SECONDS


class FakeError(grpc.RpcError):
    """A failed call."""

    def __init__(self, code: grpc.StatusCode, text: str | None) -> None:
        self._code, self._text = code, text

    def code(self) -> grpc.StatusCode:
        """The status."""
        return self._code

    def details(self) -> str | None:
        """The text."""
        return self._text


class FakeFuture:
    """A call under way that the test ends."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[Any], None]] = []
        self.outcome: Any = None
        self.error: Exception | None = None
        self.is_cancelled = False

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Remember."""
        self.callbacks.append(callback)

    def end(self) -> None:
        """Let the call be over."""
        for callback in self.callbacks:
            callback(self)

    def cancel(self) -> bool:
        """Remember."""
        self.is_cancelled = True
        return True

    def cancelled(self) -> bool:
        """Whether it was."""
        return self.is_cancelled

    def exception(self) -> Exception | None:
        """Why it failed."""
        return self.error

    def result(self) -> Any:
        """What came of it."""
        return self.outcome


class Reactor:
    """A reactor thread that runs when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> None:
        """Remember."""
        self.waiting.append(lambda: callable(*args, **kwargs))

    def turn(self) -> None:
        """Run what waits."""
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one()


class GoTextTests(SynchronousTestCase):
    """Errors read as a Go client would have printed them."""

    def test_statuses_are_spelled_as_in_go(self) -> None:
        """Words run together, with Go's own spelling of cancelled."""
        for code, word in ((grpc.StatusCode.UNAVAILABLE, "Unavailable"), (grpc.StatusCode.CANCELLED, "Canceled"),
                           (grpc.StatusCode.DEADLINE_EXCEEDED, "DeadlineExceeded"),
                           (grpc.StatusCode.UNKNOWN, "Unknown")):
            self.assertEqual(go_text(FakeError(code, "why")), f"rpc error: code = {word} desc = why")
        self.assertEqual(go_text(FakeError(grpc.StatusCode.UNKNOWN, None)), "rpc error: code = Unknown desc = ")

    def test_other_errors_keep_their_text(self) -> None:
        """What is no call has no status."""
        self.assertEqual(go_text(ValueError("odd")), "odd")


class AsDeferredTests(SynchronousTestCase):
    """The outcome of a call arrives on the reactor's thread."""

    def setUp(self) -> None:
        """A call under way."""
        self.future, self.reactor = FakeFuture(), Reactor()
        self.outcome: defer.Deferred[Any] = as_deferred(self.future, self.reactor)  # type: ignore[arg-type]

    def test_result_waits_for_the_reactor(self) -> None:
        """Nothing fires in gRPC's thread."""
        self.future.outcome = 42
        self.future.end()
        self.assertNoResult(self.outcome)
        self.reactor.turn()
        self.assertEqual(self.successResultOf(self.outcome), 42)

    def test_error(self) -> None:
        """A failed call fails the Deferred with its error."""
        self.future.error = FakeError(grpc.StatusCode.UNKNOWN, "x")
        self.future.end()
        self.reactor.turn()
        self.failureResultOf(self.outcome, FakeError)

    def test_cancel(self) -> None:
        """Cancelling ends the call, and its late end changes nothing."""
        self.outcome.cancel()
        self.assertTrue(self.future.is_cancelled)
        self.failureResultOf(self.outcome, defer.CancelledError)
        self.future.end()
        self.reactor.turn()


class FakeChannel:
    """A channel that counts."""

    closed = 0

    def close(self) -> None:
        """Count."""
        self.closed += 1


class ChannelsTests(SynchronousTestCase):
    """One channel for each server."""

    def test_channels_are_kept_until_the_end(self) -> None:
        """The same target gives the same channel; closing closes each once."""
        opened: list[FakeChannel] = []

        def open_one(target: str) -> Any:
            opened.append(FakeChannel())
            return opened[-1]

        channels = Channels(open_one)
        self.assertIs(channels.to("a:1"), channels.to("a:1"))
        self.assertIsNot(channels.to("a:1"), channels.to("b:1"))
        channels.close()
        channels.close()
        self.assertEqual([one.closed for one in opened], [1, 1])


class ReturnTests(SynchronousTestCase):
    """A server on loopback that goes and comes back."""

    def serve(self, port: int) -> tuple[grpc.Server, int]:
        """Start it."""
        pool = ThreadPoolExecutor(2)
        server = grpc.server(pool, options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", {
            "Answer": grpc.unary_unary_rpc_method_handler(lambda request, _: request),
            "Stream": grpc.unary_stream_rpc_method_handler(lambda request, _: iter([request])),
        }),))
        port = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        self.addCleanup(lambda: server.stop(None).wait(5))
        return server, port

    def test_first_call_after_its_return(self) -> None:
        """However often it was called in vain meanwhile, in a call or a stream."""
        server, port = self.serve(0)
        clock = task.Clock()
        channels = Channels(seconds=clock.seconds)
        self.addCleanup(channels.close)

        def call() -> bytes:
            made: Any = channels.to(f"127.0.0.1:{port}")
            return cast(bytes, made.unary_unary("/t.T/Answer")(b"a", timeout=5))

        def stream() -> list[bytes]:
            made: Any = channels.to(f"127.0.0.1:{port}")
            return list(made.unary_stream("/t.T/Stream")(b"a", timeout=5))

        self.assertEqual(call(), b"a")
        for ask in (call, stream):
            server.stop(None).wait(5)
            for _ in range(20):
                error: Any = self.assertRaises(grpc.RpcError, ask)
                self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
            server, _ = self.serve(port)
            clock.advance(REST_SECONDS)
            ask()
