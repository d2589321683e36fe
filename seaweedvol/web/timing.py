"""The ``Date`` of replies, made once a second."""

from __future__ import annotations

from typing import Final

from seaweedvol.web.conditional import http_date

_NS: Final = 1_000_000_000


class HttpDate:
    """The last date that was asked for, ready to be sent."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = b""

    def at(self, now_ns: int) -> bytes:
        """The date of this nanosecond since 1970."""
        second = now_ns // _NS
        if second != self._second:
            self._second, self._text = second, http_date(second).encode("ascii")
        return self._text
