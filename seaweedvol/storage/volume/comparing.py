"""Whether a needle to be written is there already; as ``isFileUnchanged`` in SeaweedFS ``volume_write.go``.

Cookie and data decide; name, media type and times do not, so a new name for the same data is not stored, as in Go.
Unlike in Go, a needle whose time is over does not count: nobody could read it, so what is written must be stored.
"""

from __future__ import annotations

from typing import Final

from seaweedvol.storage.errors import Corrupt
from seaweedvol.storage.format.checksum import checksum_matches
from seaweedvol.storage.format.needle import HEADER_LENGTH, decode_header
from seaweedvol.storage.volume.core import Core, Files
from seaweedvol.storage.volume.expiry import is_expired
from seaweedvol.storage.volume.writing import Body, BytesBody, Draft

_READ_WHOLE: Final = 64 * 1024
_HEAD_LENGTH: Final = HEADER_LENGTH + 4
_CHECKSUM_LENGTH: Final = 4


def holds_same(core: Core, files: Files, found: tuple[int, int], draft: Draft) -> bool:
    """Whether the record at ``found`` has the cookie and data of ``draft``; not if it is damaged or cannot be read."""
    offset, size = found
    if size <= 0 or not draft.body.length or size < draft.body.length:
        return False
    try:
        if size <= _READ_WHOLE and isinstance(draft.body, BytesBody):
            record = files.data.read_at(core.codec.record_length(size), offset)
            needle = core.codec.decode(record, size)
            is_same = needle.cookie == draft.cookie and needle.data == draft.body.data
            return is_same and not is_expired(core, needle)
        return _holds_same_large(core, files, offset, size, draft)
    except (Corrupt, OSError):
        return False


def _holds_same_large(core: Core, files: Files, offset: int, size: int, draft: Draft) -> bool:
    head = files.data.read_at(_HEAD_LENGTH, offset)
    cookie, _, found_size = decode_header(head)
    start, length = core.codec.data_extent(head)
    if cookie != draft.cookie or found_size != size or length != draft.body.length:
        return False
    stored = files.data.read_at(_CHECKSUM_LENGTH, offset + HEADER_LENGTH + size)
    if not checksum_matches(int.from_bytes(stored, "big"), draft.body.checksum):
        return False
    tail_start = start + length
    tail = files.data.read_at(core.codec.record_length(size) - tail_start, offset + tail_start)
    if is_expired(core, core.codec.decode_meta(head, tail, size)):
        return False
    return _same_bytes(files, offset + start, draft.body)


def _same_bytes(files: Files, at: int, body: Body) -> bool:
    for chunk in body.chunks():
        if files.data.read_at(len(chunk), at) != chunk:
            return False
        at += len(chunk)
    return True
