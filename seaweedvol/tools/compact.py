"""``compact``: a volume without its garbage, as .cpd and .cpx beside it; as SeaweedFS ``storage/volume_vacuum.go``.

Method ``data`` leaves the records in the order of the .dat, ``index`` in that of their keys and keeps empty needles.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Final

import attrs
import numpy

from seaweedvol.storage.errors import Corrupt, FormatError
from seaweedvol.storage.format.index import encode_entry
from seaweedvol.storage.format.needle import Needle
from seaweedvol.storage.ids import format_key_cookie
from seaweedvol.storage.needlemap.replay import final_rows
from seaweedvol.tools.commandline import DRY_RUN, Command, Flag, Given, UsageError
from seaweedvol.tools.console import Console, size_text
from seaweedvol.tools.errors import ToolError
from seaweedvol.tools.output import NewFile, discarding, publish
from seaweedvol.tools.volumefiles import VOLUME_FLAGS, VolumeFiles, hold_directory, meant_volume, open_files
from seaweedvol.tools.walking import Window

METHODS: Final = ("data", "index")
_REVISIONS: Final = 1 << 16


def run(given: Given, console: Console) -> int:
    """Compact the volume that is meant."""
    method = given.text("method").lower()
    if method not in METHODS:
        raise UsageError(f"unsupported compaction method {given.text('method')}")
    paths = meant_volume(given)
    lock = hold_directory(paths.directory)
    done = compact(
        open_files(paths, console.note), method, console, preallocate=given.number("preallocateMB") << 20,
        is_dry=given.is_on("dry-run"),
    )
    verb = "would get" if given.is_on("dry-run") else "has"
    console.say(f"{paths.compacted_data}: {verb} {done.count} needles in {size_text(done.length)}, "
                f"{size_text(done.length_before - done.length)} less")
    if lock is not None:
        lock.release()
    return 0


@attrs.frozen
class Outcome:
    """Needles that were kept, and the lengths of the .dat before and after in bytes."""

    count: int
    length_before: int
    length: int


def compact(
    files: VolumeFiles, method: str, console: Console, *, preallocate: int = 0, is_dry: bool = False,
) -> Outcome:
    """Write .cpd and .cpx.

    :raises ToolError: when there is no index, or a compaction that only a server may finish.
    :raises OSError: when something cannot be read or written; then neither is there.
    """
    paths = files.paths
    if os.path.exists(paths.compaction_marker):
        raise ToolError(f"{paths.compaction_marker}: a compaction was being committed; start the server, it ends it")
    if not files.has_index:
        raise ToolError(f"there is no {paths.index}; fix makes one from the .dat")
    kept = _Kept(files, method, console)
    if is_dry:
        length = files.super_block.block_length
        for record, _ in kept.records():
            length += len(record)
        return Outcome(kept.count, files.data.length(), length)
    with discarding([]) as made:
        made.append(NewFile(paths.compacted_data, like=paths.data, preallocate=preallocate))
        data = made[0]
        data.append(_next_superblock(files))
        entries = [(key, data.append(record), size) for record, (key, size) in kept.records()]
        made.append(NewFile(paths.compacted_index, like=paths.index))
        for entry in sorted(entries):
            made[1].append(encode_entry(files.width, *entry))
        publish(made)
    return Outcome(kept.count, files.data.length(), data.length)


def _next_superblock(files: VolumeFiles) -> bytes:
    block = files.served_superblock
    return attrs.evolve(block, compaction_revision=(block.compaction_revision + 1) % _REVISIONS).encode()


class _Kept:
    """The records that a compaction keeps, in its order."""

    def __init__(
        self, files: VolumeFiles, method: str, console: Console, now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._files = files
        self._drops_damaged = method == "index"
        self._console = console
        self._now_ns = now_ns()
        rows = final_rows(files.rows())
        if method == "index":
            self._rows = rows.where((rows.sizes >= 0) & (rows.units != 0))
        else:
            live = rows.where((rows.sizes > 0) & (rows.units != 0))
            self._rows = live.where(numpy.argsort(live.units, kind="stable"))
        self.count = 0

    def records(self) -> Iterator[tuple[bytes, tuple[int, int]]]:
        """Each record with its key and size."""
        files, rows = self._files, self._rows
        window = Window(files.data, files.data.length())
        progress = self._console.progress(files.paths.data, window.length)
        done = 0
        for at in range(len(rows)):
            key, offset, size = rows[at]
            record = self._record(window, key, offset, size)
            done += files.codec.record_length(size)
            progress.reach(done)
            if record is not None:
                self.count += 1
                yield record, (key, size)

    def _record(self, window: Window, key: int, offset: int, size: int) -> bytes | None:
        codec = self._files.codec
        record = window.read(offset, codec.record_length(size))
        try:
            if len(record) < codec.record_length(size):
                raise FormatError("it is cut short")
            needle = codec.decode(record, size)
            if needle.key != key:
                raise FormatError(f"the record there is that of {needle.key:x}")
        except Corrupt as error:
            return self._damaged(record, key, offset, size, error)
        if self._is_expired(needle):
            return None
        # Encoded anew, as Go does: it brings old checksums and padding to what is written today.
        return codec.encode(needle)

    def _damaged(self, record: bytes, key: int, offset: int, size: int, error: Corrupt) -> bytes | None:
        """Like Go, the method ``index`` leaves damaged needles out; ``data`` carries over those whose place is sure."""
        fid = f"{self._files.paths.volume_id},{format_key_cookie(key, int.from_bytes(record[:4], 'big'))}"
        head = record[4:12] + record[12:16] == key.to_bytes(8, "big") + size.to_bytes(4, "big")
        keeps = not self._drops_damaged and head and len(record) == self._files.codec.record_length(size)
        console = self._console
        console.note(f"{fid} at {offset} is damaged and {'kept as it is' if keeps else 'left out'}: {error}")
        return record if keeps else None

    def _is_expired(self, needle: Needle) -> bool:
        """Whether a read would call it expired. Go goes by the date that the needle brought, and by the time to live
        of the volume: where that has none it drops every needle that has one.
        """
        seconds = needle.ttl.seconds if needle.ttl else 0
        return bool(seconds) and needle.has_last_modified and self._now_ns >= needle.append_at_ns + seconds * 10**9


COMMAND = Command(
    name="compact",
    usage="compact -dir=/tmp -volumeId=234 [-method=data|index] [-dry-run]",
    purpose="""Writes what a volume holds besides garbage to a .cpd (for its .dat) and a .cpx (for its .idx) in the same
        directory. Stop the volume server first. To use them, rename them to .dat and .idx; a server that starts before
        removes them.""",
    flags=VOLUME_FLAGS + (
        Flag("method", "data", "data: records keep their order; index: they come in the order of their keys"),
        Flag("preallocateMB", 0, "preallocate disk space for the .cpd"),
        DRY_RUN,
    ),
    run=run,
)
