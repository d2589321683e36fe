"""Looking through the needles of encoded volumes for damage, and finding the shards that are to blame for it.

Texts are those of SeaweedFS ``ec_volume_scrub.go`` and ``store_ec_scrub.go``. Where a needle is damaged, the .ecsum or
the other shards say which of its shards is; Go names none then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.ec import sidecar as sidecars
from seaweedvol.ec.scrubbing import (
    BadNeedle, EcStill, EcStep, NeedleWalk, ReadPiece, check_local, read_piece_of, rows_of,
)
from seaweedvol.server.ecfindings import Findings, Whole, check_not_stopping, sidecar_of
from seaweedvol.server.ecliars import Column, find_truth
from seaweedvol.server.interfaces import LookupFailed, RemoteCallFailed
from seaweedvol.server.scrubbing import SMALL_LENGTH
from seaweedvol.storage.errors import Corrupt
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS

if TYPE_CHECKING:
    from seaweedvol.ec.layout import Interval
    from seaweedvol.ec.sidecar import Sidecar
    from seaweedvol.server.server import VolumeServer

#: So many damaged needles are enough to find out which shards are to blame.
_WITNESSES: Final = 16
#: A shard elsewhere that could not be read so many times running is not asked for again: each time may take long.
_MOST_FAILURES: Final = 5


def check_needles(
    server: VolumeServer, whole: Whole, found: Findings, *, everywhere: bool, checks_deleted: bool = False,
) -> Generator[None, None, None]:
    """Look at every needle, as far as it lies here; gives None where it may be ended.

    :param everywhere: look at those with pieces on other servers too.
    :param checks_deleted: also tell of needles that are live by the index but deleted by their record.
    :raises Refused: when the server is about to end.
    :raises StorageError, OSError: when the index cannot be read.
    """
    still = whole.still()
    is_small = sum(shard.length for _, shard in still.shards) <= SMALL_LENGTH
    tell = _tell_of_full if everywhere else _tell_of_local
    anywhere = _reader(server, whole, still) if everywhere else None
    witnesses: list[BadNeedle] = []
    row = 0
    while row < still.row_count:
        check_not_stopping(server)
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


def _tell_of_local(whole: Whole, needle: BadNeedle, found: Findings) -> None:
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


def _tell_of_full(whole: Whole, needle: BadNeedle, found: Findings) -> None:
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


def _reader(server: VolumeServer, whole: Whole, still: EcStill) -> ReadPiece:
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


def _to_blame(whole: Whole, needles: Sequence[BadNeedle], read_piece: ReadPiece) -> list[int]:
    """The shards on account of which the needles are damaged, as far as that can be told."""
    suspects = sorted({number for needle in needles for number in needle.shard_ids})
    known = sidecar_of(whole)
    if known is not None:
        guilty = [number for number in suspects if number in whole.shards and _is_contradicted(whole, number, known)]
        if guilty:
            return guilty
    liars: set[int] = set()
    for needle in needles:
        liars |= _liars(whole, needle, read_piece)
    return sorted(liars)


def _is_contradicted(whole: Whole, number: int, known: Sidecar) -> bool:
    try:
        return sidecars.verify_shard(whole.shards[number].path, known.shards[number], known.block_size) is not None
    except OSError:
        return True


def _liars(whole: Whole, needle: BadNeedle, read_piece: ReadPiece) -> frozenset[int]:
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


def _listed(numbers: Iterable[int]) -> str:
    return f"[{' '.join(map(str, numbers))}]"
