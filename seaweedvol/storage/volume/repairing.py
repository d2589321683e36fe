"""Making .dat and .idx agree again after a crash, as ``checking`` says. Differs from Go, which goes read-only.

Nothing is thrown away: bytes that are no record are copied to ``<base>.torn-<offset>`` and synced before the .dat is
cut. The .dat comes first, then the .idx; a crash in between leaves what the next load finds and repairs again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy

from seaweedvol.storage.backend import DiskFile, IVolumeFile, sync_directory, write_aside
from seaweedvol.storage.format.index import TOMBSTONE_SIZE
from seaweedvol.storage.format.needle import NeedleVersion
from seaweedvol.storage.needlemap import Rows
from seaweedvol.storage.needlemap.rows import make_rows
from seaweedvol.storage.tallies import TORN_TAILS
from seaweedvol.storage.volume.checking import Tail
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.scanning import RecordReader

_CHUNK_LENGTH: Final = 1 << 20


def repair(paths: VolumePaths, data: IVolumeFile, rows: Rows, tail: Tail, report: Callable[[str], None]) -> Rows:
    """Do what ``tail`` says; the rows that the .idx then has. It must be opened anew.

    :raises OSError: when something could not be written; both files then are as they were or on the way.
    """
    done = []
    if tail.torn_length:
        torn = keep_torn(paths, data, tail.end)
        data.truncate(tail.end)
        data.sync()
        TORN_TAILS.note()
        done.append(f"{tail.torn_length} torn bytes at {tail.end} were moved to {torn}")
    if tail.dropped:
        done.append(f"{tail.dropped} rows without record were dropped")
    if tail.added:
        done.append(f"{len(tail.added)} records without row were indexed")
    rows = _repaired_index(paths, rows, tail)
    if done:
        report(f"volume {paths.volume_id} was repaired: {', '.join(done)}")
    return rows


def keep_torn(paths: VolumePaths, data: IVolumeFile, offset: int) -> str:
    """Copy what follows ``offset`` aside durably; the path of the copy. Stretches of zeros become holes."""
    path = paths.torn(offset)
    file = DiskFile(path, create=True, role="torn")
    length = data.length() - offset
    for at in range(0, length, _CHUNK_LENGTH):
        chunk = data.read_at(min(_CHUNK_LENGTH, length - at), offset + at)
        if chunk.count(0) != len(chunk):
            file.write_at(chunk, at)
    file.truncate(length)
    file.sync()
    file.close()
    sync_directory(paths.directory)
    return path


def _repaired_index(paths: VolumePaths, rows: Rows, tail: Tail) -> Rows:
    added = make_rows(rows.width, tail.added)
    kept = rows
    if tail.keep is not None and tail.dropped:
        kept = rows.where(tail.keep)
    is_head = tail.keep is None or bool(tail.keep[:len(kept)].all())
    if is_head:
        file = DiskFile(paths.index, create=True, role="index")
        end = len(kept) * rows.width.entry_length
        file.truncate(end)
        file.write_at(added.encode(), end)
        file.sync()
        file.close()
        sync_directory(paths.index_directory)
        return kept.followed_by(added)
    kept = kept.followed_by(added)
    write_aside(paths.index, kept.encode())
    return kept


def drop_zero_rows(paths: VolumePaths, rows: Rows, report: Callable[[str], None]) -> Rows | None:
    """Rows without those of zeros that a crash may leave at the end of the .idx; None if there are some further ahead,
    where the rows that stood there are lost and the .idx must be made anew.
    """
    is_zero = (rows.keys == 0) & (rows.units == 0) & (rows.sizes == 0)
    if not is_zero.any():
        return rows
    count = int(numpy.argmin(is_zero[::-1])) if not is_zero.all() else len(rows)
    kept = rows.where(slice(len(rows) - count))
    if is_zero[:len(kept)].any():
        report(f"{paths.index} has rows of zeros and is made anew from the data")
        return None
    report(f"{count} rows of zeros were cut from {paths.index}")
    return kept


def restore_first_rows(
    paths: VolumePaths, data: IVolumeFile, codec: NeedleVersion, start: int, rows: Rows,
    report: Callable[[str], None],
) -> Rows:
    """Undo what deletes on a tiered volume did in older releases of Go: each overwrote a row at the head of the .idx
    with a tombstone without offset; as ``volume_idx_repair.go``.

    Such rows are found nowhere else at the head. They stood for the first records of the .dat, which are read again;
    those whose key no row names are put in front.
    """
    is_bare = (rows.units == 0) & (rows.sizes == TOMBSTONE_SIZE)
    count = int(numpy.argmin(is_bare)) if len(rows) and not is_bare.all() else len(rows)
    if not count:
        return rows
    lost: dict[int, tuple[int, int, int]] = {}
    reader = RecordReader(data, codec, data.length())
    record = reader.header_at(start)
    for _ in range(count):
        if record is None:
            break
        key, offset, size = record.entry
        if size:
            lost[key] = (key, offset, size)
        else:
            lost.pop(key, None)
        record = reader.header_at(record.end)
    named = set(numpy.intersect1d(rows.keys, numpy.array(list(lost), numpy.uint64)).tolist())
    restored = make_rows(rows.width, (entry for key, entry in lost.items() if key not in named))
    if not len(restored):
        return rows
    rows = restored.followed_by(rows)
    write_aside(paths.index, rows.encode())
    report(f"volume {paths.volume_id}: {len(restored)} overwritten rows of {paths.index} were restored")
    return rows
