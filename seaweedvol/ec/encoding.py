"""From a .dat to its shards.

Shards are written aside, synced and then given their names together, so that a crash leaves all of the work or
nothing that anybody would take for shards. The volume is read once: what is computed and checksummed is still in the
cache of the processor when it is written. Two threads work on ranges of the shards that have nothing to do with each
other; nearly all of their time is spent where Python's lock is not held. As in SeaweedFS ``ec_encoder.go``.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Final

import attrs

from seaweedvol.ec import layout
from seaweedvol.ec.arena import Arena
from seaweedvol.ec.codec import ICodec, best_codec
from seaweedvol.ec.matrix import Rows, encoding_matrix
from seaweedvol.ec.names import EcPaths, aside
from seaweedvol.ec.ratio import Ratio
from seaweedvol.ec.sidecar import BLOCK_SIZE, ShardSums, Sidecar, new_uuid, save_sidecar
from seaweedvol.storage import failpoints
from seaweedvol.storage.backend.disk import FILE_MODE, reserve_blocks, sync_directory
from seaweedvol.storage.errors import Corrupt
from seaweedvol.storage.format.checksum import crc32c

WORKERS: Final = 2
_PIECE: Final = 256 * 1024


@attrs.frozen
class Encoded:
    """What became of a volume: its length when it was encoded, and the checksums of its shards."""

    data_length: int
    sidecar: Sidecar


@attrs.frozen
class _Step:
    """``length`` bytes of each shard at ``shard_offset``; in the volume from ``data_offset`` on, ``block`` apart."""

    data_offset: int
    block: int
    shard_offset: int
    length: int


def encode(
    paths: EcPaths, ratio: Ratio, *, data_length: int | None = None, uuid: bytes | None = None,
    progress: Callable[[int], object] | None = None, throttle: Callable[[int], object] | None = None,
    codec: ICodec | None = None, workers: int = WORKERS,
) -> Encoded:
    """Make the shards and the .ecsum of the volume whose .dat is at ``paths.data``; replaces what there was of them.

    :param data_length: encode so much of the .dat, which may grow meanwhile; None: all there is.
    :param progress: told how many bytes of the volume are done; may raise, which ends the work.
    :param throttle: told how many bytes were read just now; may sleep.
    :raises OSError: with ENOSPC before anything is written when the disk cannot take the shards.
    :raises Corrupt: when the .dat is shorter than ``data_length``.
    """
    try:
        encoded = write_shards(
            paths, ratio, data_length=data_length, uuid=uuid, progress=progress, throttle=throttle, codec=codec,
            workers=workers)
    except Exception:
        remove_asides(paths, ratio)
        raise
    try:
        publish(paths, encoded.sidecar)
    except Exception:
        remove_asides(paths, ratio)
        _withdraw(paths)
        raise
    return encoded


def write_shards(
    paths: EcPaths, ratio: Ratio, *, data_length: int | None = None, uuid: bytes | None = None,
    progress: Callable[[int], object] | None = None, throttle: Callable[[int], object] | None = None,
    codec: ICodec | None = None, workers: int = WORKERS,
) -> Encoded:
    """The first half of :func:`encode`: shards aside, durable, under names that nobody takes for shards."""
    source = os.open(paths.data, os.O_RDONLY)
    targets: list[int] = []
    try:
        length = os.fstat(source).st_size if data_length is None else data_length
        targets = _open_targets(paths, ratio, layout.shard_length(length, ratio))
        work = _Encoding(ratio, codec or best_codec(), source, targets, length, progress, throttle)
        sums = work.run(workers)
        _sync(targets, workers)
    finally:
        for descriptor in (source, *targets):
            os.close(descriptor)
    return Encoded(length, Sidecar(ratio, BLOCK_SIZE, 0, uuid or new_uuid(), sums))


def publish(paths: EcPaths, sidecar: Sidecar) -> None:
    """The second half of :func:`encode`: shards that are aside get their names, after the .ecsum got its.

    Shards of an earlier encoding go first: none of them may ever stand beside one of this.
    """
    failpoints.reach("encode.publish")
    stale = [*paths.shards().values(), *paths.sidecars()]
    for path in stale:
        os.unlink(path)
    if stale:
        sync_directory(paths.directory)
    save_sidecar(paths.sidecar(sidecar.generation), sidecar)
    for number in sidecar.shards:
        failpoints.reach("encode.rename")
        os.replace(aside(paths.shard(number)), paths.shard(number))
    failpoints.reach("encode.renamed")
    sync_directory(paths.directory)


def remove_asides(paths: EcPaths, ratio: Ratio) -> None:
    """Remove what was written aside and will not be published."""
    _remove(aside(paths.shard(number)) for number in range(ratio.total))


def _withdraw(paths: EcPaths) -> None:
    _remove([*paths.shards().values(), *paths.sidecars()])


def _remove(names: Iterable[str]) -> None:
    for name in names:
        try:
            os.unlink(name)
        except OSError:
            continue


def _open_targets(paths: EcPaths, ratio: Ratio, length: int) -> list[int]:
    """The files for the shards, with the space for them taken; none is left open on failure.

    :raises OSError: ENOSPC when there is not enough of it.
    """
    failpoints.reach("encode.reserve")
    opened: list[int] = []
    try:
        for number in range(ratio.total):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            opened.append(os.open(aside(paths.shard(number)), flags, FILE_MODE))
        space = os.fstatvfs(opened[0])
        if space.f_bavail * space.f_frsize < length * ratio.total:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), paths.directory)
        for descriptor in opened:
            reserve_blocks(descriptor, length)
    except BaseException:
        for descriptor in opened:
            os.close(descriptor)
        raise
    return opened


def _sync(targets: list[int], workers: int) -> None:
    def sync(descriptor: int) -> None:
        failpoints.reach("encode.sync")
        os.fsync(descriptor)

    with ThreadPoolExecutor(max(workers, 4), "ec-sync") as pool:
        list(pool.map(sync, targets))


def _steps(data_length: int, ratio: Ratio) -> Iterator[_Step]:
    for row in layout.rows(data_length, ratio):
        for inner in range(0, row.block, _PIECE):
            length = min(_PIECE, row.block - inner)
            yield _Step(row.data_offset + inner, row.block, row.shard_offset + inner, length)


class _Encoding:
    """One run over a volume, shared by its workers. Each takes a range of :data:`BLOCK_SIZE` bytes of the shards at a time,
    so that a checksum is the business of one worker."""

    def __init__(
        self, ratio: Ratio, codec: ICodec, source: int, targets: list[int], data_length: int,
        progress: Callable[[int], object] | None, throttle: Callable[[int], object] | None,
    ) -> None:
        self._ratio = ratio
        self._codec = codec
        self._parity: Rows = encoding_matrix(ratio)[ratio.data:]
        self._source = source
        self._targets = targets
        self._data_length = data_length
        self._progress = progress
        self._throttle = throttle
        self._done = 0
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._stopped = False
        self._ranges = groupby(_steps(data_length, ratio), key=lambda step: step.shard_offset // BLOCK_SIZE)
        self._crcs: dict[int, list[int]] = {}

    def run(self, workers: int) -> dict[int, ShardSums]:
        """Write all shards; the checksums of each."""
        with ThreadPoolExecutor(max(workers, 1), "ec-encode") as pool:
            futures = [pool.submit(self._work) for _ in range(max(workers, 1))]
        for future in futures:
            future.result()
        length = layout.shard_length(self._data_length, self._ratio)
        columns = [self._crcs[number] for number in sorted(self._crcs)]
        return {
            number: ShardSums(length, tuple(column[number] for column in columns))
            for number in range(self._ratio.total)}

    def _work(self) -> None:
        arena = Arena(self._ratio.total, _PIECE)
        try:
            while not self._stopped:
                with self._lock:
                    number, group = next(self._ranges, (-1, iter(())))
                    steps = list(group)
                if not steps:
                    return
                self._crcs[number] = self._encode_range(steps, arena)
        except BaseException:
            self._stopped = True
            raise

    def _encode_range(self, steps: list[_Step], arena: Arena) -> list[int]:
        crcs = [0] * self._ratio.total
        sources = tuple(range(self._ratio.data))
        parity = tuple(range(self._ratio.data, self._ratio.total))
        for step in steps:
            if self._stopped:
                break
            self._read(step, arena)
            self._codec.transform(self._parity, arena, sources, parity, step.length)
            self._write(step, arena, crcs)
            self._tell(step)
        return crcs

    def _read(self, step: _Step, arena: Arena) -> None:
        for number in range(self._ratio.data):
            view = arena.row(number)[:step.length]
            offset = step.data_offset + number * step.block
            there = max(0, min(step.length, self._data_length - offset))
            have = 0
            while have < there:
                count = os.preadv(self._source, (view[have:there],), offset + have)
                if not count:
                    raise Corrupt(f"the .dat ends at {offset + have}, before {self._data_length}")
                have += count
            if there < step.length:
                view[there:] = bytes(step.length - there)

    def _write(self, step: _Step, arena: Arena, crcs: list[int]) -> None:
        failpoints.reach("encode.write")
        for number, target in enumerate(self._targets):
            view = arena.row(number)[:step.length]
            crcs[number] = crc32c(view, crcs[number])
            offset = step.shard_offset
            while view:
                written = os.pwrite(target, view, offset)
                view, offset = view[written:], offset + written

    def _tell(self, step: _Step) -> None:
        if self._progress is None and self._throttle is None:
            return
        count = step.length * self._ratio.data
        with self._telling:
            self._done += count
            if self._throttle is not None:
                self._throttle(count)
            if self._progress is not None:
                self._progress(min(self._done, self._data_length))
