"""JSON laid out for people, and without any white space; as ``tidwall/pretty`` 1.2."""

from __future__ import annotations

import re
from typing import Final

import attrs

from seaweedvol.query.values import Kind, Value, members, nested_end, parse

_OUTSIDE: Final = re.compile(rb'("(?:[^"\\]|\\.)*(?:"|\Z))|[\x00- ]+', re.DOTALL)
_LITERALS: Final = {Kind.TRUE: b"true", Kind.FALSE: b"false", Kind.NULL: b"null"}
_SHORTEST: Final = 3


def ugly(json: bytes) -> bytes:
    """``json`` without white space but in strings."""
    return _OUTSIDE.sub(lambda match: match.group(1) or b"", json)


@attrs.frozen
class _Layout:
    """An array without objects goes in one line where that ends within ``width``; everything else is broken up."""

    width: int = 80
    prefix: bytes = b""
    indent: bytes = b"  "
    sorts_keys: bool = False

    def value(self, value: Value, column: int, depth: int) -> bytes:
        """``value`` as it follows ``column`` octets, the end of the line before counted."""
        if value.kind is not Kind.JSON:
            return _LITERALS.get(value.kind, value.raw)
        if value.is_array:
            room = self.width - column
            line = _in_line(value) if self.width > 0 and room > _SHORTEST else None
            if line is not None and len(line) <= room:
                return line
        begin = b"\n" + self.prefix + self.indent * (depth + 1)
        pieces: list[bytes] = []
        for key, member in self._members(value):
            head = begin + key.raw + b": " if value.is_object else begin
            # The space after a comma becomes the end of the line, which is then not counted.
            column = len(head) - (value.is_array and bool(pieces))
            pieces.append(head + self.value(member, column, depth + 1))
        opening, closing = (b"{", b"}") if value.is_object else (b"[", b"]")
        end = b"\n" + self.prefix + self.indent * depth if pieces else b""
        return opening + b",".join(pieces) + end + closing

    def _members(self, value: Value) -> list[tuple[Value, Value]]:
        found = list(members(value))
        if self.sorts_keys and value.is_object:
            found.sort(key=lambda pair: pair[0].text)
        return found


def _in_line(value: Value) -> bytes | None:
    """An array in one line; None if it has an object in it."""
    pieces = []
    for _, element in members(value):
        if element.is_object:
            return None
        piece = _in_line(element) if element.is_array else _LITERALS.get(element.kind, element.raw)
        if piece is None:
            return None
        pieces.append(piece)
    return b"[" + b", ".join(pieces) + b"]"


def pretty(json: bytes, argument: bytes) -> bytes:
    """``json`` in lines; ``argument`` is an object with ``width``, ``prefix``, ``indent`` or ``sortKeys``."""
    value = parse(json)
    if value.kind is Kind.JSON:
        value = Value(Kind.JSON, value.raw[:nested_end(value.raw, 0)])
    layout = _layout(argument)
    text = layout.prefix + (layout.value(value, len(layout.prefix), 0) if value.exists else b"")
    return text + b"\n" if text else b""


def _layout(argument: bytes) -> _Layout:
    layout = _Layout()
    for key, value in members(parse(argument)) if argument else ():
        if key.words == b"sortKeys":
            layout = attrs.evolve(layout, sorts_keys=value.truth)
        elif key.words == b"indent":
            layout = attrs.evolve(layout, indent=_blanks(value.words))
        elif key.words == b"prefix":
            layout = attrs.evolve(layout, prefix=_blanks(value.words))
        elif key.words == b"width":
            is_whole = re.fullmatch(rb"-?[0-9]{1,9}", value.words)
            layout = attrs.evolve(layout, width=int(value.words) if is_whole else 0)
    return layout


def _blanks(text: bytes) -> bytes:
    return bytes(octet for octet in text if octet in b" \t\r\n")
