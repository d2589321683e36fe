"""Reading what is at hand: needles whose bytes lie in the page cache, without waiting for a disk or a lock.

The road of most GETs. Whatever is unusual here (a cold page, an odd record, a wrong checksum, a needle being replaced)
is no error but :data:`ELSEWHERE`: ``reading`` looks again, may wait, and says what is wrong. What *is* answered here
is answered as ``reading`` would: the checksum of all data is verified, a needle whose time is over is none.
"""

from __future__ import annotations

import struct
from typing import Final

from seaweedvol.storage.format.checksum import checksum_matches, crc32c
from seaweedvol.storage.format.fields import decode_fields
from seaweedvol.storage.format.needle import FLAG_TTL, HEADER_LENGTH, Needle
from seaweedvol.storage.volume.core import Core
from seaweedvol.storage.volume.expiry import is_expired

# Room for the longest record that is read in one piece, beside its data: header, fields of usual length, footer.
GLANCE_LENGTH: Final = 64 << 10
_OVERHEAD: Final = 1 << 10
_DATA_START: Final = HEADER_LENGTH + 4
_CHECKSUM_AND_TIME: Final = 12

_HEAD = struct.Struct(">IQiI").unpack_from
_CHECKSUM = struct.Struct(">I").unpack_from
_TIME = struct.Struct(">Q").unpack_from


class Verdict:
    """What a glance can say instead of giving a needle."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


MISSING: Final = Verdict("MISSING")
"""There is no such needle, or its time is over."""
DELETED: Final = Verdict("DELETED")
"""There was such a needle."""
ELSEWHERE: Final = Verdict("ELSEWHERE")
"""Ask :mod:`reading`, in a thread."""

Glimpse = tuple[int, int, memoryview, bytes]
"""Cookie, CRC32C, data, fields as they stand in the record. The data are good until the next glance."""


class Glancer:
    """Reads one record at a time into a buffer of its own; so there is one for each thread that reads."""

    __slots__ = ("_buffer", "_view")

    def __init__(self) -> None:
        self._buffer = bytearray(GLANCE_LENGTH + _OVERHEAD)
        self._view = memoryview(self._buffer)

    def glance(self, core: Core, key: int) -> Glimpse | Verdict:
        """The needle, verified; or what there is to say of it.

        One long function: it runs for every GET, and each call within costs as much as a line of it.
        """
        files = core.files
        if files is None or files.needles.may_wait:
            return ELSEWHERE
        found = files.needles.get(key)
        if found is None:
            return MISSING
        offset, size = found
        if size <= 0 or size > GLANCE_LENGTH or not offset:
            return DELETED if size < 0 else ELSEWHERE
        codec = core.codec
        if codec.data_offset != _DATA_START:
            return ELSEWHERE
        buffer, view = self._buffer, self._view
        footer = HEADER_LENGTH + size
        try:
            if files.data.read_now(view[:footer + _CHECKSUM_AND_TIME], offset) < footer + codec.footer_length:
                return ELSEWHERE
        except OSError:
            return ELSEWHERE
        cookie, found_key, found_size, data_length = _HEAD(buffer)
        data_end = _DATA_START + data_length
        if found_key != key or found_size != size or not data_length or data_end >= footer:
            return ELSEWHERE
        data = view[_DATA_START:data_end]
        checksum = crc32c(data)
        stored, = _CHECKSUM(buffer, footer)
        if stored != checksum and not checksum_matches(stored, checksum):
            return ELSEWHERE
        if buffer[data_end] & FLAG_TTL and self._is_expired(core, data_end, footer):
            return MISSING
        if core.faults.count:
            core.note_success()
        return cookie, checksum, data, bytes(view[data_end:footer])

    def _is_expired(self, core: Core, data_end: int, footer: int) -> bool:
        fields = decode_fields(bytes(self._view[data_end:footer]), 0, footer - data_end)
        append_at_ns = _TIME(self._buffer, footer + 4)[0] if core.codec.number == 3 else 0
        return is_expired(core, Needle(0, 0, 1, b"", 1, *fields, 0, append_at_ns))
