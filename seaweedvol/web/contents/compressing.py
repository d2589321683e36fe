"""Which content SeaweedFS compresses by itself, and gzip in both directions, chunk by chunk.

Knows no needles and no requests. Facts from SeaweedFS ``weed/util/compression.go`` (gzip at BestSpeed, only gzip is
ever undone) and Go 1.26 ``compress/gzip``.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

GZIP_MAGIC: Final = b"\x1f\x8b"
# What Go's writer puts in front at BestSpeed: no flags, no time, "fastest", unknown system.
GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
CHUNK: Final = 1 << 16

_COMPRESSED_EXTENSIONS: Final = frozenset((".zip", ".rar", ".gz", ".bz2", ".xz", ".zst", ".br"))
_TEXT_EXTENSIONS: Final = frozenset((".pdf", ".txt", ".html", ".htm", ".css", ".js", ".json", ".php", ".java", ".go",
                                     ".rb", ".c", ".cpp", ".h", ".hpp"))
_IMAGE_EXTENSIONS: Final = frozenset((".png", ".jpg", ".jpeg"))
_PLAIN_AUDIO: Final = frozenset(f"audio/{name}" for name in ("wave", "wav", "x-wav", "x-pn-wav"))


class BadGzip(Exception):
    """Raised when gzip data is damaged or ends too early."""


@functools.lru_cache(maxsize=1024)
def is_compressible(ext: str, mime: str) -> bool:
    """True when SeaweedFS is sure that gzip pays. Callers there pass the whole base name as ``ext``, so that the
    extension rules only meet names such as ``.txt``."""
    if mime.startswith("text/") or ext in (".svg", ".bmp", ".wav"):
        return True
    if mime.startswith("image/") or ext in _COMPRESSED_EXTENSIONS:
        return False
    if ext in _TEXT_EXTENSIONS:
        return True
    if ext in _IMAGE_EXTENSIONS:
        return False
    if mime.startswith("application/"):
        return mime.endswith(("xml", "script"))
    return mime in _PLAIN_AUDIO


def is_worth_it(compressed_length: int, length: int) -> bool:
    """True when compression saves more than a tenth."""
    return compressed_length * 10 < length * 9


def is_gzip(head: bytes) -> bool:
    """True when data that begins with ``head`` is gzip, by its first two bytes."""
    return head[:2] == GZIP_MAGIC


def gzip_chunks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """One gzip member holding ``chunks``, as it grows."""
    yield GZIP_HEADER
    deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    crc = length = 0
    for chunk in chunks:
        crc = zlib.crc32(chunk, crc)
        length += len(chunk)
        yield deflate.compress(chunk)
    yield deflate.flush() + crc.to_bytes(4, "little") + (length & 0xFFFFFFFF).to_bytes(4, "little")


def gunzip_chunks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What gzip data holds, all its members one after the other, in pieces of at most :data:`CHUNK` bytes.

    :raises BadGzip: when it is damaged, cut off, or followed by anything but a further member.
    """
    inflate = None
    try:
        for chunk in chunks:
            has_more = False                  # output that zlib holds back although it has taken all input
            while chunk or has_more:
                if inflate is None:
                    inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
                out = inflate.decompress(chunk, CHUNK)
                yield out
                has_more = len(out) == CHUNK and not inflate.eof
                chunk = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
                if inflate.eof:
                    inflate = None
    except zlib.error as error:
        raise BadGzip(str(error)) from None
    if inflate is not None:
        raise BadGzip("unexpected EOF")


def gunzip(data: bytes) -> bytes:
    """All of what gzip ``data`` holds.

    :raises BadGzip: as :func:`gunzip_chunks`, and for no data at all.
    """
    if not data:
        raise BadGzip("EOF")
    return b"".join(gunzip_chunks((data,)))
