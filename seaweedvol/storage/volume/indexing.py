"""Opening the needle map of a volume: its .idx, made to agree with the .dat first.

Which kind of map it is follows ``volume_loading.go`` of SeaweedFS: that which the server was told to keep, but a sorted
file for a volume that is read-only from the start.
"""

from __future__ import annotations

import contextlib
import os
import shutil

from seaweedvol.storage.backend import DiskFile, IVolumeFile, PooledFile
from seaweedvol.storage.format.needle import HEADER_LENGTH
from seaweedvol.storage.needlemap import INeedleMap, MapKind, MemoryNeedleMap, Rows, read_rows, replay
from seaweedvol.storage.needlemap.rows import make_rows
from seaweedvol.storage.needlemap.sorted import open_sorted_map
from seaweedvol.storage.needlemap.tally import tally
from seaweedvol.storage.needlemap.upgrading import UpgradingNeedleMap
from seaweedvol.storage.volume.checking import Tail, check_tail
from seaweedvol.storage.volume.core import Core, Files
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.readonly import ReadOnlyReason
from seaweedvol.storage.volume.repairing import drop_zero_rows, repair, restore_first_rows


def open_needles(core: Core, data: IVolumeFile) -> Files:
    """Both files of a volume, checked and, where a crash tore them, repaired. What must not or cannot be repaired
    makes the volume read-only, with what the .idx says as it is.

    :raises OSError: when the .idx cannot be opened or read.
    """
    is_writable = not core.gate.keeps_files
    before = _read(core)
    rows = _agreeing_rows(core, data, before, is_writable)
    index = _open_index(core, is_writable)
    if is_for_reading(core):
        return Files(data, _sorted_map(core, index, before, rows))
    return Files(data, _map_for_writes(core, index, before, rows))


def drop_derived_maps(paths: VolumePaths) -> None:
    """Remove what was made from the .idx. Whoever puts another .idx in its place does so before that, with the volume
    closed: by times and marks alone the old maps may look as if they belonged to the new one.

    :raises OSError: when something stays.
    """
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(paths.level_index)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(paths.sorted_index)


def is_for_reading(core: Core) -> bool:
    """Whether the volume is read-only for good, or until an operator says otherwise; not just until there is room."""
    return bool(core.gate.reasons - {ReadOnlyReason.LOW_DISK})


def _sorted_map(core: Core, index: IVolumeFile, before: Rows, rows: Rows) -> INeedleMap:
    counts, live_count = tally(rows, _fixed_length(core))
    try:
        sorted_map = open_sorted_map(
            core.paths.sorted_index, index, rows, counts, live_count, opened=_kind_of_file(core))
    except OSError as error:
        # Go does not serve the volume then.
        core.report(f"volume {core.volume_id} is indexed in memory: {error}")
        return _memory_map(core, index, rows)

    def make_writable() -> INeedleMap:
        now = read_rows(index, core.width)
        return _map_for_writes(core, index, now, now)

    return UpgradingNeedleMap(sorted_map, make_writable)


def _map_for_writes(core: Core, index: IVolumeFile, before: Rows, rows: Rows) -> INeedleMap:
    if core.maps.kind is MapKind.MEMORY:
        return _memory_map(core, index, rows)
    # Here and not above: what it needs is installed only by those who want it.
    from seaweedvol.storage.needlemap.leveldb import open_level_map
    counts, _ = tally(rows, _fixed_length(core))
    return open_level_map(core.paths.level_index, index, before, rows, counts, core.maps)


def _memory_map(core: Core, index: IVolumeFile, rows: Rows) -> MemoryNeedleMap:
    return MemoryNeedleMap(index, core.width, *replay(rows, _fixed_length(core)))


def _fixed_length(core: Core) -> int:
    return HEADER_LENGTH + core.codec.footer_length


def _kind_of_file(core: Core) -> type[DiskFile] | type[PooledFile]:
    """Tiered volumes may be many more than files can be open."""
    return PooledFile if core.is_remote else DiskFile


def _open_index(core: Core, is_writable: bool) -> IVolumeFile:
    index = _kind_of_file(core)(core.paths.index, writable=is_writable, create=is_writable, role="index")
    excess = index.length() % core.width.entry_length
    if excess and is_writable:
        index.truncate(index.length() - excess)
    return index


def _agreeing_rows(core: Core, data: IVolumeFile, rows: Rows, is_writable: bool) -> Rows:
    """``rows`` themselves, if there was nothing to repair."""
    try:
        if is_writable and not core.is_remote:
            return _repaired(core, data, rows)
        if not core.is_remote:
            _judge(core, check_tail(data, core.codec, core.super_block.block_length, rows))
    except OSError as error:
        # What cannot be read may be there all the same: nothing is cut, nothing is dropped.
        core.gate.close(ReadOnlyReason.IO_ERROR, str(error))
        core.report(f"volume {core.volume_id} could not be checked: {error}")
        rows = _read(core)
    return rows


def _read(core: Core) -> Rows:
    if not os.path.exists(core.paths.index):
        return make_rows(core.width, ())
    file = DiskFile(core.paths.index, writable=False, role="index")
    rows = read_rows(file, core.width)
    file.close()
    return rows


def _repaired(core: Core, data: IVolumeFile, rows: Rows) -> Rows:
    start = core.super_block.block_length
    was_empty = not len(rows)
    found = restore_first_rows(core.paths, data, core.codec, start, rows, core.report)
    kept = drop_zero_rows(core.paths, found, core.report)
    rows = make_rows(core.width, ()) if kept is None else kept
    if was_empty and data.length() > start:
        core.report(f"{core.paths.index} is missing or empty and is made anew from {core.paths.data}")
    tail = check_tail(data, core.codec, start, rows)
    core.last_append_at_ns = tail.last_append_at_ns
    if tail.problem:
        _judge(core, tail)
        return rows
    if tail.is_clean and rows is found:
        return rows
    return repair(core.paths, data, rows, tail, core.report)


def _judge(core: Core, tail: Tail) -> None:
    """Go read-only unless the files agree."""
    core.last_append_at_ns = tail.last_append_at_ns
    if tail.is_clean:
        return
    problem = tail.problem or f"the data end with {tail.torn_length} bytes that are no record, or have no row"
    core.gate.close(ReadOnlyReason.INTEGRITY, problem)
    core.report(f"volume {core.volume_id} is read-only: {problem}")
