"""Removing volumes from several directories at once, and telling of each that is gone.

For whoever holds the right to change which volumes there are. As in SeaweedFS ``storage/store.go`` (``DeleteVolume``,
``DeleteCollection``).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from seaweedvol.storage.errors import StorageError, VolumeBusy, VolumeError, VolumeNotEmpty
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.store.erasure import ErasureStore
from seaweedvol.store.events import StoreEvents, VolumeRemoved
from seaweedvol.store.location import Location
from seaweedvol.store.report import report_of

_log = logging.getLogger(__name__)


def remove_volume(holders: Sequence[tuple[Location, Volume]], volume_id: VolumeId, events: StoreEvents, *,
                  only_empty: bool, keep_remote: bool) -> None:
    """Remove a volume from each of its holders.

    :raises VolumeNotEmpty: when only an empty one may go and this one is not.
    :raises VolumeBusy: when nothing else kept it than that it is being compacted.
    :raises VolumeError: when a directory could not remove it; it is gone from the others.
    """
    failures: list[Exception] = []
    for location, volume in holders:
        try:
            _destroy(location, volume, events, only_empty=only_empty, keep_remote=keep_remote)
        except VolumeNotEmpty as error:
            raise VolumeNotEmpty(f"DeleteVolume {volume_id}: {error}") from None
        except (StorageError, OSError) as error:
            failures.append(error)
    if failures:
        kind = VolumeBusy if all(isinstance(error, VolumeBusy) for error in failures) else VolumeError
        reasons = "\n".join(str(error) for error in failures)
        raise kind(f"DeleteVolume {volume_id} failed on some disks: {reasons}")


def remove_collection(locations: Sequence[Location], collection: str, erasure: ErasureStore,
                      events: StoreEvents) -> None:
    """Remove every volume of a collection, encoded ones too, except one that is being compacted.

    :raises VolumeError: when some could not be removed; the directories after that one are left alone, as in Go.
    """
    for location in locations:
        failures = []
        for volume in location.loaded():
            if volume.collection != collection or volume.is_compacting:
                continue
            try:
                _destroy(location, volume, events)
            except (StorageError, OSError) as error:
                failures.append(f"{error}; ")
        failures += [f"{text}; " for text in erasure.delete_collection(location, collection)]
        if failures:
            raise VolumeError("".join(failures))


def _destroy(location: Location, volume: Volume, events: StoreEvents, *, only_empty: bool = False,
             keep_remote: bool = False) -> None:
    report = report_of(volume, location.disk_type)
    try:
        location.destroy(volume.id, only_empty=only_empty, keep_remote=keep_remote)
    finally:
        if volume.id not in location.volumes:
            _log.info("volume %d is removed from %s", volume.id, location.directory)
            if report is not None:
                events.publish(VolumeRemoved(report))
