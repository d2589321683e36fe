"""``/ui/index.html``: the same as ``/status``, for people. Blocking to fill, because it asks the file systems."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import attrs
from twisted.web.template import Tag, flattenString, tags

from seaweedvol.server.version import version_text
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.web.reply import Reply
from seaweedvol.web.status import disks_of

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")

Row = tuple[str, ...]


@attrs.frozen
class Figures:
    """What the page shows, as text; each table a head and rows."""

    version: str
    disks: tuple[Row, ...]
    system: tuple[Row, ...]
    volumes: tuple[Row, ...]
    remote_volumes: tuple[Row, ...]
    encoded_volumes: tuple[Row, ...] = ()


def figures(server: VolumeServer, now: float) -> Figures:
    """Look at the server. Blocking.

    :param now: seconds since 1970.
    """
    disks = tuple((disk.directory, disk.disk_type or "hdd", readable(disk.total), readable(disk.free),
                   f"{disk.percent_used:.2f}%") for disk in disks_of(server))
    masters = " ".join(str(master) for master in server.settings.masters)
    up_seconds = int(now - server.started_at)
    system = (("Masters", masters), ("Up Time", up_time(up_seconds)),
              ("Bytes coming in", str(server.upload_limit.in_flight)),
              ("Bytes going out", str(server.download_limit.in_flight)))
    volumes, remote = [], []
    for one in server.store.volume_statuses():
        trash = f"{one.delete_count} / {readable(one.deleted_bytes)}"
        if one.remote_storage_name:
            remote.append((str(one.id), one.collection, readable(one.size), str(one.file_count), trash,
                           one.remote_storage_name, one.remote_storage_key))
        else:
            volumes.append((str(one.id), one.collection, one.disk_type or "hdd", readable(one.size),
                            str(one.file_count), trash, str(Ttl.from_uint32(one.ttl_uint32)),
                            one.read_only_reason or "false", str(one.version)))
    encoded = tuple(map(_encoded, server.store.erasure.volumes()))
    return Figures(version_text(server.settings.offset_width), disks, system, tuple(volumes), tuple(remote), encoded)


def _encoded(volume: Any) -> Row:
    """An erasure coded volume on one disk."""
    shards = sorted((shard.id, shard.length) for shard in volume.loaded())
    try:
        created_at = time.strftime("%Y-%m-%d %H:%M", time.localtime(volume.created_at))
    except OSError:
        created_at = ""
    return (str(volume.id), volume.collection, readable(volume.length),
            ", ".join(f"{number}: {readable(length)}" for number, length in shards), created_at)


async def page(shown: Figures) -> Reply:
    """The page as HTML."""
    html = await flattenString(None, _html(shown))
    return Reply(200, [("Content-Type", "text/html; charset=utf-8")], b"<!DOCTYPE html>\n" + html)


def readable(size: int) -> str:
    """A number of bytes for people: ``1.50 GiB``."""
    value = float(size)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            return f"{value:.2f} {unit}" if unit != "B" else f"{size} B"
        value /= 1024
    raise AssertionError("unreachable")


def up_time(seconds: int) -> str:
    """A length of time as Go writes it: ``1h2m3s``."""
    hours, rest = divmod(max(seconds, 0), 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


def _html(shown: Figures) -> Tag:
    title = f"SeaweedFS {shown.version}"
    body = [
        tags.h1(tags.img(src="/seaweedfsstatic/seaweed50x50.png", alt=""), " SeaweedFS ",
                tags.small(shown.version)),
        tags.h2("Disk Stats"), _table(("Path", "Disk", "Total", "Free", "Usage"), shown.disks),
        tags.h2("System Stats"), _table((), shown.system),
        tags.h2("Volumes"),
        _table(("Id", "Collection", "Disk", "Data Size", "Files", "Trash", "TTL", "ReadOnly", "Version"),
               shown.volumes),
    ]
    if shown.remote_volumes:
        body += [tags.h2("Remote Volumes"),
                 _table(("Id", "Collection", "Size", "Files", "Trash", "Remote", "Key"), shown.remote_volumes)]
    if shown.encoded_volumes:
        body += [tags.h2("Erasure Coding Shards"),
                 _table(("Id", "Collection", "Total Size", "Shard Details", "CreatedAt"), shown.encoded_volumes)]
    style = tags.link(rel="stylesheet", href="/seaweedfsstatic/bootstrap/3.3.1/css/bootstrap.min.css")
    return tags.html(tags.head(tags.title(title), tags.meta(charset="utf-8"), style), tags.body(*body))


def _table(head: Row, rows: tuple[Row, ...]) -> Tag:
    lines = [tags.tr(*[tags.th(text) for text in head])] if head else []
    lines += [tags.tr(*[tags.td(text) for text in row]) for row in rows]
    return tags.table(*lines)
