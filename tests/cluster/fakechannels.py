"""Channels whose calls are the test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seaweedvol.cluster.calls import Channels


class FakeChannels(Channels):
    """What ``open_one`` gives, once for each server, and nobody looks whether its calls fail."""

    def __init__(self, open_one: Callable[[str], Any]) -> None:
        super().__init__()
        self._open = open_one
        self._opened: dict[str, Any] = {}

    def to(self, target: str) -> Any:
        """See Channels."""
        if target not in self._opened:
            self._opened[target] = self._open(target)
        return self._opened[target]
