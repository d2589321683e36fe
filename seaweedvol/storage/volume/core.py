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
from seaweedvol.storage.volume.faults import NO_ROOM, Disk, FaultStreak
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
    ``stores`` is where a tiered .dat lies. ``disk`` is told of errors; None as long as nobody owns the volume.
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
    disk: Disk | None = None
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

    def close(self, reason: ReadOnlyReason, detail: str = "") -> None:
        """Take no writes from now on, and say so."""
        self.gate.close(reason, detail)
        self.report(f"volume {self.volume_id} is read-only: {self.gate.text()}")

    def open(self, *reasons: ReadOnlyReason) -> None:
        """These reasons hold no more; say what is left of them."""
        before = self.gate.reasons
        self.gate.open(*reasons)
        self.report_opening(before)

    def report_opening(self, before: frozenset[ReadOnlyReason]) -> None:
        """Say which of the reasons that held ``before`` are gone."""
        gone = "; ".join(sorted(reason.value for reason in before - self.gate.reasons))
        if gone:
            left = f"is still read-only: {self.gate.text()}" if self.gate.is_closed else "takes writes again"
            self.report(f"volume {self.volume_id} {left}; no more: {gone}")

    def note_fullness(self) -> None:
        """After a look at the length of the .dat from outside: is there an offset left for another needle?"""
        files, limit = self.files, self.offset_limit
        if files is None:
            return
        if files.data.length() < limit:
            self.open(ReadOnlyReason.FULL)
        elif ReadOnlyReason.FULL not in self.gate.reasons:
            self.close(ReadOnlyReason.FULL, f"{files.data.length()} bytes, and offsets reach {limit}")

    def note_error(self, error: OSError, *, is_tried_again: bool = False) -> None:
        """An operation on the files failed.

        :param is_tried_again: whether somebody is going to do the same once more, and notes what comes of that.
        """
        if self.disk is not None and not (is_tried_again and error.errno in NO_ROOM):
            self.disk.note_error(self.volume_id, error)
        faults = self.faults
        if is_tried_again:
            faults.note_attempt(error)
        elif faults.note(error):
            self.gate.close(ReadOnlyReason.IO_ERROR, str(error))
            self.report(f"volume {self.volume_id} is quarantined after {faults.count} I/O errors: {error}")

    def make_room(self, length: int) -> bool:
        """As :meth:`faults.Disk.make_room`."""
        return self.disk is not None and self.disk.make_room(length)

    def note_success(self) -> None:
        """An operation on the files went well."""
        if self.faults.count:
            self.faults.end()

    def take_back(self, files: Files, end: int, error: Exception, *, is_tried_again: bool = False) -> None:
        """A change failed: have the .dat end again where it did. A crash, which is no Exception, must not come here.

        :param is_tried_again: as for :meth:`note_error`.
        """
        if isinstance(error, OSError):
            self.note_error(error, is_tried_again=is_tried_again)
        self.cut(files, end)

    def cut(self, files: Files, end: int) -> None:
        """Have the .dat end at ``end``, if that can be done."""
        try:
            files.data.truncate(end)
        except OSError as error:
            self.report(f"cannot cut {files.data.path} back to {end} bytes: {error}")
        files.opened.clear()
