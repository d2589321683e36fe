"""Reading needles, without a lock; as in SeaweedFS ``volume_read.go``.

A reader beside a writer may meet an offset that has just been replaced or cut off. Whatever then looks corrupt is
looked up and read once more with the writer kept out, before it is called corrupt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from seaweedvol.storage.errors import Corrupt, NeedleDeleted, NeedleNotFound, SizeMismatch, VolumeClosed
from seaweedvol.storage.format.index import TOMBSTONE_SIZE, OffsetWidth
from seaweedvol.storage.format.needle import FLAG_TTL, HEADER_LENGTH, Needle
from seaweedvol.storage.volume.core import Core, Files
from seaweedvol.storage.volume.expiry import check_expiry

PAGED_ABOVE: Final = 1 << 20
MAX_META_LENGTH: Final = 128 * 1024
_HEAD_LENGTH: Final = HEADER_LENGTH + 4


@attrs.frozen(eq=False)
class PagedNeedle:
    """A needle too large to be held in memory: what is known of it, and a way to its data.

    It stays readable, and stays what it was, though the needle be deleted or the volume compacted or closed.
    """

    meta: Needle
    _data_start: int
    _read_at: Callable[[int, int], bytes]
    _core: Core

    @property
    def checksum(self) -> int:
        """The stored CRC32C of all data; may be in the legacy masked form."""
        return self.meta.checksum

    def read(self, offset: int, length: int) -> bytes:
        """``length`` bytes of the data from ``offset``, fewer only at their end.

        :raises Corrupt: when the file ends within the data.
        """
        length = min(length, self.meta.data_size - offset)
        if length <= 0:
            return b""
        data = _read(self._core, self._read_at, length, self._data_start + offset)
        if len(data) != length:
            raise Corrupt(f"needle {self.meta.key:x} is cut short at {offset + len(data)}")
        return data


def read_needle(core: Core, key: int, *, read_deleted: bool) -> Needle:
    """The whole needle, its checksum verified; one of size 0 without cookie, which therefore fits any.

    :raises NeedleNotFound: when there is none, or it was deleted, or its time is over (each a type of its own).
    :raises Corrupt: when the bytes are not what they must be.
    """
    try:
        needle = _expected(_read_whole(core, key, read_deleted), key)
    except Corrupt:
        with core.lock:
            needle = _read_whole(core, key, read_deleted)
    if needle.flags & FLAG_TTL:
        check_expiry(core, needle)
    return needle


def open_needle(core: Core, key: int, *, read_deleted: bool, paged_above: int = PAGED_ABOVE) -> Needle | PagedNeedle:
    """As :func:`read_needle`, but larger needles are left on disk, except manifests, which are parsed anyway."""
    try:
        paged = _open_paged(core, key, read_deleted, paged_above)
        if paged is not None:
            _expected(paged.meta, key)
    except Corrupt:
        with core.lock:
            paged = _open_paged(core, key, read_deleted, paged_above)
    if paged is None or paged.meta.is_manifest:
        return read_needle(core, key, read_deleted=read_deleted)
    check_expiry(core, paged.meta)
    return paged


def _files(core: Core) -> Files:
    files = core.files
    if files is None:
        # As Go: the volume is being unmounted, and the caller will look for it elsewhere.
        raise NeedleNotFound()
    return files


def _reader(files: Files) -> Callable[[int, int], bytes]:
    try:
        return files.data.pinned()
    except OSError:
        # Closed since the files were taken; as if it had been before.
        raise NeedleNotFound() from None


def _locate(core: Core, files: Files, key: int, read_deleted: bool) -> tuple[int, int]:
    try:
        found = files.needles.get(key)
    except VolumeClosed:
        if core.files is not None and core.files is not files:
            # Compacted since the files were taken: there are others to look in.
            raise Corrupt("the files were replaced") from None
        raise NeedleNotFound() from None
    if found is None or not found[0]:
        raise NeedleNotFound()
    offset, size = found
    if size < 0:
        if not read_deleted or size == TOMBSTONE_SIZE:
            raise NeedleDeleted()
        size = -size
    return offset, size


def _read(core: Core, read_at: Callable[[int, int], bytes], length: int, offset: int) -> bytes:
    try:
        data = read_at(length, offset)
    except OSError as error:
        core.note_error(error)
        raise
    if core.faults.count:
        core.note_success()
    return data


def _read_whole(core: Core, key: int, read_deleted: bool) -> Needle:
    files = _files(core)
    offset, size = _locate(core, files, key, read_deleted)
    if not size:
        return Needle(0, key)
    codec = core.codec
    length = codec.record_length(size)
    read_at = _reader(files)
    try:
        needle = codec.decode(_read(core, read_at, length, offset), size)
    except SizeMismatch:
        needle = codec.decode(_read(core, read_at, length, _outgrown(core, files, offset)), size)
    return needle


def _expected(needle: Needle, key: int) -> Needle:
    """A needle that a look-up without the lock led to.

    :raises Corrupt: when it is another's: the look-up may have mixed two moments, and is repeated with the lock. What
        is found then counts: a record that was copied to a new key keeps the old one within, as in Go.
    """
    if needle.key != key:
        raise Corrupt(f"index leads for needle {key:x} to needle {needle.key:x}")
    return needle


def _outgrown(core: Core, files: Files, offset: int) -> int:
    """Where the record is if the .dat grew beyond what 4 bytes of offset reach, which then count from there again.

    :raises SizeMismatch: when it did not.
    """
    limit = core.offset_limit
    if core.width is not OffsetWidth.FOUR or offset + limit >= files.data.length():
        raise SizeMismatch("size mismatch")
    return offset + limit


def _open_paged(core: Core, key: int, read_deleted: bool, paged_above: int) -> PagedNeedle | None:
    files = _files(core)
    offset, size = _locate(core, files, key, read_deleted)
    if size <= paged_above:
        return None
    read_at = _reader(files)
    try:
        return _paged_at(core, read_at, offset, size)
    except SizeMismatch:
        return _paged_at(core, read_at, _outgrown(core, files, offset), size)


def _paged_at(core: Core, read_at: Callable[[int, int], bytes], offset: int, size: int) -> PagedNeedle:
    codec = core.codec
    head = _read(core, read_at, _HEAD_LENGTH, offset)
    start, length = codec.data_extent(head)
    tail_length = codec.record_length(size) - start - length
    if not 0 <= tail_length <= MAX_META_LENGTH:
        raise SizeMismatch(f"invalid needle meta size {tail_length}: DataSize={length}, size={size}, offset={offset}")
    tail = _read(core, read_at, tail_length, offset + start + length)
    meta = codec.decode_meta(head, tail, size)
    return PagedNeedle(meta, offset + start, read_at, core)
