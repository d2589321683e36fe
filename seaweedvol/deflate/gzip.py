"""The gzip frame (RFC 1952) around the blocks, and which kind of block each part of the input becomes."""

from __future__ import annotations

import struct
import zlib

from seaweedvol.deflate.bits import BitStream
from seaweedvol.deflate.blocks import literals_only, stored, with_matches
from seaweedvol.deflate.matching import Matcher

#: No name, no time, "fastest", unknown system.
HEADER = bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 4, 255))
BLOCK = 65535
#: A last block shorter than this is not searched for repetitions; one of up to 16 bytes is stored.
TOO_SHORT, TINY = 128, 16


def gzip_fastest(data: bytes) -> bytes:
    """``data`` as Go's ``compress/gzip`` writes it at ``BestSpeed``."""
    stream = BitStream()
    matcher = Matcher(data)
    for start in range(0, len(data), BLOCK):
        _block(stream, matcher, start, data[start : start + BLOCK])
    stored(stream, b"", last=True)
    return HEADER + bytes(stream.out) + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def _block(stream: BitStream, matcher: Matcher, start: int, block: bytes) -> None:
    if len(block) < TOO_SHORT:
        (stored if len(block) <= TINY else literals_only)(stream, block)
        return
    matches = matcher.find(start, len(block))
    tokens = len(block) - sum(length - 1 for _, length, _ in matches)
    if tokens > len(block) - (len(block) >> 4):
        literals_only(stream, block)
    else:
        with_matches(stream, block, matches)
