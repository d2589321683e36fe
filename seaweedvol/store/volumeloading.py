"""Loading the volumes of a location: which of the files that lie there become volumes, and what is set aside and why.

Knows one location. As in SeaweedFS ``storage/disk_location.go`` (``concurrentLoadingVolumes``, ``LoadVolume``).
"""

from __future__ import annotations

import errno
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.storage.errors import RemoteVolume, StorageError, VolumeError
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.loading import load_volume
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.store.clearing import cleared
from seaweedvol.store.reconcile import settle_compactions
from seaweedvol.store.survey import Found, Verdict, find_volumes

if TYPE_CHECKING:
    from seaweedvol.store.location import Location

_log = logging.getLogger(__name__)

MIN_LOADERS: Final = 10


def _legible(text: str) -> str:
    """For people and JSON: names may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@attrs.frozen
class NotServed:
    """A volume that is there and is not served; ``file`` is its .dat, for people."""

    volume_id: VolumeId
    file: str = attrs.field(converter=_legible)
    reason: str = attrs.field(converter=_legible)


def load_missing(location: Location, *, may_remove: bool) -> None:
    """Load every volume that is not loaded yet, many at a time; what fails is set aside in ``failed``.

    :param may_remove: whether what is not whole is left of what died, because nobody can be writing it.
    :raises OSError: when the directory itself cannot be read.
    """
    location.failed = settle_compactions(location.directory, location.index_directory, location.volumes)
    location.not_served = {
        file: each for file, each in location.not_served.items()
        if each.volume_id in location.volumes and os.path.exists(file)}
    for volume_id, reason in location.failed.items():
        file = str(location.directory / f"{volume_id}.dat")
        location.not_served[file] = NotServed(volume_id, file, reason)
    done = {*location.failed, *location.volumes}
    every = find_volumes(location.directory, location.index_directory)
    waiting = [found for volume_id, found in every.items() if volume_id not in done]

    def load_first(candidates: list[Found]) -> None:
        for position, found in enumerate(candidates, 1):
            if _load(location, found, is_start=True, may_remove=may_remove):
                _tell_twins(location, found, candidates[position:])
                return

    with ThreadPoolExecutor(max(MIN_LOADERS, os.cpu_count() or 1), thread_name_prefix="load") as pool:
        for _ in pool.map(load_first, waiting):
            pass


def _tell_twins(location: Location, served: Found, others: list[Found]) -> None:
    for found in others:
        if found.data_file(".dat").exists():
            reason = f"volume {served.name.volume_id} is served from {served.data_file('.dat')}"
            _log.error("%s is not served: %s", found.data_file(".dat"), reason)
            _note(location, found, reason)


def load_one(location: Location, volume_id: VolumeId) -> Volume | None:
    """The volume if it lies there, loaded unless it is so already; None otherwise (``failed`` may say why)."""
    try:
        candidates = find_volumes(location.directory, location.index_directory).get(volume_id, [])
    except OSError as error:
        _log.warning("%s: %s", location.directory, error)
        return None
    for found in candidates:
        if _load(location, found, is_start=False, may_remove=False):
            return location.volumes[volume_id]
    return None


def _load(location: Location, found: Found, *, is_start: bool, may_remove: bool) -> bool:
    """Load one volume as its files demand; whether it is loaded afterwards. Never raises."""
    volume_id = found.name.volume_id
    try:
        verdict = cleared(found, is_start=is_start, may_remove=may_remove)
        if verdict is Verdict.ENCODED:
            _set_aside(location, found, "an erasure-coded form of it lies beside it")
        elif verdict is Verdict.LOAD and volume_id not in location.volumes:
            location.add(_opened(location, found))
            location.not_served.pop(str(found.data_file(".dat")), None)
    except (StorageError, OSError) as error:
        _set_aside(location, found, str(error))
        if isinstance(error, OSError) and error.errno == errno.EIO:
            location.note_error(volume_id, error)
        if isinstance(error, RemoteVolume):
            location.unreached.add(volume_id)
    except Exception as error:
        # Whatever is wrong with one volume, the others must be served.
        _log.exception("%s", found.data_file(".dat"))
        _set_aside(location, found, repr(error))
    return volume_id in location.volumes


def _opened(location: Location, found: Found) -> Volume:
    if not found.name.is_text:
        # It would be in each heartbeat, and no message can hold it. Go dies of such a file at its start.
        raise VolumeError("its collection is not UTF-8, so no master could be told of it")
    volume = load_volume(
        found.directory, found.index_directory, found.name.collection, found.name.volume_id,
        default_width=location.width, maps=location.maps, report=_log.warning, stores=location.stores,
    )
    if volume.is_read_only:
        _log.info("volume %d is read-only: %s", volume.id, volume.reason_text())
    return volume


def _set_aside(location: Location, found: Found, reason: str) -> None:
    _log.error("%s is not served: %s", found.data_file(".dat"), reason)
    location.failed[found.name.volume_id] = reason
    _note(location, found, reason)


def _note(location: Location, found: Found, reason: str) -> None:
    file = str(found.data_file(".dat"))
    location.not_served[file] = NotServed(found.name.volume_id, file, reason)
