"""How often in a row the disk failed under a volume; as in SeaweedFS ``volume.go`` ``noteIoError`` and
``store.go`` ``CollectHeartbeat``.

A disk that has become read-only, or is gone, is no matter of one volume: whoever owns the volumes sees to that.

One EIO is forgiven: a blip must not make all replicas vanish at once. After three in a row without a success the
volume is in quarantine: read-only and no longer reported, so that the master makes new replicas from healthy ones. It
stays there until an operator marks it writable. No file is ever removed because of an I/O error.
"""

from __future__ import annotations

import errno
from typing import Final, Protocol

import attrs

TOLERANCE: Final = 3
#: What a file system says that has no room, or gives this user no more of it.
NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT))
#: What a file system says that has become read-only after an error, and one whose device is gone.
GONE: Final = frozenset((errno.EROFS, errno.ENODEV, errno.ENXIO))
#: What says nothing of the file that was asked for, but of the disk under it.
BROKEN: Final = GONE | {errno.EIO, errno.EUCLEAN, errno.ESTALE, errno.ENOTCONN}


class Disk(Protocol):
    """The disk a volume lies on, as the volume knows it. Called from any thread, also with the volume's lock held."""

    def note_error(self, volume_id: int, error: OSError) -> None:
        """It has failed under a volume."""

    def make_room(self, length: int) -> bool:
        """There must be room for what frees room, so many bytes more than is free; whether there is now."""


@attrs.define(eq=False)
class FaultStreak:
    """The EIOs since the last operation that was none. Races between readers may lose a count; a streak remains.

    :ivar total: all of them, and those that the disk takes no writes, since the volume was loaded.
    """

    count: int = 0
    total: int = 0
    last_error: OSError | None = None
    is_quarantined: bool = False

    def note(self, error: OSError) -> bool:
        """Take an error in; whether it has just put the volume into quarantine. Other errors than EIO end a streak."""
        if error.errno != errno.EIO:
            self.total += error.errno in GONE
            self.end()
            return False
        self.total += 1
        self.count += 1
        self.last_error = error
        if self.count < TOLERANCE or self.is_quarantined:
            return False
        self.is_quarantined = True
        return True

    def note_attempt(self, error: OSError) -> None:
        """Take in the error of what is about to be tried once more, which will tell whether there is a streak."""
        self.total += error.errno == errno.EIO or error.errno in GONE

    def end(self) -> None:
        """Something went well; this does not end a quarantine."""
        self.count = 0
        self.last_error = None

    def forgive(self) -> None:
        """An operator has decided that the disk is healthy."""
        self.end()
        self.is_quarantined = False
