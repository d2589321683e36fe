"""Deletions in encoded volumes that a holder of shards could not be told of: it is told again until it hears.

Without that a server that was away for a minute would go on serving what was deleted meanwhile. What is to be told is
in memory only: who decodes the volume asks all holders anyway. Must not know how servers are told.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

import attrs

from seaweedvol.server.interfaces import RemoteCallFailed

#: Between two attempts; after so long none is made any more.
PAUSE_SECONDS: Final = 20.0
GIVEN_UP_SECONDS: Final = 24 * 3600.0
#: For one server; beyond, the oldest are forgotten.
MOST_KEPT: Final = 100_000

_log = logging.getLogger(__name__)


@attrs.frozen
class Deletion:
    """One needle of an encoded volume."""

    collection: str
    volume_id: int
    key: int
    version: int


Tell = Callable[[str, Deletion], None]
Later = Callable[[float, Callable[[], None]], object]


def in_a_thread(seconds: float, work: Callable[[], None]) -> threading.Timer:
    """Have ``work`` done later, in a thread that nobody waits for."""
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()
    return timer


class Telling:
    """Tells servers of deletions. Any thread.

    :param tell: *blocking.* One server of one deletion.
    :raises RemoteCallFailed: of ``tell``, when it did not hear.
    """

    def __init__(self, tell: Tell, later: Later = in_a_thread, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._later, self._clock = tell, later, clock
        self._lock = threading.Lock()
        self._waiting: dict[str, dict[Deletion, float]] = {}
        self._is_due = False

    def tell(self, address: str, deletion: Deletion) -> bool:
        """*Blocking.* Tell a server now, else again and again from now on; whether it has heard."""
        try:
            self._tell(address, deletion)
            return True
        except RemoteCallFailed as error:
            _log.warning("%s was not told yet that needle %x of ec volume %d is deleted: %s", address, deletion.key,
                         deletion.volume_id, error)
        self.put_off(address, deletion)
        return False

    def put_off(self, address: str, deletion: Deletion) -> None:
        """Tell a server later."""
        with self._lock:
            waiting = self._waiting.setdefault(address, {})
            waiting[deletion] = self._clock() + GIVEN_UP_SECONDS
            if len(waiting) > MOST_KEPT:
                del waiting[next(iter(waiting))]
        self._arrange()

    def waiting(self) -> int:
        """How many were not told yet."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def _arrange(self) -> None:
        with self._lock:
            if self._is_due or not self._waiting:
                return
            self._is_due = True
        self._later(PAUSE_SECONDS, self._again)

    def _again(self) -> None:
        with self._lock:
            self._is_due = False
            now = self._clock()
            rest = {address: {each: end for each, end in waiting.items() if end > now}
                    for address, waiting in self._waiting.items()}
            self._waiting = {address: waiting for address, waiting in rest.items() if waiting}
            addresses = list(self._waiting)
        for address in addresses:
            self._tell_rest(address)
        self._arrange()

    def _tell_rest(self, address: str) -> None:
        """All that a server was not told, up to the first that it does not hear."""
        with self._lock:
            deletions = list(self._waiting.get(address, ()))
        told = []
        try:
            for deletion in deletions:
                self._tell(address, deletion)
                told.append(deletion)
        except RemoteCallFailed as error:
            _log.info("%s still cannot be told of %d deletions: %s", address, len(deletions) - len(told), error)
        with self._lock:
            waiting = self._waiting.get(address, {})
            for deletion in told:
                waiting.pop(deletion, None)
            if not waiting:
                self._waiting.pop(address, None)
