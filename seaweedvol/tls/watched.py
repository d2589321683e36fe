"""Channels that tell of failed calls.

grpcio keeps trying to connect to a server that was away, with longer and longer rests, and meanwhile answers each
call with the last refusal. Go's clients give such a connection up and dial anew: somebody must hear of the failure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import grpc

#: How calls fail when there is no connection, or when the server is not whom we take it for.
_BROKEN: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED)


class _Watch(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor,
             grpc.StreamUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def _note(self, call: Any) -> None:
        if call.code() in _BROKEN:
            self._tell()

    def _watch(self, continuation: Callable[[Any, Any], Any], details: Any, request: Any) -> Any:
        call = continuation(details, request)
        call.add_done_callback(self._note)
        return call

    # Whatever kind of call it is: it tells when it is over.
    intercept_unary_unary = _watch  # type: ignore[assignment]
    intercept_unary_stream = _watch  # type: ignore[assignment]
    intercept_stream_unary = _watch  # type: ignore[assignment]
    intercept_stream_stream = _watch  # type: ignore[assignment]


def watched(channel: grpc.Channel, tell: Callable[[], None]) -> grpc.Channel:
    """The channel, but ``tell`` is called, from any thread, for each call that fails for want of a good connection."""
    return grpc.intercept_channel(channel, _Watch(tell))
