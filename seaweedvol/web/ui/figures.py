"""What the page shows, looked up and put into words. Blocking, because it asks the file systems."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import attrs

from seaweedvol.server.chronicle import Chronicle, Event
from seaweedvol.server.state import is_in_maintenance
from seaweedvol.server.version import version_text
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.web.pages.status import disks_of
from seaweedvol.web.ui.words import ago, legible, percent, readable, up_time

if TYPE_CHECKING:
    from seaweedvol.metrics.history import Series
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.web.pages.status import Disk

#: From here on a disk is nearly full.
NEARLY_FULL: Final = 95.0
#: Garbage from which masters have a volume vacuumed, unless told otherwise.
MUCH_GARBAGE: Final = 30.0

#: So many volumes that are not served are named, by disk.
MOST_NOT_SERVED: Final = 5

_SPANS: Final = (("MinuteCounter", "last minute"), ("HourCounter", "last hour"), ("DayCounter", "last day"))


@attrs.frozen
class DiskFigure:
    """A data directory; ``trouble`` is "" when there is none."""

    directory: str
    kind: str
    used: str
    total: str
    free: str
    percent_used: float
    trouble: str


@attrs.frozen
class VolumeFigure:
    """A volume; ``state`` is "writable" or why it is not. ``place`` is its directory's disk type, or where its data
    are when they are not here.
    """

    id: str
    collection: str
    place: str
    size: str
    files: str
    garbage: float
    garbage_text: str
    ttl: str
    replication: str
    state: str
    is_writable: bool
    vacuum: str
    scrub: str
    is_sound: bool


@attrs.frozen
class EncodedFigure:
    """The shards of one volume on one disk."""

    id: str
    collection: str
    ratio: str
    size: str
    shards: str
    created: str
    scrub: str
    is_sound: bool


@attrs.frozen
class PlotFigure:
    """Requests of one kind in one span of time, the oldest first."""

    kind: str
    span: str
    values: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.values)


@attrs.frozen
class Figures:
    """All that the page shows. ``facts`` are pairs of a name and a text."""

    version: str
    name: str
    state: str
    is_healthy: bool
    facts: tuple[tuple[str, str], ...]
    disks: tuple[DiskFigure, ...]
    plots: tuple[PlotFigure, ...]
    volumes: tuple[VolumeFigure, ...]
    remote_volumes: tuple[VolumeFigure, ...]
    encoded: tuple[EncodedFigure, ...]


def figures(server: VolumeServer, now: float) -> Figures:
    """Look at the server.

    :param now: seconds since 1970.
    """
    statuses = server.store.volume_statuses()
    shown = [(_volume(one, server.chronicle, now), bool(one.remote_storage_name)) for one in statuses]
    state, is_healthy = _state(server)
    return Figures(
        version=version_text(server.settings.offset_width), name=f"{server.identity.ip}:{server.identity.port}",
        state=state, is_healthy=is_healthy, facts=_facts(server, now),
        disks=tuple(map(_disk, disks_of(server))), plots=_plots(server),
        volumes=tuple(volume for volume, is_remote in shown if not is_remote),
        remote_volumes=tuple(volume for volume, is_remote in shown if is_remote),
        encoded=tuple(_encoded(volume, server.chronicle, now) for volume in server.store.erasure.volumes()))


def _state(server: VolumeServer) -> tuple[str, bool]:
    life = server.life
    if life.is_stopping:
        return "stopping", False
    if is_in_maintenance(server.store):
        return "maintenance: changes of volumes are switched off", False
    if not life.is_heartbeating:
        return "has left the cluster", False
    return ("serving", True) if life.first_beat_sent else ("no master has heard of it yet", False)


def _facts(server: VolumeServer, now: float) -> tuple[tuple[str, str], ...]:
    settings = server.settings
    place = " / ".join(part for part in (settings.data_center, settings.rack) if part)
    return (
        ("Up time", up_time(int(now - server.started_at))),
        ("Masters", " ".join(str(master) for master in settings.masters)),
        ("Follows", server.master.leader() or "none"),
        ("Last heartbeat", ago(now, server.life.beaten_at)),
        ("Place", place or "none given"),
        ("Bytes coming in", str(server.upload_limit.in_flight)),
        ("Bytes going out", str(server.download_limit.in_flight)),
    )


def _disk(disk: Disk) -> DiskFigure:
    more = len(disk.not_served) - MOST_NOT_SERVED
    trouble = [disk.error, disk.low_space, f"{disk.io_errors} I/O errors" if disk.io_errors else "",
               *(f"not served: {file}: {reason}" for _, file, reason in disk.not_served[:MOST_NOT_SERVED]),
               f"{more} more volumes are not served" if more > 0 else ""]
    return DiskFigure(
        legible(disk.directory), disk.disk_type or "hdd", readable(disk.used), readable(disk.total),
        readable(disk.free), disk.percent_used, legible("; ".join(filter(None, trouble))))


def _volume(one: Any, chronicle: Chronicle, now: float) -> VolumeFigure:
    garbage = percent(one.deleted_bytes, one.size)
    scrub, is_sound = _event(chronicle.last_scrub(one.id), now)
    state = one.read_only_reason or ("read-only" if one.read_only else "writable")
    if one.io_errors:
        state += f" ({one.io_errors} I/O errors)"
    return VolumeFigure(
        id=str(one.id), collection=legible(one.collection),
        place=f"{one.remote_storage_name} {one.remote_storage_key}" if one.remote_storage_name
        else one.disk_type or "hdd",
        size=readable(one.size), files=str(one.file_count - one.delete_count), garbage=garbage,
        garbage_text=_garbage_text(garbage, one.deleted_bytes, one.delete_count),
        ttl=str(Ttl.from_uint32(one.ttl_uint32)), replication=str(ReplicaPlacement.from_byte(one.placement_byte)),
        state=legible(state), is_writable=not one.read_only and not one.read_only_reason,
        vacuum=_event(chronicle.last_vacuum(one.id), now)[0], scrub=scrub, is_sound=is_sound)


def _garbage_text(percentage: float, length: int, count: int) -> str:
    text = f"{percentage:.0f} %"
    if not count:
        return text
    return f"{text}, {readable(length)} in {count} file{'' if count == 1 else 's'}"


def _event(event: Event | None, now: float) -> tuple[str, bool]:
    """In words, and whether it went well."""
    if event is None:
        return "not since the start", True
    return legible(f"{ago(now, event.at)}: {event.outcome}"), event.is_good


def _encoded(volume: Any, chronicle: Chronicle, now: float) -> EncodedFigure:
    shards = sorted((shard.id, shard.length) for shard in volume.loaded())
    try:
        created = time.strftime("%Y-%m-%d %H:%M", time.localtime(volume.created_at))
    except OSError:
        created = ""
    scrub, is_sound = _event(chronicle.last_scrub(volume.id), now)
    return EncodedFigure(
        id=str(volume.id), collection=legible(volume.collection), ratio=f"{volume.ratio.data}+{volume.ratio.parity}",
        size=readable(volume.length), shards=", ".join(f"{number}: {readable(length)}" for number, length in shards),
        created=created, scrub=scrub, is_sound=is_sound)


def _plots(server: VolumeServer) -> tuple[PlotFigure, ...]:
    history = server.history
    kinds: tuple[tuple[str, Series], ...] = (
        ("reads", history.reads), ("writes", history.writes), ("deletions", history.deletions))
    return tuple(PlotFigure(kind, span, tuple(series.rings[ring].to_list()))
                 for kind, series in kinds for ring, span in _SPANS)
