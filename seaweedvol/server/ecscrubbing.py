"""Looking through encoded volumes for damage: their index, their needles, the checksums of their shards.

Modes, texts and counts are those of SeaweedFS ``volume_grpc_scrub.go``, ``ec_volume_scrub.go`` and
``store_ec_scrub.go``, but for this: the shards of all disks count as one volume's, a needle that cannot be read does
not end the search, and where a needle is damaged the shard that is to blame is named too. Nothing is changed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.ec import sidecar as sidecars
from seaweedvol.ec.codec import reconstruct
from seaweedvol.ec.layout import data_length_from_shard
from seaweedvol.ec.scrubbing import (
    BadNeedle, EcStill, EcStep, LocalShard, NeedleWalk, ReadPiece, check_local, read_piece_of, rows_of,
)
from seaweedvol.server.ecliars import Column, find_truth
from seaweedvol.server.errors import Refused
from seaweedvol.server.interfaces import LookupFailed, RemoteCallFailed
from seaweedvol.server.scrubbing import FULL, INDEX, LOCAL, SMALL_LENGTH
from seaweedvol.storage.errors import Corrupt, FormatError, StorageError
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.volume.rowchecking import MOST_FAILURES, check_rows
from seaweedvol.storage.volume.still import Still

if TYPE_CHECKING:
    from seaweedvol.ec.layout import Interval
    from seaweedvol.ec.shard import EcShard
    from seaweedvol.ec.sidecar import Sidecar
    from seaweedvol.ec.volume import EcVolume
    from seaweedvol.server.server import VolumeServer

CHECKSUM: Final = 4
MODES: Final = {INDEX: "INDEX", FULL: "FULL", LOCAL: "LOCAL", CHECKSUM: "CHECKSUM"}

#: So many damaged needles are enough to find out which shards are to blame.
_WITNESSES: Final = 16
_PIECE: Final = 1 << 20
#: A shard elsewhere that could not be read so many times running is not asked for again: each time may take long.
_MOST_FAILURES: Final = 5


@attrs.frozen(order=True)
class BrokenShard:
    """A shard with something wrong; ``length`` in bytes, of the shard or of what could not be read."""

    volume_id: int
    id: int
    length: int
    collection: str


@attrs.define
class EcScrubbed:
    """What was looked through, and what was found; ``details`` are in Go's words."""

    volumes: int = 0
    files: int = 0
    broken_ids: list[int] = attrs.Factory(list)
    shards: list[BrokenShard] = attrs.Factory(list)
    details: list[str] = attrs.Factory(list)


@attrs.define
class _Findings:
    """Of one volume."""

    files: int = 0
    shards: dict[int, BrokenShard] = attrs.Factory(dict)
    details: list[str] = attrs.Factory(list)

    def add(self, detail: str) -> None:
        """Take note, up to a point."""
        if len(self.details) < MOST_FAILURES:
            self.details.append(detail)


@attrs.frozen
class _Whole:
    """A volume as all disks of this server have it; ``directories`` are all in which something of it may be."""

    volume: EcVolume
    shards: Mapping[int, EcShard]
    directories: tuple[str, ...]

    @property
    def id(self) -> int:
        """The number of the volume."""
        return int(self.volume.id)

    def broken(self, shard_id: int, length: int) -> BrokenShard:
        """One of its shards."""
        return BrokenShard(self.id, shard_id, length, self.volume.collection)

    def still(self) -> EcStill:
        """For whoever looks at its needles."""
        volume = self.volume
        longest = max((shard.length for shard in self.shards.values()), default=0)
        return EcStill(
            self.id, volume.version, volume.width, os.path.abspath(volume.index.path), volume.index.length,
            volume.ratio, volume.data_length or data_length_from_shard(longest, volume.ratio),
            tuple((number, LocalShard(os.path.abspath(shard.path), shard.length))
                  for number, shard in sorted(self.shards.items())))


def scrub(
    server: VolumeServer, volume_ids: Iterable[int], mode: int, *, checks_deleted: bool = False,
) -> Generator[None, None, EcScrubbed]:
    """Look through these volumes, or all if there are none; gives None where it may be ended.

    :param checks_deleted: with FULL, also tell of needles that are live by the index but deleted by their record.
    :raises Refused: when a volume is not here (those before it were looked through in vain, as in Go), or the mode is
        unknown.
    """
    if checks_deleted and mode != FULL:
        raise Refused("deleted needle checks are only supported for FULL scrubs")
    wanted = list(volume_ids) or list(dict.fromkeys(int(volume.id) for volume in server.store.erasure.volumes()))
    result = EcScrubbed()
    for volume_id in wanted:
        whole = _find(server, volume_id)
        if mode not in MODES:
            raise Refused(f"unsupported EC volume scrub mode {mode}")
        found = yield from _scrub_one(server, whole, mode, checks_deleted)
        result.volumes += 1
        result.files += found.files
        if found.details or found.shards:
            result.broken_ids.append(volume_id)
            result.shards += sorted(found.shards.values())
            result.details += found.details
        server.chronicle.note_scrub(volume_id, MODES[mode], len(found.details) + len(found.shards))
    return result


def _find(server: VolumeServer, volume_id: int) -> _Whole:
    volume = server.store.erasure.find(volume_id)
    if volume is None:
        raise Refused(f"EC volume id {volume_id} not found")
    shards: dict[int, EcShard] = {}
    directories = []
    for _, other in server.store.erasure.holders(volume_id):
        if other.encode_time_ns == volume.encode_time_ns:
            directories.append(other.paths.directory)
            for shard in other.loaded():
                shards.setdefault(shard.id, shard)
    return _Whole(volume, shards, tuple(directories))


def _scrub_one(
    server: VolumeServer, whole: _Whole, mode: int, checks_deleted: bool,
) -> Generator[None, None, _Findings]:
    found = _Findings()
    try:
        if mode == CHECKSUM:
            yield from _check_sums(server, whole, found)
            return found
        _check_index(server, whole, found)
        yield None
        if mode != INDEX:
            yield from _check_needles(server, whole, mode, checks_deleted, found)
    except (StorageError, OSError) as error:
        found.add(str(error))
    return found


# --- the index

def _check_index(server: VolumeServer, whole: _Whole, found: _Findings) -> None:
    index = whole.volume.index
    if not index.length:
        found.add(f"zero-size ECX file for EC volume {whole.id}")
        return
    descriptor = index.descriptor
    still = Still(
        volume_id=whole.id, version=whole.volume.version, width=index.width, index_length=index.length, data_length=0,
        data_path="", owner=os.getpid(), index_descriptor=descriptor.number, data_descriptor=-1)
    is_small = index.length <= SMALL_LENGTH
    rows = check_rows(still) if is_small else server.workers.run(check_rows, still)
    found.files = rows.row_count
    for failure in rows.failures:
        found.add(failure)
    if rows.more:
        found.add(f"{rows.more} more failures on volume {whole.id}")


# --- the needles

def _check_needles(
    server: VolumeServer, whole: _Whole, mode: int, checks_deleted: bool, found: _Findings,
) -> Generator[None, None, None]:
    still = whole.still()
    is_small = sum(shard.length for _, shard in still.shards) <= SMALL_LENGTH
    tell = _tell_of_full if mode == FULL else _tell_of_local
    anywhere = _reader(server, whole, still) if mode == FULL else None
    witnesses: list[BadNeedle] = []
    row = 0
    while row < still.row_count:
        _check_not_stopping(server)
        step: EcStep = check_local(still, row) if is_small else server.workers.run(check_local, still, row)
        row, bad = step.next_row, list(step.bad)
        if step.elsewhere and anywhere is not None:
            yield None
            bad += NeedleWalk(still, anywhere).check(rows_of(still, step.elsewhere))
        for needle in bad:
            if needle.words and len(witnesses) < _WITNESSES:
                witnesses.append(needle)
            if needle.words or needle.pieces or checks_deleted:
                tell(whole, needle, found)
        yield None
    if witnesses:
        for number in _to_blame(whole, witnesses, anywhere or read_piece_of(still)):
            shard = whole.shards.get(number)
            length = shard.length if shard is not None else whole.volume.shard_length
            found.shards.setdefault(number, whole.broken(number, length))


def _tell_of_local(whole: _Whole, needle: BadNeedle, found: _Findings) -> None:
    for piece in needle.pieces:
        at = piece.interval
        shard = whole.shards[at.shard_id]
        found.shards.setdefault(at.shard_id, whole.broken(at.shard_id, shard.length))
        if at.offset + at.length > shard.length:
            found.add(f"local shard {at.shard_id} for needle {needle.key} is too short ({shard.length}), cannot read "
                      f"chunk {piece.number}/{piece.count}")
        else:
            found.add(f"failed to read chunk {piece.number}/{piece.count} for needle {needle.key} from local shard "
                      f"{at.shard_id} at offset {at.offset}: {piece.words}")
    if needle.pieces:
        found.add(f"expected {needle.length} bytes for needle {needle.key} on volume {whole.id}, got {needle.found}")
    else:
        found.add(f"needle {needle.key} on volume {whole.id}, shards {_listed(needle.shard_ids)}: {needle.words}")


def _tell_of_full(whole: _Whole, needle: BadNeedle, found: _Findings) -> None:
    where = f"EC volume {whole.id}, needle {needle.key} on shards {_listed(needle.shard_ids)}"
    if not needle.pieces:
        found.add(f"{where}: {needle.words or 'size mismatch'}")
        return
    for piece in needle.pieces[:1]:
        number = piece.interval.shard_id
        found.add(f"failed to read EC shard {number} for needle {needle.key} on volume {whole.id} "
                  f"(interval {piece.number}/{piece.count})")
        found.shards[number] = whole.broken(number, piece.interval.length)
    found.add(f"{where}: expected {needle.length} bytes, got {needle.found}")


def _reader(server: VolumeServer, whole: _Whole, still: EcStill) -> ReadPiece:
    """Reads a piece of a shard from wherever it is, computing nothing."""
    local = read_piece_of(still)
    volume = whole.volume
    failures: Counter[int] = Counter()

    def read(interval: Interval) -> bytes:
        if interval.shard_id in whole.shards:
            try:
                return local(interval)
            except OSError:
                # As Go: another server may have it too.
                pass
        if failures[interval.shard_id] >= _MOST_FAILURES:
            raise OSError(f"shard {whole.id}.{interval.shard_id} could not be read before")
        try:
            # Who holds what may have changed since somebody read; a scrub must not call that damage.
            places = server.shards.locations(
                whole.id, fresh=True, needed=volume.ratio.data, total=volume.ratio.total)
        except LookupFailed as error:
            raise OSError(str(error)) from error
        for address in places.get(interval.shard_id, ()):
            try:
                data, _ = server.shards.read(
                    address, whole.id, interval.shard_id, interval.offset, interval.length,
                    encode_time_ns=volume.encode_time_ns)
            except RemoteCallFailed:
                continue
            failures.pop(interval.shard_id, None)
            return data
        failures[interval.shard_id] += 1
        raise OSError(f"failed to find ec shard {whole.id}.{interval.shard_id}")

    return read


def _to_blame(whole: _Whole, needles: Sequence[BadNeedle], read_piece: ReadPiece) -> list[int]:
    """The shards on account of which the needles are damaged, as far as that can be told."""
    suspects = sorted({number for needle in needles for number in needle.shard_ids})
    known = _sidecar_of(whole)
    if known is not None:
        guilty = [number for number in suspects if number in whole.shards and _is_contradicted(whole, number, known)]
        if guilty:
            return guilty
    liars: set[int] = set()
    for needle in needles:
        liars |= _liars(whole, needle, read_piece)
    return sorted(liars)


def _is_contradicted(whole: _Whole, number: int, known: Sidecar) -> bool:
    try:
        return sidecars.verify_shard(whole.shards[number].path, known.shards[number], known.block_size) is not None
    except OSError:
        return True


def _liars(whole: _Whole, needle: BadNeedle, read_piece: ReadPiece) -> frozenset[int]:
    volume = whole.volume
    codec = NEEDLE_VERSIONS[volume.version]
    intervals = whole.volume.pieces(needle.offset, needle.length)
    columns = []
    for interval in intervals:
        pieces: dict[int, bytes] = {}
        for number in range(volume.ratio.total):
            try:
                pieces[number] = read_piece(attrs.evolve(interval, shard_id=number))
            except OSError:
                continue
        columns.append(Column(interval.shard_id, pieces))
    row = volume.index.find(needle.key)
    if row is None:
        return frozenset()
    size = row[1]

    def is_right(pieces: Sequence[bytes]) -> bool:
        try:
            codec.decode(b"".join(pieces), size)
        except Corrupt:
            return False
        return True

    truth = find_truth(volume.ratio, columns, is_right)
    return truth.liars if truth is not None else frozenset()


# --- the checksums of the shards

def _check_sums(server: VolumeServer, whole: _Whole, found: _Findings) -> Generator[None, None, None]:
    """Every shard of this server against the .ecsum; where that contradicts a shard, the other shards decide."""
    try:
        known = _read_sidecar(whole)
    except (FormatError, OSError):
        found.add(f"ec volume {whole.id}: bitrot sidecar is malformed/unverifiable (sidecar integrity)")
        return
    if known is None:
        return
    broken: list[int] = []
    for number, shard in sorted(whole.shards.items()):
        _check_not_stopping(server)
        if _check_shard(whole, shard, known, found):
            broken.append(number)
        yield None
    parity = whole.volume.ratio.parity
    if len(broken) > parity:
        found.details[:] = [f"ec volume {whole.id}: {len(broken)}/{len(whole.shards)} local shards mismatch (> parity "
                            f"{parity}): suspect stale sidecar, not flagging shard corruption"]
        return
    clean = [number for number in whole.shards if number not in broken]
    for number in broken:
        if len(clean) >= whole.volume.ratio.data:
            try:
                is_guilty = yield from _is_guilty(server, whole, number, clean)
            except OSError as error:
                found.add(f"ec volume {whole.id} shard {number}: RS arbitration failed: {error}")
                is_guilty = True
            if not is_guilty:
                found.add(f"ec volume {whole.id} shard {number}: sidecar mismatch but Reed-Solomon confirms the bytes "
                          "are correct: stale sidecar, not flagging shard")
                continue
        found.shards[number] = whole.broken(number, whole.shards[number].length)


def _check_shard(whole: _Whole, shard: EcShard, known: Sidecar, found: _Findings) -> bool:
    """Whether the .ecsum contradicts a shard."""
    sums = known.shards[shard.id]
    name = f"ec volume {whole.id} shard {shard.id}"
    if shard.length != sums.covered:
        found.add(f"{name}: size {shard.length} != covered_size {sums.covered} (truncated or extended)")
        return True
    if os.path.getsize(shard.path) < sums.covered:
        at = os.path.getsize(shard.path) // known.block_size
        wanted = min(known.block_size, sums.covered - at * known.block_size)
        got = os.path.getsize(shard.path) - at * known.block_size
        found.add(f"{name}: read block {at} at {at * known.block_size}: EOF (got {got}/{wanted})")
        return True
    bad = sidecars.bad_blocks(shard.path, sums, known.block_size)
    for at in bad:
        found.add(f"{name}: checksum mismatch at block {at} (offset {at * known.block_size})")
    return bool(bad)


def _is_guilty(
    server: VolumeServer, whole: _Whole, number: int, clean: Sequence[int],
) -> Generator[None, None, bool]:
    """Whether the shards that nobody contradicts say something else of a shard than its file.

    :raises OSError: when one cannot be read.
    """
    ratio = whole.volume.ratio
    sources = sorted(clean)[:ratio.data]
    length = whole.shards[number].length
    for offset in range(0, length, _PIECE):
        _check_not_stopping(server)
        count = min(_PIECE, length - offset)
        pieces = {source: _read_shard(whole.shards[source], count, offset) for source in sources}
        said = reconstruct(ratio, pieces, (number,))[number]
        if said != _read_shard(whole.shards[number], count, offset, "target"):
            return True
        yield None
    return False


def _read_shard(shard: EcShard, length: int, offset: int, role: str = "clean") -> bytes:
    data = shard.read_at(length, offset)
    if len(data) != length:
        raise OSError(f"read {role} shard {shard.id} at {offset}: EOF")
    return data


def _sidecar_of(whole: _Whole) -> Sidecar | None:
    try:
        return _read_sidecar(whole)
    except (FormatError, OSError):
        return None


def _read_sidecar(whole: _Whole) -> Sidecar | None:
    return sidecars.usable_sidecar(whole.volume.paths.found_sidecar(0, whole.directories), whole.volume.ratio)


def _check_not_stopping(server: VolumeServer) -> None:
    if server.life.is_stopping:
        raise Refused("the server is stopping")


def _listed(numbers: Iterable[int]) -> str:
    return f"[{' '.join(map(str, numbers))}]"
