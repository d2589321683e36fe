"""Finding the shards that lie: bytes of theirs are not those that were written.

Pure: gets all pieces that could be had of some ranges, and a question that tells whether a choice of them is right,
which is the checksum of the needle they make up. Shards are excluded, and what they should have said is computed from
the others, until the answer is yes. Which to exclude first the shards say themselves: more of them than are needed
contradict each other where one lies. Must not know where pieces come from.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from seaweedvol.ec.codec import reconstruct
from seaweedvol.ec.ratio import Ratio

#: Bytes that are compared to learn who contradicts whom: a lie is there in the first of them.
WINDOW: Final = 64
#: Bytes of needles put together in vain before the search is given up; far more than a needle of usual size takes.
MOST_WORK: Final = 16 << 30


@attrs.frozen
class Column:
    """One range of bytes, the same in all shards.

    :ivar wanted: the shard whose bytes are needed.
    :ivar pieces: what each shard says, by its number; all of one length, and at least as many as there are data shards
        unless the wanted one is among them.
    """

    wanted: int
    pieces: Mapping[int, bytes]


@attrs.frozen
class Truth:
    """What was found.

    :ivar pieces: the right bytes of the wanted shard of each column.
    :ivar liars: shards some of whose bytes in these columns are wrong.
    """

    pieces: tuple[bytes, ...]
    liars: frozenset[int]


def find_truth(ratio: Ratio, columns: Sequence[Column], is_right: Callable[[Sequence[bytes]], bool]) -> Truth | None:
    """The right pieces of the wanted shards; None when no choice of shards makes them right.

    :param is_right: whether these pieces, one for each column, are what was written.
    """
    tried: set[tuple[tuple[int, ...], ...]] = set()
    work = 0
    for excluded in _exclusions(ratio, columns):
        sources = tuple(_sources(ratio, column, excluded) for column in columns)
        if not all(sources) or sources in tried:
            continue
        tried.add(sources)
        pieces = [_said(ratio, column, each) for column, each in zip(columns, sources, strict=True)]
        if is_right(pieces):
            return Truth(tuple(pieces), _liars(ratio, columns, sources))
        work += sum(map(len, pieces))
        if work > MOST_WORK:
            return None
    return None


def _exclusions(ratio: Ratio, columns: Sequence[Column]) -> Iterator[frozenset[int]]:
    """Sets of shards to do without, the likeliest first, then the smaller ones first."""
    yield frozenset().union(*(_suspects(ratio, column.pieces) for column in columns))
    known = sorted(set().union(*(column.pieces for column in columns)))
    for count in range(ratio.parity + 1):
        yield from map(frozenset, itertools.combinations(known, count))


def _sources(ratio: Ratio, column: Column, excluded: frozenset[int]) -> tuple[int, ...]:
    """The shards that the wanted bytes come from: the wanted one, else as many as it takes; none of too few."""
    if column.wanted in column.pieces and column.wanted not in excluded:
        return (column.wanted,)
    others = sorted(set(column.pieces) - excluded)
    return tuple(others[:ratio.data]) if len(others) >= ratio.data else ()


def _said(ratio: Ratio, column: Column, sources: tuple[int, ...]) -> bytes:
    if sources == (column.wanted,):
        return column.pieces[column.wanted]
    return reconstruct(ratio, {number: column.pieces[number] for number in sources}, (column.wanted,))[column.wanted]


def _liars(ratio: Ratio, columns: Sequence[Column], sources: Sequence[tuple[int, ...]]) -> frozenset[int]:
    """Who says something else than the shards that were right say of them."""
    liars: set[int] = set()
    for column, each in zip(columns, sources, strict=True):
        if len(each) == ratio.data and each != (column.wanted,):
            liars |= _contradictors(ratio, column, each)
    return frozenset(liars)


def _contradictors(ratio: Ratio, column: Column, trusted: tuple[int, ...]) -> set[int]:
    pieces = column.pieces
    others = sorted(set(pieces) - set(trusted))
    said = reconstruct(ratio, {number: pieces[number] for number in trusted}, others)
    found = {number for number in others if said[number] != pieces[number]}
    if 2 * len(found) <= len(pieces) - ratio.data:
        return found
    # So many lies may have made up for each other. What is proven is proven of the wanted shard only.
    return found & {column.wanted}


def _suspects(ratio: Ratio, pieces: Mapping[int, bytes]) -> frozenset[int]:
    """The fewest shards without which all others agree; none when there are too few to tell."""
    suspects: frozenset[int] = frozenset()
    rest = dict(pieces)
    while True:
        at = _first_contradiction(ratio, rest)
        if at is None:
            return suspects
        found = _odd_ones({number: piece[at:at + WINDOW] for number, piece in rest.items()}, ratio)
        if not found:
            return frozenset()
        suspects |= found
        rest = {number: piece for number, piece in rest.items() if number not in found}


def _first_contradiction(ratio: Ratio, pieces: Mapping[int, bytes]) -> int | None:
    """The first byte at which the pieces cannot all be right; None when they can."""
    present = sorted(pieces)
    trusted, others = present[:ratio.data], present[ratio.data:]
    if not others:
        return None
    said = reconstruct(ratio, {number: pieces[number] for number in trusted}, others)
    places = [_first_difference(said[number], pieces[number]) for number in others if said[number] != pieces[number]]
    return min(places, default=None)


def _first_difference(one: bytes, other: bytes) -> int:
    difference = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return len(one) - -(-difference.bit_length() // 8)


def _odd_ones(window: Mapping[int, bytes], ratio: Ratio) -> frozenset[int]:
    # One shard more than are needed must be left, or nobody is there to agree.
    for count in range(1, len(window) - ratio.data):
        for odd in itertools.combinations(sorted(window), count):
            rest = {number: piece for number, piece in window.items() if number not in odd}
            if _first_contradiction(ratio, rest) is None:
                return frozenset(odd)
    return frozenset()
