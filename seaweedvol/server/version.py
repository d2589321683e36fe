"""What this server calls itself, in every place where SeaweedFS prints its version.

The first two words are SeaweedFS's (how far offsets reach, which release is followed), since tools parse them; where Go
prints the commit of the build stands our own name.
"""

from __future__ import annotations

from typing import Final

from seaweedvol import REFERENCE_VERSION, __version__

_SIZE_LIMITS: Final = {4: "30GB", 5: "8000GB"}


def size_limit(offset_bytes: int) -> str:
    """How far offsets of 4 or 5 bytes reach: ``30GB``."""
    return _SIZE_LIMITS[offset_bytes]


def version_text(offset_bytes: int) -> str:
    """``30GB 4.44 seaweedvol/0.1.0``, for the offset width that new volumes get (4 or 5 bytes)."""
    return f"{_SIZE_LIMITS[offset_bytes]} {REFERENCE_VERSION} seaweedvol/{__version__}"
