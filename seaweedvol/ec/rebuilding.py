"""Making lost shards again from those that are there.

One walk over all shards at once: each block is read once, checked against the .ecsum, and what is missing of it made,
checked and written. A shard that turns out to be damaged is then one of the missing, and the walk is done again. What
is made lies aside until all of it is on disk; so a crash leaves what was there before, or some of the new shards, each
whole. As SeaweedFS ``erasure_coding/ec_encoder.go`` (RebuildEcFiles), whose answers in doubt are kept: more damaged
shards than there is parity mean that the .ecsum is wrong.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs

from seaweedvol.ec import sidecar as sidecars
from seaweedvol.ec.arena import Arena
from seaweedvol.ec.codec import ICodec, best_codec
from seaweedvol.ec.layout import shard_length
from seaweedvol.ec.matrix import Rows, recovery_rows
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import Ratio
from seaweedvol.ec.regions import in_regions
from seaweedvol.ec.sidecar import ShardSums, Sidecar
from seaweedvol.ec.staging import Staged, discarding, publish
from seaweedvol.ec.writeback import EarlyWriteBack
from seaweedvol.storage import failpoints
from seaweedvol.storage.errors import Corrupt, FormatError, TooFewShards
from seaweedvol.storage.format.checksum import crc32c

_PIECE: Final = 256 * 1024
_OVERRIDE: Final = "(pass unsafeIgnoreSidecar to override)"


@attrs.frozen
class Rebuilt:
    """What came of it.

    :ivar shard_ids: of the shards that were made, in the order of Go's answer: what was missing, what was damaged.
    :ivar replaced: of those, the ones whose files were there and are others now.
    """

    shard_ids: tuple[int, ...] = ()
    replaced: tuple[int, ...] = ()


@attrs.frozen
class _Shards:
    """Paths of the shards with something in them and their lengths; where the others are to be, by number.

    :ivar empty: numbers of those others that have a file without anything in it.
    """

    paths: Mapping[int, str]
    lengths: Mapping[int, int]
    places: Mapping[int, str]
    empty: frozenset[int]


def rebuild(
    paths: EcPaths, ratio: Ratio, directories: Sequence[str] = (), *, data_length: int = 0,
    ignores_sidecar: bool = False, report: Callable[[str], object] = lambda text: None,
    progress: Callable[[int], object] | None = None, throttle: Callable[[int], object] | None = None,
    codec: ICodec | None = None,
) -> Rebuilt:
    """Make what is missing, and what is damaged anew. Where there is no .ecsum it is made too, if that can be.

    :param paths: of the directory that gets what is missing.
    :param directories: where else shards are looked for; what is damaged there is replaced there.
    :param data_length: of the volume when it was encoded, 0 if nobody knows.
    :param ignores_sidecar: takes the shards as they are, and says nothing of what it makes.
    :param report: told what an operator should know.
    :param progress: told how many bytes of the volume are done; may raise, which ends the work.
    :param throttle: told how many bytes were read just now; may sleep.
    :raises TooFewShards: when there are not enough.
    :raises Corrupt: when the .ecsum does not fit what is there, or what was made.
    :raises OSError: when the disk fails. In any case nothing was published that is not right.
    """
    shards = _find(paths, ratio, directories)
    path = paths.found_sidecar(0, directories)
    known = _usable(paths, path, ratio, ignores_sidecar, report)
    work = _Rebuilding(paths, ratio, shards, known, data_length, codec or best_codec(), progress, throttle)
    with discarding([]) as staged:
        walk = work.run(staged, report)
        publish(staged)
    if path is None:
        _keep_sums(paths, ratio, walk, report)
    lost = (number for number in walk.targets if number not in walk.damaged)
    return Rebuilt((*lost, *sorted(walk.damaged)), tuple(sorted(walk.damaged | shards.empty)))


def _find(paths: EcPaths, ratio: Ratio, directories: Sequence[str]) -> _Shards:
    """An empty file is no shard, but the place of one."""
    found: dict[int, str] = {}
    lengths: dict[int, int] = {}
    places: dict[int, str] = {}
    empty: set[int] = set()
    for number in range(ratio.total):
        path = paths.found_shard(number, directories)
        length = os.path.getsize(path) if path else 0
        if path and length:
            found[number], lengths[number] = path, length
        else:
            places[number] = path or paths.shard(number)
            empty.update((number,) if path else ())
    return _Shards(found, lengths, places, frozenset(empty))


def _usable(
    paths: EcPaths, path: str | None, ratio: Ratio, ignores_sidecar: bool, report: Callable[[str], object],
) -> Sidecar | None:
    try:
        known = sidecars.usable_sidecar(path, ratio)
    except (FormatError, OSError) as error:
        if not ignores_sidecar:
            raise Corrupt(f"bitrot sidecar for {paths.base} is malformed/unverifiable; refusing to rebuild "
                          f"{_OVERRIDE}") from error
        report(f"{path} is not to be relied on and is ignored: {error}")
        return None
    return None if ignores_sidecar else known


def _keep_sums(paths: EcPaths, ratio: Ratio, walk: _Walk, report: Callable[[str], object]) -> None:
    """Write the .ecsum that there is not, of the bytes as they are; unless there is one without being found here."""
    sums = walk.sums()
    if len(sums) < ratio.total or paths.found_sidecar() is not None:
        return
    try:
        sidecars.save_sidecar(paths.sidecar(), Sidecar(ratio, walk.block, 0, sidecars.new_uuid(), sums))
    except OSError as error:
        report(f"{paths.sidecar()} cannot be written: {error}")


class _Rebuilding:
    """What is done until a walk over the shards finds nothing more that is damaged."""

    def __init__(
        self, paths: EcPaths, ratio: Ratio, shards: _Shards, known: Sidecar | None, data_length: int, codec: ICodec,
        progress: Callable[[int], object] | None, throttle: Callable[[int], object] | None,
    ) -> None:
        self._paths = paths
        self._ratio = ratio
        self._shards = shards
        self._known = known
        self._codec = codec
        self._tell = _Telling(progress, throttle)
        self._length = self._expected_length(data_length)

    def run(self, staged: list[Staged], report: Callable[[str], object]) -> _Walk:
        """Fill ``staged`` with what is to be published."""
        damaged = {number for number, length in self._shards.lengths.items() if length != self._length}
        targets: dict[int, Staged] = {}
        while True:
            self._check(damaged)
            for number in sorted({*self._shards.places, *damaged} - set(targets)):
                path = self._shards.places.get(number) or self._shards.paths[number]
                targets[number] = Staged(path, self._length)
                staged.append(targets[number])
            walk = _Walk(self._ratio, self._codec, self._length, self._known, damaged, targets, self._tell)
            walk.run({number: path for number, path in self._shards.paths.items() if number not in damaged})
            if not walk.found:
                self._check_made(walk)
                return walk
            for number, what in sorted(walk.found.items()):
                report(f"shard {number} of {self._paths.base} is damaged and will be made anew: {what}")
            damaged |= set(walk.found)

    def _expected_length(self, data_length: int) -> int:
        lengths = self._shards.lengths
        if self._known is not None:
            return next(iter(self._known.shards.values())).covered
        if data_length:
            length = shard_length(data_length, self._ratio)
            if sum(other == length for other in lengths.values()) >= self._ratio.data:
                return length
        first = next(iter(lengths.values()), 0)
        for number, length in lengths.items():
            if length != first:
                raise Corrupt(f"ec rebuild: input shard {number} size {length} != {first} (truncated input?)")
        return first

    def _check(self, damaged: set[int]) -> None:
        """Whether what is left is enough, and believable."""
        base, ratio = self._paths.base, self._ratio
        there = len(self._shards.paths)
        if len(damaged) > ratio.parity:
            raise Corrupt(f"bitrot sidecar suspect for {base}: {len(damaged)}/{there} present shards mismatch "
                          f"(> parity {ratio.parity}); refusing to rebuild {_OVERRIDE}")
        if there < ratio.data:
            missing = " ".join(map(str, sorted(self._shards.places)))
            raise TooFewShards(f"not enough shards to rebuild {base}: found {there} shards, need at least {ratio.data} "
                               f"(data shards), missing shards: [{missing}]")
        if there - len(damaged) < ratio.data:
            raise TooFewShards(f"bitrot: only {there - len(damaged)} verified-good shards for {base}, need "
                               f"{ratio.data} data shards; sidecar may be stale {_OVERRIDE}")

    def _check_made(self, walk: _Walk) -> None:
        if self._known is None:
            return
        made = walk.sums()
        for number in walk.targets:
            pairs = zip(made[number].crcs, self._known.shards[number].crcs, strict=True)
            count = sum(one != other for one, other in pairs)
            if count:
                raise Corrupt(f"bitrot: regenerated shard {number} for {self._paths.base} does not match sidecar "
                              f"({count} blocks differ); sidecar likely stale — aborting {_OVERRIDE}")


class _Walk:
    """One walk over the shards, by two threads.

    :ivar damaged: numbers of the shards that are known to be damaged and are not read.
    :ivar found: of those that turned out to be, with what is wrong.
    """

    def __init__(
        self, ratio: Ratio, codec: ICodec, length: int, known: Sidecar | None, damaged: set[int],
        targets: Mapping[int, Staged], tell: _Telling,
    ) -> None:
        self.block = known.block_size if known else sidecars.BLOCK_SIZE
        self.damaged = frozenset(damaged)
        self.targets = dict(sorted(targets.items()))
        self.found: dict[int, str] = {}
        self._ratio = ratio
        self._codec = codec
        self._length = length
        self._known = known
        self._tell = tell
        self._write_back = EarlyWriteBack()
        self._crcs: dict[int, list[int]] = {}

    def run(self, paths: Mapping[int, str]) -> None:
        """Read these shards, and write the others as long as nothing is wrong with what is read."""
        count = -(-self._length // self.block)
        self._crcs = {number: [0] * count for number in (*paths, *self.targets)}
        sources = tuple(paths)[:self._ratio.data]
        rows = recovery_rows(self._ratio, sources, tuple(self.targets)) if self.targets else ()
        descriptors: dict[int, int] = {}
        try:
            for number, path in paths.items():
                descriptors[number] = os.open(path, os.O_RDONLY)
            with self._write_back:
                in_regions(
                    count, self._new_arena, lambda arena, at: self._region(arena, at, descriptors, sources, rows))
        finally:
            for descriptor in descriptors.values():
                os.close(descriptor)

    def sums(self) -> dict[int, ShardSums]:
        """Of all shards that were read or written, by number."""
        return {number: ShardSums(self._length, tuple(crcs)) for number, crcs in sorted(self._crcs.items())}

    def _new_arena(self) -> Arena:
        return Arena(self._ratio.total, min(_PIECE, self._length))

    def _region(
        self, arena: Arena, block: int, descriptors: Mapping[int, int], sources: tuple[int, ...], rows: Rows,
    ) -> None:
        start = block * self.block
        end = min(start + self.block, self._length)
        for offset in range(start, end, _PIECE):
            length = min(_PIECE, end - offset)
            for number, descriptor in descriptors.items():
                self._read(number, descriptor, arena.row(number)[:length], offset, block)
            if rows and not self.found:
                self._codec.transform(rows, arena, sources, tuple(self.targets), length)
                self._write(arena, block, offset, length)
            self._tell(length * self._ratio.data)
        if self.targets:
            self._write_back.begin(tuple(self.targets.values()), start, end - start)
        if self._known is not None:
            for number in descriptors:
                if self._crcs[number][block] != self._known.shards[number].crcs[block]:
                    self.found.setdefault(number, f"checksum of block {block}")

    def _read(self, number: int, descriptor: int, view: memoryview, offset: int, block: int) -> None:
        if number in self.found:
            return
        have = 0
        try:
            while have < len(view):
                count = os.preadv(descriptor, (view[have:],), offset + have)
                if not count:
                    raise OSError(f"it ends at {offset + have}")
                have += count
        except OSError as error:
            self.found[number] = str(error)
            return
        self._crcs[number][block] = crc32c(view, self._crcs[number][block])

    def _write(self, arena: Arena, block: int, offset: int, length: int) -> None:
        failpoints.reach("rebuild.write")
        for number, target in self.targets.items():
            view = arena.row(number)[:length]
            self._crcs[number][block] = crc32c(view, self._crcs[number][block])
            target.write_at(view, offset)


class _Telling:
    """Says how far the work is; one thread at a time."""

    def __init__(
        self, progress: Callable[[int], object] | None, throttle: Callable[[int], object] | None,
    ) -> None:
        self._progress = progress
        self._throttle = throttle
        self._lock = threading.Lock()
        self._done = 0

    def __call__(self, length: int) -> None:
        if self._progress is None and self._throttle is None:
            return
        with self._lock:
            self._done += length
            if self._throttle is not None:
                self._throttle(length)
            if self._progress is not None:
                self._progress(self._done)
