"""Quoted-printable, undone as leniently as Go does, piece by piece.

Sans-io. Facts from Go 1.26 ``mime/quotedprintable/reader.go``; ``multipart`` uses it for parts that name this
encoding. Never holds more than a line, of which Go takes 4096 bytes.
"""

from __future__ import annotations

import re
from typing import Final

from seaweedvol.storage.ids import go_quote
from seaweedvol.web.syntax.urls import text_of

LINE_LIMIT: Final = 4096
LINE_TOO_LONG: Final = "bufio: buffer full"

_TOKEN = re.compile(rb"=([0-9A-Fa-f]{2})|(=)|([\x00-\x08\x0b\x0c\x0e-\x1f\x7f])")


class QuotedPrintableError(Exception):
    """Raised for what Go refuses, with its text."""


class QuotedPrintableDecoder:
    """``feed`` encoded bytes, ``finish`` at the end. After an error the object is of no further use."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> tuple[bytes, QuotedPrintableError | None]:
        """What ``data`` completes, and the error that follows it."""
        self._held += data
        out: list[bytes] = []
        at = 0
        while True:
            end = self._held.find(b"\n", at, at + LINE_LIMIT) + 1
            if not end:
                break
            decoded, error = _decode_line(bytes(self._held[at:end]), is_last=False)
            out.append(decoded)
            at = end
            if error is not None:
                return b"".join(out), error
        del self._held[:at]
        if len(self._held) < LINE_LIMIT:
            return b"".join(out), None
        decoded, error = _decode_line(bytes(self._held[:LINE_LIMIT]), is_last=False)
        return b"".join((*out, decoded)), error or QuotedPrintableError(LINE_TOO_LONG)

    def finish(self, *, is_whole: bool = True) -> tuple[bytes, QuotedPrintableError | None]:
        """What the last line, if it has no end, stands for, and the error that follows it.

        :param is_whole: False when the input broke off here; only a whole one may end with a bare ``=``.
        """
        return _decode_line(bytes(self._held), is_last=is_whole) if self._held else (b"", None)


def _decode_line(whole: bytes, *, is_last: bool) -> tuple[bytes, QuotedPrintableError | None]:
    line = whole.rstrip(b"\n\r \t")
    late: QuotedPrintableError | None = None
    if line.endswith(b"="):
        after = whole[len(line):].lstrip(b" \t")
        line = line[:-1]
        if not after.startswith((b"\n", b"\r\n")) and not (not after and line and is_last):
            late = QuotedPrintableError("quotedprintable: invalid bytes after =: " + go_quote(text_of(after)))
    elif whole.endswith(b"\n"):
        line += b"\r\n" if whole.endswith(b"\r\n") else b"\n"
    out: list[bytes] = []
    at = 0
    for match in _TOKEN.finditer(line):
        out.append(line[at:match.start()])
        at = match.end()
        if match.group(1):
            out.append(bytes((int(match.group(1), 16),)))
            continue
        error = _fault(line, match)
        if error is not None:
            return b"".join(out), error
        out.append(b"=")
    return b"".join((*out, line[at:])), late


def _fault(line: bytes, match: re.Match[bytes]) -> QuotedPrintableError | None:
    """Why Go stops at a byte that must not stand bare, or at an ``=`` that begins no escape; None for a literal one."""
    if match.group(3):
        return QuotedPrintableError(f"quotedprintable: invalid unescaped byte 0x{match.group(3)[0]:02x} in body")
    following = line[match.end():match.end() + 2]
    if following[:1] not in (b"", b"\r", b"\n"):
        return None
    if len(following) < 2:
        return QuotedPrintableError("unexpected EOF")
    return QuotedPrintableError(f"quotedprintable: invalid hex byte 0x{following[0]:02x}")
