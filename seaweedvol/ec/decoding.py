"""From shards back to a .dat and its .idx.

As SeaweedFS ``erasure_coding/ec_decoder.go`` and the compaction that Go's server does right after it: the result is
that of both, byte for byte, but each record goes only once from the shards to its place, where Go writes the volume
with its garbage first. Everything lies aside until it is whole and on disk; the shards are left alone, so a crash
leaves them, and whoever comes next does it again.

A record that is not what its checksum says is not left behind as by Go: shards that the .ecsum contradicts are not
read if there are others to compute them from, a shard that lies is looked for, and what was damaged when the volume was
encoded is taken along as it is, with the garbage around it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs

from seaweedvol.ec import sidecar as sidecars
from seaweedvol.ec.journal import fold, read_keys
from seaweedvol.ec.layout import LARGE_BLOCK, data_length_from_shard, is_ambiguous
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import Ratio
from seaweedvol.ec.regions import in_regions
from seaweedvol.ec.sidecar import Sidecar
from seaweedvol.ec.staging import Staged, discarding, publish
from seaweedvol.ec.striped import Striped, without
from seaweedvol.ec.writeback import EarlyWriteBack
from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.backend.disk import sync_directory
from seaweedvol.storage.errors import Corrupt, FormatError, NoLiveEntries, TooFewShards
from seaweedvol.storage.format.index import ALIGNMENT, TOMBSTONE_SIZE, OffsetWidth, encode_entries
from seaweedvol.storage.format.needle import HEADER_LENGTH, NEEDLE_VERSIONS
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH, SuperBlock, decode_superblock
from seaweedvol.storage.needlemap import Rows, read_rows
from seaweedvol.storage.volume.compacting import Compaction, run_here
from seaweedvol.storage.volume.compactingwalk import Part, WalkJob, copy_part, forget

_PIECE: Final = 1 << 20
_EVERYWHERE: Final = 1 << 62
#: Up to here another process would only take longer.
_SMALL_DATA: Final = 16 << 20
#: Of an earlier volume of this name, which would lead astray whoever finds them beside the new one.
_REMAINS: Final = (".cpc", ".cpd", ".cpx", ".cpldb", ".ldb", ".sdx", ".rdb", ".note")


@attrs.frozen
class Decoded:
    """A volume that is there again: bytes of its .dat, needles in it, and whether the deleted ones were left out."""

    length: int
    count: int
    is_compacted: bool = True


def decode(
    paths: EcPaths, shards: Mapping[int, str], ratio: Ratio, width: OffsetWidth, *, data_length: int = 0,
    directories: Sequence[str] = (), wanted: Compaction = Compaction(),
    report: Callable[[str], object] = lambda text: None, now_ns: Callable[[], int] = time.time_ns,
) -> Decoded:
    """Fold the journal into the index, and make ``paths.data`` with an .idx beside it; replaces what is there.

    Nobody may have a volume of this name open, nor the journal that is folded be the only one that tells of a deletion.

    :param shards: paths by number; any ``ratio.data`` will do.
    :param width: of the offsets in the index.
    :param data_length: of the volume when it was encoded, 0 if nobody knows.
    :param directories: where else the .ecsum may be.
    :param wanted: what is done between parts, and who does them.
    :param report: told what an operator should know.
    :raises NoLiveEntries: when all needles are deleted.
    :raises TooFewShards: when that cannot be.
    :raises Corrupt: when what is there does not make a volume.
    :raises OSError: when the disk fails. In any case only the journal may have changed.
    """
    found = paths.found()
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), paths.index)
    fold(found.index, found.journal, width)
    failpoints.reach("decode.folded")
    rows = _rows_of(found, width)
    given = {number: shards[number] for number in sorted(shards) if number < ratio.total}
    good, rest, is_vouched = _good_shards(found, given, ratio, directories, wanted.check, report)
    decoding = _Decoding(found, good, ratio, data_length, rows, wanted, now_ns())
    with discarding([]) as staged:
        decoded = decoding.run(staged, rest, is_vouched, report)
        decoding.add_late_deletions(staged[0])
        for suffix in _REMAINS:
            _remove(paths.base + suffix)
        publish(staged)
    _clear(found)
    failpoints.reach("decode.published")
    return decoded


def _rows_of(paths: EcPaths, width: OffsetWidth) -> Rows:
    index = DiskFile(paths.index, writable=False, role="ecx")
    if index.length() % width.entry_length:
        raise Corrupt(f"read ecx {paths.index}: unexpected EOF")
    rows = read_rows(index, width)
    if not (rows.sizes >= 0).any():
        raise NoLiveEntries(f"ec volume {paths.volume_id} has no live entries")
    return rows


def _good_shards(
    paths: EcPaths, given: Mapping[int, str], ratio: Ratio, directories: Sequence[str],
    check: Callable[[], object], report: Callable[[str], object],
) -> tuple[Mapping[int, str], Mapping[int, str], bool]:
    """The shards that are to be read, others that may be, and whether the .ecsum vouches for the former."""
    path = paths.found_sidecar(0, directories)
    try:
        known = sidecars.usable_sidecar(path, ratio)
    except (FormatError, OSError) as error:
        report(f"{path} is not to be relied on and is ignored: {error}")
        known = None
    if known is None:
        return given, {}, False
    good: dict[int, str] = {}
    others = dict(given)
    while others and len(good) < ratio.data:
        some = {number: others.pop(number) for number in tuple(others)[:ratio.data - len(good)]}
        good.update(_verified(paths, some, known, check, report))
    if len(good) < ratio.data <= len(given):
        raise Corrupt(f"ec volume {paths.volume_id}: only {len(good)} of {len(given)} shards are what {path} says, "
                      f"{ratio.data} are needed")
    return good, others, True


def _verified(
    paths: EcPaths, shards: Mapping[int, str], known: Sidecar, check: Callable[[], object],
    report: Callable[[str], object],
) -> dict[int, str]:
    """Those of the shards that are what they were."""
    good: dict[int, str] = {}

    def look(_: None, at: int) -> None:
        number = tuple(shards)[at]
        check()
        try:
            bad = sidecars.verify_shard(shards[number], known.shards[number], known.block_size)
        except OSError as error:
            report(f"shard {number} of ec volume {paths.volume_id} cannot be read: {error}")
            return
        if bad is None:
            good[number] = shards[number]
        else:
            report(f"shard {number} of ec volume {paths.volume_id} is damaged in block {bad}")

    in_regions(len(shards), lambda: None, look)
    return good


def _source(paths: EcPaths, shards: Mapping[int, str], ratio: Ratio, data_length: int, extent: int) -> Striped:
    """The bytes of the volume, which must reach as far as its index says."""
    if len(shards) < ratio.data:
        missing = next(number for number in range(ratio.total) if number not in shards)
        raise TooFewShards(f"ec volume {paths.volume_id} missing shard {missing}")
    encoded = data_length
    if not data_length:
        length = max(map(os.path.getsize, shards.values()))
        encoded, data_length = length * ratio.data, data_length_from_shard(length, ratio)
        if is_ambiguous(length) and extent > (length - LARGE_BLOCK) * ratio.data:
            raise Corrupt(f"shard size {length} of {paths.base} does not identify the block layout; re-encode to "
                          "record the dat size in .vif")
    if extent > encoded:
        raise Corrupt(f"dat file size {extent} exceeds encoded dat file size {encoded}")
    return Striped(tuple(sorted(shards.items())), ratio, data_length)


def _super_block(paths: EcPaths, shards: Mapping[int, str], ratio: Ratio) -> SuperBlock:
    """Whatever the length of the volume: the first block of the first row begins with it."""
    start = _source(paths, shards, ratio, 0, 0).open().read_at(SUPERBLOCK_LENGTH + 0xFFFF, 0)
    return decode_superblock(start)


class _Decoding:
    """One volume on its way back."""

    def __init__(
        self, paths: EcPaths, shards: Mapping[int, str], ratio: Ratio, data_length: int, rows: Rows,
        wanted: Compaction, now_ns: int,
    ) -> None:
        self._paths = paths
        self._rows = rows
        self._live = rows.where((rows.sizes >= 0) & (rows.units != 0))
        self._wanted = wanted
        self._now_ns = now_ns
        self._super_block = _super_block(paths, shards, ratio)
        self._fixed_length = HEADER_LENGTH + NEEDLE_VERSIONS[self._super_block.version].footer_length
        self._extent = max(self._live.farthest_end(self._fixed_length), self._super_block.block_length)
        self._source = _source(paths, shards, ratio, data_length, self._extent)

    def run(self, staged: list[Staged], rest: Mapping[int, str], is_vouched: bool,
            report: Callable[[str], object]) -> Decoded:
        """Add the .idx and the .dat, whole, to ``staged``.

        :param rest: shards that are read only when records are damaged.
        """
        ends = self._live.ends(self._fixed_length) - self._live.units.astype("int64") * ALIGNMENT
        staged.append(Staged(self._paths.base + ".idx"))
        staged.append(Staged(self._paths.data, self._super_block.block_length + int(ends.sum())))
        index, data = staged
        part = self._copy_sound(rest, index, data, report)
        if not part.dropped:
            return Decoded(part.end, os.fstat(index.descriptor).st_size // self._rows.width.entry_length)
        if not is_vouched:
            raise Corrupt(f"ec volume {self._paths.volume_id}: {part.dropped} needles cannot be read, and nothing "
                          "tells which shard is damaged")
        report(f"{part.dropped} needles of ec volume {self._paths.volume_id} were damaged when it was encoded, and are "
               "left as they are")
        return self._copy_all(index, data)

    def _copy_sound(
        self, rest: Mapping[int, str], index: Staged, data: Staged, report: Callable[[str], object],
    ) -> Part:
        """Copy what is live, out of such shards that none is dropped, if there are such."""
        part, problem = None, None
        try:
            part = self._copy_live(self._source, index, data)
        except (Corrupt, OSError) as error:
            problem = error
        if part is None or part.dropped:
            # Also if the .ecsum says that no shard lies: it may have been made of one that did.
            part = self._copy_without_liar(rest, index, data, report) or part
        if part is None:
            assert problem is not None
            raise problem
        return part

    def _copy_live(self, source: Striped, index: Staged, data: Staged) -> Part:
        """Copy what is live; the last part, with the number of those dropped in all."""
        job = self._job(source, data)
        run = self._wanted.run
        if self._extent <= _SMALL_DATA:
            run = run_here
        for file in (index, data):
            file.clear()
        data.write_at(memoryview(self._next_super_block().encode()), 0)
        part, dropped, rows_end = Part(0, job.start, b"", -1, 0, 0, False), 0, 0
        try:
            with EarlyWriteBack() as write_back:
                while not part.is_done:
                    self._wanted.check()
                    start = part.end
                    part = run(copy_part, job, part.next_row, start, self._wanted.part_length, _EVERYWHERE)
                    failpoints.reach("decode.copied")
                    index.write_at(memoryview(part.index), rows_end)
                    rows_end += len(part.index)
                    dropped += part.dropped
                    write_back.begin((data,), start, part.end - start)
                    self._wanted.after_part(part.end - start)
        finally:
            with contextlib.suppress(OSError):
                run(forget, job)
        length = os.fstat(data.descriptor).st_size
        if length != part.end:
            raise Corrupt(f"decoded {self._paths.data} is {length} bytes, {part.end} were written")
        return attrs.evolve(part, dropped=dropped)

    def _job(self, source: Striped, data: Staged) -> WalkJob:
        identity = os.fstat(data.descriptor)
        start = -(-self._super_block.block_length // ALIGNMENT) * ALIGNMENT
        return WalkJob(
            data="", index=os.path.abspath(self._paths.index),
            index_length=len(self._rows) * self._rows.width.entry_length, target=os.path.abspath(data.aside),
            target_file=(identity.st_dev, identity.st_ino), start=start, version=self._super_block.version,
            width=self._rows.width, now_ns=self._now_ns, records=source)

    def _next_super_block(self) -> SuperBlock:
        revision = self._super_block.compaction_revision + 1 & 0xFFFF
        return attrs.evolve(self._super_block, compaction_revision=revision)

    def _copy_without_liar(
        self, rest: Mapping[int, str], index: Staged, data: Staged, report: Callable[[str], object],
    ) -> Part | None:
        """Copy without each of the shards that were read, if there are others in its stead, until all records are
        sound.
        """
        shards = tuple(sorted({**dict(self._source.shards), **rest}.items()))
        if len(shards) <= self._source.ratio.data:
            return None
        for number, _ in self._source.shards[:self._source.ratio.data]:
            others = attrs.evolve(self._source, shards=shards)
            try:
                part = self._copy_live(without(others, (number,)), index, data)
            except (Corrupt, OSError):
                continue
            if not part.dropped:
                report(f"shard {number} of ec volume {self._paths.volume_id} is damaged")
                return part
        return None

    def _copy_all(self, index: Staged, data: Staged) -> Decoded:
        """Copy the volume as it was, as far as its needles reach, with the index as it is now."""
        source = self._source.open()
        for file in (index, data):
            file.clear()
        for start in range(0, self._extent, _PIECE):
            self._wanted.check()
            piece = source.read_at(min(_PIECE, self._extent - start), start)
            data.write_at(memoryview(piece), start)
            self._wanted.after_part(len(piece))
        with open(self._paths.index, "rb") as rows:
            index.write_at(memoryview(rows.read()), 0)
        return Decoded(self._extent, len(self._live), is_compacted=False)

    def add_late_deletions(self, index: Staged) -> None:
        """Have the .idx tell of what was deleted since the journal was folded."""
        keys = read_keys(self._paths.journal)
        rows = [(key, 0, TOMBSTONE_SIZE) for key in keys]
        index.write_at(memoryview(encode_entries(self._rows.width, rows)), os.fstat(index.descriptor).st_size)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _clear(paths: EcPaths) -> None:
    """Remove what is of no use any more: an .idx of old in the other directory, and the .ecsum, as Go."""
    doomed = paths.sidecars()
    if paths.index_base != paths.base:
        doomed.append(paths.index_base + ".idx")
    for path in doomed:
        _remove(path)
    for base in paths.bases:
        sync_directory(os.path.dirname(base) or ".")
