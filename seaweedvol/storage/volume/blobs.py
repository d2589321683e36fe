"""Needles by where they lie instead of by key: whole records read, described and written, as peers repair each other.

As ``ReadNeedleBlob``, ``readNeedleMetaAt`` and ``WriteNeedleBlob`` in SeaweedFS ``volume_read.go`` and
``volume_write.go``. Offsets and sizes come from another server's .idx, so nothing here takes them on trust. Unlike Go,
which writes what it is given, only a whole and sound record is written: after anything else the .dat could not be
walked through any more.
"""

from __future__ import annotations

import struct

from seaweedvol.storage.errors import Corrupt, FormatError, VolumeFull
from seaweedvol.storage.format.index import ALIGNMENT, OffsetWidth
from seaweedvol.storage.format.needle import CHECKSUM_LENGTH, HEADER_LENGTH, TIME_LENGTH, Needle, decode_header
from seaweedvol.storage.volume.core import Core, Files
from seaweedvol.storage.volume.reading import MAX_META_LENGTH
from seaweedvol.storage.volume.syncing import GroupSync

_HEAD_LENGTH = HEADER_LENGTH + 4
_TIME = struct.Struct(">Q")


def read_blob(core: Core, offset: int, size: int) -> bytes:
    """The record at ``offset`` whose header says ``size``, as it lies there; nothing of it is checked.

    :raises Corrupt: when the .dat ends before the record does.
    :raises OSError: as the device says.
    """
    return _exactly(core, core.open_files(), core.codec.record_length(size), offset)


def read_meta(core: Core, offset: int, size: int) -> Needle:
    """The needle at ``offset`` without its data; a negative ``size``, as in the row of a deletion, is taken for 0.

    :raises Corrupt: when there is no such record.
    :raises OSError: as the device says.
    """
    size = max(size, 0)
    files = core.open_files()
    head = _exactly(core, files, _HEAD_LENGTH, offset)
    _, key, found = decode_header(head)
    if found != size:
        if core.width is not OffsetWidth.FOUR or offset >= core.offset_limit:
            raise Corrupt(
                f"size mismatch for entry at offset {offset}: found id {key:x} size {found}, expected size {size}")
        # In a .dat that outgrew its offsets they count from its middle again.
        return read_meta(core, offset + core.offset_limit, size)
    start, length = core.codec.data_extent(head)
    tail_length = core.codec.record_length(size) - start - length
    if not 0 <= tail_length <= MAX_META_LENGTH:
        raise Corrupt(f"invalid needle meta size {tail_length}: DataSize={length}, size={size}, offset={offset}")
    return core.codec.decode_meta(head, _exactly(core, files, tail_length, offset + start + length), size)


def write_blob(core: Core, group: GroupSync, key: int, blob: bytes, size: int) -> bool:
    """Append a record under ``key``, with an append time of its own (version 3); whatever was there is replaced.

    :param size: what the header of ``blob`` must say.
    :returns: False when the needle there has the same cookie and data already, and nothing was written.
    :raises VolumeReadOnly, VolumeClosed, VolumeFull: when the volume takes nothing.
    :raises Corrupt: when ``blob`` is not one sound record of this size.
    :raises OSError: when it could not be written; then nothing has changed.
    """
    with core.lock:
        core.gate.check_write()
        files = core.open_files()
        needle = _checked(core, key, blob, size)
        content = files.needles.counts.content_bytes
        offset = -(-files.data.length() // ALIGNMENT) * ALIGNMENT
        if content + len(blob) > core.offset_limit or offset >= core.offset_limit:
            core.note_fullness()
            raise VolumeFull(f"volume size limit {core.offset_limit} exceeded! current size is {content}")
        found = files.needles.get(key)
        if found is not None and found[1] == size and not group.is_pending(found[0]) and _holds(
                core, files, found[0], needle):
            return False
        _append(core, files, key, blob, size, offset)
    return True


def _exactly(core: Core, files: Files, length: int, offset: int) -> bytes:
    if offset < 0:
        raise FormatError(f"readat {files.data.path}: negative offset")
    if length < 0:
        raise FormatError(f"a record of {length} bytes")
    # Asked first: the length comes from a stranger, and memory is taken before anything is read.
    if offset + length > files.data.length():
        raise FormatError("EOF")
    try:
        data = files.data.read_at(length, offset)
    except OSError as error:
        core.note_error(error)
        raise
    if len(data) != length:
        raise FormatError("EOF")
    return data


def _checked(core: Core, key: int, blob: bytes, size: int) -> Needle:
    if len(blob) < HEADER_LENGTH:
        raise FormatError(f"needle {key} blob of {len(blob)} bytes is shorter than a needle header")
    _, _, found = decode_header(blob)
    if found != size:
        raise Corrupt(f"needle {key} size {size} does not match its blob header size {found}")
    if size < 0:
        raise Corrupt(f"needle {key} size {size} is none")
    time_end = HEADER_LENGTH + size + CHECKSUM_LENGTH + TIME_LENGTH
    if core.codec.number == 3 and len(blob) < time_end:
        raise FormatError(f"needle blob buffer too small: need {time_end} bytes, have {len(blob)}")
    length = core.codec.record_length(size)
    if len(blob) != length:
        raise FormatError(f"needle {key} blob of {len(blob)} bytes is no record, which has {length}")
    return core.codec.decode(blob, size)


def _holds(core: Core, files: Files, offset: int, needle: Needle) -> bool:
    try:
        record = _exactly(core, files, core.codec.record_length(needle.size), offset)
        there = core.codec.decode(record, needle.size)
    except (Corrupt, OSError):
        return False
    return (there.cookie, there.checksum, there.data) == (needle.cookie, needle.checksum, needle.data)


def _append(core: Core, files: Files, key: int, blob: bytes, size: int, offset: int) -> None:
    append_at_ns = max(core.now_ns(), core.last_append_at_ns + 1)
    if core.codec.number == 3:
        at = HEADER_LENGTH + size + CHECKSUM_LENGTH
        blob = blob[:at] + _TIME.pack(append_at_ns) + blob[at + TIME_LENGTH:]
    end = files.data.length()
    try:
        files.data.write_at(blob, offset)
        files.needles.put(key, offset % core.offset_limit, size)
    except Exception as error:
        core.take_back(files, end, error)
        raise
    core.note_success()
    core.last_append_at_ns = append_at_ns
