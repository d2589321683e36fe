"""Bits into bytes, least significant first, as RFC 1951 packs them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint64]


class BitStream:
    """Collects codes; whole bytes go to ``out``, up to seven bits wait."""

    def __init__(self) -> None:
        self.out = bytearray()
        self._pending = 0
        self._count = 0

    def write(self, value: int, length: int) -> None:
        """Append the low ``length`` bits of ``value``."""
        self._pending |= value << self._count
        self._count += length
        whole = self._count >> 3
        if whole:
            self.out += (self._pending & ((1 << (whole * 8)) - 1)).to_bytes(whole, "little")
            self._pending >>= whole * 8
            self._count &= 7

    def align(self) -> None:
        """Fill the last byte with zero bits."""
        if self._count:
            self.out.append(self._pending)
            self._pending = self._count = 0

    def write_bytes(self, data: bytes) -> None:
        """Append whole bytes; the stream must be aligned."""
        self.out += data

    def extend(self, values: Codes, lengths: Codes) -> None:
        """Append many codes at once: ``values[i]`` in ``lengths[i]`` bits, at most 16 bits each.

        Each code falls into at most two 32-bit words; sums of disjoint bits are exact in the floats of bincount.
        """
        if not len(values):
            return
        ends = np.cumsum(lengths) + np.uint64(self._count)
        starts = ends - lengths
        words = (starts >> np.uint64(5)).astype(np.int64)
        shifted = values << (starts & np.uint64(31))
        count = int(ends[-1]) // 32 + 2
        low = np.bincount(words, weights=(shifted & np.uint64(0xFFFFFFFF)).astype(np.float64), minlength=count)
        high = np.bincount(words + 1, weights=(shifted >> np.uint64(32)).astype(np.float64), minlength=count)
        packed = (low[:count] + high[:count]).astype(np.uint64).astype("<u4").tobytes()
        total = int(ends[-1])
        merged = bytearray(packed)
        if self._count:
            merged[0] |= self._pending
        self.out += merged[: total >> 3]
        self._count = total & 7
        self._pending = merged[total >> 3] & ((1 << self._count) - 1)
