"""Channels whose calls are the test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seaweedvol.cluster.calls import Channels


def channels_of(open_one: Callable[[str], Any]) -> Channels:
    """What ``open_one`` gives, once for each server, and nobody looks whether its calls fail."""
    return Channels(open_one, lambda channel, _: channel)
