"""Request bodies out of a growing buffer: by declared length, or chunked with Go's strictness.

Sans-io. Each framing takes bytes from the front of the connection's buffer and gives the data in them. Knows
``net/http/transfer.go`` and ``net/http/internal/chunked.go`` and their error texts, which end up in replies. Must not
know sockets or what the data means.
"""

from __future__ import annotations

from typing import Final, Protocol

from seaweedvol.web.message.partheaders import HeaderError, PartHeaderReader

CUT_SHORT: Final = "unexpected EOF"
# Go reads a chunk's first line out of a buffer of this size.
_LINE_LIMIT: Final = 4096
_EXCESS_LIMIT: Final = 16 * 1024


class BodyError(Exception):
    """Raised when a body cannot be read to its end; the text is Go's."""


class Framing(Protocol):
    """How the end of a body is known."""

    @property
    def is_complete(self) -> bool:
        """Whether the whole body has been taken."""
        ...

    @property
    def remaining(self) -> int:
        """Bytes still to come, -1 when that is not known."""
        ...

    def take(self, buffer: bytearray, limit: int) -> bytes:
        """Data from the front of ``buffer``, at most ``limit`` bytes; b"" when more input is needed or all is taken.

        :raises BodyError: when the input is malformed.
        """
        ...

    def end_of_input(self) -> BodyError:
        """The error when the connection ends before the body."""
        ...


class LengthBody:
    """A body of a declared length."""

    def __init__(self, length: int) -> None:
        self.remaining = length

    @property
    def is_complete(self) -> bool:
        """See :class:`Framing`."""
        return self.remaining == 0

    def take(self, buffer: bytearray, limit: int) -> bytes:
        """See :class:`Framing`."""
        data = bytes(buffer[:min(self.remaining, limit)])
        del buffer[:len(data)]
        self.remaining -= len(data)
        return data

    def end_of_input(self) -> BodyError:
        """See :class:`Framing`."""
        return BodyError(CUT_SHORT)


class ChunkedBody:
    """A chunked body, trailer included."""

    remaining = -1

    def __init__(self) -> None:
        self.is_complete = False
        self._chunk_left = 0
        self._awaits_chunk_end = False
        self._in_trailer = False
        self._excess = 0

    def take(self, buffer: bytearray, limit: int) -> bytes:
        """See :class:`Framing`."""
        pieces: list[bytes] = []
        size = 0
        while not self.is_complete and size < limit:
            if self._chunk_left:
                piece = bytes(buffer[:min(self._chunk_left, limit - size)])
                if not piece:
                    break
                del buffer[:len(piece)]
                pieces.append(piece)
                size += len(piece)
                self._chunk_left -= len(piece)
                self._awaits_chunk_end = not self._chunk_left
            elif not self._step(buffer, has_data=bool(pieces)):
                break
        return b"".join(pieces)

    def _step(self, buffer: bytearray, *, has_data: bool) -> bool:
        """Take what stands between data; False when that needs more input, or when data taken before must go first."""
        try:
            if self._in_trailer:
                return self._take_trailer(buffer)
            if self._awaits_chunk_end:
                return self._take_chunk_end(buffer)
            return self._take_chunk_line(buffer)
        except BodyError:
            if has_data:
                return False
            raise

    def _take_chunk_end(self, buffer: bytearray) -> bool:
        if len(buffer) < 2:
            return False
        if buffer[:2] != b"\r\n":
            raise BodyError("malformed chunked encoding")
        del buffer[:2]
        self._awaits_chunk_end = False
        return True

    def _take_chunk_line(self, buffer: bytearray) -> bool:
        end = buffer.find(b"\n", 0, _LINE_LIMIT)
        if end < 0:
            if len(buffer) >= _LINE_LIMIT:
                raise BodyError("header line too long")
            return False
        line = bytes(buffer[:end + 1])
        length = _chunk_length(line)
        excess = max(0, self._excess + len(line) - (16 + 2 * length))
        if excess > _EXCESS_LIMIT:
            # The line stays where it is: data taken before may go first, then this is found again.
            raise BodyError("chunked encoding contains too much non-data")
        del buffer[:end + 1]
        self._excess = excess
        self._chunk_left = length
        self._in_trailer = length == 0
        return True

    def _take_trailer(self, buffer: bytearray) -> bool:
        if len(buffer) < 2:
            return False
        if buffer[:2] == b"\r\n":
            del buffer[:2]
            self.is_complete = True
            return True
        end = buffer.find(b"\r\n\r\n", 0, _LINE_LIMIT)
        if end < 0:
            if len(buffer) >= _LINE_LIMIT:
                raise BodyError("http: suspiciously long trailer after chunked body")
            return False
        block = buffer[:end + 4]
        try:
            PartHeaderReader().read(block, None)
        except HeaderError as error:
            raise BodyError(str(error)) from None
        del buffer[:end + 4 - len(block)]
        self.is_complete = True
        return True

    def end_of_input(self) -> BodyError:
        """See :class:`Framing`."""
        return BodyError("http: unexpected EOF reading trailer" if self._in_trailer else CUT_SHORT)


def _chunk_length(line: bytes) -> int:
    """The size that a chunk's first line, with its line end, announces."""
    if b"\r" not in line:
        raise BodyError("chunked line ends with bare LF")
    if line.index(b"\r") != len(line) - 2:
        raise BodyError("invalid CR in chunked line")
    digits = line[:-2].rstrip(b" \t").partition(b";")[0]
    if not digits:
        raise BodyError("empty hex number for chunk length")
    for position, digit in enumerate(digits):
        if digit not in b"0123456789abcdefABCDEF":
            raise BodyError("invalid byte in chunk length")
        if position == 16:
            raise BodyError("http chunk length too large")
    return int(digits, 16)
