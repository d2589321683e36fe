"""What each reply carries anew: its ``Date``, made once a second, and its request id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from seaweedvol.web.conditional import http_date
from seaweedvol.web.reply import new_request_id

_NS: Final = 1_000_000_000


class Stamps:
    """Both, as the heads of replies want them.

    :param entropy: for request ids.
    """

    __slots__ = ("_entropy", "_second", "_date")

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._second = -1
        self._date = b""

    def at(self, now_ns: int) -> tuple[bytes, bytes]:
        """Request id and date of this nanosecond since 1970."""
        second = now_ns // _NS
        if second != self._second:
            self._second, self._date = second, http_date(second).encode("ascii")
        return new_request_id(now_ns, self._entropy).encode("ascii"), self._date
