"""Whole records in the order of the .dat, for those who send them elsewhere; needs no lock and holds up nobody.

As ``ScanVolumeFileFrom`` in SeaweedFS ``volume_read.go``. The walk ends where the file ended when it began, and goes on
over the same bytes though the volume be compacted or closed meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import attrs

from seaweedvol.storage.errors import Corrupt
from seaweedvol.storage.format.checksum import checksum_matches, crc32c
from seaweedvol.storage.format.needle import HEADER_LENGTH, Needle, NeedleVersion, decode_header
from seaweedvol.storage.volume.core import Core

_WINDOW_LENGTH: Final = 1 << 20
#: How many records that are not given are passed over before the caller gets a word in.
_BREATH: Final = 256

ReadAt: TypeAlias = Callable[[int, int], bytes]
"""Length and offset to bytes, as :meth:`IVolumeFile.read_at`."""


@attrs.frozen
class RawRecord:
    """One record as it lies in the .dat; ``data`` is all of it, padding included."""

    offset: int
    cookie: int
    key: int
    size: int
    data: bytes


def mapped_needles(core: Core) -> Iterator[Needle | None]:
    """The needles that the map leads to, with their data; None now and then, so that nobody walks for long unheard.

    As in Go a needle is among them that was deleted and is still in the .dat: the map leads there too.

    Of a damaged one the checksum is that which is stored, not that of its data.

    :raises VolumeClosed: when the volume is closed already.
    :raises Corrupt: when what is there cannot be a record.
    :raises OSError: as the device says.
    """
    files = core.open_files()
    codec, limit, get = core.codec, core.offset_limit, files.needles.get
    passed = 0
    for record in raw_records(files.data.pinned(), codec, core.super_block.block_length, files.data.length()):
        found = get(record.key)
        if found is not None and found[0] == record.offset % limit:
            yield _decoded(record, codec)
            passed = 0
        else:
            passed += 1
            if passed == _BREATH:
                yield None
                passed = 0


def _decoded(record: RawRecord, codec: NeedleVersion) -> Needle:
    try:
        needle = codec.decode(record.data, record.size, verify=False)
    except Corrupt:
        return Needle(record.cookie, record.key, record.size)
    computed = crc32c(needle.data)
    if needle.checksum == computed or not checksum_matches(needle.checksum, computed):
        return needle
    return attrs.evolve(needle, checksum=computed)


def raw_records(read_at: ReadAt, codec: NeedleVersion, offset: int, end: int) -> Iterator[RawRecord]:
    """The records from ``offset`` on, where one must begin, as far as they are whole before ``end``.

    :raises Corrupt: when what is there cannot be a record.
    :raises OSError: as the device says.
    """
    window, at = b"", 0
    while offset + HEADER_LENGTH <= end:
        if len(window) - at < HEADER_LENGTH:
            window, at = read_at(min(_WINDOW_LENGTH, end - offset), offset), 0
            if len(window) < HEADER_LENGTH:
                return
        cookie, key, size = decode_header(window, at)
        if size < 0:
            raise Corrupt(f"cannot read needle header at offset {offset}: size {size}")
        length = codec.record_length(size)
        if offset + length > end:
            return
        if len(window) - at < length:
            window, at = read_at(min(max(_WINDOW_LENGTH, length), end - offset), offset), 0
            if len(window) < length:
                return
        yield RawRecord(offset, cookie, key, size, window[at:at + length])
        at += length
        offset += length
