"""Which byte of a volume lies where in its shards: pure arithmetic, for any ratio.

The volume is dealt to the data shards in rows of blocks: large blocks as long as a whole row of them is left, small
ones for the rest, the last row filled up with zeros. So the layout follows from the length that the volume had when it
was encoded, and from nothing else. As in SeaweedFS ``erasure_coding/ec_encoder.go`` and ``ec_locate.go``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from seaweedvol.ec.ratio import Ratio

LARGE_BLOCK: Final = 1 << 30
SMALL_BLOCK: Final = 1 << 20


@attrs.frozen
class Interval:
    """``length`` bytes of the volume that lie together, at ``offset`` of one data shard."""

    shard_id: int
    offset: int
    length: int


@attrs.frozen
class Row:
    """One row of blocks: from ``data_offset`` of the volume, at ``shard_offset`` of every shard."""

    data_offset: int
    shard_offset: int
    block: int


def large_rows(data_length: int, ratio: Ratio) -> int:
    """How many rows of large blocks a volume of ``data_length`` bytes has."""
    return data_length // (LARGE_BLOCK * ratio.data)


def small_rows(data_length: int, ratio: Ratio) -> int:
    """How many rows of small blocks follow them."""
    rest = data_length - large_rows(data_length, ratio) * LARGE_BLOCK * ratio.data
    return -(-rest // (SMALL_BLOCK * ratio.data))


def shard_length(data_length: int, ratio: Ratio) -> int:
    """How long each shard of a volume of ``data_length`` bytes is."""
    return large_rows(data_length, ratio) * LARGE_BLOCK + small_rows(data_length, ratio) * SMALL_BLOCK


def data_length_from_shard(length: int, ratio: Ratio) -> int:
    """A volume length with the layout of shards of ``length`` bytes, for a ``.vif`` that does not tell.

    Where the last block could be one large or 1024 small ones it is taken for small ones, as Go reads.
    """
    return max(length - 1, 0) * ratio.data


def is_ambiguous(length: int) -> bool:
    """Whether shards of ``length`` bytes may have either layout in their last :data:`LARGE_BLOCK` bytes."""
    return length > 0 and length % LARGE_BLOCK == 0


def row_at(shard_offset: int, data_length: int, ratio: Ratio) -> Row:
    """The row of blocks in which a byte of the shards lies."""
    large_end = large_rows(data_length, ratio) * LARGE_BLOCK
    start, block = (0, LARGE_BLOCK) if shard_offset < large_end else (large_end, SMALL_BLOCK)
    begin = shard_offset - (shard_offset - start) % block
    # Whole rows lie before this one, and each of them is dealt out evenly.
    return Row(begin * ratio.data, begin, block)


def intervals(ratio: Ratio, data_length: int, offset: int, length: int) -> Iterator[Interval]:
    """Where ``length`` bytes at ``offset`` of the volume lie, in the order of the volume."""
    large_count = large_rows(data_length, ratio)
    large_end = large_count * LARGE_BLOCK * ratio.data
    while length > 0:
        if offset < large_end:
            block, start, first = LARGE_BLOCK, 0, offset
        else:
            block, start, first = SMALL_BLOCK, large_count * LARGE_BLOCK, offset - large_end
        index, inner = divmod(first, block)
        row, shard_id = divmod(index, ratio.data)
        piece = min(length, block - inner)
        yield Interval(shard_id, start + row * block + inner, piece)
        offset += piece
        length -= piece


def locate(ratio: Ratio, data_length: int, offset: int, length: int) -> list[Interval]:
    """:func:`intervals` as a list.

    :param data_length: of the volume when it was encoded.
    """
    return list(intervals(ratio, data_length, offset, length))
