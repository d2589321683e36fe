"""What reading, writing and closing a volume share: its open files, its lock and its clocks."""

from __future__ import annotations

import threading
from collections.abc import Callable

import attrs

from seaweedvol.storage.backend import IRemoteFiles, IVolumeFile
from seaweedvol.storage.errors import VolumeClosed
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.needle import NeedleVersion
from seaweedvol.storage.format.superblock import SuperBlock
from seaweedvol.storage.format.volumeinfo import VolumeInfo
from seaweedvol.storage.needlemap import INeedleMap, MapSettings
from seaweedvol.storage.volume.faults import FaultStreak
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.readonly import ReadOnlyReason, WriteGate


OpenedBefore = tuple[tuple[int, int], int, int, bytes, int]
"""Offset and size by the map, cookie, bytes of data, fields, stored checksum."""


@attrs.frozen(eq=False)
class Files:
    """The two files that belong together. They are replaced as one: a reader takes the pair once and keeps it.

    :ivar opened: what ``opening`` remembers of large needles, by key. What lies at a place of the .dat never changes,
        unless the .dat is cut there.
    """

    data: IVolumeFile
    needles: INeedleMap
    opened: dict[int, OpenedBefore] = attrs.Factory(dict)


@attrs.frozen
class Compacted:
    """A .cpd and a .cpx that are complete but for what was changed since they were begun.

    :ivar index_length: bytes of the .idx that they are made of.
    """

    index_length: int


@attrs.define(eq=False)
class Core:
    """The state of one open volume.

    ``lock`` is held by whoever changes anything; reading needs no lock. ``files`` is None once closed.
    ``offset_limit`` is where offsets of this width start from 0 again. ``last_append_at_ns`` is the greatest append
    time in the .dat, ``last_modified_at`` in seconds.
    ``stores`` is where a tiered .dat lies.
    ``maps`` says what kind its needle map is. ``now_ns`` is the clock, ``report`` takes lines for the log.
    While ``is_compacting`` a compaction is made or committed; ``compacted`` is one that may be committed. It has read
    ``rows_read`` bytes of the .idx: these must stay as they are.
    """

    paths: VolumePaths
    width: OffsetWidth
    codec: NeedleVersion
    super_block: SuperBlock
    info: VolumeInfo
    gate: WriteGate
    files: Files | None
    now_ns: Callable[[], int]
    report: Callable[[str], None]
    last_append_at_ns: int = 0
    last_modified_at: int = 0
    is_compacting: bool = False
    compacted: Compacted | None = None
    rows_read: int = 0
    maps: MapSettings = MapSettings()
    stores: IRemoteFiles | None = None
    faults: FaultStreak = attrs.Factory(FaultStreak)
    offset_limit: int = attrs.field(init=False)
    lock: threading.Lock = attrs.Factory(threading.Lock)

    def __attrs_post_init__(self) -> None:
        self.offset_limit = self.width.max_volume_length

    @property
    def volume_id(self) -> int:
        """The number of the volume."""
        return self.paths.volume_id

    @property
    def is_remote(self) -> bool:
        """Whether the .vif names a copy of the data in an object store."""
        return bool(self.info.files)

    def open_files(self) -> Files:
        """:raises VolumeClosed: when there are none any more."""
        files = self.files
        if files is None:
            raise VolumeClosed(f"volume {self.volume_id} is closed")
        return files

    def note_error(self, error: OSError) -> None:
        """An operation on the files failed."""
        if self.faults.note(error):
            self.gate.close(ReadOnlyReason.IO_ERROR, str(error))
            self.report(f"volume {self.volume_id} is quarantined after {self.faults.count} I/O errors: {error}")

    def note_success(self) -> None:
        """An operation on the files went well."""
        if self.faults.count:
            self.faults.end()

    def take_back(self, files: Files, end: int, error: Exception) -> None:
        """A change failed: have the .dat end again where it did. A crash, which is no Exception, must not come here."""
        if isinstance(error, OSError):
            self.note_error(error)
        self.cut(files, end)

    def cut(self, files: Files, end: int) -> None:
        """Have the .dat end at ``end``, if that can be done."""
        try:
            files.data.truncate(end)
        except OSError as error:
            self.report(f"cannot cut {files.data.path} back to {end} bytes: {error}")
        files.opened.clear()
