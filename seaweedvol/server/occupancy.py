"""Which encoded volumes are being worked on: one encoding, rebuild or decoding of a volume at a time.

Go lets them run beside each other, and they write to the same files.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import attrs

from seaweedvol.server.errors import Refused


@attrs.define(eq=False)
class Occupancy:
    """The volumes of this moment. Any thread."""

    _taken: set[int] = attrs.field(factory=set, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    @contextlib.contextmanager
    def of(self, volume_id: int) -> Iterator[None]:
        """Have a volume to oneself.

        :raises Refused: when somebody else has it.
        """
        with self._lock:
            if volume_id in self._taken:
                raise Refused(f"ec volume {volume_id} is being worked on already")
            self._taken.add(volume_id)
        try:
            yield
        finally:
            with self._lock:
                self._taken.discard(volume_id)
