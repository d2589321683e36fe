"""The matrices of the code: which sums of data shards the parity shards are, and how to get a lost shard back.

The code is that of klauspost/reedsolomon by default, which SeaweedFS uses: the Vandermonde matrix of 0, 1, 2, …, times
the inverse of its upper square, so that the upper square becomes the identity and data shards are the data. The field
is that of 256 elements with the polynomial 0x11d, out of reedsolo. A row is a ``bytes`` of coefficients.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Final, TypeAlias

from seaweedvol.ec.ratio import Ratio

Rows: TypeAlias = tuple[bytes, ...]
"""A matrix; each row has one coefficient for each source."""

_POLYNOMIAL: Final = 0x11D


_library: Final = threading.Lock()


@lru_cache(maxsize=1)
def _tables() -> tuple[bytes, bytes]:
    """Logarithms to the base 2, and twice the powers of 2, so that two logarithms added need not be taken modulo 255.

    Copies: the library keeps its own where anybody may change them, and is changing them while it makes them.
    """
    import reedsolo  # only here: most servers never encode

    with _library:
        logarithms, powers, _ = reedsolo.init_tables(prim=_POLYNOMIAL, generator=2, c_exp=8)
        return bytes(logarithms), bytes(powers)


@lru_cache(maxsize=256)
def products(factor: int) -> bytes:
    """``factor`` times each element of the field."""
    if not factor:
        return bytes(256)
    logarithms, powers = _tables()
    return b"\0" + bytes(powers[logarithms[factor] + logarithms[element]] for element in range(1, 256))


@lru_cache(maxsize=64)
def encoding_matrix(ratio: Ratio) -> Rows:
    """One row for each shard: its coefficients over the data shards. The first ``ratio.data`` are the identity."""
    vandermonde = tuple(bytes(_power(row, column) for column in range(ratio.data)) for row in range(ratio.total))
    return _times(vandermonde, _inverse(vandermonde[:ratio.data]))


@lru_cache(maxsize=4096)
def recovery_rows(ratio: Ratio, present: tuple[int, ...], wanted: tuple[int, ...]) -> Rows:
    """One row for each shard that is ``wanted``: its coefficients over the shards that are ``present``.

    :param present: numbers of ``ratio.data`` different shards, in the order in which they will be given.
    """
    matrix = encoding_matrix(ratio)
    return _times(tuple(matrix[number] for number in wanted), _inverse(tuple(matrix[number] for number in present)))


def _power(base: int, exponent: int) -> int:
    # Zero to the power of zero is one.
    if exponent == 0:
        return 1
    if base == 0:
        return 0
    logarithms, powers = _tables()
    return powers[logarithms[base] * exponent % 255]


def _reciprocal(element: int) -> int:
    logarithms, powers = _tables()
    return powers[255 - logarithms[element]]


def _scaled(row: bytes, factor: int) -> bytes:
    return row.translate(products(factor))


def _sum(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


def _times(left: Rows, right: Rows) -> Rows:
    result = []
    for coefficients in left:
        row = bytes(len(right[0]))
        for factor, other in zip(coefficients, right, strict=True):
            if factor:
                row = _sum(row, _scaled(other, factor))
        result.append(row)
    return tuple(result)


def _inverse(square: Rows) -> Rows:
    """Gauss and Jordan. Any square of rows of an encoding matrix has an inverse, so a pivot is always found."""
    size = len(square)
    table = [row + bytes(int(column == number) for column in range(size)) for number, row in enumerate(square)]
    for column in range(size):
        pivot = next(number for number in range(column, size) if table[number][column])
        table[column], table[pivot] = table[pivot], table[column]
        head = table[column] = _scaled(table[column], _reciprocal(table[column][column]))
        for number, row in enumerate(table):
            if number != column and row[column]:
                table[number] = _sum(row, _scaled(head, row[column]))
    return tuple(row[size:] for row in table)
