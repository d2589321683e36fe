"""A case: a named list of requests that is sent in order to both servers."""

from __future__ import annotations

import attrs

from tests.conformance.exchange import Request

#: Volumes that every pair of servers has: plain, one in a collection, one with a TTL.
PLAIN, PICTURES, HOURLY, READ_ONLY = 1, 2, 3, 4
#: A volume id that no server knows.
NOWHERE = 77


@attrs.frozen
class Case:
    """Requests in order.

    :ivar fixed_times: Last-Modified is set by the request, so it must be equal to the second.
    :ivar known: label of the entry in docs/differences.rst that says why answers differ.
    :ivar has_pictures: bodies that are pictures may differ in their bytes, not in kind and size.
    :ivar keeps_outline: though they differ, status and names of headers must agree.
    """

    name: str
    requests: tuple[Request, ...]
    fixed_times: bool = False
    known: str = ""
    has_pictures: bool = False
    keeps_outline: bool = True


class Keys:
    """Hands out file ids that no other case uses."""

    def __init__(self, start: int) -> None:
        self._next = start

    def fid(self, volume: int = PLAIN) -> str:
        """A new file id."""
        self._next += 1
        return f"{volume},{self._next:x}deadbeef"

    def path(self, volume: int = PLAIN) -> str:
        """A new file id as a request path."""
        return "/" + self.fid(volume)
