"""Channels that are kept for the calls to come, each until a call finds no good connection.

grpcio keeps trying to connect to a server that was away, with longer and longer rests, and meanwhile answers each call
with the last refusal. Go's clients give such a connection up and dial anew; so do we, but not for each of many calls.
Nothing here refers to itself: a channel that is left closes with its last call, without the collector of cycles.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import grpc

#: How calls fail when there is no connection, or when the server is not whom we take it for.
_BROKEN: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED)
#: A server is not dialled anew more often. A channel so young has not rested for longer itself.
REST_SECONDS: Final = 0.5


class KeptChannel(grpc.Channel):
    """A channel that knows which calls are under way over it, and whether one has failed for want of a connection.

    :ivar is_broken: whether one has.
    :ivar made_at: when it was made, by the clock of who keeps it.
    """

    def __init__(self, channel: grpc.Channel, made_at: float, left: set[KeptChannel], lock: threading.Lock) -> None:
        """:param left: has this channel in it while it is left and calls are under way; under ``lock``."""
        self._channel = channel
        self.made_at = made_at
        self.is_broken = False
        self._left, self._lock = left, lock
        self._is_left = False
        self._under_way = 0

    def leave(self) -> None:
        """No call shall begin over it any more. Under the lock."""
        self._is_left = True
        if self._under_way:
            self._left.add(self)

    def begin(self) -> None:
        """A call begins."""
        with self._lock:
            self._under_way += 1
            if self._is_left:
                # Whoever begins it had the channel before.
                self._left.add(self)

    def end(self, code: grpc.StatusCode | None) -> None:
        """A call is over."""
        with self._lock:
            self._under_way -= 1
            self.is_broken = self.is_broken or code in _BROKEN
            if not self._under_way:
                self._left.discard(self)

    # --- grpc.Channel --------------------------------------------------------------------------------------------

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        """See grpc.Channel."""
        return _AnsweredOnce(self, self._channel.unary_unary(*args, **kwargs))

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        """See grpc.Channel."""
        return _AnsweredOnce(self, self._channel.stream_unary(*args, **kwargs))

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        """See grpc.Channel."""
        return _Answered(self, self._channel.unary_stream(*args, **kwargs))

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        """See grpc.Channel."""
        return _Answered(self, self._channel.stream_stream(*args, **kwargs))

    def subscribe(self, callback: Any, try_to_connect: bool | None = False) -> None:
        """See grpc.Channel."""
        self._channel.subscribe(callback, bool(try_to_connect))

    def unsubscribe(self, callback: Any) -> None:
        """See grpc.Channel."""
        self._channel.unsubscribe(callback)

    def close(self) -> None:
        """See grpc.Channel."""
        self._channel.close()

    def __enter__(self) -> KeptChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Answered:
    """A method of a server; what comes is a call under way, which tells when it is over."""

    def __init__(self, channel: KeptChannel, method: Any) -> None:
        self._channel, self._method = channel, method

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._watched(self._method, *args, **kwargs)

    def _watched(self, begin: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        channel = self._channel
        channel.begin()
        try:
            call = begin(*args, **kwargs)
        except BaseException:
            channel.end(None)
            raise
        call.add_done_callback(lambda over: channel.end(over.code()))
        return call


class _AnsweredOnce(_Answered):
    """A method of a server that has one answer, which can be waited for or not."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._waited_for(self._method, *args, **kwargs)

    def with_call(self, *args: Any, **kwargs: Any) -> Any:
        """See grpc.UnaryUnaryMultiCallable."""
        return self._waited_for(self._method.with_call, *args, **kwargs)

    def future(self, *args: Any, **kwargs: Any) -> Any:
        """See grpc.UnaryUnaryMultiCallable."""
        return self._watched(self._method.future, *args, **kwargs)

    def _waited_for(self, ask: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        code = None
        self._channel.begin()
        try:
            return ask(*args, **kwargs)
        except grpc.RpcError as error:
            code = error.code()
            raise
        finally:
            self._channel.end(code)


class Kept:
    """One channel for each target, ``host:port``. Any thread."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._by_target: dict[str, KeptChannel] = {}
        self._left: set[KeptChannel] = set()

    def at(self, target: str) -> KeptChannel | None:
        """The channel to a server, if there is one that may be called over."""
        with self._lock:
            return self._found(target)

    def to(self, target: str, make: Callable[[], grpc.Channel]) -> KeptChannel:
        """The channel to a server, made if need be; ``make`` is not to block."""
        with self._lock:
            found = self._found(target)
            if found is None:
                found = KeptChannel(make(), self._seconds(), self._left, self._lock)
                self._by_target[target] = found
            return found

    def _found(self, target: str) -> KeptChannel | None:
        found = self._by_target.get(target)
        if found is None or not found.is_broken or self._seconds() - found.made_at < REST_SECONDS:
            return found
        del self._by_target[target]
        found.leave()
        return None

    def leave_all(self) -> None:
        """Make new ones from now on. Calls under way go on over the old ones."""
        with self._lock:
            for each in self._by_target.values():
                each.leave()
            self._by_target.clear()

    def close(self) -> None:
        """Close all; calls under way fail."""
        with self._lock:
            channels = [*self._by_target.values(), *self._left]
            self._by_target.clear()
        for each in channels:
            each.close()
