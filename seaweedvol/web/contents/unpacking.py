"""Gzip that is undone while it is sent: content of any size is never in memory whole.

The length must be known before anything is sent, so what is packed is read through twice when it holds much. Knows
sources of bytes; must not know needles or requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from seaweedvol.storage.errors import ChecksumMismatch
from seaweedvol.storage.format.checksum import checksum_matches, crc32c
from seaweedvol.web.contents.compressing import BadGzip, gunzip_chunks
from seaweedvol.web.message.reply import BytesSource, Source

#: Content up to this length is kept when it has been unpacked once.
KEPT_LENGTH: Final = 4 << 20
_PAGE: Final = 120 << 10


class Unpacked:
    """A :class:`~seaweedvol.web.message.reply.Source` of what is packed in another one.

    Reads forward; a read before the end of the one before begins anew, so ranges in any order are not for it.
    """

    def __init__(self, packed: Source, packed_length: int) -> None:
        self._packed, self._packed_length = packed, packed_length
        self._begin()

    def _begin(self) -> None:
        self._pieces = gunzip_chunks(_pages(self._packed, self._packed_length))
        self._held = b""
        self._at = 0                          # offset of what is held

    def read(self, offset: int, length: int) -> bytes:
        """As of any source; blocking.

        :raises BadGzip: when the data are damaged; the pieces before that are given.
        """
        if offset < self._at:
            self._begin()
        end, found = offset + length, []
        while self._at < end:
            if not self._held:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._held = piece
            skipped = min(max(offset - self._at, 0), len(self._held))
            taken = self._held[skipped:max(end - self._at, 0)]
            found.append(taken)
            self._at += skipped + len(taken)
            self._held = self._held[skipped + len(taken):]
        return b"".join(found)


def unpacked(packed: Source, packed_length: int, checksum: int | None = None) -> tuple[Source, int]:
    """A source of what gzip data hold, and its length. Damaged data hold nothing, as in Go. Blocking.

    :param checksum: CRC32C that the packed data must have, None when that is known already.
    :raises ChecksumMismatch: when they have another.
    """
    crc = 0

    def summed() -> Iterator[bytes]:
        nonlocal crc
        for page in _pages(packed, packed_length):
            if checksum is not None:
                crc = crc32c(page, crc)
            yield page

    pages = summed()
    kept: list[bytes] = []
    length = 0
    try:
        for piece in gunzip_chunks(pages):
            length += len(piece)
            if length > KEPT_LENGTH:
                kept.clear()
            else:
                kept.append(piece)
    except BadGzip:
        length = 0
        kept.clear()
        for _ in pages:
            """The checksum wants the rest."""
    if checksum is not None and not checksum_matches(checksum, crc):
        raise ChecksumMismatch(f"data checksum {crc:x} expected {checksum:x}")
    if length <= KEPT_LENGTH:
        return BytesSource(b"".join(kept)), length
    return Unpacked(packed, packed_length), length


def _pages(packed: Source, length: int) -> Iterator[bytes]:
    for at in range(0, length, _PAGE):
        page = packed.read(at, _PAGE)
        if len(page) != min(_PAGE, length - at):
            raise EOFError("unexpected EOF")
        yield page
