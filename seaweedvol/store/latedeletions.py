"""Deletions from an encoded volume of which a plain one is being made, or was made: that hears of them too.

Who decodes a volume mounts what came of it, and removes the shards and their journals a while later. What is deleted in
between would come back otherwise. Knows keys only, in memory: after a restart the shards are served again, until who
decodes comes again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from seaweedvol.storage.ids import Cookie, NeedleId, VolumeId

if TYPE_CHECKING:
    from seaweedvol.storage.volume.volume import Volume

_NO_COOKIE: Final = Cookie(0)

_log = logging.getLogger(__name__)


class LateDeletions:
    """What plain volumes are still to hear of. Any thread.

    :param find: the plain volume, if it is served.
    """

    def __init__(self, find: Callable[[VolumeId], Volume | None]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._waiting: dict[VolumeId, dict[int, None]] = {}

    def expect(self, volume_id: VolumeId) -> bool:
        """From now on a plain volume may lack what is deleted; whether that is new."""
        with self._lock:
            is_new = volume_id not in self._waiting
            self._waiting.setdefault(volume_id, {})
        return is_new

    def forget(self, volume_id: VolumeId) -> None:
        """Shards and plain volume have nothing to do with each other any more."""
        with self._lock:
            self._waiting.pop(volume_id, None)

    def note(self, volume_id: VolumeId, key: int) -> None:
        """A needle is deleted in the shards. Raises as :meth:`bring`."""
        with self._lock:
            if volume_id not in self._waiting:
                return
            self._waiting[volume_id][key] = None
        self.bring(volume_id)

    def bring(self, volume_id: VolumeId) -> None:
        """Delete in the plain volume what it lacks, if it is served. One that takes no deletions will not hear of
        these: later they might meet needles that were written again.

        :raises StorageError, OSError: when that fails.
        """
        volume = self._find(volume_id)
        if volume is None:
            return
        with self._lock:
            keys = self._waiting.get(volume_id)
            if not keys:
                return
            self._waiting[volume_id] = {}
        if volume.no_write_or_delete:
            _log.warning("volume %d takes no deletions, %d of its shards are lost with them", volume_id, len(keys))
            return
        for key in keys:
            volume.delete(NeedleId(key), _NO_COOKIE)
