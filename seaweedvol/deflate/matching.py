"""Finds repetitions in a block: a greedy matcher with one hash table, after Snappy.

The order in which places are looked at and entered into the table decides which repetitions are found, so it is part of
the format here: skip further the longer nothing is found, enter two places after each match, stop 15 bytes before the
end of a block.
"""

from __future__ import annotations

import numpy as np

TABLE_BITS = 14
MULTIPLIER = 0x1E35A7BD
FARTHEST = 1 << 15
LONGEST = 258
MARGIN = 15


class Matcher:
    """The table, kept from block to block of one stream: repetitions may reach back into the block before."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._places = [-FARTHEST * 4] * (1 << TABLE_BITS)
        self._values = [0] * (1 << TABLE_BITS)

    def find(self, start: int, length: int) -> list[tuple[int, int, int]]:
        """Repetitions in ``data[start:start + length]``: (place, length, distance back), by place.

        ``length`` must be at least 17.
        """
        words, hashes = _hashes(self._data[start : start + length])
        places, values = self._places, self._values
        found: list[tuple[int, int, int]] = []
        stop = length - MARGIN
        at, word, slot = 0, words[0], hashes[0]
        while True:
            skip, ahead = 32, at
            while True:
                at = ahead
                step = skip >> 5
                ahead = at + step
                skip += step
                if ahead > stop:
                    return found
                place, value = places[slot], values[slot]
                places[slot], values[slot] = start + at, word
                slot = hashes[ahead]
                if word == value and start + at - place <= FARTHEST:
                    break
                word = words[ahead]
            while True:
                distance = start + at - place
                size = 4 + self._same(start + at + 4, place + 4, min(LONGEST - 4, length - at - 4))
                found.append((at, size, distance))
                at += size
                if at >= stop:
                    return found
                slot = hashes[at - 1]
                places[slot], values[slot] = start + at - 1, words[at - 1]
                slot, word = hashes[at], words[at]
                place, value = places[slot], values[slot]
                places[slot], values[slot] = start + at, word
                if word != value or start + at - place > FARTHEST:
                    at += 1
                    word, slot = words[at], hashes[at]
                    break

    def _same(self, one: int, other: int, most: int) -> int:
        data = self._data
        if data[one : one + most] == data[other : other + most]:
            return most
        count = 0
        while data[one + count : one + count + 8] == data[other + count : other + count + 8]:
            count += 8
        while data[one + count] == data[other + count]:
            count += 1
        return count


def _hashes(block: bytes) -> tuple[list[int], list[int]]:
    """The four bytes at each place as a little-endian number, and the table slot each belongs to."""
    octets = np.frombuffer(block, np.uint8).astype(np.uint32)
    words = octets[:-3] | octets[1:-2] << np.uint32(8) | octets[2:-1] << np.uint32(16) | octets[3:] << np.uint32(24)
    slots = (words * np.uint32(MULTIPLIER)) >> np.uint32(32 - TABLE_BITS)
    return words.tolist(), slots.tolist()
