"""The id of the request on whose behalf the program works at a moment, so that lines of the log can tell it.

Set by whoever answers requests, read by whoever writes lines; follows coroutines, and threads that run within a copy of
the context. Knows no protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

#: "" outside of requests.
REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")


@contextmanager
def on_behalf_of(request_id: str) -> Iterator[None]:
    """Lines that are logged within tell this id."""
    token = REQUEST_ID.set(request_id)
    try:
        yield
    finally:
        REQUEST_ID.reset(token)
