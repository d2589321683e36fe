"""Handing the files of a volume to another server: what they are, and their bytes, block by block.

The receiver compares sizes and the compaction revision, so that it notices a volume that changed under the copy.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.server.errors import Refused, words_of
from seaweedvol.server.finding import find
from seaweedvol.storage.ids import VolumeId, go_quote
from seaweedvol.storage.volume.paths import base_name

if TYPE_CHECKING:
    from seaweedvol.pb.volume_server_pb2 import VolumeInfo
    from seaweedvol.store.store import Store

#: Go clients accept messages of 4 MiB at most, unless told otherwise.
BLOCK_LENGTH: Final = 2 << 20
ANY_REVISION: Final = 0xFFFFFFFF
INDEX_EXTENSIONS: Final = frozenset((".idx", ".cpx", ".ldb", ".cpldb", ".rdb"))
_EXTENSION = re.compile(r"\.[0-9A-Za-z]+\Z", re.ASCII)


@attrs.frozen
class CopyRequest:
    """Which file, and how much of it.

    :ivar stop_offset: bytes to send; 0 asks for the modification time only.
    :ivar compaction_revision: of the volume as the receiver knows it, or ANY_REVISION.
    :ivar ignore_missing: a file that is not there is an empty answer, not an error.
    """

    volume_id: VolumeId
    extension: str
    stop_offset: int
    compaction_revision: int = ANY_REVISION
    collection: str = ""
    is_ec_volume: bool = False
    ignore_missing: bool = False


@attrs.frozen
class CopyChunk:
    """Some bytes; the first chunk of a file also carries its modification time (ns since 1970), the others 0."""

    content: bytes | memoryview
    modified_ns: int


@attrs.frozen
class FileStatus:
    """The files of one volume as they are now; lengths in bytes, times in seconds since 1970."""

    data_length: int
    data_modified_at: int
    index_length: int
    index_modified_at: int
    file_count: int
    compaction_revision: int
    collection: str
    disk_type: str
    info: VolumeInfo
    version: int


def file_status(store: Store, volume_id: VolumeId) -> FileStatus:
    """What a receiver needs to know before it copies.

    :raises Refused: when the volume is not here.
    """
    volume = find(store, volume_id)
    modified_at = int(volume.modified_at)
    # First, so that beside a writer no row is counted whose record is not.
    index_length = volume.index_length
    return FileStatus(
        data_length=volume.data_length, data_modified_at=modified_at,
        # Go reports the time of the .dat for both files.
        index_length=index_length, index_modified_at=modified_at,
        file_count=volume.counts.file_count, compaction_revision=volume.compaction_revision,
        collection=volume.collection, disk_type=volume.location.disk_type,
        info=volume.info, version=volume.version,
    )


def copy_file(store: Store, request: CopyRequest) -> Iterator[CopyChunk]:
    """The bytes of one file of a volume, in blocks; an empty file is one empty chunk.

    :raises Refused: when the request is malformed, the volume is not here or was compacted meanwhile, or the file
        cannot be read. (Raised at the first ``next()``, or later when reading fails on the way.)
    """
    check_extension(request.extension)
    check_collection(request.collection)
    path = _ec_path(store, request) if request.is_ec_volume else _volume_path(store, request)
    if path is not None:
        yield from _blocks(path, request)


def check_extension(extension: str) -> None:
    """It becomes part of a path, in calls that are open to every peer: nothing but a dot, letters and digits.

    :raises Refused: when it is something else.
    """
    if not _EXTENSION.match(extension):
        raise Refused(f"invalid file extension {go_quote(extension)}")


def check_collection(collection: str) -> None:
    """It becomes part of a file name, so it must not be a path.

    :raises Refused: when it is one.
    """
    if collection in (".", "..") or "/" in collection or "\\" in collection:
        raise Refused(f"invalid collection {go_quote(collection)}")


def _volume_path(store: Store, request: CopyRequest) -> str:
    volume = find(store, request.volume_id)
    if request.compaction_revision not in (ANY_REVISION, volume.compaction_revision):
        raise Refused(f"volume {request.volume_id} is compacted")
    with contextlib.suppress(OSError):
        volume.sync()
    paths = volume.paths
    return (paths.index_base if request.extension in INDEX_EXTENSIONS else paths.base) + request.extension


def _ec_path(store: Store, request: CopyRequest) -> str | None:
    """The last directory that has the file; None when it is missing and may be."""
    name = base_name(request.collection, request.volume_id) + request.extension
    found = None
    for location in store.locations:
        for directory in (location.directory, location.index_directory):
            path = os.path.join(directory, name)
            if _may_be_there(path):
                found = path
    if found is None and not request.ignore_missing:
        raise Refused(f"CopyFile not found ec volume id {request.volume_id}")
    return found


def _may_be_there(path: str) -> bool:
    """As Go asks it: only what is certainly missing is; of all else, such as too long a name, opening will tell."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    except OSError:
        pass
    return True


def _blocks(path: str, request: CopyRequest) -> Iterator[CopyChunk]:
    # As Go converts it: what does not fit in a signed 64-bit number means "nothing", not "everything".
    left = request.stop_offset if request.stop_offset < 1 << 63 else 0
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        if request.ignore_missing or request.stop_offset == 0:
            return
        raise Refused(f"open {path}: no such file or directory") from None
    except OSError as error:
        raise Refused(f"open {path}: {words_of(error)}") from error
    try:
        modified_ns = os.fstat(descriptor).st_mtime_ns
        while left > 0 and (block := _read(descriptor, path)):
            yield CopyChunk(block[:left], modified_ns)
            modified_ns = 0
            left -= len(block)
        if modified_ns:
            yield CopyChunk(b"", modified_ns)
    finally:
        os.close(descriptor)


def _read(descriptor: int, path: str) -> bytes:
    try:
        return os.read(descriptor, BLOCK_LENGTH)
    except OSError as error:
        raise Refused(f"read {path}: {words_of(error)}") from error
