"""JSON text exactly as Go's ``encoding/json`` writes it (Marshal and MarshalIndent).

A dict is a Go map: its keys come out sorted. A Go struct is a :class:`Struct`, whose fields keep their order. ``<``,
``>``, ``&``, U+2028 and U+2029 are escaped and what is not UTF-8 becomes U+FFFD. Knows nothing of what the values mean.
Facts from Go 1.26 ``encoding/json/encode.go`` and ``indent.go``.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from seaweedvol.web.syntax.urls import bytes_of

_SPECIAL = re.compile("[\"\\\\\x00-\x1f<>&\u2028\u2029\ud800-\udfff]")
_NOT_TEXT = re.compile("[\ud800-\udfff]")
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@attrs.frozen
class Struct:
    """A Go struct: fields in the order of their declaration."""

    fields: tuple[tuple[str, object], ...]


def omit_empty(*fields: tuple[str, object]) -> Struct:
    """A :class:`Struct` whose fields all have Go's ``omitempty``: false, 0, None and empty values are left out."""
    return Struct(tuple((name, value) for name, value in fields if value))


@attrs.frozen
class Float32:
    """A Go float32, which prints with fewer digits than a float64."""

    value: float

    def __bool__(self) -> bool:
        return self.value != 0


def dumps(value: object, *, indent: str = "") -> bytes:
    """``value`` as UTF-8 JSON, without a line end; spread over lines when ``indent`` is not empty.

    :param value: None, bool, int, float, :class:`Float32`, str, bytes (base64), sequences, dicts, :class:`Struct`.
    :raises TypeError: for anything else, and ValueError for a NaN or infinity.
    """
    return "".join(_tokens(value, indent, "\n" if indent else "")).encode("utf-8")


def to_utf8(text: str) -> bytes:
    """The bytes ``text`` stands for (see :mod:`seaweedvol.web.syntax.urls`)."""
    return bytes_of(text)


def quote(text: str) -> str:
    """``text`` as a JSON string."""
    return '"' + _SPECIAL.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if _NOT_TEXT.match(char):
        return "\\ufffd"
    return _SHORT.get(char) or f"\\u{ord(char):04x}"


def _tokens(value: object, indent: str, newline: str) -> list[str]:
    if isinstance(value, Struct):
        return _object([(name, item) for name, item in value.fields], indent, newline)
    if isinstance(value, Mapping):
        return _object(sorted(value.items(), key=lambda item: bytes_of(item[0])), indent, newline)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return _enclosed("[", [_tokens(item, indent, newline + indent) for item in value], "]", indent, newline)
    return [_scalar(value)]


def _object(fields: list[tuple[str, object]], indent: str, newline: str) -> list[str]:
    colon = ": " if newline else ":"
    items = [[quote(name) + colon, *_tokens(item, indent, newline + indent)] for name, item in fields]
    return _enclosed("{", items, "}", indent, newline)


def _enclosed(opening: str, items: list[list[str]], closing: str, indent: str, newline: str) -> list[str]:
    out = [opening]
    for number, item in enumerate(items):
        out.append("," * (number > 0) + newline + indent * bool(newline))
        out.extend(item)
    return [*out, newline * bool(items) + closing]


def _scalar(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bytes):
        return '"' + base64.b64encode(value).decode("ascii") + '"'
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Float32):
        return _number(_shortest_float32(value.value))
    if isinstance(value, float):
        return _number(repr(value))
    raise TypeError(f"no JSON for {type(value).__name__}")


def _shortest_float32(value: float) -> str:
    """The shortest decimal that reads back as the same float32."""
    single = _as_float32(value)
    candidates = (f"{single:.{digits}g}" for digits in range(1, 10))
    return next((text for text in candidates if _as_float32(float(text)) == single), str(single))


def _as_float32(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _number(shortest: str) -> str:
    """Lay out shortest digits as Go does: an exponent only below 1e-6 and from 1e21 on, and then without zeros."""
    sign, digits, exponent = _digits(shortest)
    if not -7 < exponent < 21 and digits != "0":
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}".replace("e-0", "e-")
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole, part = digits[:exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1:]
    return f"{sign}{whole}.{part}" if part else sign + whole


def _digits(shortest: str) -> tuple[str, str, int]:
    """Sign, digits without surrounding zeros, and the power of ten of the first digit."""
    if shortest.strip("-") in ("nan", "inf"):
        raise ValueError(f"no JSON for {shortest}")
    sign = "-" if shortest.startswith("-") else ""
    mantissa, _, power = shortest.lstrip("-").partition("e")
    whole, _, part = mantissa.partition(".")
    stripped = (whole + part).lstrip("0")
    exponent = len(stripped) - len(part) - 1 + int(power or 0)
    return sign, stripped.rstrip("0") or "0", exponent if stripped else 0
