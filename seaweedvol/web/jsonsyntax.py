"""Why some bytes are not JSON, in the words of Go's ``encoding/json`` (``scanner.go``). Pure."""

from __future__ import annotations

import re
from typing import Final

from seaweedvol.storage.ids import go_quote

CUT_SHORT: Final = "unexpected end of JSON input"
_SPACE: Final = b" \t\r\n"
_DIGITS: Final = b"0123456789"
_HEX: Final = b"0123456789abcdefABCDEF"
_LITERALS: Final = {b"t": b"true", b"f": b"false", b"n": b"null"}
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')


class _Bad(Exception):
    pass


def complaint(data: bytes) -> str | None:
    """The first error in ``data``, ``None`` when they are JSON."""
    reader = _Reader(data)
    try:
        reader.value()
        reader.skip_space()
        if reader.at < len(data):
            raise reader.bad("after top-level value")
    except _Bad as error:
        return str(error)
    except RecursionError:
        return "exceeded max depth"
    return None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def bad(self, context: str) -> _Bad:
        if self.at >= len(self.data):
            return _Bad(CUT_SHORT)
        char = chr(self.data[self.at])
        shown = {"'": r"'\''", '"': "'\"'"}.get(char) or "'" + go_quote(char)[1:-1] + "'"
        return _Bad(f"invalid character {shown} {context}")

    def peek(self) -> bytes:
        return self.data[self.at:self.at + 1]

    def skip_space(self) -> None:
        while self.peek() and self.peek() in _SPACE:
            self.at += 1

    def value(self) -> None:
        self.skip_space()
        char = self.peek()
        if char == b"{":
            self._object()
        elif char == b"[":
            self._array()
        elif char == b'"':
            self._string()
        elif char in _LITERALS:
            self._literal(_LITERALS[char])
        elif char == b"-" or (char and char in _DIGITS):
            self._number()
        else:
            raise self.bad("looking for beginning of value")

    def _object(self) -> None:
        self.at += 1
        self.skip_space()
        if self.peek() == b"}":
            self.at += 1
            return
        while True:
            self.skip_space()
            if self.peek() != b'"':
                raise self.bad("looking for beginning of object key string")
            self._string()
            self.skip_space()
            if self.peek() != b":":
                raise self.bad("after object key")
            self.at += 1
            self.value()
            if self._ends(b"}", "after object key:value pair"):
                return

    def _array(self) -> None:
        self.at += 1
        self.skip_space()
        if self.peek() == b"]":
            self.at += 1
            return
        while True:
            self.value()
            if self._ends(b"]", "after array element"):
                return

    def _ends(self, closing: bytes, context: str) -> bool:
        self.skip_space()
        char = self.peek()
        if char not in (b",", closing):
            raise self.bad(context)
        self.at += 1
        return char == closing

    def _string(self) -> None:
        self.at += 1
        while True:
            plain = _PLAIN.match(self.data, self.at)
            assert plain is not None
            self.at = plain.end()
            char = self.peek()
            if char == b'"':
                self.at += 1
                return
            if char != b"\\":
                raise self.bad("in string literal")
            self.at += 1
            self._escape()

    def _escape(self) -> None:
        char = self.peek()
        if not char or char not in b'bfnrt\\/"u':
            raise self.bad("in string escape code")
        self.at += 1
        for _ in range(4 if char == b"u" else 0):
            if not self.peek() or self.peek() not in _HEX:
                raise self.bad("in \\u hexadecimal character escape")
            self.at += 1

    def _literal(self, word: bytes) -> None:
        for offset in range(1, len(word)):
            self.at += 1
            if self.peek() != word[offset:offset + 1]:
                raise self.bad(f"in literal {word.decode()} (expecting '{chr(word[offset])}')")
        self.at += 1

    def _number(self) -> None:
        if self.peek() == b"-":
            self.at += 1
        if self.peek() == b"0":
            self.at += 1
        else:
            self._digits("in numeric literal")
        if self.peek() == b".":
            self.at += 1
            self._digits("after decimal point in numeric literal")
        if self.peek() and self.peek() in b"eE":
            self.at += 1
            if self.peek() and self.peek() in b"+-":
                self.at += 1
            self._digits("in exponent of numeric literal")

    def _digits(self, context: str) -> None:
        if not self.peek() or self.peek() not in _DIGITS:
            raise self.bad(context)
        while self.peek() and self.peek() in _DIGITS:
            self.at += 1
