"""JSON values where they stand in a text: how far one goes, of what kind it is, what it means.

As lenient as gjson: whatever does not begin a value is passed over, and a value ends where it must have ended.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import attrs


class Kind(enum.IntEnum):
    """Kinds of values. ``NULL`` without text is no value at all."""

    NULL = 0
    FALSE = 1
    NUMBER = 2
    STRING = 3
    TRUE = 4
    JSON = 5


@attrs.frozen
class Value:
    """One value: ``raw`` as it stands in the text, ``text`` what a string says, ``number`` what a number is."""

    kind: Kind = Kind.NULL
    raw: bytes = b""
    text: bytes = b""
    number: float = 0.0

    @property
    def exists(self) -> bool:
        """Whether there is one."""
        return bool(self.raw) or self.kind is not Kind.NULL

    @property
    def is_array(self) -> bool:
        """Whether it begins as an array."""
        return self.kind is Kind.JSON and self.raw[:1] == b"["

    @property
    def is_object(self) -> bool:
        """Whether it begins as an object."""
        return self.kind is Kind.JSON and self.raw[:1] == b"{"

    @property
    def words(self) -> bytes:
        """What it says: without quotes, numbers without exponent."""
        if self.kind is Kind.NUMBER:
            return self.raw if _WHOLE.fullmatch(self.raw) else _plain(self.number)
        return self.text if self.kind is Kind.STRING else b"" if self.kind is Kind.NULL else self.raw

    @property
    def truth(self) -> bool:
        """As an option of a modifier."""
        if self.kind is Kind.STRING:
            return parse_truth(self.text) is True
        return self.kind is Kind.TRUE or self.kind is Kind.NUMBER and self.number != 0


NOTHING: Final = Value()

_WHOLE: Final = re.compile(rb"-?[0-9]+")
_STRING_REST: Final = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET: Final = re.compile(rb'["{}\[\]()]')
_NUMBER_END: Final = re.compile(rb"[\x00- ,\]}]")
_LITERAL: Final = re.compile(rb"[a-z]*")
_VALUE_START: Final = re.compile(rb'["{\[ntf+\-0-9iIN]')
_NUMBER_STARTS: Final = frozenset(b"+-0123456789iIN")
_DECIMAL: Final = re.compile(rb"[+-]?(?:[0-9_]+\.?[0-9_]*|\.[0-9_]+)(?:[eE][+-]?[0-9_]+)?")
_HEXADECIMAL: Final = re.compile(rb"[+-]?0[xX](?:[0-9a-fA-F_]+\.?[0-9a-fA-F_]*|\.[0-9a-fA-F_]+)[pP][+-]?[0-9_]+")
_SPECIAL: Final = re.compile(rb"[+-]?(?:inf|infinity)|nan", re.IGNORECASE)
_ESCAPE: Final = re.compile(rb"[\x00-\x1f\\]")
_SHORT: Final = {
    0x5C: b"\\", 0x2F: b"/", 0x62: b"\b", 0x66: b"\f", 0x6E: b"\n", 0x72: b"\r", 0x74: b"\t", 0x22: b'"',
}
_LITERAL_KINDS: Final = {0x74: Kind.TRUE, 0x66: Kind.FALSE, 0x6E: Kind.NULL}


def string_end(json: bytes, at: int) -> int:
    """The position after the closing quote of a string whose contents begin at ``at``; -1 if there is none."""
    match = _STRING_REST.match(json, at)
    return match.end() if match else -1


def nested_end(json: bytes, at: int) -> int:
    """The position after the bracket that closes the one at ``at``; the end of ``json`` if none does, and one more if
    that is because a string does not end: then not even gjson takes the end for a closing bracket.
    """
    depth, position = 1, at + 1
    while True:
        match = _BRACKET.search(json, position)
        if match is None:
            return len(json)
        position = match.end()
        octet = json[position - 1]
        if octet == 0x22:
            position = string_end(json, position)
            if position < 0:
                return len(json) + 1
        elif octet in b"{[(":
            depth += 1
        else:
            depth -= 1
            if not depth:
                return position


def find_value(json: bytes, at: int) -> int:
    """Where the next value begins, from ``at`` on; -1 if there is none."""
    match = _VALUE_START.search(json, at)
    return match.start() if match else -1


def value_end(json: bytes, at: int) -> int:
    """The position after the value that begins at ``at``; -1 for a string that does not end."""
    first = json[at]
    if first == 0x22:
        return string_end(json, at + 1)
    if first in b"{[":
        return nested_end(json, at)
    if is_number_start(json, at):
        match = _NUMBER_END.search(json, at + 1)
        return match.start() if match else len(json)
    literal = _LITERAL.match(json, at + 1)
    assert literal is not None
    return literal.end()


def is_number_start(json: bytes, at: int) -> bool:
    """Whether a number begins at ``at``; so does ``nan``, which only its second letter tells from ``null``."""
    first = json[at]
    return first in _NUMBER_STARTS or first == 0x6E and at + 1 < len(json) and json[at + 1] != 0x75


def value_of(json: bytes, start: int, end: int) -> Value:
    """The value that stands there."""
    raw, first = json[start:end], json[start]
    if first == 0x22:
        inner = raw[1:-1]
        return Value(Kind.STRING, raw, unescape(inner) if b"\\" in inner else inner)
    if first in b"{[":
        return Value(Kind.JSON, raw)
    if is_number_start(json, start):
        return Value(Kind.NUMBER, raw, number=parse_number(raw))
    return Value(_LITERAL_KINDS[first], raw)


def next_value(json: bytes, at: int) -> tuple[Value, int]:
    """The first value from ``at`` on, and where it ends; nothing if there is none."""
    start = find_value(json, at)
    end = value_end(json, start) if start >= 0 else -1
    return (value_of(json, start, end), end) if end >= 0 else (NOTHING, len(json))


def parse(json: bytes) -> Value:
    """The value that ``json`` is; of an array or object all that follows is taken to be part."""
    start = len(json) - len(json.lstrip(_BLANKS))
    if start == len(json):
        return NOTHING
    if json[start] in b"{[":
        return Value(Kind.JSON, json[start:])
    if not _VALUE_START.match(json, start):
        return NOTHING
    end = value_end(json, start)
    if end < 0:
        return Value(Kind.STRING, json[start:], unescape(json[start + 1:]))
    return value_of(json, start, end)


_BLANKS: Final = bytes(range(0x21))


def members(value: Value) -> Iterator[tuple[Value, Value]]:
    """Key and value of each member of an object, nothing and value of each of an array, nothing and itself else."""
    if not value.exists:
        return
    if value.kind is not Kind.JSON:
        yield NOTHING, value
        return
    json, at, key = value.raw, 1, NOTHING
    while at < len(json):
        if value.is_object:
            start = json.find(b'"', at)
            at = string_end(json, start + 1) if start >= 0 else -1
            if at < 0:
                return
            key = value_of(json, start, at)
        found, at = next_value(json, at)
        if not found.exists:
            return
        yield key, found
        at += 1


def parse_number(text: bytes) -> float:
    """As Go's ``strconv.ParseFloat``; 0 for what is no number."""
    if _DECIMAL.fullmatch(text) or _SPECIAL.fullmatch(text):
        try:
            return float(text)
        except ValueError:
            return 0.0
    if _HEXADECIMAL.fullmatch(text):
        try:
            return float.fromhex(text.replace(b"_", b"").decode())
        except OverflowError:
            return float("-inf" if text[:1] == b"-" else "inf")
        except ValueError:
            return 0.0
    return 0.0


def parse_truth(text: bytes) -> bool | None:
    """As Go's ``strconv.ParseBool`` of the text in small letters; None for what is neither."""
    lowered = text.lower()
    if lowered in (b"1", b"t", b"true"):
        return True
    return False if lowered in (b"0", b"f", b"false") else None


def _plain(number: float) -> bytes:
    if number != number:
        return b"NaN"
    if number in (float("inf"), float("-inf")):
        return b"+Inf" if number > 0 else b"-Inf"
    text = format(Decimal(repr(number)), "f")
    return (text[:-2] if text.endswith(".0") else text).encode()


def unescape(text: bytes) -> bytes:
    """What stands between the quotes of a string, up to the first thing that may not stand there."""
    pieces, at = [], 0
    while True:
        match = _ESCAPE.search(text, at)
        if match is None:
            pieces.append(text[at:])
            break
        pieces.append(text[at:match.start()])
        at = match.end()
        if text[at - 1] != 0x5C or at == len(text):
            break
        if text[at] == 0x75:
            if at + 5 > len(text):
                break
            piece, at = _unescape_rune(text, at + 1)
            pieces.append(piece)
        elif text[at] in _SHORT:
            pieces.append(_SHORT[text[at]])
            at += 1
        else:
            break
    return b"".join(pieces)


def _unescape_rune(text: bytes, at: int) -> tuple[bytes, int]:
    """The rune whose four digits are at ``at``, with the other half of a pair, and the position after it."""
    rune, at = _digits(text, at), at + 4
    if 0xD800 <= rune < 0xE000:
        second = -1
        if text[at:at + 2] == b"\\u" and len(text) >= at + 6:
            second, at = _digits(text, at + 2), at + 6
        is_pair = rune < 0xDC00 <= second < 0xE000
        rune = 0x10000 + (rune - 0xD800 << 10) + second - 0xDC00 if is_pair else 0xFFFD
    return chr(rune).encode(), at


def _digits(text: bytes, at: int) -> int:
    digits = text[at:at + 4]
    return int(digits, 16) if re.fullmatch(rb"[0-9a-fA-F]{4}", digits) else 0
