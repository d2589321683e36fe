"""Opening needles too large to be glanced at, without waiting: what is known of them, and where their data lie.

The companion of ``glancing``: what is not at hand, or odd, gives None, and ``reading`` looks again.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from seaweedvol.storage.format.checksum import checksum_matches, crc32c
from seaweedvol.storage.format.needle import FLAG_TTL, HEADER_LENGTH
from seaweedvol.storage.volume.core import Core
from seaweedvol.storage.volume.glancing import GLANCE_LENGTH
from seaweedvol.storage.volume.reading import PAGED_ABOVE

if TYPE_CHECKING:
    from seaweedvol.storage.backend.interfaces import IPinnedDescriptor, IVolumeFile

_DATA_START: Final = HEADER_LENGTH + 4
_MAX_TAIL: Final = 2048
# Needles of a volume whose heads are remembered; of those alone that are not verified as a whole at each read.
MAX_OPENED: Final = 256
# One thread opens needles, so there is one of each; what is in them is used before the next is opened.
_HEAD: Final = memoryview(bytearray(_DATA_START))
_TAIL: Final = memoryview(bytearray(_MAX_TAIL))
_DATA: Final = memoryview(bytearray(PAGED_ABOVE))

_UNPACK_HEAD = struct.Struct(">IQiI").unpack_from
_UNPACK_CHECKSUM = struct.Struct(">I").unpack_from


class OpenNeedle:
    """A large needle.

    :ivar size: what header and index say.
    :ivar checksum: the CRC32C of the data; as it is stored, unless it was verified.
    :ivar is_verified: whether the data were compared with it, which is done for needles that ``reading`` would hand
        out whole. Of a longer one, whoever sends all of it compares.
    :ivar length: bytes of data.
    :ivar fields: as they stand in the record.
    :ivar start: where in the .dat the data begin.
    :ivar disk: to be told how reading them goes, by whoever does it by himself.
    """

    __slots__ = ("cookie", "size", "checksum", "is_verified", "length", "fields", "start", "disk", "_file")

    def __init__(self, cookie: int, size: int, length: int, fields: bytes, start: int, file: IVolumeFile,
                 disk: Core) -> None:
        self.cookie, self.size, self.length = cookie, size, length
        self.fields, self.start, self._file, self.disk = fields, start, file, disk
        self.checksum = 0
        self.is_verified = False

    def data_now(self, offset: int, length: int) -> memoryview | None:
        """Some of the data, at most as many as a needle has that is read whole; None when they are not at hand. They
        are good until the next call.

        :raises OSError: as the device says.
        """
        view = _DATA[:length]
        return view if self._file.read_now(view, self.start + offset) == length else None

    def pinned(self) -> IPinnedDescriptor | None:
        """The open .dat.

        :raises OSError: when it has been closed.
        """
        return self._file.pinned_descriptor()


def open_now(core: Core, key: int) -> OpenNeedle | None:
    """A live needle beyond the length that a glance takes, without a time to live; for one thread only.

    :raises OSError: where ``reading`` would, perhaps; it is to be asked.
    """
    files = core.files
    if files is None or files.needles.may_wait:
        return None
    found = files.needles.get(key)
    codec = core.codec
    if found is None or found[1] <= GLANCE_LENGTH or not found[0] or codec.data_offset != _DATA_START:
        return None
    offset, size = found
    file = files.data
    before = files.opened.get(key)
    if before is not None and before[0] == found:
        _, cookie, length, fields, checksum = before
        opened = OpenNeedle(cookie, size, length, fields, offset + _DATA_START, file, core)
        opened.checksum = checksum
        return opened
    if file.read_now(_HEAD, offset) != _DATA_START:
        return None
    cookie, found_key, found_size, length = _UNPACK_HEAD(_HEAD)
    fields_length = size - 4 - length
    footer = codec.footer_length
    if found_key != key or found_size != size or not 0 < fields_length <= _MAX_TAIL - footer:
        return None
    tail = _TAIL[:fields_length + footer]
    start = offset + _DATA_START
    if file.read_now(tail, start + length) != len(tail) or tail[0] & FLAG_TTL:
        return None
    opened = OpenNeedle(cookie, size, length, bytes(tail[:fields_length]), start, file, core)
    opened.checksum, = _UNPACK_CHECKSUM(tail, fields_length)
    if size <= PAGED_ABOVE:
        return opened if _verify(opened) else None
    if len(files.opened) >= MAX_OPENED:
        files.opened.clear()
    files.opened[key] = found, cookie, length, opened.fields, opened.checksum
    return opened


def _verify(opened: OpenNeedle) -> bool:
    data = opened.data_now(0, opened.length)
    if data is None:
        return False
    computed = crc32c(data)
    opened.is_verified = checksum_matches(opened.checksum, computed)
    opened.checksum = computed
    return opened.is_verified
