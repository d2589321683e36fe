"""How many bytes may be under way at once, and who waits for that.

A request is let in while the bytes under way do not exceed the limit, and only then adds its own: one request may go
over, as in SeaweedFS ``volume_server_handlers.go``. Knows no event loop: a waiter is a callable. Safe in any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

Wake = Callable[[], None]


class ByteLimit:
    """Bytes under way in one direction, and the limit for them.

    :param limit: bytes; 0 for no limit.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._in_flight = 0
        self._waiting: list[Wake] = []
        self._lock = threading.Lock()

    @property
    def in_flight(self) -> int:
        """Bytes under way now."""
        return self._in_flight

    @property
    def is_over(self) -> bool:
        """Whether a newcomer has to wait."""
        return self.limit != 0 and self._in_flight > self.limit

    def set_limit(self, limit: int) -> None:
        """Go on with another limit: everybody who waits may look again."""
        self.limit = limit
        self.release(0)

    def add(self, size: int) -> None:
        """Count ``size`` bytes, whether the limit is reached or not."""
        with self._lock:
            self._in_flight += size

    def release(self, size: int) -> None:
        """``size`` bytes are no longer under way: everybody who waits may look again."""
        with self._lock:
            self._in_flight -= size
            if not self._waiting:
                return
            waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    def wait(self, wake: Wake) -> Callable[[], None]:
        """Call ``wake`` once, at the next release, in the releasing thread. Gives back what forgets it before."""
        with self._lock:
            self._waiting.append(wake)

        def forget() -> None:
            with self._lock:
                if wake in self._waiting:
                    self._waiting.remove(wake)

        return forget
