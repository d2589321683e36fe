"""From a .dat to its shards.

The volume is read once: what is computed and checksummed is still in the cache of the processor when it is written. Two
threads work on ranges of the shards that have nothing to do with each other; nearly all of their time is spent where
Python's lock is not held. Shards lie aside until all of them are on disk, and are put in their places together. As in
SeaweedFS ``erasure_coding/ec_encoder.go``, except that Go writes in place and leaves the rest to the kernel.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable, Iterator
from typing import Final

import attrs

from seaweedvol.ec import layout
from seaweedvol.ec.arena import Arena
from seaweedvol.ec.codec import ICodec, best_codec
from seaweedvol.ec.matrix import Rows, encoding_matrix
from seaweedvol.ec.names import EcPaths, aside
from seaweedvol.ec.ratio import MAX_SHARDS, Ratio
from seaweedvol.ec.regions import in_regions
from seaweedvol.ec.sidecar import BLOCK_SIZE, ShardSums, Sidecar, dump, new_uuid
from seaweedvol.ec.staging import Staged, discarding, publish
from seaweedvol.ec.writeback import EarlyWriteBack
from seaweedvol.storage import failpoints
from seaweedvol.storage.backend.disk import sync_directory
from seaweedvol.storage.errors import Corrupt
from seaweedvol.storage.format.checksum import crc32c

_PIECE: Final = 256 * 1024


@attrs.frozen
class Encoded:
    """What became of a volume: its length when it was encoded, and the checksums of its shards."""

    data_length: int
    sidecar: Sidecar


def encode(
    paths: EcPaths, ratio: Ratio, *, data_length: int | None = None, uuid: bytes | None = None,
    progress: Callable[[int], object] | None = None, throttle: Callable[[int], object] | None = None,
    codec: ICodec | None = None, before_publishing: Callable[[Encoded], object] = lambda made: None,
) -> Encoded:
    """Make the shards and the .ecsum of the volume whose .dat is at ``paths.data``, in place of those that are there.

    :param data_length: encode so much of the .dat, which may grow meanwhile; None: all there is.
    :param uuid: of the encoding; None: a new one.
    :param progress: told how many bytes of the volume are done; may raise, which ends the work.
    :param throttle: told how many bytes were read just now; may sleep.
    :param before_publishing: called when all is on disk and nothing in its place; may raise, which ends the work.
    :raises OSError: with ENOSPC before anything is written when the disk cannot take the shards.
    :raises Corrupt: when the .dat is shorter than ``data_length``.
    """
    with _opened(paths.data) as source, discarding([]) as staged:
        length = os.fstat(source).st_size if data_length is None else data_length
        _stage_shards(paths, ratio, layout.shard_length(length, ratio), staged)
        work = _Encoding(ratio, codec or best_codec(), source, staged, length, progress, throttle)
        sidecar = Sidecar(ratio, BLOCK_SIZE, 0, uuid or new_uuid(), work.run())
        staged.insert(0, _staged_sidecar(paths, sidecar))
        made = Encoded(length, sidecar)
        _publish(paths, staged, lambda: before_publishing(made))
    return made


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _stage_shards(paths: EcPaths, ratio: Ratio, length: int, staged: list[Staged]) -> None:
    """Add a file for each shard, with the space for it taken.

    :raises OSError: ENOSPC when there is not enough for all of them.
    """
    failpoints.reach("encode.reserve")
    for number in range(MAX_SHARDS):
        # Of an attempt that broke off, perhaps with more shards.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside(paths.shard(number)))
    space = os.statvfs(paths.directory)
    if space.f_bavail * space.f_frsize < length * ratio.total:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), paths.directory)
    for number in range(ratio.total):
        staged.append(Staged(paths.shard(number), length))


def _staged_sidecar(paths: EcPaths, sidecar: Sidecar) -> Staged:
    file = Staged(paths.sidecar(sidecar.generation))
    file.write_at(memoryview(dump(sidecar)), 0)
    return file


def _publish(paths: EcPaths, staged: list[Staged], before: Callable[[], object]) -> None:
    """Put the files in their places, the .ecsum first, so that no shard is ever there without its checksums.

    Shards of an earlier encoding go before: none of them may ever stand beside one of this. The .dat is whole, and
    start-up prefers it to half a set of shards.
    """
    for file in staged:
        file.sync()
    before()
    failpoints.reach("encode.publish")
    stale = [*paths.shards().values(), *paths.sidecars()]
    for path in stale:
        os.unlink(path)
    if stale:
        sync_directory(paths.directory)
    try:
        publish(staged)
    except Exception:
        for file in staged:
            with contextlib.suppress(OSError):
                os.unlink(file.path)
        raise


class _Encoding:
    """One run over a volume. A region is what one checksum of each shard covers."""

    def __init__(
        self, ratio: Ratio, codec: ICodec, source: int, targets: list[Staged], data_length: int,
        progress: Callable[[int], object] | None, throttle: Callable[[int], object] | None,
    ) -> None:
        self._ratio = ratio
        self._codec = codec
        self._parity: Rows = encoding_matrix(ratio)[ratio.data:]
        self._source = source
        self._targets = tuple(targets)
        self._data_length = data_length
        self._shard_length = layout.shard_length(data_length, ratio)
        self._crcs: list[list[int]] = [[] for _ in range(-(-self._shard_length // BLOCK_SIZE))]
        self._progress = progress
        self._throttle = throttle
        self._write_back = EarlyWriteBack()
        self._telling = threading.Lock()
        self._done = 0

    def run(self) -> dict[int, ShardSums]:
        """Write all shards; the checksums of each."""
        with self._write_back:
            in_regions(len(self._crcs), lambda: Arena(self._ratio.total, _PIECE), self._encode_region)
        return {
            number: ShardSums(self._shard_length, tuple(crcs[number] for crcs in self._crcs))
            for number in range(self._ratio.total)}

    def _encode_region(self, arena: Arena, region: int) -> None:
        start = region * BLOCK_SIZE
        end = min(start + BLOCK_SIZE, self._shard_length)
        crcs = [0] * self._ratio.total
        sources = tuple(range(self._ratio.data))
        parity = tuple(range(self._ratio.data, self._ratio.total))
        offset = start
        while offset < end:
            row = layout.row_at(offset, self._data_length, self._ratio)
            inner = offset - row.shard_offset
            length = min(_PIECE, row.block - inner, end - offset)
            self._read(arena, row.data_offset + inner, row.block, length)
            self._codec.transform(self._parity, arena, sources, parity, length)
            self._write(arena, offset, length, crcs)
            self._tell(length * self._ratio.data)
            offset += length
        self._crcs[region] = crcs
        self._write_back.begin(self._targets, start, end - start)

    def _read(self, arena: Arena, data_offset: int, block: int, length: int) -> None:
        """Fill the rows of the data shards; there are zeros beyond the end of the volume."""
        for number in range(self._ratio.data):
            view = arena.row(number)[:length]
            offset = data_offset + number * block
            there = max(0, min(length, self._data_length - offset))
            have = 0
            while have < there:
                count = os.preadv(self._source, (view[have:there],), offset + have)
                if not count:
                    raise Corrupt(f"the .dat ends at {offset + have}, before {self._data_length}")
                have += count
            if there < length:
                view[there:] = bytes(length - there)

    def _write(self, arena: Arena, offset: int, length: int, crcs: list[int]) -> None:
        failpoints.reach("encode.write")
        for number, target in enumerate(self._targets):
            view = arena.row(number)[:length]
            crcs[number] = crc32c(view, crcs[number])
            target.write_at(view, offset)

    def _tell(self, count: int) -> None:
        if self._progress is None and self._throttle is None:
            return
        with self._telling:
            self._done += count
            if self._throttle is not None:
                self._throttle(count)
            if self._progress is not None:
                self._progress(min(self._done, self._data_length))
