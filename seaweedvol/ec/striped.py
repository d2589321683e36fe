"""The .dat of an encoded volume, read out of its shards.

Knows paths and arithmetic, so that any process may read. Where a data shard is not among the shards that are given,
its bytes are computed from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from seaweedvol.ec.codec import reconstruct
from seaweedvol.ec.layout import Interval, intervals
from seaweedvol.ec.ratio import Ratio
from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.errors import Corrupt, TooFewShards


@attrs.frozen
class Striped:
    """Where the bytes of a volume are.

    :ivar shards: number and path of each shard that may be read.
    :ivar data_length: of the volume when it was encoded; nothing is read beyond it.
    """

    shards: tuple[tuple[int, str], ...]
    ratio: Ratio
    data_length: int

    def open(self) -> StripedFile:
        """Open the shards that are needed: those of data, and as many others as are missing of them.

        :raises TooFewShards: when there are not enough.
        :raises OSError: when one cannot be opened.
        """
        return StripedFile(self)


class StripedFile:
    """The shards, open; for any number of threads."""

    def __init__(self, where: Striped) -> None:
        ratio = where.ratio
        if len(where.shards) < ratio.data:
            raise TooFewShards(f"only {len(where.shards)} shards of {ratio} are there, {ratio.data} are needed")
        self._where = where
        self._read: dict[int, Callable[[int, int], bytes]] = {
            number: DiskFile(path, writable=False, role="shard").pinned()
            for number, path in sorted(where.shards)[:ratio.data]}

    def read_at(self, length: int, offset: int) -> bytes:
        """Up to ``length`` bytes from ``offset`` of the volume, fewer only at its end.

        :raises OSError: when a shard cannot be read.
        :raises Corrupt: when one is shorter than it should be.
        """
        where = self._where
        length = min(length, where.data_length - offset)
        pieces = [self._piece(piece) for piece in intervals(where.ratio, where.data_length, offset, length)]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, piece: Interval) -> bytes:
        if piece.shard_id in self._read:
            return self._of_shard(piece.shard_id, piece)
        others = {number: self._of_shard(number, piece) for number in self._read}
        return reconstruct(self._where.ratio, others, (piece.shard_id,))[piece.shard_id]

    def _of_shard(self, number: int, piece: Interval) -> bytes:
        data = self._read[number](piece.length, piece.offset)
        if len(data) != piece.length:
            raise Corrupt(f"shard {number} ends within {piece.length} bytes at {piece.offset}")
        return data


def without(where: Striped, numbers: Iterable[int]) -> Striped:
    """The same volume, never reading these shards."""
    left_out = set(numbers)
    return attrs.evolve(where, shards=tuple(pair for pair in where.shards if pair[0] not in left_out))
