"""Compaction of a volume: its live needles are copied to a .cpd with a .cpx, while reads, writes and deletes go on.

As SeaweedFS ``volume_vacuum.go``; what comes after is in ``compactingcommit``. The walk over the needles keeps Python
busy, so it is done in parts by whoever the caller names, another process as a rule. A compaction that fails, or is
broken off, leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import attrs

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.errors import VolumeClosed, VolumeError
from seaweedvol.storage.format.index import ALIGNMENT
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH, SuperBlock
from seaweedvol.storage.volume.compactingwalk import Part, WalkJob, copy_part, forget
from seaweedvol.storage.volume.core import Compacted, Core, Files

# A part is done in some hundredths of a second, after which the walk may be broken off.
PART_LENGTH: Final = 8 << 20
_SMALLEST_PART: Final = 64 << 10
_BLOCK_LENGTH: Final = 4096
_EVERYWHERE: Final = 1 << 62
# Larger volumes are worth another process.
_SMALL_INDEX: Final = 32 << 10
_SMALL_DATA: Final = 16 << 20


class Run(Protocol):
    """Calls a function of a module, here or in another process, and gives or raises what came of it."""

    def __call__(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """``work(*arguments)``."""


def run_here(work: Callable[..., Any], *arguments: Any) -> Any:
    """A :class:`Run` in this thread."""
    return work(*arguments)


def _go_on() -> None:
    """Nothing is in the way of a compaction."""


@attrs.frozen
class Compaction:
    """How a volume is to be compacted.

    :ivar preallocate: bytes of disk to reserve for the .cpd, if the file system can.
    :ivar report_every: bytes of the .dat after which :func:`compact` says how far it is.
    :ivar part_length: bytes of records copied at once.
    :ivar after_part: called with the bytes that were copied; may wait.
    :ivar check: called between parts; raises what is to break the compaction off.
    :ivar run: who does the walk of a large volume.
    """

    preallocate: int = 0
    report_every: int = _EVERYWHERE
    part_length: int = PART_LENGTH
    after_part: Callable[[int], None] = lambda length: None
    check: Callable[[], None] = _go_on
    run: Run = run_here


@attrs.frozen
class _Begun:
    """A compaction that holds the volume. ``expected`` bytes of needles are live."""

    files: Files
    data: DiskFile
    index: DiskFile
    job: WalkJob
    expected: int


def garbage_ratio(core: Core) -> float:
    """Which share of the volume a compaction would free, by the bytes of needles."""
    files = core.files
    if files is None:
        return 0.0
    counts = files.needles.counts
    content, deleted = counts.content_bytes, counts.deleted_bytes
    if not content:
        return 0.0
    if counts.deleted_count and not deleted:
        # Where an .idx was made of an .sdx, sizes of what was deleted are lost.
        length = files.data.length()
        content, deleted = length, max(length - content - SUPERBLOCK_LENGTH, 0)
    return deleted / content


def live_length(core: Core) -> int:
    """About how many bytes a compacted volume takes, .idx included, and the blocks in which both files end."""
    files = core.files
    if files is None:
        return 0
    counts = files.needles.counts
    if counts.deleted_count and not counts.deleted_bytes:
        # Where an .idx was made of an .sdx, sizes of what was deleted are lost.
        return files.data.length() + files.needles.index_length()
    longest = core.codec.record_length(0) + ALIGNMENT
    rows = max(counts.file_count - counts.deleted_count, 0)
    content = max(counts.content_bytes - counts.deleted_bytes, 0)
    return core.super_block.block_length + content + rows * (longest + core.width.entry_length) + 2 * _BLOCK_LENGTH


def compact(core: Core, wanted: Compaction) -> Iterator[int | None]:
    """Make .cpd and .cpx; gives offsets in the .dat that were reached on the way, and None after each part: wherever
    it gives something it can be broken off. One that goes on already is left to go on, as in Go.

    :raises VolumeClosed: also when the volume is closed meanwhile.
    :raises VolumeError: when what was copied cannot be all.
    :raises OSError: when the disk fails.
    """
    begun = _begin(core, wanted)
    if begun is None:
        return
    try:
        yield from _copy(core, begun, wanted)
    except (Exception, GeneratorExit) as error:
        if isinstance(error, OSError):
            core.note_error(error)
        _drop_own(begun)
        raise
    finally:
        core.is_compacting = False


def clean_up(core: Core) -> None:
    """Remove what a compaction left; one that goes on ends with an error.

    :raises VolumeError: while .cpd and .cpx are needed to finish a commit.
    """
    with core.lock:
        if os.path.exists(core.paths.compaction_marker):
            raise VolumeError(f"volume {core.volume_id}: refusing cleanup while commit marker present")
        core.compacted, core.rows_read = None, 0
        for path in (core.paths.compacted_data, core.paths.compacted_index):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        shutil.rmtree(core.paths.compacted_level_index, ignore_errors=True)


def _begin(core: Core, wanted: Compaction) -> _Begun | None:
    with core.lock:
        files = core.open_files()
        if core.is_compacting:
            return None
        if core.is_remote:
            raise VolumeError(f"volume {core.volume_id} is in an object store and cannot be compacted")
        if os.path.exists(core.paths.compaction_marker):
            raise VolumeError(f"volume {core.volume_id}: a commit is not finished, which the next start will do")
        core.compacted = None
        core.rows_read = files.needles.index_length()
        data, index = _new_file(core.paths.compacted_data), _new_file(core.paths.compacted_index)
        counts = files.needles.counts
        identity = os.stat(data.path)
        start = core.super_block.block_length
        job = WalkJob(
            data=os.path.abspath(core.paths.data), index=os.path.abspath(core.paths.index),
            index_length=core.rows_read, target=os.path.abspath(data.path),
            target_file=(identity.st_dev, identity.st_ino), start=-(-start // ALIGNMENT) * ALIGNMENT,
            version=core.super_block.version, width=core.width, now_ns=core.now_ns(),
        )
        core.is_compacting = True
    begun = _Begun(files, data, index, job, max(counts.content_bytes - counts.deleted_bytes, 0))
    try:
        if wanted.preallocate:
            data.reserve(wanted.preallocate)
        data.write_at(next_super_block(core).encode(), 0)
    except Exception as error:
        if isinstance(error, OSError):
            core.note_error(error)
        _drop_own(begun)
        core.is_compacting = False
        raise
    return begun


def _new_file(path: str) -> DiskFile:
    """A file that nobody else has open, whoever wrote to one of this name before."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return DiskFile(path, create=True, role="compacted")


def next_super_block(core: Core) -> SuperBlock:
    """That of the compacted volume."""
    return attrs.evolve(core.super_block, compaction_revision=core.super_block.compaction_revision + 1 & 0xFFFF)


def _copy(core: Core, begun: _Begun, wanted: Compaction) -> Iterator[int | None]:
    job = begun.job
    is_small = job.index_length <= _SMALL_INDEX and begun.files.data.length() <= _SMALL_DATA
    run: Run = run_here if is_small else wanted.run
    try:
        part = Part(0, job.start, b"", -1, 0, 0, False)
        stop_above, dropped, missing = wanted.report_every, 0, 0
        while not part.is_done:
            wanted.check()
            _check_hold(core, begun)
            before = part
            part = run(copy_part, job, part.next_row, part.end, max(wanted.part_length, _SMALLEST_PART), stop_above)
            begun.index.write_at(part.index, begun.index.length())
            dropped, missing = dropped + part.dropped, missing + part.missing_bytes
            if part.reached >= 0:
                yield part.reached
                stop_above = part.reached + wanted.report_every
            wanted.after_part(part.end - before.end)
            yield None
    finally:
        with contextlib.suppress(OSError):
            run(forget, job)
    if dropped:
        core.report(f"compaction of volume {core.volume_id} leaves {dropped} unreadable needles behind")
    _check_length(core, begun.expected - missing, part.end)
    if os.stat(job.target).st_size > part.end:
        # Not otherwise: cutting nothing off gives back what was preallocated.
        begun.data.truncate(part.end)
    begun.data.sync()
    begun.index.sync()
    failpoints.reach("compacted")
    with core.lock:
        _check_hold(core, begun)
        core.compacted = Compacted(job.index_length)


def _check_hold(core: Core, begun: _Begun) -> None:
    if core.files is not begun.files:
        raise VolumeClosed(f"volume {core.volume_id} was closed while it was compacted")
    try:
        is_there = os.stat(begun.data.path).st_ino == begun.job.target_file[1]
    except FileNotFoundError:
        is_there = False
    if not is_there:
        raise VolumeError(f"volume {core.volume_id} was cleaned up while it was compacted")


def _check_length(core: Core, expected: int, found: int) -> None:
    """What the needle map knows to be live must have been copied."""
    if not core.super_block.ttl and expected > found:
        raise VolumeError(
            f"volume {core.volume_id} unexpected new data size: {found} does not match size of content minus deleted: "
            f"{expected}")


def _drop_own(begun: _Begun) -> None:
    for file in (begun.data, begun.index):
        with contextlib.suppress(OSError):
            if os.stat(file.path).st_ino == os.fstat(file.pinned_descriptor().number).st_ino:
                os.unlink(file.path)
