"""Blocks of files as messages, without the copies that protobuf's Python interface makes of each.

A ``CopyFileResponse`` is its content, field 1, and a time, field 2; the content is taken from where it was received.
"""

from __future__ import annotations

from seaweedvol.pb.volume_server_pb2 import CopyFileResponse
from seaweedvol.server.copying import CopyChunk

_CONTENT_TAG = 0x0A


def chunk_of(message: bytes) -> CopyChunk:
    """What a serialized ``CopyFileResponse`` says.

    :raises google.protobuf.message.DecodeError: when it is none.
    """
    start, end = _content_of(message)
    if start == end:
        found = CopyFileResponse.FromString(message)
        return CopyChunk(found.file_content, found.modified_ts_ns)
    rest = message[end:]
    if rest:
        found = CopyFileResponse.FromString(rest)
        if found.file_content:
            # Twice in one message: the last one counts, as protobuf has it.
            return CopyChunk(found.file_content, found.modified_ts_ns)
        return CopyChunk(memoryview(message)[start:end], found.modified_ts_ns)
    return CopyChunk(memoryview(message)[start:end], 0)


def _content_of(message: bytes) -> tuple[int, int]:
    """Where the content begins and ends, if it comes first and is whole; else nowhere."""
    if not message or message[0] != _CONTENT_TAG:
        return 0, 0
    length = shift = 0
    for at in range(1, min(len(message), 6)):
        length |= (message[at] & 0x7F) << shift
        if message[at] < 0x80:
            end = at + 1 + length
            return (at + 1, end) if end <= len(message) else (0, 0)
        shift += 7
    return 0, 0
