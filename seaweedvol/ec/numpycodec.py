"""The codec for machines without ISA-L: table look-ups by NumPy.

Long rows are looked up two bytes at a time, in tables that have the products for four targets side by side in one
64-bit word; short ones a byte and a coefficient at a time, because those tables take longer to make than to read.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seaweedvol.ec.arena import Arena
from seaweedvol.ec.matrix import Rows, products

Bytes: TypeAlias = NDArray[np.uint8]

_WORTH_TABLES: Final = 64 * 1024
_AT_ONCE: Final = 4
_CHUNK: Final = 32 * 1024


class NumpyCodec:
    """An :class:`~seaweedvol.ec.codec.ICodec`: about 1 GB of data a second."""

    name = "numpy"

    def transform(
        self, rows: Rows, arena: Arena, sources: tuple[int, ...], targets: tuple[int, ...], length: int,
    ) -> None:
        """As :meth:`~seaweedvol.ec.codec.ICodec.transform`."""
        inputs = [np.frombuffer(arena.row(number), np.uint8, length) for number in sources]
        outputs = [np.frombuffer(arena.row(number), np.uint8, length) for number in targets]
        even = length & ~1 if length >= _WORTH_TABLES else 0
        if even:
            words_in = [each[:even].view(np.uint16) for each in inputs]
            words_out = [each[:even].view(np.uint16) for each in outputs]
            for first in range(0, len(rows), _AT_ONCE):
                some = rows[first:first + _AT_ONCE]
                _transform_words(_tables(some), words_in, words_out[first:first + _AT_ONCE])
        if even < length:
            _transform_bytes(rows, [each[even:] for each in inputs], [each[even:] for each in outputs])


def _transform_bytes(rows: Rows, inputs: list[Bytes], outputs: list[Bytes]) -> None:
    for row, output in zip(rows, outputs, strict=True):
        total = np.zeros(len(output), np.uint8)
        for factor, data in zip(row, inputs, strict=True):
            if factor:
                total ^= _product_array(factor).take(data)
        output[:] = total


def _transform_words(tables: list[NDArray[Any]], inputs: list[NDArray[Any]], outputs: list[NDArray[Any]]) -> None:
    total, term = np.empty(_CHUNK, np.uint64), np.empty(_CHUNK, np.uint64)
    for start in range(0, len(inputs[0]), _CHUNK):
        end = min(start + _CHUNK, len(inputs[0]))
        some, more = total[:end - start], term[:end - start]
        # "wrap" only spares a check: sixteen bits cannot point beyond the table.
        tables[0].take(inputs[0][start:end], out=some, mode="wrap")
        for table, data in zip(tables[1:], inputs[1:], strict=True):
            table.take(data[start:end], out=more, mode="wrap")
            np.bitwise_xor(some, more, out=some)
        columns = some.view(np.uint16).reshape(-1, _AT_ONCE)
        for number, output in enumerate(outputs):
            output[start:end] = columns[:, number]


@lru_cache(maxsize=256)
def _product_array(factor: int) -> Bytes:
    return np.frombuffer(products(factor), np.uint8)


@lru_cache(maxsize=8)
def _tables(rows: Rows) -> list[NDArray[Any]]:
    """For each source the products of two bytes with its coefficients in up to four rows; half a MiB each."""
    tables = []
    for coefficients in zip(*rows, strict=True):
        table = np.zeros((65536, _AT_ONCE), np.uint16)
        for number, factor in enumerate(coefficients):
            single = _product_array(factor).astype(np.uint16)
            table[:, number] = (single[None, :] | (single[:, None] << 8)).ravel()
        tables.append(table.view(np.uint64).ravel())
    return tables
