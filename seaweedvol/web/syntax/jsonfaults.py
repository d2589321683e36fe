"""What Go's ``encoding/json`` says of a text that is no JSON: which byte is wrong, and what it was looking for there.

Only the complaint; Python's own reader reads. Bytes are looked at one by one, as in Go 1.26
``encoding/json/scanner.go``.
"""

from __future__ import annotations

from typing import Final

from seaweedvol.storage.ids import go_quote

END: Final = "unexpected end of JSON input"
END_OF_TEXT: Final = b"\xff end"
_SPACE: Final = b" \t\r\n"
_DIGITS: Final = b"0123456789"
_HEX: Final = b"0123456789abcdefABCDEF"
_LITERALS: Final = {b"t": b"true", b"f": b"false", b"n": b"null"}
_MAX_DEPTH: Final = 10000


class _Wrong(Exception):
    """Carries the complaint."""


def complaint(data: bytes) -> str:
    """The error for ``data``; for a text without one, the error of an end that came too early."""
    # As Go's reader, which looks at a blank behind the end: "-" is a number that goes on wrongly.
    reader = _Reader(data + b" ")
    try:
        reader.value()
        reader.skip_space()
        if not reader.is_at_end:
            reader.wrong("after top-level value")
    except _Wrong as error:
        return str(error)
    return END


class _Reader:
    """Walks over one text. ``at`` is the next byte."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    @property
    def is_at_end(self) -> bool:
        """Whether everything has been looked at."""
        return self.at >= len(self._data)

    def wrong(self, where: str) -> None:
        """Complain of the next byte, or of the end."""
        if self.is_at_end:
            raise _Wrong(END)
        byte = self._data[self.at]
        shown = {0x27: r"'\''", 0x22: "'\"'"}.get(byte) or "'" + go_quote(chr(byte))[1:-1] + "'"
        raise _Wrong(f"invalid character {shown} {where}")

    def skip_space(self) -> None:
        """To the next byte that means something."""
        while self.at < len(self._data) and self._data[self.at] in _SPACE:
            self.at += 1

    def _peek(self) -> bytes:
        """The next byte; at the end none, which is part of no set below."""
        return self._data[self.at:self.at + 1] or END_OF_TEXT

    def value(self) -> None:
        """One value, with the values in it; nested ones wait in a list, so that depth costs no stack."""
        closing: list[bytes] = []
        while True:
            if not self._opens(closing):
                self._scalar()
            if not self._next(closing):
                return

    def _opens(self, closing: list[bytes]) -> bool:
        """Enter an object or array; true when a value comes next in it or it was empty and has been left."""
        while True:
            self.skip_space()
            opener = self._peek()
            if opener not in (b"{", b"["):
                return False
            if len(closing) >= _MAX_DEPTH:
                raise _Wrong("exceeded max depth")
            self.at += 1
            self.skip_space()
            if opener == b"{":
                if self._peek() == b"}":
                    self.at += 1
                    return True
                closing.append(b"}")
                self._key()
            else:
                if self._peek() == b"]":
                    self.at += 1
                    return True
                closing.append(b"]")

    def _next(self, closing: list[bytes]) -> bool:
        """After a value: on to the next one, or out of what ends; false when nothing is open any more."""
        while closing:
            self.skip_space()
            byte = self._peek()
            if byte == b",":
                self.at += 1
                if closing[-1] == b"}":
                    self.skip_space()
                    self._key()
                return True
            if byte != closing[-1]:
                self.wrong("after object key:value pair" if closing[-1] == b"}" else "after array element")
            self.at += 1
            closing.pop()
        return False

    def _key(self) -> None:
        if self._peek() != b'"':
            self.wrong("looking for beginning of object key string")
        self._string()
        self.skip_space()
        if self._peek() != b":":
            self.wrong("after object key")
        self.at += 1

    def _scalar(self) -> None:
        byte = self._peek()
        if byte == b'"':
            self._string()
        elif byte in _LITERALS:
            self._literal(_LITERALS[byte])
        elif byte == b"-" or byte in _DIGITS:
            self._number()
        else:
            self.wrong("looking for beginning of value")

    def _literal(self, word: bytes) -> None:
        for expected in word.decode():
            if self._peek() != expected.encode():
                self.wrong(f"in literal {word.decode()} (expecting {expected!r})")
            self.at += 1

    def _string(self) -> None:
        self.at += 1
        while (byte := self._peek()) != b'"':
            if byte == END_OF_TEXT or byte < b" ":
                self.wrong("in string literal")
            self.at += 1
            if byte == b"\\":
                self._escape()
        self.at += 1

    def _escape(self) -> None:
        byte = self._peek()
        if byte not in b'bfnrt\\/"u':
            self.wrong("in string escape code")
        self.at += 1
        for _ in range(4 if byte == b"u" else 0):
            if self._peek() not in _HEX:
                self.wrong("in \\u hexadecimal character escape")
            self.at += 1

    def _number(self) -> None:
        if self._peek() == b"-":
            self.at += 1
        self._digits("in numeric literal", only_first=self._peek() == b"0")
        if self._peek() == b".":
            self.at += 1
            self._digits("after decimal point in numeric literal")
        if self._peek() in (b"e", b"E"):
            self.at += 1
            if self._peek() in (b"+", b"-"):
                self.at += 1
            self._digits("in exponent of numeric literal")

    def _digits(self, where: str, *, only_first: bool = False) -> None:
        if self._peek() not in _DIGITS:
            self.wrong(where)
        self.at += 1
        while not only_first and self._peek() in _DIGITS:
            self.at += 1
