"""Which encoded volumes are being worked on, and which of their files are on their way here: one at a time.

Go lets two run beside each other, and they write to the same files.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import attrs

from seaweedvol.server.errors import Refused


@attrs.define(eq=False)
class Occupancy:
    """What is taken at this moment. Any thread."""

    _taken: set[int | str] = attrs.field(factory=set, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    @contextlib.contextmanager
    def of(self, what: int | str) -> Iterator[None]:
        """Have a volume, or the place of a file, to oneself.

        :raises Refused: when somebody else has it.
        """
        with self._lock:
            if what in self._taken:
                name = what if isinstance(what, str) else f"ec volume {what}"
                raise Refused(f"{name} is being worked on already")
            self._taken.add(what)
        try:
            yield
        finally:
            with self._lock:
                self._taken.discard(what)
