"""One block of RFC 1951: stored, or with a Huffman code of its own; the choice is Go's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seaweedvol.deflate.bits import BitStream
from seaweedvol.deflate.huffman import HuffmanCode, build

END_OF_BLOCK = 256
LITERALS = 286
DISTANCES = 30
#: The order in which RFC 1951 3.2.7 sends the lengths of the code for code lengths.
LENGTH_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
REPEAT_BITS = {16: 2, 17: 3, 18: 7}


def _table(counts_of_extra_bits: list[int], start: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    bases, at = [], start
    for extra in counts_of_extra_bits:
        bases.append(at)
        at += 1 << extra
    return np.array(bases, np.int64), np.array(counts_of_extra_bits, np.int64)


LENGTH_BASE, LENGTH_EXTRA = _table([0] * 8 + [n for n in range(1, 6) for _ in range(4)], 3)
LENGTH_BASE, LENGTH_EXTRA = np.append(LENGTH_BASE, 258), np.append(LENGTH_EXTRA, 0)
DISTANCE_BASE, DISTANCE_EXTRA = _table([0, 0] + [n for n in range(14) for _ in range(2)], 1)


def stored(stream: BitStream, data: bytes, *, last: bool = False) -> None:
    """``data`` (65535 bytes at most) as it is."""
    stream.write(1 if last else 0, 3)
    stream.align()
    stream.write(len(data), 16)
    stream.write(len(data) ^ 0xFFFF, 16)
    stream.write_bytes(data)


def literals_only(stream: BitStream, data: bytes) -> None:
    """``data`` with a Huffman code for its bytes, or stored when that gains less than a sixteenth."""
    octets = np.frombuffer(data, np.uint8)
    counts = np.bincount(octets, minlength=LITERALS)
    counts[END_OF_BLOCK] = 1
    code = build(counts.tolist(), 15)
    distances = build([1] + [0] * (DISTANCES - 1), 15)
    header = _Header(code, distances, END_OF_BLOCK + 1, 1)
    size = header.size + code.bit_length(counts.tolist()) + 1
    if (len(data) + 5) * 8 < size + (size >> 4):
        stored(stream, data)
        return
    header.write(stream)
    stream.extend(code.codes[octets], code.lengths[octets])
    stream.write(int(code.codes[END_OF_BLOCK]), int(code.lengths[END_OF_BLOCK]))


def with_matches(stream: BitStream, data: bytes, matches: list[tuple[int, int, int]]) -> None:
    """``data`` with repetitions taken out, or stored when that gains less than a sixteenth."""
    tokens = _Tokens(data, matches)
    code, distances = build(tokens.symbol_counts, 15), build(tokens.distance_counts, 15)
    header = _Header(code, distances, tokens.symbols_used, tokens.distances_used)
    size = header.size + code.bit_length(tokens.symbol_counts) + distances.bit_length(tokens.distance_counts)
    if (len(data) + 5) * 8 < size + (size >> 4):
        stored(stream, data)
        return
    header.write(stream)
    tokens.write(stream, code, distances)


class _Tokens:
    """Literals and matches of a block in order, with how often each symbol occurs."""

    def __init__(self, data: bytes, matches: list[tuple[int, int, int]]) -> None:
        octets = np.frombuffer(data, np.uint8).astype(np.int64)
        table = np.array(matches, np.int64).reshape(-1, 3)
        places, lengths, self._distances = table[:, 0], table[:, 1], table[:, 2]
        edges = np.zeros(len(data) + 1, np.int64)
        edges[places] += 1
        np.add.at(edges, places + lengths, -1)
        kept = np.cumsum(edges[:-1]) == 0
        kept[places] = True
        is_match = np.zeros(len(data), bool)
        is_match[places] = True
        self._is_match = is_match[kept]
        self._length_code = np.searchsorted(LENGTH_BASE, lengths, "right") - 1
        self._length_extra = lengths - LENGTH_BASE[self._length_code]
        self._distance_code = np.searchsorted(DISTANCE_BASE, self._distances, "right") - 1
        self._symbols = octets[kept]
        self._symbols[self._is_match] = self._length_code + END_OF_BLOCK + 1
        counts = np.bincount(self._symbols, minlength=LITERALS)
        counts[END_OF_BLOCK] += 1
        self.symbol_counts: list[int] = counts.tolist()
        self.symbols_used = int(np.flatnonzero(counts)[-1]) + 1
        far = np.bincount(self._distance_code, minlength=DISTANCES)
        if not len(matches):
            far[0] = 1
        self.distance_counts: list[int] = far.tolist()
        self.distances_used = int(np.flatnonzero(far)[-1]) + 1

    def write(self, stream: BitStream, code: HuffmanCode, distances: HuffmanCode) -> None:
        """Every token, then the end of the block; a match is four codes, two of which may be empty."""
        values = np.zeros((len(self._symbols), 4), np.uint64)
        lengths = np.zeros((len(self._symbols), 4), np.uint64)
        values[:, 0], lengths[:, 0] = code.codes[self._symbols], code.lengths[self._symbols]
        rows, far = self._is_match, self._distance_code
        values[rows, 1], lengths[rows, 1] = self._length_extra, LENGTH_EXTRA[self._length_code]
        values[rows, 2], lengths[rows, 2] = distances.codes[far], distances.lengths[far]
        values[rows, 3], lengths[rows, 3] = self._distances - DISTANCE_BASE[far], DISTANCE_EXTRA[far]
        stream.extend(values.ravel(), lengths.ravel())
        stream.write(int(code.codes[END_OF_BLOCK]), int(code.lengths[END_OF_BLOCK]))


class _Header:
    """The head of a block: both codes, as run lengths, under a third code."""

    def __init__(self, code: HuffmanCode, distances: HuffmanCode, symbols: int, far: int) -> None:
        self._symbols, self._far = symbols, far
        self._runs = _run_lengths([*code.lengths[:symbols].tolist(), *distances.lengths[:far].tolist()])
        counts = [0] * len(LENGTH_ORDER)
        for symbol, _ in self._runs:
            counts[symbol] += 1
        self._code = build(counts, 7)
        self._sent = max(4, 1 + max(at for at, symbol in enumerate(LENGTH_ORDER) if counts[symbol]))
        self.size = (
            17
            + 3 * self._sent
            + self._code.bit_length(counts)
            + sum(bits * counts[symbol] for symbol, bits in REPEAT_BITS.items())
        )

    def write(self, stream: BitStream) -> None:
        """Block type and tables; a block written here is never the last."""
        for value, length in ((4, 3), (self._symbols - 257, 5), (self._far - 1, 5), (self._sent - 4, 4)):
            stream.write(value, length)
        for symbol in LENGTH_ORDER[: self._sent]:
            stream.write(int(self._code.lengths[symbol]), 3)
        for symbol, repeat in self._runs:
            stream.write(int(self._code.codes[symbol]), int(self._code.lengths[symbol]))
            if symbol in REPEAT_BITS:
                stream.write(repeat, REPEAT_BITS[symbol])


def _run_lengths(lengths: list[int]) -> list[tuple[int, int]]:
    """Code lengths as (symbol, repeat) of RFC 1951 3.2.7: runs are cut from the front, the longest first."""
    out: list[tuple[int, int]] = []
    at = 0
    while at < len(lengths):
        size = lengths[at]
        count = 1
        while at + count < len(lengths) and lengths[at + count] == size:
            count += 1
        at += count
        if size:
            out.append((size, 0))
            count -= 1
        while count >= (3 if size else 11):
            taken = min(count, 6 if size else 138)
            out.append((16, taken - 3) if size else (18, taken - 11))
            count -= taken
        if not size and count >= 3:
            out.append((17, count - 3))
            count = 0
        out += [(size, 0)] * count
    return out
