"""The header block of a multipart part, read line by line out of a growing buffer.

Sans-io. Rules, limits and texts of Go 1.26 ``net/textproto/reader.go`` (readMIMEHeader, readContinuedLineSlice) as
``mime/multipart`` calls it: folded lines are joined, a block of more than 10 MiB or 10000 lines is refused.
"""

from __future__ import annotations

import re
from typing import Final

from seaweedvol.storage.ids import go_quote
from seaweedvol.web.message.request import Headers, canonical_name
from seaweedvol.web.syntax.urls import text_of

MAX_MEMORY: Final = (10 << 20) - 400
MAX_HEADERS: Final = 10_000
ENTRY_OVERHEAD: Final = 200
FIRST_LINE_LIMIT: Final = 80

_BLANK: Final = b" \t"
_NAME = re.compile(rb"[ !#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_VALUE = re.compile(rb"[\t -~\x80-\xff]*\Z")


class HeaderError(Exception):
    """Raised for what Go refuses, with its text."""


class PartHeaderReader:
    """Reads one header block; :meth:`read` again whenever the buffer has grown."""

    def __init__(self) -> None:
        self._pairs: list[tuple[str, str]] = []
        self._names: set[str] = set()
        self._line: bytearray | None = None       # a header whose continuation lines may still come
        self._memory = MAX_MEMORY
        self._scanned = 0

    def read(self, buffer: bytearray, end_reason: str | None) -> Headers | None:
        """Take the block off the front of ``buffer``. None when its end has not come yet.

        :param end_reason: why no more bytes will come; None while they may.
        :raises HeaderError: when it is malformed, too large or cut off.
        """
        while True:
            if self._line is not None and not self._continue(buffer, end_reason):
                return None
            if not buffer and end_reason is None:
                return None
            is_first = not self._pairs
            starts_blank = is_first and buffer.startswith((b" ", b"\t"))
            line = self._take_line(buffer, end_reason, FIRST_LINE_LIMIT if starts_blank else self._memory)
            if line is None:
                return None
            if starts_blank:
                raise HeaderError("malformed MIME header initial line: " + go_quote(text_of(line)))
            if not line:
                return Headers(self._pairs)
            if b":" not in line:
                raise HeaderError("malformed MIME header: missing colon: " + go_quote(text_of(line)))
            self._line = bytearray(line.strip(_BLANK))

    def _continue(self, buffer: bytearray, end_reason: str | None) -> bool:
        """Join the lines that continue the current header, then keep it. False when more bytes must come first."""
        assert self._line is not None
        while buffer.startswith((b" ", b"\t")):
            line = self._take_line(buffer, end_reason, self._memory - len(self._line))
            if line is None:
                return False
            self._line += b" " + line.strip(_BLANK)
        if not buffer and end_reason is None:
            return False
        self._keep(bytes(self._line))
        self._line = None
        return True

    def _keep(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if not _NAME.match(name):
            raise HeaderError("malformed MIME header line: " + go_quote(text_of(line)))
        key = canonical_name(name.decode("ascii"))
        if not _VALUE.match(value):           # Go has respelt the name in place by now, and so quotes it
            raise HeaderError("malformed MIME header line: " + go_quote(f"{key}:{text_of(value)}"))
        value = value.lstrip(_BLANK)
        if key not in self._names:
            self._names.add(key)
            self._memory -= len(key) + ENTRY_OVERHEAD
        self._memory -= len(value)
        self._pairs.append((key, value.decode("latin-1")))
        if self._memory < 0 or len(self._pairs) > MAX_HEADERS:
            raise HeaderError("multipart: message too large")

    def _take_line(self, buffer: bytearray, end_reason: str | None, limit: int) -> bytes | None:
        """The next line without its end; at the end of all input also one that has none."""
        end = buffer.find(b"\n", self._scanned)
        length = len(buffer) if end < 0 else end
        if length - (buffer[length - 1:length] == b"\r" and end >= 0) > limit:
            raise HeaderError("multipart: message too large")
        if end < 0 and end_reason is None:
            self._scanned = length
            return None
        if end < 0 and not buffer:
            raise HeaderError(end_reason or "")
        line = bytes(buffer[:length])
        del buffer[:length + 1]
        self._scanned = 0
        return line.removesuffix(b"\r") if end >= 0 else line
