"""How Go reads single values from text: integers, booleans, and what it says when it cannot.

The words are those of Go's ``strconv``, because they are what operators of SeaweedFS know from its logs.
"""

from __future__ import annotations

import re
from typing import Final

from seaweedvol.storage.ids import go_quote

_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})
# Go's base 0: a prefix names the base; underscores only between digits, or between prefix and digits.
_INTEGER = re.compile(r"[+-]?(0[xX](_?[0-9a-fA-F])+|0[bB](_?[01])+|0[oO]?(_?[0-7])+|[1-9](_?[0-9])*|0)\Z")
_DECIMAL = re.compile(r"[+-]?[0-9]+\Z")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_INT64 = range(-2**63, 2**63)
_MOST_DIGITS = 1000


def parse_int(text: str) -> int:
    """A 64-bit integer in Go's notation: ``8080``, ``0x1f90``, ``0o17``, ``017``, ``1_000``.

    :raises ValueError: with Go's words.
    """
    if not _INTEGER.match(text):
        raise ValueError(f"strconv.ParseInt: parsing {go_quote(text)}: invalid syntax")
    digits = text.lstrip("+-").replace("_", "")
    is_old_octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    return _in_64_bits(text, digits, 8 if is_old_octal else 0)


def parse_decimal(text: str) -> int:
    """A decimal integer without prefix or underscore, of any size up to 64 bits.

    :raises ValueError: with Go's words.
    """
    if not _DECIMAL.match(text):
        raise ValueError(f"strconv.ParseInt: parsing {go_quote(text)}: invalid syntax")
    return _in_64_bits(text, text.lstrip("+-"), 10)


def parse_bool(text: str) -> bool:
    """``1 t T TRUE true True`` or ``0 f F FALSE false False``.

    :raises ValueError: with Go's words.
    """
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"strconv.ParseBool: parsing {go_quote(text)}: invalid syntax")


def parse_float(text: str) -> float:
    """A plain decimal number; neither infinity nor "nan".

    :raises ValueError: with Go's words.
    """
    if not _FLOAT.match(text):
        raise ValueError(f"strconv.ParseFloat: parsing {go_quote(text)}: invalid syntax")
    return float(text)


def _in_64_bits(text: str, digits: str, base: int) -> int:
    # Checked by length first: Python refuses to read thousands of digits.
    value = int(digits, base) if len(digits) <= _MOST_DIGITS else 2**64
    value = -value if text[0] == "-" else value
    if value not in _INT64:
        raise ValueError(f"strconv.ParseInt: parsing {go_quote(text)}: value out of range")
    return value
