"""How often in a row the disk failed under a volume; as in SeaweedFS ``volume.go`` ``noteIoError`` and
``store.go`` ``CollectHeartbeat``.

One EIO is forgiven: a blip must not make all replicas vanish at once. After three in a row without a success the
volume is in quarantine: read-only and no longer reported, so that the master makes new replicas from healthy ones. It
stays there until an operator marks it writable. No file is ever removed because of an I/O error.
"""

from __future__ import annotations

import errno
from typing import Final

import attrs

TOLERANCE: Final = 3


@attrs.define(eq=False)
class FaultStreak:
    """The EIOs since the last operation that was none. Races between readers may lose a count; a streak remains."""

    count: int = 0
    last_error: OSError | None = None
    is_quarantined: bool = False

    def note(self, error: OSError) -> bool:
        """Take an error in; whether it has just put the volume into quarantine. Other errors than EIO end a streak."""
        if error.errno != errno.EIO:
            self.end()
            return False
        self.count += 1
        self.last_error = error
        if self.count < TOLERANCE or self.is_quarantined:
            return False
        self.is_quarantined = True
        return True

    def end(self) -> None:
        """Something went well; this does not end a quarantine."""
        self.count = 0
        self.last_error = None

    def forgive(self) -> None:
        """An operator has decided that the disk is healthy."""
        self.end()
        self.is_quarantined = False
