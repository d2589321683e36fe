"""When the time to live of a needle is over; as ``readNeedle`` in SeaweedFS ``volume_read.go``."""

from __future__ import annotations

from typing import Final

from seaweedvol.storage.errors import NeedleExpired
from seaweedvol.storage.format.needle import FLAG_LAST_MODIFIED, FLAG_TTL, Needle
from seaweedvol.storage.volume.core import Core

_NS_PER_MINUTE: Final = 60 * 10**9


def is_expired(core: Core, needle: Needle) -> bool:
    """Whether the needle's own time is over, counted from when it was appended."""
    minutes = needle.ttl.minutes if needle.ttl else 0
    if not minutes or not needle.flags & FLAG_TTL or not needle.flags & FLAG_LAST_MODIFIED:
        return False
    return core.now_ns() >= needle.append_at_ns + minutes * _NS_PER_MINUTE


def check_expiry(core: Core, needle: Needle) -> None:
    """Nothing, for a needle whose time is not over.

    :raises NeedleExpired: for another.
    """
    if is_expired(core, needle):
        raise NeedleExpired()
