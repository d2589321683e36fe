"""Requests that took long, told in the log: which, how long, and with which id; not more of them than can be read.

Knows nothing of protocols. Any thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from seaweedvol.logs.asking import REQUEST_ID, on_behalf_of

#: Lines in a second; the rest are counted.
MOST_LINES: Final = 10

_log = logging.getLogger(__name__)


class SlowLog:
    """Tells of what takes longer than ``least_seconds``."""

    def __init__(self, least_seconds: float, seconds: Callable[[], float] = time.monotonic) -> None:
        self.least_seconds = least_seconds
        self._seconds = seconds
        self._lock = threading.Lock()
        self._second = 0
        self._told = 0
        self._left_out = 0

    def note(self, what: str, took: float, answer: str, peer: str, request_id: str) -> None:
        """Tell of a request, if it was slow.

        :param what: such as ``GET /3,01637037d6``.
        :param answer: how it ended.
        :param request_id: for the line, which has it where all lines have theirs; "" for whose turn it is.
        """
        if took < self.least_seconds:
            return
        with self._lock:
            second = int(self._seconds())
            if second != self._second:
                left_out, self._left_out = self._left_out, 0
                self._second, self._told = second, 0
            else:
                left_out = 0
            self._told += 1
            is_told = self._told <= MOST_LINES
            self._left_out += not is_told
        if left_out:
            _log.warning("%d more slow requests", left_out)
        if is_told:
            # Only the lane's requests are told of by somebody who does not work on their behalf.
            with on_behalf_of(request_id or REQUEST_ID.get()):
                _log.warning("slow request: %s from %s took %.3f s, %s", what, peer, took, answer)
