"""Giving back the room of deleted needles, step by step as a master asks for it: check, compact, commit, clean up.

Blocking, callable from any thread. Texts are SeaweedFS 4.44's (``store_vacuum.go``, ``volume_grpc_vacuum.go``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.server.errors import Kind, Refused
from seaweedvol.server.throttling import Throttle
from seaweedvol.storage.volume.compacting import PART_LENGTH, Compaction
from seaweedvol.store.diskspace import measure

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.storage.volume.volume import Volume
    from seaweedvol.store.store import Store

REPORT_EVERY: Final = 128 << 20


@attrs.frozen
class Progress:
    """How far a compaction is: an offset in the .dat, and the load of the machine for each of its processors."""

    offset: int
    load: float


@attrs.frozen
class Committed:
    """What became of a volume: whether it had been read-only before, and its length in bytes now."""

    is_read_only: bool
    length: int


def check(store: Store, volume_id: VolumeId) -> float:
    """Which share of a volume is garbage.

    :raises Refused: when it is not here.
    """
    return _volume(store, volume_id, "check compact").garbage_ratio


def compact(server: VolumeServer, volume_id: VolumeId, preallocate: int = 0) -> Iterator[Progress | None]:
    """Copy what is live of a volume, and say from time to time how far that is. It is broken off when this is closed,
    for which None is given more often.

    :param preallocate: bytes to reserve for the new .dat.
    :raises Refused: when the volume is not here, the disk has no room for it, or the server is about to end.
    :raises StorageError, OSError: when it failed; nothing is left of it then.
    """
    volume = _volume(server.store, volume_id, "compact")
    _check_space(volume, preallocate)
    throttle = Throttle(server.settings.compaction_rate)
    wanted = Compaction(
        preallocate=preallocate, report_every=REPORT_EVERY,
        part_length=min(PART_LENGTH, throttle.step) if throttle.rate else PART_LENGTH,
        after_part=throttle.note, check=lambda: _check_not_stopping(server.store, volume_id), run=server.workers.run,
    )
    for offset in volume.compact(wanted):
        yield None if offset is None else Progress(offset, os.getloadavg()[0] / (os.cpu_count() or 1))


def commit(store: Store, volume_id: VolumeId) -> Committed:
    """Have what was compacted be the volume.

    :raises Refused: when the volume is not here, or the server is about to end.
    :raises StorageError, OSError: when it failed, or was not compacted; it is served as before.
    """
    _check_not_stopping(store, volume_id)
    volume = _volume(store, volume_id, "commit compact")
    is_read_only = volume.is_read_only
    volume.commit_compaction()
    return Committed(is_read_only, volume.data_length)


def clean_up(store: Store, volume_id: VolumeId) -> None:
    """Remove what a compaction left that is not to be committed.

    :raises Refused: when the volume is not here.
    :raises VolumeError: when it is needed to finish a commit.
    """
    _volume(store, volume_id, "cleaning up").clean_up_compaction()


def _volume(store: Store, volume_id: VolumeId, purpose: str) -> Volume:
    volume = store.find(volume_id)
    if volume is None:
        raise Refused(f"volume id {volume_id} is not found during {purpose}", Kind.ABSENT)
    return volume


def _check_not_stopping(store: Store, volume_id: VolumeId) -> None:
    if store.is_stopping:
        raise Refused(f"volume id {volume_id} skips compact because volume is stopping")


def _check_space(volume: Volume, preallocate: int) -> None:
    """Go wants room for the volume as it is, which a full disk never has; what is to be copied is enough."""
    data, index = volume.data_length, volume.index_length
    needed = max(min(volume.live_length, data + index), preallocate)
    free = _free(volume)
    if free < needed and volume.make_room(needed - free):
        # What is to free room may have what was kept for that.
        free = _free(volume)
    if free < needed:
        raise Refused(
            f"insufficient free space for compaction: need {needed} bytes (volume: {data}, index: {index}), but only "
            f"{free} bytes available")


def _free(volume: Volume) -> int:
    return measure(str(volume.directory)).free
