"""What computes: the interface of a codec, the choice of one, and the short road for small reads."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, Protocol

from seaweedvol.ec.arena import Arena
from seaweedvol.ec.matrix import Rows, products, recovery_rows
from seaweedvol.ec.ratio import MAX_SHARDS, Ratio
from seaweedvol.storage.errors import TooFewShards

__all__ = ["ICodec", "TooFewShards", "best_codec", "is_right", "reconstruct"]

_PIECE: Final = 256 * 1024


class ICodec(Protocol):
    """Computes sums of products in the field, row by row of an arena. One object serves all threads."""

    name: str

    def transform(
        self, rows: Rows, arena: Arena, sources: tuple[int, ...], targets: tuple[int, ...], length: int,
    ) -> None:
        """Fill the first ``length`` bytes of each row of ``targets`` from those of ``sources``.

        :param rows: for each target its coefficients, one for each source.
        """


@lru_cache(maxsize=1)
def best_codec() -> ICodec:
    """ISA-L, where its library is there and computes right; else NumPy, some twenty times slower."""
    from seaweedvol.ec.isal import load_isal

    codec = load_isal()
    if codec is not None and is_right(codec):
        return codec
    from seaweedvol.ec.numpycodec import NumpyCodec

    return NumpyCodec()


def is_right(codec: ICodec) -> bool:
    """Whether a codec gets two small sums right; a library could be broken, or made for another machine."""
    length = 1000
    arena = Arena(5, length)
    for row in range(3):
        arena.row(row)[:] = bytes((index * (row + 3) + row) & 0xFF for index in range(length))
    rows = (b"\x01\x02\x8e", b"\xff\x00\x1d")
    codec.transform(rows, arena, (0, 1, 2), (3, 4), length)
    return all(bytes(arena.row(3 + number)) == _slow_sum(row, arena, length) for number, row in enumerate(rows))


def _slow_sum(row: bytes, arena: Arena, length: int) -> bytes:
    total = 0
    for source, factor in enumerate(row):
        total ^= int.from_bytes(bytes(arena.row(source)[:length]).translate(products(factor)), "big")
    return total.to_bytes(length, "big")


class _Memory(threading.local):
    """Each thread's own arena; only the pages that are used cost anything."""

    def __init__(self) -> None:
        self.arena = Arena(MAX_SHARDS, _PIECE)


_memory: Final = _Memory()


def reconstruct(
    ratio: Ratio, pieces: Mapping[int, bytes | memoryview], wanted: Sequence[int], codec: ICodec | None = None,
) -> dict[int, bytes]:
    """The same range of bytes of other shards.

    :param pieces: by number of shard; all of one length. More than are needed may be given.
    :raises TooFewShards: when there are fewer than ``ratio.data``.
    :raises ValueError: when they differ in length.
    """
    result = {number: bytes(pieces[number]) for number in wanted if number in pieces}
    missing = tuple(number for number in wanted if number not in pieces)
    if not missing:
        return result
    if len(pieces) < ratio.data:
        raise TooFewShards(f"only {len(pieces)} shards of {ratio} are there, {ratio.data} are needed")
    present = tuple(sorted(pieces))[:ratio.data]
    views = [memoryview(pieces[number]) for number in present]
    length = len(views[0])
    if any(len(view) != length for view in views):
        raise ValueError("pieces of shards differ in length")
    rows = recovery_rows(ratio, present, missing)
    found = _recover(codec or best_codec(), rows, views, len(missing), length)
    result.update(zip(missing, found, strict=True))
    return result


def _recover(codec: ICodec, rows: Rows, views: list[memoryview], count: int, length: int) -> list[bytes]:
    arena = _memory.arena
    sources = tuple(range(len(views)))
    targets = tuple(range(len(views), len(views) + count))
    if length <= _PIECE:
        return _recover_piece(codec, rows, arena, views, sources, targets, length)
    parts: list[list[bytes]] = []
    for start in range(0, length, _PIECE):
        end = min(start + _PIECE, length)
        some = [view[start:end] for view in views]
        parts.append(_recover_piece(codec, rows, arena, some, sources, targets, end - start))
    return [b"".join(column) for column in zip(*parts, strict=True)]


def _recover_piece(
    codec: ICodec, rows: Rows, arena: Arena, views: list[memoryview],
    sources: tuple[int, ...], targets: tuple[int, ...], length: int,
) -> list[bytes]:
    for source, view in zip(sources, views, strict=True):
        arena.row(source)[:length] = view
    codec.transform(rows, arena, sources, targets, length)
    return [bytes(arena.row(target)[:length]) for target in targets]
