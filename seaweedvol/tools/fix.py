"""``fix``: the .idx of a volume anew from its .dat; as SeaweedFS ``command/fix.go``.

Rows stand in the order of the records: of each key the last record with data, and its last record without as a
tombstone, or with ``-includeDeleted=false`` only keys whose last record has data.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import attrs
import numpy

from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.format.index import TOMBSTONE_SIZE
from seaweedvol.storage.needlemap import Rows
from seaweedvol.storage.volume.indexing import drop_derived_maps
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.tools.commandline import DRY_RUN, Command, Flag, Given, UsageError
from seaweedvol.tools.console import Console
from seaweedvol.tools.errors import ToolError
from seaweedvol.tools.output import NewFile, discarding, publish
from seaweedvol.tools.volumefiles import VolumeFiles, hold_directory, open_files
from seaweedvol.tools.walking import Log, Window, headers, last_of_each_key


def run(given: Given, console: Console) -> int:
    """Rebuild the index of each volume that is meant."""
    for name in ("ecx", "remoteFile"):
        if given.is_on(name):
            raise UsageError(f"-{name} comes with a later release")
    if not given.paths:
        raise UsageError("name a .dat file or a directory")
    failed = False
    for path in given.paths:
        if not os.path.exists(os.path.expanduser(path)):
            raise ToolError(f"{path} does not exist")
        for paths in _volumes(os.path.expanduser(path), given, console):
            try:
                _fix(paths, given, console)
            except (ToolError, StorageError, OSError) as error:
                console.note(str(error))
                failed = True
    return 1 if failed else 0


def _volumes(path: str, given: Given, console: Console) -> Iterator[VolumePaths]:
    """The volumes of a path, chosen by their names as Go does: ``-collection`` is compared with what stands before
    the last underscore, and any decimal number is an id.
    """
    directory, only = (path, "") if os.path.isdir(path) else os.path.split(path)
    found = 0
    for name in [only] if only else sorted(os.listdir(directory)):
        collection = given.text("collection")
        if not name.endswith(".dat") or collection and not name.startswith(collection + "_"):
            continue
        stem = name[:-4]
        at = stem.rfind("_")
        number = stem[at + 1:] if at > 0 else stem
        if not number.isascii() or not number.isdecimal() or int(number) >= 1 << 32:
            raise ToolError(f"Failed to parse volume id from {stem}")
        if given.number("volumeId") in (0, int(number)):
            found += 1
            yield VolumePaths(directory or ".", directory or ".", stem[:at] if at > 0 else "", int(number))
    if not found:
        console.note(f"no volume in {path} was meant")


def _fix(paths: VolumePaths, given: Given, console: Console) -> None:
    lock = hold_directory(paths.directory)
    files = open_files(paths, console.note)
    log = Log()
    try:
        _read(files, log, console)
    except ToolError as error:
        if not given.is_on("ignoreError"):
            raise ToolError(f"{paths.data}: {error}") from None
        console.note(f"{paths.data}: {error}; what stands before it is indexed")
    rows = index_rows(log.rows(files.width), includes_deleted=given.is_on("includeDeleted"))
    if len(rows) and int(rows.units.max()) * 8 >= files.width.max_volume_length:
        console.note(f"{paths.data} goes beyond what offsets of {files.width.bytes} bytes reach")
    tombstones = int(numpy.count_nonzero(rows.sizes < 0))
    told = f"{len(rows) - tombstones} needles and {tombstones} deletions"
    if given.is_on("dry-run"):
        console.say(f"{paths.index}: would get {told}")
        return
    with discarding([NewFile(paths.index, like=paths.index if files.has_index else paths.data)]) as made:
        made[0].append(rows.encode())
        drop_derived_maps(paths)
        publish(made)
    console.say(f"{paths.index}: {told}")
    if lock is not None:
        lock.release()


def _read(files: VolumeFiles, log: Log, console: Console) -> None:
    window = Window(files.data, files.data.length())
    progress = console.progress(files.paths.data, window.length)
    for header in headers(window, files.codec, files.super_block.block_length):
        log.add(header.key, header.offset, header.size)
        progress.reach(header.offset)
        if header.end > window.length:
            console.note(f"{files.paths.data} ends {header.end - window.length} bytes before the end of its last "
                         f"record, at {header.offset}; it is indexed all the same, as Go does")


def index_rows(records: Rows, *, includes_deleted: bool) -> Rows:
    """The rows of the .idx for ``records``, all those of a .dat in its order."""
    has_data = records.sizes > 0
    if not includes_deleted:
        last = last_of_each_key(records)
        return records.where(last[has_data[last]])
    chosen = [
        numpy.flatnonzero(mask)[last_of_each_key(records.where(mask))] for mask in (has_data, ~has_data)
    ]
    rows = records.where(numpy.sort(numpy.concatenate(chosen)))
    return attrs.evolve(rows, sizes=numpy.where(rows.sizes > 0, rows.sizes, TOMBSTONE_SIZE).astype(numpy.int32))


COMMAND = Command(
    name="fix",
    usage="fix [-volumeId=234] [-collection=bigData] [-dry-run] /dir or /dir/234.dat ...",
    purpose="""Makes the .idx of volumes anew from their .dat files. Stop the volume server first. The new file takes
        the place of the old one only when it is complete.""",
    flags=(
        Flag("volumeId", 0, "if not 0, only the volume with this id"),
        Flag("collection", "", "only volumes of this collection"),
        Flag("includeDeleted", True, "have tombstones of deleted needles in the index"),
        Flag("ignoreError", False, "index what stands before a header that makes no sense"),
        DRY_RUN,
        Flag("remoteFile", False, "[later release] read the .dat from the object store it was moved to"),
        Flag("ecx", False, "[later release] make the .ecx of erasure-coded volumes anew from their shards"),
        Flag("ecDataShards", 0, "[later release] with -ecx"),
        Flag("ecParityShards", 0, "[later release] with -ecx"),
        Flag("ecUnsafeIgnoreSidecar", False, "[later release] with -ecx"),
    ),
    run=run,
    takes_paths=True,
)
