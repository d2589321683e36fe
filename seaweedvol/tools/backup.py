"""``backup``: a volume of a cluster in a local directory, of which the next run fetches only what is new; as SeaweedFS
``command/backup.go``.

The copy is compacted when that in the cluster was, and made anew when it is longer nevertheless: beside the old one,
which it replaces only when it is complete. Whole records that arrived before an interruption are kept.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol, TypeVar

import attrs

from seaweedvol.cluster.backups import BackupSources, SyncStatus
from seaweedvol.cluster.calls import Channels, SecureCalls
from seaweedvol.config.address import ServerAddress
from seaweedvol.config.errors import ConfigError
from seaweedvol.config.model import SecuritySource
from seaweedvol.config.security import load_client_tls
from seaweedvol.security.refusals import Refusals
from seaweedvol.server.interfaces import RemoteCallFailed
from seaweedvol.storage.backend import DiskFile, rename_durably, sync_directory, write_aside
from seaweedvol.storage.errors import InvalidSetting, StorageError
from seaweedvol.storage.format.index import TOMBSTONE_SIZE, OffsetWidth, encode_entries
from seaweedvol.storage.format.needle import HEADER_LENGTH
from seaweedvol.storage.format.placement import ReplicaPlacement, parse_placement
from seaweedvol.storage.format.ttl import Ttl, parse_ttl
from seaweedvol.storage.volume.loading import create_volume, load_volume
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.store.reconcile import settle_compactions
from seaweedvol.tls.certificates import BadCertificate
from seaweedvol.tls.credentials import grpc_material
from seaweedvol.tools.commandline import DRY_RUN, Command, Flag, Given, UsageError
from seaweedvol.tools.console import Console, size_text
from seaweedvol.tools.errors import ToolError
from seaweedvol.tools.volumefiles import hold_directory, meant_volume, open_files
from seaweedvol.tools.walking import Window, headers

_TIMED_VERSION: Final = 3
_REVISION_AT: Final = 4

_Value = TypeVar("_Value")


class Cluster(Protocol):
    """What is asked of a cluster; as :class:`BackupSources`."""

    def lookup(self, master: str, volume_id: int) -> list[str]:
        """The servers that have a volume."""

    def sync_status(self, address: str, volume_id: int) -> SyncStatus:
        """What the volume is like there."""

    def appended_after(self, address: str, volume_id: int, since_ns: int) -> Iterator[bytes]:
        """The .dat after a moment."""


def run(given: Given, console: Console) -> int:
    """Back up the volume that is meant."""
    channels = _channels(given.text("config_dir"))
    try:
        return back_up(given, console, BackupSources(channels))
    finally:
        channels.close()


def _channels(config_dir: str) -> Channels:
    """Calls with TLS, if security.toml has a section for clients."""
    environ = {name: value for name, value in os.environ.items() if name.startswith("WEED_") or name == "HOME"}
    try:
        settings = load_client_tls(SecuritySource(config_dir=config_dir, environ=environ))
        if settings is None:
            return Channels()
        material = grpc_material(settings)
    except (ConfigError, BadCertificate) as error:
        raise ToolError(str(error)) from None
    return SecureCalls(lambda: material, Refusals())


def back_up(given: Given, console: Console, cluster: Cluster) -> int:
    """As :func:`run`, from a given cluster."""
    paths = meant_volume(given)
    wanted = _Wanted(
        _parsed(given, "ttl", parse_ttl), _parsed(given, "replication", parse_placement), given.is_on("dry-run"),
    )
    if not os.path.isdir(paths.directory):
        raise ToolError(f"{paths.directory} is no directory")
    lock = hold_directory(paths.directory)
    number = paths.volume_id
    try:
        places = cluster.lookup(given.text("server") or given.text("master"), number)
    except RemoteCallFailed as error:
        raise ToolError(f"Error looking up volume {number}: {error}") from None
    if not places:
        raise ToolError(f"Error: volume {number} has no locations available")
    for count, place in enumerate(places, 1):
        shown = ServerAddress(place).http
        console.say(f"Attempting to backup volume {number} from location {count}/{len(places)}: {shown}")
        try:
            _Backup(cluster, place, paths, wanted, console).run()
        except (RemoteCallFailed, ToolError, StorageError, OSError) as error:
            console.note(f"Error backing up volume {number} from {shown}: {error}")
            continue
        if not wanted.is_dry:
            console.say(f"Successfully backed up volume {number} from {shown}")
        if lock is not None:
            lock.release()
        return 0
    raise ToolError(f"Failed to backup volume {number} after trying all {len(places)} locations")


def _parsed(given: Given, name: str, parse: Callable[[str], _Value]) -> _Value | None:
    text = given.text(name)
    if not text:
        return None
    try:
        return parse(text)
    except InvalidSetting as error:
        raise UsageError(f"invalid user-provided {name} {text}: {error}") from None


@attrs.frozen
class _Wanted:
    """What the operator asked for; None: as it is in the cluster."""

    ttl: Ttl | None
    placement: ReplicaPlacement | None
    is_dry: bool


@attrs.frozen
class _AllBut:
    """Every volume but one."""

    _volume_id: int

    def __contains__(self, volume_id: object) -> bool:
        return volume_id != self._volume_id


class _Backup:
    """One attempt with one server."""

    def __init__(self, cluster: Cluster, place: str, paths: VolumePaths, wanted: _Wanted, console: Console) -> None:
        self._cluster = cluster
        self._place = place
        self._paths = paths
        self._wanted = wanted
        self._console = console

    def run(self) -> None:
        """All of it.

        :raises RemoteCallFailed, StorageError, OSError: when it could not be completed.
        """
        status = self._cluster.sync_status(self._place, self._paths.volume_id)
        length = os.path.getsize(self._paths.data) if os.path.exists(self._paths.data) else 0
        if self._wanted.is_dry:
            self._console.say(f"{self._paths.data} has {size_text(length)}, the volume {size_text(status.length)} "
                              f"after {status.compaction_revision} compactions")
            return
        self._settle()
        if not os.path.exists(self._paths.data):
            self._make(self._paths, status)
        self._catch_up(status)
        if os.path.getsize(self._paths.data) > status.length:
            self._replace(status)
        else:
            self._fetch(self._paths, status)

    def _settle(self) -> None:
        """End a compaction that an earlier run did not come to the end of."""
        directory = Path(self._paths.directory)
        failed = settle_compactions(directory, directory, _AllBut(self._paths.volume_id))
        if failed:
            raise ToolError("; ".join(failed.values()))

    def _make(self, paths: VolumePaths, status: SyncStatus) -> None:
        ttl = parse_ttl(status.ttl) if self._wanted.ttl is None else self._wanted.ttl
        placement = parse_placement(status.replication) if self._wanted.placement is None else self._wanted.placement
        create_volume(
            paths.directory, paths.index_directory, paths.collection, paths.volume_id, placement=placement, ttl=ttl,
            version=status.version,
        ).close()

    def _catch_up(self, status: SyncStatus) -> None:
        """Repair what a crash tore, and compact if the volume was compacted since."""
        paths = self._paths
        volume = load_volume(
            paths.directory, paths.index_directory, paths.collection, paths.volume_id, report=self._console.note,
        )
        is_behind = volume.compaction_revision < status.compaction_revision
        try:
            if is_behind:
                progress = self._console.progress(f"compacting {paths.data}", volume.data_length)
                for reached in filter(None, volume.compact()):
                    progress.reach(reached)
                volume.commit_compaction()
        finally:
            volume.close()
        if is_behind:
            _set_revision(paths, status.compaction_revision)

    def _replace(self, status: SyncStatus) -> None:
        """Make the copy anew, for it is longer than the volume. The old one stays until the new one is complete."""
        paths = self._paths
        aside = paths.base + ".new"
        shutil.rmtree(aside, ignore_errors=True)
        os.mkdir(aside)
        try:
            made = attrs.evolve(paths, directory=aside, index_directory=aside)
            self._make(made, status)
            _set_revision(made, status.compaction_revision)
            self._fetch(made, status)
            with open(made.info, "rb") as file:
                write_aside(paths.info, file.read())
            # From here on as a compaction is committed.
            rename_durably(made.data, paths.compacted_data)
            rename_durably(made.index, paths.compacted_index)
            write_aside(paths.compaction_marker, b"")
            self._settle()
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            sync_directory(paths.directory)

    def _fetch(self, paths: VolumePaths, status: SyncStatus) -> None:
        """Append what is new to .dat and .idx."""
        files = open_files(paths, self._console.note)
        since_ns = _last_append_ns(paths)
        start = files.data.length()
        data = DiskFile(paths.data, role="data")
        at = start
        progress = self._console.progress(f"fetching volume {paths.volume_id}", max(status.length - start, 0))
        pieces = self._cluster.appended_after(self._place, paths.volume_id, since_ns)
        try:
            for piece in pieces:
                data.write_at(piece, at)
                at += len(piece)
                progress.reach(at - start)
        finally:
            whole = _index_from(paths, data, start, files.width)
            data.close()
        if whole != at:
            raise ToolError(f"the server stopped {at - whole} bytes into a record")
        self._console.say(f"{paths.data}: {size_text(at - start)} more, {size_text(at)} in all")


def _index_from(paths: VolumePaths, data: DiskFile, start: int, width: OffsetWidth) -> int:
    """Give the whole records from ``start`` on their rows and cut off what follows; where they end."""
    codec = open_files(paths, lambda line: None).codec
    window = Window(data, data.length())
    entries = []
    end = start
    with contextlib.suppress(ToolError):
        for header in headers(window, codec, start):
            if header.end > window.length:
                break
            end = header.end
            entries.append((header.key, header.offset, header.size if header.size > 0 else TOMBSTONE_SIZE))
    data.truncate(end)
    data.sync()
    index = DiskFile(paths.index, create=True, role="index")
    index.write_at(encode_entries(width, entries), index.length())
    index.sync()
    index.close()
    return end


def _last_append_ns(paths: VolumePaths) -> int:
    """When the record of the last row was appended, by which the servers of a cluster find their way; 0 if unknown."""
    files = open_files(paths, lambda line: None)
    rows = files.rows()
    if not len(rows) or files.codec.number != _TIMED_VERSION:
        return 0
    _, offset, _ = rows[len(rows) - 1]
    if not offset:
        return 0
    head = files.data.read_at(HEADER_LENGTH + 4, offset)
    start, length = files.codec.data_extent(head)
    size = int.from_bytes(head[12:HEADER_LENGTH], "big", signed=True)
    tail = files.data.read_at(files.codec.record_length(size) - start - length, offset + start + length)
    return files.codec.decode_meta(head, tail, size).append_at_ns


def _set_revision(paths: VolumePaths, revision: int) -> None:
    """Have the superblock say how often the volume was compacted."""
    data = DiskFile(paths.data, role="data")
    data.write_at((revision & 0xFFFF).to_bytes(2, "big"), _REVISION_AT)
    data.sync()
    data.close()


COMMAND = Command(
    name="backup",
    usage="backup -dir=. -volumeId=234 -master=localhost:9333",
    purpose="""Copies a volume of a cluster into a directory; when a copy is there, only what is new since. Meant for
        scripts that go through all volume ids. Connections are encrypted when security.toml has [grpc] ca and a
        certificate in [grpc.client].""",
    flags=(
        Flag("master", "localhost:9333", "SeaweedFS master location"),
        Flag("server", "", "SeaweedFS master location (deprecated, use -master instead)"),
        Flag("collection", "", "collection name"),
        Flag("dir", ".", "directory to store volume data files"),
        Flag("volumeId", -1, "a volume id"),
        Flag("ttl", "", "time to live of the copy, such as 3m 4h 5d 6w 7M 8y; as in the cluster if not given"),
        Flag("replication", "", "replication of the copy; as in the cluster if not given"),
        Flag("config_dir", "", "directory with security.toml, which is looked for in the usual places too"),
        DRY_RUN,
    ),
    run=run,
)
