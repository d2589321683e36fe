"""Sending many small responses of one call without changing threads between them.

grpcio's server sends one response, sleeps until its event thread says that it has gone, and only then asks for the
next: two changes of thread for each, which take five times as long as all the rest of a 1 KiB message. Here the event
thread itself starts the next response of a burst, and says of all but the last that more follow, so that they share
segments (``tests/benchmarks``: ReadAllNeedles).

This reaches behind grpcio's public interface, for there is no public way; where what it reaches for is not there,
:func:`pour_for` gives None and responses go the public way.
"""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
import grpc


@attrs.frozen
class Inside:
    """What is reached for inside grpcio."""

    token: str
    is_active: Callable[[Any], bool]
    finish: Callable[[Any, str], Any]
    operation: Callable[[bytes, int], Any]
    more_follow: int


def look_inside() -> Inside | None:
    """None where grpcio is another inside than it was when this was written."""
    try:
        server: Any = importlib.import_module("grpc._server")
        core: Any = importlib.import_module("grpc._cython.cygrpc")
        return Inside(server._SEND_MESSAGE_TOKEN, server._is_rpc_state_active, server._possibly_finish_call,
                      core.SendMessageOperation, core.WriteFlag.buffer_hint)
    except (ImportError, AttributeError):
        return None


INSIDE: Final = look_inside()
_NO_FLAGS: Final = 0


@attrs.define(eq=False)
class Pour:
    """The way out of one call. Used by one thread at a time, which is that of the call."""

    _inside: Inside
    _call: Any
    _state: Any
    _waiting: deque[bytes] = attrs.field(factory=deque, init=False)

    def send(self, messages: Sequence[bytes]) -> bool:
        """Send serialized responses and wait until they have gone; whether the client still listens."""
        inside, state = self._inside, self._state
        with state.condition:
            if messages and inside.is_active(state):
                self._waiting.extend(messages)
                state.due.add(inside.token)
                self._start()
                while inside.token in state.due:
                    state.condition.wait()
                self._waiting.clear()
            return inside.is_active(state)

    def _start(self) -> None:
        message = self._waiting.popleft()
        flags = self._inside.more_follow if self._waiting else _NO_FLAGS
        self._call.start_server_batch((self._inside.operation(message, flags),), self._sent)

    def _sent(self, event: object) -> Any:
        """A response has gone. Called by grpcio's event thread, which wants to know whether that ends the call."""
        inside, state = self._inside, self._state
        with state.condition:
            if self._waiting and inside.is_active(state):
                self._start()
                return None, ()
            state.condition.notify_all()
            return inside.finish(state, inside.token)


def pour_for(context: grpc.ServicerContext) -> Pour | None:
    """A way out for this call, or None where there is only the public one."""
    call = getattr(getattr(context, "_rpc_event", None), "call", None)
    state = getattr(context, "_state", None)
    if INSIDE is None or call is None or not hasattr(state, "due"):
        return None
    # Apart from the messages, whose operations then are all alike.
    context.send_initial_metadata(())
    return Pour(INSIDE, call, state)
