"""What each reply carries anew: its ``Date``, made once a second, and its request id."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from seaweedvol.web.contents.conditional import http_date
from seaweedvol.web.message.reply import drawn_digits

_NS: Final = 1_000_000_000


class Stamps:
    """Both, as the heads of replies want them.

    An id is what :func:`~seaweedvol.web.message.reply.new_request_id` gives, made faster.

    :param entropy: for request ids.
    """

    __slots__ = ("_entropy", "_from", "_until", "_date", "_digits")

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._from = self._until = 0
        self._date = b""
        self._digits: list[bytes] = []

    def at(self, now_ns: int) -> tuple[bytes, bytes]:
        """Request id and date of this nanosecond since 1970."""
        if not self._from <= now_ns < self._until:
            self._turn(now_ns)
        digits = self._digits or self._draw()
        return b"%X%b" % (now_ns, digits.pop()), self._date

    def _turn(self, now_ns: int) -> None:
        second = now_ns // _NS
        self._from, self._until = second * _NS, (second + 1) * _NS
        self._date = http_date(second).encode("ascii")

    def _draw(self) -> list[bytes]:
        count = 256 if self._entropy is os.urandom else 1
        self._digits.extend(digits.encode("ascii") for digits in drawn_digits(self._entropy, count))
        return self._digits
