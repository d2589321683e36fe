"""Length-limited Huffman codes, chosen among equals as Go's ``compress/flate`` chooses them.

RFC 1951 fixes how lengths become codes, not which optimal lengths to take. The lengths come from the boundary
package-merge algorithm over symbols ordered by (frequency, symbol); longer codes go to rarer symbols.
"""

from __future__ import annotations

from typing import Sequence

import attrs
import numpy as np

from seaweedvol.deflate.bits import Codes

_NEVER = 2**31 - 1


@attrs.frozen(eq=False)
class HuffmanCode:
    """``codes[s]`` in ``lengths[s]`` bits stand for symbol ``s``; a length of 0 means that it does not occur."""

    codes: Codes
    lengths: Codes

    def bit_length(self, frequencies: Sequence[int]) -> int:
        """Bits that symbols of these frequencies take."""
        return sum(count * int(length) for count, length in zip(frequencies, self.lengths) if count)


def build(frequencies: Sequence[int], longest: int) -> HuffmanCode:
    """A code for symbols that occur ``frequencies[s]`` times, none of its words above ``longest`` bits."""
    codes = np.zeros(len(frequencies), np.uint64)
    lengths = np.zeros(len(frequencies), np.uint64)
    used = [(count, symbol) for symbol, count in enumerate(frequencies) if count]
    if len(used) <= 2:
        for code, (_, symbol) in enumerate(used):
            codes[symbol], lengths[symbol] = code, 1
        return HuffmanCode(codes, lengths)
    used.sort()
    code, remaining = 0, len(used)
    for length, count in enumerate(_words_of_each_length([count for count, _ in used], longest)):
        code <<= 1
        if not length or not count:
            continue
        for symbol in sorted(symbol for _, symbol in used[remaining - count : remaining]):
            codes[symbol], lengths[symbol] = _reversed(code, length), length
            code += 1
        remaining -= count
    return HuffmanCode(codes, lengths)


def _reversed(code: int, length: int) -> int:
    return int(f"{code:0{length}b}"[::-1], 2)


@attrs.define
class _Level:
    """One row of the package-merge triangle: what it offers next and how much the row above still wants of it."""

    last: int
    next_leaf: int
    next_pair: int
    needed: int = 0


def _words_of_each_length(weights: list[int], longest: int) -> list[int]:
    """How many words have 0, 1, 2, … bits, for at least three ascending weights."""
    count = len(weights)
    longest = min(longest, count - 1)
    leaves = [*weights, _NEVER]
    levels = [_Level(0, 0, 0)] + [_Level(leaves[1], leaves[2], leaves[0] + leaves[1]) for _ in range(longest)]
    levels[1].next_pair = _NEVER
    levels.append(_Level(0, 0, 0))
    taken = [[0] * (longest + 1) for _ in range(longest + 1)]
    for level in range(1, longest + 1):
        taken[level][level] = 2
    levels[longest].needed = 2 * count - 4
    _fill(levels, taken, leaves, longest)
    top = taken[longest]
    return [0] + [top[level] - top[level - 1] for level in range(longest, 0, -1)]


def _fill(levels: list[_Level], taken: list[list[int]], leaves: list[int], longest: int) -> None:
    at = longest
    while True:
        row = levels[at]
        if row.next_pair == _NEVER and row.next_leaf == _NEVER:
            row.needed = 0
            levels[at + 1].next_pair = _NEVER
            at += 1
            continue
        before = row.last
        if row.next_leaf < row.next_pair:
            row.last = row.next_leaf
            taken[at][at] += 1
            row.next_leaf = leaves[taken[at][at]]
        else:
            row.last = row.next_pair
            taken[at][:at] = taken[at - 1][:at]
            levels[at - 1].needed = 2
        row.needed -= 1
        if row.needed == 0:
            if at == longest:
                return
            levels[at + 1].next_pair = before + row.last
            at += 1
        else:
            while levels[at - 1].needed > 0:
                at -= 1
