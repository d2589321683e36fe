"""Taking over a whole volume from another server.

Blocking, callable from any thread. Texts of refusals are SeaweedFS 4.44's (``volume_grpc_copy.go`` ``VolumeCopy``).
What differs: the files are copied aside, compared with what the other server says (sizes, and records by a sample), and
only then take their places; a volume of the same id that is here stays, and is served, until that moment.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.server.copying import CopyRequest, FileStatus, check_collection
from seaweedvol.server.errors import Refused, words_of
from seaweedvol.server.interfaces import ISources, RemoteCallFailed
from seaweedvol.server.throttling import Throttle
from seaweedvol.storage.errors import Corrupt, StorageError
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS, NeedleVersion
from seaweedvol.storage.volume.arriving import Arrival
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.tailing import last_append_at
from seaweedvol.storage.volume.vouching import vouch
from seaweedvol.store.diskspace import disk_status
from seaweedvol.store.placing import parse_disk_type, roomiest
from seaweedvol.store.replacing import replace

if TYPE_CHECKING:
    from seaweedvol.storage.backend import DiskFile
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.store.location import Location
    from seaweedvol.store.store import Store

_log = logging.getLogger(__name__)

REPORT_INTERVAL: Final = 128 << 20
_INFO_LENGTH: Final = 1 << 20


@attrs.frozen
class Move:
    """Which volume, from where, and to what kind of disk.

    :ivar source: ``host:port`` or ``host:port.grpcPort``.
    :ivar disk_type: "" for that of the source.
    :ivar rate: bytes in a second; 0 for no limit.
    """

    volume_id: VolumeId
    source: str
    collection: str = ""
    disk_type: str = ""
    rate: int = 0


@attrs.frozen
class Progress:
    """How far it is: bytes of the .dat so far, or at the end when the last record was appended (ns)."""

    length: int = 0
    last_append_at_ns: int = 0


def copy_volume(store: Store, sources: ISources, move: Move) -> Iterator[Progress | None]:
    """Copy the volume and serve it. Progress now and then, and at the end; None where the caller may look whether
    anybody still listens. Who closes the iterator leaves everything as it was.

    :raises Refused: when it cannot be taken, or what came is not what was sent.
    :raises RemoteCallFailed: when the source refuses, or is gone.
    :raises StorageError, OSError: when it cannot be written, or not be served afterwards.
    """
    try:
        status = sources.file_status(move.source, move.volume_id)
    except RemoteCallFailed as error:
        raise RemoteCallFailed(f"read volume file status failed, {error}", code=error.code) from error
    check_collection(status.collection)
    location = _place_for(store, move, status)
    arrival = Arrival(VolumePaths(
        str(location.directory), str(location.index_directory), status.collection, move.volume_id))
    try:
        copy = _Copy(sources, move, status, arrival, _width(status, location))
        yield from copy.run(store.volume_size_limit if store.is_preallocating else 0)
        copy.check()
        last_ns = copy.last_append_at_ns()
        replace(store, location, arrival, f"copying from {move.source}")
    finally:
        arrival.drop()
    yield Progress(last_append_at_ns=last_ns)


def _place_for(store: Store, move: Move, status: FileStatus) -> Location:
    disk_type = parse_disk_type(move.disk_type or status.disk_type)
    # Of a volume in an object store only the index comes.
    needed = status.index_length if status.info.files else status.data_length

    def fits(location: Location) -> bool:
        room = location.min_free.available(disk_status(location.directory))
        return location.disk_type == disk_type and room > needed

    leaving = [location for location in store.locations if move.volume_id in location.volumes]
    found = roomiest(store.locations, fits, leaving=leaving)
    if found is None:
        raise Refused(f"no space left for disk type {disk_type or 'hdd'}")
    return found


def _width(status: FileStatus, location: Location) -> OffsetWidth:
    try:
        return OffsetWidth(status.info.bytes_offset)
    except ValueError:
        return location.width


@attrs.define(eq=False)
class _Copy:
    """One copy under way."""

    _sources: ISources
    _move: Move
    _status: FileStatus
    _arrival: Arrival
    _width: OffsetWidth

    @property
    def _is_remote(self) -> bool:
        return bool(self._status.info.files)

    @property
    def _codec(self) -> NeedleVersion:
        codec = NEEDLE_VERSIONS.get(self._status.version)
        if codec is None:
            raise Refused(f"volume {self._move.volume_id} is of version {self._status.version}")
        return codec

    # -- fetching

    def run(self, preallocate: int) -> Iterator[Progress | None]:
        """All files that there are."""
        throttle = Throttle(self._move.rate)
        if not self._is_remote:
            yield from self._fetch(".dat", self._status.data_length, throttle, preallocate, may_be_missing=True)
        yield from self._fetch(".idx", self._status.index_length, throttle)
        yield from self._fetch(".vif", _INFO_LENGTH, throttle, may_be_missing=True)

    def _fetch(
        self, extension: str, length: int, throttle: Throttle, preallocate: int = 0, *, may_be_missing: bool = False,
    ) -> Iterator[Progress | None]:
        move = self._move
        request = CopyRequest(
            move.volume_id, extension, length, self._status.compaction_revision, move.collection,
            ignore_missing=may_be_missing)
        try:
            file = self._arrival.open(extension)
        except OSError as error:
            place = self._arrival.place_of(extension)
            raise Refused(f"failed to copy {place} file: open file {place}: {words_of(error)}") from error
        with contextlib.closing(file):
            if preallocate:
                file.reserve(preallocate)
            with ThreadPoolExecutor(1, thread_name_prefix="sync") as syncing:
                yield from self._receive(file, extension, request, throttle, syncing)

    def _receive(
        self, file: DiskFile, extension: str, request: CopyRequest, throttle: Throttle, syncing: Executor,
    ) -> Iterator[Progress | None]:
        place, modified_ns, told_at = self._arrival.place_of(extension), 0, REPORT_INTERVAL
        synced: Future[None] | None = None
        try:
            for chunk in self._sources.copy_file(self._move.source, request):
                modified_ns = modified_ns or chunk.modified_ns
                file.write_at(chunk.content, file.length())
                if extension == ".dat" and file.length() > told_at:
                    told_at = file.length() + REPORT_INTERVAL
                    # Beside the next bytes: the disk need not wait until all are there. Whether it could write is
                    # said once only, so it must be heard.
                    if synced is not None:
                        synced.result()
                    synced = syncing.submit(file.sync)
                    yield Progress(file.length())
                yield None
                throttle.note(len(chunk.content))
            if synced is not None:
                synced.result()
            file.sync()
        except RemoteCallFailed as error:
            raise RemoteCallFailed(
                f"failed to copy {place} file: receiving {place}: {error}", code=error.code) from error
        except OSError as error:
            raise Refused(f"failed to copy {place} file: write file {place}: {words_of(error)}") from error
        if modified_ns:
            os.utime(file.path, ns=(modified_ns, modified_ns))
        else:
            # No time means no file: an empty one has a time too.
            self._arrival.forget(extension)

    # -- comparing

    def check(self) -> None:
        """Whether what came is what was sent.

        :raises Refused: when it is not.
        """
        self._check_length(".idx", self._status.index_length)
        if self._is_remote:
            return
        self._check_length(".dat", self._status.data_length)
        if not os.path.exists(self._arrival.aside(".idx")):
            return
        try:
            doubtful = vouch(*self._asides(), self._codec, self._width)
        except Corrupt as error:
            raise Refused(f"volume {self._move.volume_id} from {self._move.source}: {error}") from error
        for offset, size in doubtful:
            self._check_damage(offset, size)

    def _check_length(self, extension: str, expected: int) -> None:
        place = self._arrival.place_of(extension)
        try:
            length = os.path.getsize(self._arrival.aside(extension))
        except FileNotFoundError:
            if extension == ".idx" and not expected:
                return
            kind = f"stat idx file {place} failed:" if extension == ".idx" else "get dat file info failed,"
            raise Refused(f"{kind} stat {place}: no such file or directory") from None
        if length != expected:
            kind = f"idx file {place}" if extension == ".idx" else "the dat file"
            raise Refused(f"{kind} size [{length}] is not same as origin file size [{expected}]")

    def _check_damage(self, offset: int, size: int) -> None:
        """A damaged record may have been sent as it is: the other server is asked for that record once more."""
        volume_id, source = self._move.volume_id, self._move.source
        there = self._sources.read_blob(source, volume_id, offset, size)
        with open(self._arrival.aside(".dat"), "rb") as file:
            file.seek(offset)
            if file.read(len(there)) != there:
                raise Refused(f"volume {volume_id} from {source}: the record at {offset} was damaged on its way")
        _log.warning("volume %d: the record at %d is damaged at %s already", volume_id, offset, source)

    def last_append_at_ns(self) -> int:
        """When the last record was appended; when the .dat was changed, where no record says."""
        modified_ns = self._status.data_modified_at * 10**9
        if self._is_remote:
            return modified_ns
        try:
            return last_append_at(*self._asides(), self._codec, self._width) or modified_ns
        except (StorageError, OSError):
            return modified_ns

    def _asides(self) -> tuple[str, str]:
        return self._arrival.aside(".idx"), self._arrival.aside(".dat")
