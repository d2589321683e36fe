"""Gathers the report of a whole server from its locations.

Knows which volumes the master must not hear of. Collecting removes nothing: who is overdue is only named. As in
SeaweedFS ``storage/store.go`` (``CollectHeartbeat``). Left out are volumes

- in a directory whose disk does not answer (they are kept, and come back with it),
- that are closed,
- whose .dat was removed under them: they still read, but nothing else can succeed,
- that have had I/O errors in a row, so that the master has healthy copies made,
- whose time to live is over.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final

import attrs

from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.store.location import Location
from seaweedvol.store.report import DiskTag, StoreReport, VolumeReport, digest, is_phantom, report_of

_log = logging.getLogger(__name__)

# An expired volume is removed after a tenth of its time to live, or after this.
MAX_REMOVAL_DELAY_MINUTES: Final = 10

Overdue = list[tuple[Location, Volume]]


def collect(locations: Sequence[Location], volume_size_limit: int) -> tuple[StoreReport, Overdue]:
    """The report, and the volumes that have been expired for so long that they are to be removed.

    :param volume_size_limit: bytes; while it is 0 nothing expires.
    """
    gathering = _Gathering(volume_size_limit)
    for location in locations:
        gathering.add(location)
    return gathering.report(), gathering.overdue


def is_overdue(volume: Volume) -> bool:
    """Whether it has been expired for so long that it is to be removed."""
    return volume.is_expired_long_enough(MAX_REMOVAL_DELAY_MINUTES)


def remove_overdue(location: Location, volume: Volume) -> None:
    """Remove an expired volume, unless somebody wrote to it, or put another in its place, since it was named. Never
    raises. The caller sees to it that nobody does meanwhile.
    """
    # The heartbeat after this one lacks it, which is how the master learns; Go announces nothing either.
    if location.volumes.get(volume.id) is not volume or not is_overdue(volume):
        return
    try:
        location.destroy(volume.id)
        _log.info("volume %d has expired and is removed", volume.id)
    except (StorageError, OSError) as error:
        _log.warning("volume %d has expired and cannot be removed: %s", volume.id, error)


@attrs.define
class _Gathering:
    volume_size_limit: int
    overdue: Overdue = attrs.field(factory=list)
    _volumes: list[VolumeReport] = attrs.field(factory=list)
    _uuids: list[str] = attrs.field(factory=list)
    _disk_tags: list[DiskTag] = attrs.field(factory=list)
    _max_counts: Counter[str] = attrs.field(factory=Counter)
    _disk_total: Counter[str] = attrs.field(factory=Counter)
    _disk_free: Counter[str] = attrs.field(factory=Counter)
    _max_file_key: int = 0

    def add(self, location: Location) -> None:
        is_unavailable, status = location.is_unavailable, location.status
        max_count = 0 if is_unavailable else location.reported_max_count
        if location.uuid:
            self._uuids.append(location.uuid)
        self._disk_tags.append(DiskTag(location.disk_id, location.tags, location.disk_type, max_count))
        if is_unavailable:
            return
        self._max_counts[location.disk_type] += max_count
        # Directories that share a file system are counted once each, as Go does: their ratio is right, not their sum.
        self._disk_total[location.disk_type] += status.all
        self._disk_free[location.disk_type] += status.free
        for volume in location.loaded():
            self._add_volume(location, volume)

    def _add_volume(self, location: Location, volume: Volume) -> None:
        report = report_of(volume, location.disk_type)
        if report is None or is_phantom(volume):
            return
        self._max_file_key = max(self._max_file_key, volume.counts.max_key)
        if volume.is_quarantined:
            return
        if not volume.is_expired(self.volume_size_limit):
            self._volumes.append(report)
        elif is_overdue(volume):
            self.overdue.append((location, volume))

    def report(self) -> StoreReport:
        return StoreReport(
            volumes=tuple(self._volumes),
            max_counts=dict(self._max_counts),
            max_file_key=self._max_file_key,
            uuids=tuple(self._uuids),
            disk_tags=tuple(self._disk_tags),
            disk_total=dict(self._disk_total),
            disk_free=dict(self._disk_free),
            has_no_volumes=not self._volumes,
            digest=digest(self._volumes),
        )
