"""Opening needles too large to be glanced at, without waiting: what is known of them, and where their data lie.

The companion of ``glancing``: what is not at hand, or odd, gives None, and ``reading`` looks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.storage.errors import Corrupt
from seaweedvol.storage.format.checksum import checksum_matches, crc32c
from seaweedvol.storage.format.needle import HEADER_LENGTH, Needle
from seaweedvol.storage.volume.core import Core
from seaweedvol.storage.volume.expiry import is_expired
from seaweedvol.storage.volume.glancing import GLANCE_LENGTH
from seaweedvol.storage.volume.reading import PAGED_ABOVE

if TYPE_CHECKING:
    from seaweedvol.storage.backend.interfaces import IPinnedDescriptor, IVolumeFile

_HEAD_LENGTH: Final = HEADER_LENGTH + 4
_MAX_TAIL: Final = 2048
_BUFFER: Final = memoryview(bytearray(PAGED_ABOVE))


@attrs.frozen(eq=False)
class OpenNeedle:
    """A large needle.

    :ivar meta: all but its data; the checksum is the stored one.
    :ivar fields: as they stand in the record.
    :ivar is_verified: whether the data were compared with their checksum, which is done for needles that ``reading``
        would hand out whole. Of a longer one, whoever sends all of it compares.
    :ivar file: holds the data, from ``start`` on.
    """

    meta: Needle
    fields: bytes
    is_verified: bool
    file: IPinnedDescriptor
    start: int
    _data: IVolumeFile

    def data_now(self, offset: int, length: int) -> bytes | None:
        """Some of the data, at most as many as a needle has that is read whole; None when they are not at hand."""
        return _bytes_now(self._data, self.start + offset, length)


def open_now(core: Core, key: int) -> OpenNeedle | None:
    """A live needle beyond the length that a glance takes; for one thread only.

    :raises OSError, Corrupt: where ``reading`` would, perhaps; it is to be asked.
    """
    files = core.files
    found = files.needles.get(key) if files is not None and not files.needles.may_wait else None
    if files is None or found is None or found[1] <= GLANCE_LENGTH or core.is_remote or not found[0]:
        return None
    offset, size = found
    file = files.data.pinned_descriptor()
    head = _bytes_now(files.data, offset, _HEAD_LENGTH)
    if file is None or head is None:
        return None
    start, length = core.codec.data_extent(head)
    tail_length = core.codec.record_length(size) - start - length
    if not 0 <= tail_length <= _MAX_TAIL:
        return None
    tail = _bytes_now(files.data, offset + start + length, tail_length)
    if tail is None:
        return None
    meta = core.codec.decode_meta(head, tail, size)
    if meta.key != key or is_expired(core, meta):
        return None
    is_whole = size <= PAGED_ABOVE
    if is_whole and not _is_right(files.data, offset + start, length, meta.checksum):
        return None
    fields = tail[:HEADER_LENGTH + size - start - length]
    return OpenNeedle(meta, fields, is_whole, file, offset + start, files.data)


def _bytes_now(file: IVolumeFile, offset: int, length: int) -> bytes | None:
    view = _BUFFER[:length]
    return bytes(view) if file.read_now(view, offset) == length else None


def _is_right(file: IVolumeFile, offset: int, length: int, checksum: int) -> bool:
    view = _BUFFER[:length]
    if file.read_now(view, offset) != length:
        return False
    if not checksum_matches(checksum, crc32c(view)):
        raise Corrupt("the data are not those of their checksum")
    return True
