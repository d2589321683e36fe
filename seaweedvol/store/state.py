"""The state of the whole server that outlives it: whether it is in maintenance, under an optimistic version.

As in SeaweedFS ``storage/store_state.go``; the file is ``state.pb`` in the index directory of the first location.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Final

from seaweedvol.storage.backend.disk import write_aside
from seaweedvol.storage.errors import FormatError, StateConflict
from seaweedvol.storage.format.state import VolumeServerState, dump_state, load_state
from seaweedvol.storage.volume.faults import BROKEN

_log = logging.getLogger(__name__)

STATE_NAME: Final = "state.pb"


class ServerState:
    """The state as it is on disk. Thread safe; what is handed out are copies."""

    def __init__(self, path: Path, *, may_wait: bool = False) -> None:
        """Read the file; a missing one is the initial state, version 0.

        :param may_wait: when its disk fails begin with the initial state, which nobody may change, until
            :meth:`read_again` can read it.
        :raises FormatError: when it is there and cannot be understood.
        :raises OSError: when it is there and cannot be read.
        """
        self._path = path
        self._lock = threading.Lock()
        self._unread: OSError | None = None
        self._state = VolumeServerState()
        try:
            self._state = self._read()
        except OSError as error:
            if not may_wait or error.errno not in BROKEN:
                raise
            _log.error("whether this server is in maintenance is not known: %s", error)
            self._unread = error

    def _read(self) -> VolumeServerState:
        try:
            return load_state(self._path.read_bytes())
        except FileNotFoundError:
            return VolumeServerState()
        except FormatError as error:
            raise FormatError(f"failed to parse store state from {self._path} : {error}") from None

    def read_again(self) -> None:
        """Read it now if it could not be read before. Never raises."""
        with self._lock:
            if self._unread is not None:
                try:
                    self._state, self._unread = self._read(), None
                except (OSError, FormatError) as error:
                    _log.error("whether this server is in maintenance is not known: %s", error)

    @property
    def is_maintenance(self) -> bool:
        """Whether the server refuses what would change its volumes."""
        return bool(self._state.maintenance)

    def get(self) -> VolumeServerState:
        """The present state."""
        copy = VolumeServerState()
        with self._lock:
            copy.CopyFrom(self._state)
        return copy

    def set(self, wanted: VolumeServerState | None) -> VolumeServerState:
        """Put ``wanted`` in place, durably, if its version is still the present one; None changes nothing.

        :returns: the state afterwards, its version one higher.
        :raises StateConflict: when somebody else was quicker.
        :raises OSError: when it cannot be saved; then nothing has changed.
        """
        if wanted is None:
            return self.get()
        with self._lock:
            if self._unread is not None:
                raise self._unread
            if self._state.version != wanted.version:
                raise StateConflict(
                    f"version mismatch for VolumeServerState (got {self._state.version}, want {wanted.version})"
                )
            changed = VolumeServerState()
            changed.CopyFrom(wanted)
            changed.version = wanted.version + 1 & 0xFFFFFFFF
            write_aside(str(self._path), dump_state(changed))
            self._state = changed
        return self.get()
