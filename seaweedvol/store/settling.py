"""What takes a view of all disks, once each has loaded what it can on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seaweedvol.store.location import Location


def settle(locations: Sequence[Location], *, is_start: bool) -> None:
    """Serve the shards that wait for it."""
