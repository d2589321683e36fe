"""Memory for the code to work in: a number of rows of the same length, each where the processor likes it.

Anonymous pages rather than NumPy's or Python's own memory: on addresses that are multiples of 64 the kernels are twice
to three times as fast. Rows follow each other at odd numbers of cache lines: were all of them multiples of the page,
they would fight for the same few lines.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Any, Final

_PAGE: Final = 4096
_LINE: Final = 64


class Arena:
    """``rows`` rows of ``length`` bytes, zero at first. For one thread at a time.

    :ivar plans: what a codec wants to keep with this memory; nobody else looks at it.
    """

    __slots__ = ("rows", "length", "stride", "address", "plans", "_memory", "_views")

    def __init__(self, rows: int, length: int) -> None:
        self.rows = rows
        self.length = length
        self.stride = -(-length // _PAGE) * _PAGE + _LINE
        self._memory = mmap.mmap(-1, rows * self.stride)
        view = memoryview(self._memory)
        self._views = tuple(view[row * self.stride:row * self.stride + length] for row in range(rows))
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self.plans: dict[object, Any] = {}

    def row(self, number: int) -> memoryview:
        """One row, to read and to write."""
        return self._views[number]

    def address_of(self, number: int) -> int:
        """Where in memory a row begins."""
        return self.address + number * self.stride
