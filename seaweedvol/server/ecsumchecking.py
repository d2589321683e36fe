"""Comparing the shards of encoded volumes with the checksums in their .ecsum.

Texts are those of SeaweedFS ``ec_volume_scrub.go``.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Final

from seaweedvol.ec import sidecar as sidecars
from seaweedvol.ec.codec import reconstruct
from seaweedvol.server.ecfindings import Findings, Whole, check_not_stopping, read_sidecar
from seaweedvol.storage.errors import FormatError

if TYPE_CHECKING:
    from seaweedvol.ec.shard import EcShard
    from seaweedvol.ec.sidecar import Sidecar
    from seaweedvol.server.server import VolumeServer

_PIECE: Final = 1 << 20


def check_sums(server: VolumeServer, whole: Whole, found: Findings) -> Generator[None, None, None]:
    """Every shard of this server against the .ecsum; where that contradicts a shard, the other shards decide. Gives
    None where it may be ended.

    :raises Refused: when the server is about to end.
    :raises OSError: when a shard cannot be read.
    """
    try:
        known = read_sidecar(whole)
    except (FormatError, OSError):
        found.add(f"ec volume {whole.id}: bitrot sidecar is malformed/unverifiable (sidecar integrity)")
        return
    if known is None:
        return
    broken: list[int] = []
    for number, shard in sorted(whole.shards.items()):
        check_not_stopping(server)
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


def _check_shard(whole: Whole, shard: EcShard, known: Sidecar, found: Findings) -> bool:
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
    server: VolumeServer, whole: Whole, number: int, clean: Sequence[int],
) -> Generator[None, None, bool]:
    """Whether the shards that nobody contradicts say something else of a shard than its file.

    :raises OSError: when one cannot be read.
    """
    ratio = whole.volume.ratio
    sources = sorted(clean)[:ratio.data]
    length = whole.shards[number].length
    for offset in range(0, length, _PIECE):
        check_not_stopping(server)
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
