"""The switch that an operator sets for the whole server: maintenance mode, changed under a version number."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from seaweedvol.server.errors import InMaintenance

if TYPE_CHECKING:
    from seaweedvol.pb.volume_server_pb2 import VolumeServerState
    from seaweedvol.store.store import Store

_log = logging.getLogger(__name__)


def is_in_maintenance(store: Store) -> bool:
    """Whether changes of volumes are switched off."""
    return store.state.is_maintenance


def check_not_in_maintenance(store: Store) -> None:
    """
    :raises InMaintenance: when changes of volumes are switched off.
    """
    if is_in_maintenance(store):
        raise InMaintenance(store.identity.server_id)


def get_state(store: Store) -> VolumeServerState:
    """The state as it is now; version 0 on a server whose state was never set."""
    return store.state.get()


def set_state(store: Store, wanted: VolumeServerState | None) -> VolumeServerState:
    """Change the state and give back the new one, whose version is one higher; None changes nothing.

    :raises StateConflict: when the version in ``wanted`` is not the current one.
    """
    was_in_maintenance = store.state.is_maintenance
    changed = store.state.set(wanted)
    if changed.maintenance != was_in_maintenance:
        _log.warning("maintenance mode is %s", "on: volumes are not changed by masters and shells"
                     if changed.maintenance else "off")
    return changed
