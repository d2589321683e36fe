"""Putting a compacted pair of files in the place of the old one; as ``CommitCompact`` in SeaweedFS
``volume_vacuum.go``, whose files and marker these are, so that either program can finish or undo what the other began.

::

    1. what changed since the compaction began is carried over to .cpd and .cpx, and synced   (a crash: undone)
    2. writers wait: the last of it is carried over; maps made of the old .idx are removed    (a crash: undone)
    3. the empty marker .cpc is written and synced                                            (a crash: finished)
    4. .cpd -> .dat, .cpx -> .idx, the marker is removed                                      (a crash: finished)

Readers never wait: from step 2 on they have the new files, whatever their names are at the moment. Go keeps readers
out for all of it, and serves the volume no more when anything fails. Differs in what is carried over: deletions as the
records that they are (Go makes new ones), and empty needles as themselves (Go makes deletions of them).
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import Final

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import DiskFile, rename_durably, sync_directory
from seaweedvol.storage.errors import Corrupt, VolumeClosed, VolumeError, VolumeFull
from seaweedvol.storage.format.index import ALIGNMENT, TOMBSTONE_SIZE, iterate
from seaweedvol.storage.format.needle import HEADER_LENGTH, Needle
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH, decode_superblock
from seaweedvol.storage.needlemap import Counts, MapKind, MapSettings, MemoryNeedleMap, read_rows, replay
from seaweedvol.storage.volume.compacting import next_super_block
from seaweedvol.storage.volume.core import Core, Files
from seaweedvol.storage.volume.indexing import is_for_reading, open_needles
from seaweedvol.storage.volume.readonly import ReadOnlyReason

# Fewer new rows than this are carried over while writers wait.
_FEW_ROWS: Final = 64
_ROUNDS: Final = 8
_CHUNK_LENGTH: Final = 1 << 20
# The cookie of a deletion that has no record of its own, as Go's.
_DELETION_COOKIE: Final = 0x12345678

Row = tuple[int, int, int]


def commit(core: Core) -> bool:
    """Have the compacted files be the volume; False if a compaction or a commit goes on, which is left to go on.

    :raises VolumeError: when there are none.
    :raises OSError, Corrupt: when it failed. The volume is then served as before; or, if only names were wrong at the
        end, as compacted, and the next start puts them right.
    """
    with core.lock:
        files, compacted = core.open_files(), core.compacted
        if core.is_compacting:
            return False
        if compacted is None:
            raise VolumeError(f"volume {core.volume_id} compact swap aborted: missing .cpd/.cpx")
        core.is_compacting, core.compacted = True, None
    try:
        _Swap(core, files, compacted.index_length).run()
    except OSError as error:
        core.note_error(error)
        raise
    finally:
        core.is_compacting, core.rows_read = False, 0
    core.note_fullness()
    return True


class _Swap:
    """One commit."""

    def __init__(self, core: Core, old: Files, rows_end: int) -> None:
        self._core = core
        self._old = old
        self._rows_end = rows_end
        self._rows = DiskFile(core.paths.index, writable=False, role="index")

    def run(self) -> None:
        """All of it."""
        core = self._core
        try:
            self._open()
            for _ in range(_ROUNDS):
                if self._carry(self._note_rows()) <= _FEW_ROWS:
                    break
            self._sync()
            self._prepare_kind()
        except Exception:
            self._drop()
            raise
        with core.lock:
            self._finish()

    def _open(self) -> None:
        core = self._core
        self._data = DiskFile(core.paths.compacted_data, role="data")
        self._index = DiskFile(core.paths.compacted_index, role="index")
        revision = decode_superblock(self._data.read_at(SUPERBLOCK_LENGTH + 0xFFFF, 0)).compaction_revision
        self._super_block = next_super_block(core)
        if revision != self._super_block.compaction_revision:
            raise VolumeError(
                f"oldDatFile {core.paths.data} 's compact revision is {core.super_block.compaction_revision} while "
                f"newDatFile {core.paths.compacted_data} 's compact revision is {revision}")
        fixed_length = HEADER_LENGTH + core.codec.footer_length
        self._needles = MemoryNeedleMap(
            self._index, core.width, *replay(read_rows(self._index, core.width), fixed_length))

    # -- what changed meanwhile

    def _note_rows(self) -> int:
        """Where the .idx ends now; up to there it must stay as it is."""
        core = self._core
        with core.lock:
            core.rows_read = self._old.needles.index_length()
            return core.rows_read

    def _carry(self, rows_end: int) -> int:
        """Carry over what the rows up to ``rows_end`` say, the last row of each key; how many that were."""
        width = self._core.width
        length = rows_end - self._rows_end
        data = self._rows.read_at(length, self._rows_end)
        if len(data) != length:
            raise OSError(f"{self._rows.path} ends before {rows_end}")
        last: dict[int, Row] = {}
        for row in iterate(width, data):
            last.pop(row[0], None)
            last[row[0]] = row
        rows: list[Row] = []
        pieces: list[bytes] = []
        start = at = -(-self._data.length() // ALIGNMENT) * ALIGNMENT
        for row in last.values():
            for piece in self._record(row):
                pieces.append(piece)
                at += len(piece)
                if at - start >= _CHUNK_LENGTH:
                    self._data.write_at(b"".join(pieces), start)
                    pieces, start = [], at
            size = row[2] if row[1] and row[2] >= 0 else TOMBSTONE_SIZE
            rows.append((row[0], at - self._core.codec.record_length(max(size, 0)), size))
        if at >= self._core.offset_limit:
            raise VolumeFull(f"compacted volume exceeds {self._core.offset_limit} bytes")
        if pieces:
            self._data.write_at(b"".join(pieces), start)
        if rows:
            self._needles.put_all(rows)
        self._rows_end = rows_end
        return len(rows)

    def _record(self, row: Row) -> Iterator[bytes]:
        """The record of a row, in pieces."""
        key, offset, size = row
        codec = self._core.codec
        if not offset:
            yield codec.encode(Needle(_DELETION_COOKIE, key, append_at_ns=self._core.last_append_at_ns))
            return
        end = offset + codec.record_length(max(size, 0))
        while offset < end:
            piece = self._old.data.read_at(min(_CHUNK_LENGTH, end - offset), offset)
            if not piece:
                raise Corrupt(f"needle {key:x} of volume {self._core.volume_id} is cut short at {offset}")
            yield piece
            offset += len(piece)

    def _sync(self) -> None:
        self._data.sync()
        self._index.sync()

    def _prepare_kind(self) -> None:
        """Make the LevelDB that the volume is to have, up to the last rows: writers need not wait for this."""
        core = self._core
        if core.maps.kind is MapKind.MEMORY or is_for_reading(core):
            return
        from seaweedvol.storage.needlemap.leveldb import open_level_map
        path = core.paths.compacted_level_index
        shutil.rmtree(path, ignore_errors=True)
        index = DiskFile(core.paths.compacted_index, writable=False, role="index")
        rows = read_rows(index, core.width)
        try:
            open_level_map(path, index, rows, rows, Counts(), MapSettings(core.maps.kind)).close()
            # Without it nobody takes the map to be up to date.
            os.unlink(os.path.join(path, "LOG"))
        except OSError as error:
            core.report(f"volume {core.volume_id} is indexed once it is compacted: {error}")
            shutil.rmtree(path, ignore_errors=True)

    # -- the swap, with the writers kept out

    def _finish(self) -> None:
        core = self._core
        old_super_block = core.super_block
        try:
            if core.files is not self._old:
                raise VolumeClosed(f"volume {core.volume_id} was closed while it was compacted")
            if self._carry(self._old.needles.index_length()):
                self._sync()
        except Exception:
            self._drop()
            raise
        core.files, core.super_block = Files(self._data, self._needles), self._super_block
        try:
            self._drop_old_maps()
            self._mark()
        except Exception:
            core.super_block = old_super_block
            self._return_to_old()
            raise
        self._rename()
        if core.maps.kind is not MapKind.MEMORY or is_for_reading(core):
            self._change_kind()

    def _drop_old_maps(self) -> None:
        """Remove maps of the old .idx: beside the new one they would lead astray whoever takes them for its own."""
        if self._old.needles.may_wait:
            self._old.needles.close()
        failpoints.reach("compacted.maps")
        shutil.rmtree(self._core.paths.level_index, ignore_errors=True)
        for path in (self._core.paths.sorted_index, self._core.paths.index_base + ".rdb"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _mark(self) -> None:
        paths = self._core.paths
        failpoints.reach("compacted.mark")
        marker = DiskFile(paths.compaction_marker, create=True, role="compacted.marker")
        marker.sync()
        for place in {paths.directory, paths.index_directory}:
            sync_directory(place)

    def _rename(self) -> None:
        core, paths = self._core, self._core.paths
        rename_durably(paths.compacted_data, paths.data)
        self._data.path = paths.data
        rename_durably(paths.compacted_index, paths.index)
        self._index.path = paths.index
        if os.path.isdir(paths.compacted_level_index):
            os.rename(paths.compacted_level_index, paths.level_index)
        os.unlink(paths.compaction_marker)
        failpoints.reach("compacted.unmarked")
        try:
            sync_directory(paths.directory)
        except OSError as error:
            core.report(f"volume {core.volume_id} is compacted; its marker may come back: {error}")

    def _change_kind(self) -> None:
        """From the map in memory, which readers have meanwhile, to the kind that this volume is to have."""
        core = self._core
        last_append_at_ns = core.last_append_at_ns
        try:
            core.files = open_needles(core, self._data)
        except OSError as error:
            core.report(f"volume {core.volume_id} is indexed in memory: {error}")
        core.last_append_at_ns = max(core.last_append_at_ns, last_append_at_ns)

    # -- when it fails

    def _return_to_old(self) -> None:
        core = self._core
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(core.paths.compaction_marker)
            self._drop()
            core.files = open_needles(core, self._old.data) if self._old.needles.may_wait else self._old
            sync_directory(core.paths.directory)
        except OSError as error:
            # A marker may come back, and with it what lacks all that is written from now on.
            core.gate.close(ReadOnlyReason.IO_ERROR, str(error))
            core.report(f"volume {core.volume_id} is read-only after a commit that could not be undone: {error}")

    def _drop(self) -> None:
        shutil.rmtree(self._core.paths.compacted_level_index, ignore_errors=True)
        for path in (self._core.paths.compacted_data, self._core.paths.compacted_index):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
