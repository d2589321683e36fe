"""Taking a file of a volume from another server, as it is pushed: shards mostly, and volumes that were decoded there.

Blocking, callable from any thread. Rules and texts are SeaweedFS 4.44's (``volume_grpc_copy.go`` ``ReceiveFile``), but
for this: the file is received aside and takes its place when it is whole, one at a time for each place, and the files
that a mounted volume works with are not replaced under it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.ec.staging import Staged, publish
from seaweedvol.server.copying import INDEX_EXTENSIONS, check_collection, check_extension
from seaweedvol.server.errors import Kind, Refused, words_of
from seaweedvol.server.finding import disk_for_shards
from seaweedvol.storage.volume.paths import base_name
from seaweedvol.store.names import name_of
from seaweedvol.store.placing import parse_disk_type, roomiest
from seaweedvol.store.shardfiles import paths_in

if TYPE_CHECKING:
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.store.location import Location
    from seaweedvol.store.store import Store

#: A file of a volume that is not mounted yet, and will be by another call.
STAGED: Final = ".copying"
_WORKED_WITH: Final = frozenset((".dat", ".idx", ".vif", ".ldb", ".sdx"))


@attrs.frozen
class Announced:
    """What file comes.

    :ivar disk_id: which directory an erasure-coded file is for; 0 for any.
    :ivar disk_type: of the directory for a file of a volume that is not here yet; "" where there is none such.
    """

    volume_id: VolumeId
    extension: str
    collection: str = ""
    is_ec_volume: bool = False
    disk_id: int = 0
    disk_type: str = ""


@attrs.frozen
class Received:
    """What became of it: the bytes that were written, or why none were (not an exception: it goes in the response)."""

    length: int = 0
    error: str = ""


def receive(store: Store, parts: Iterable[Announced | bytes | None]) -> Received:
    """Take files, each an announcement and then its bytes; None stands for a part of an unknown kind.

    When ``parts`` raises, nothing of the file that was on its way is left, and the error goes on.
    """
    incoming: _Incoming | None = None
    length = 0
    try:
        for part in parts:
            if isinstance(part, Announced):
                incoming = _exchanged(incoming, _place_for(store, part))
            elif part is None:
                raise Refused("unknown message type")
            elif incoming is None:
                raise Refused("file info must be sent first")
            else:
                incoming.write(part)
                length += len(part)
        _exchanged(incoming, None)
        incoming = None
    except Refused as error:
        return Received(error=str(error))
    finally:
        if incoming is not None:
            incoming.drop()
    return Received(length)


class _Incoming:
    """A file that is being written aside."""

    def __init__(self, path: str) -> None:
        self._path, self._length = path, 0
        try:
            self._file = Staged(path)
        except OSError as error:
            raise Refused(f"failed to create file: open {path}: {words_of(error)}") from error

    def write(self, data: bytes) -> None:
        """:raises Refused: when it cannot be written."""
        try:
            self._file.write_at(memoryview(data), self._length)
        except OSError as error:
            raise Refused(f"failed to write file: write {self._path}: {words_of(error)}") from error
        self._length += len(data)

    def publish(self) -> None:
        """:raises Refused: when it cannot be brought to the disk."""
        try:
            publish((self._file,))
            self._file.close()
        except OSError as error:
            raise Refused(f"failed to write file: sync {self._path}: {words_of(error)}") from error

    def drop(self) -> None:
        """Leave nothing of it."""
        self._file.discard()


def _exchanged(incoming: _Incoming | None, path: str | None) -> _Incoming | None:
    """The file that comes next, if any, when the one before is in its place."""
    if incoming is not None:
        try:
            incoming.publish()
        except Refused:
            incoming.drop()
            raise
    return None if path is None else _Incoming(path)


def _place_for(store: Store, wanted: Announced) -> str:
    """The path of the file.

    :raises Refused: when it has none.
    """
    check_extension(wanted.extension)
    check_collection(wanted.collection)
    name = base_name(wanted.collection, wanted.volume_id) + wanted.extension
    if wanted.is_ec_volume:
        return os.path.join(_for_shards(store, wanted).directory, name)
    volume = store.find(wanted.volume_id)
    if volume is None:
        return os.path.join(_for_staging(store, wanted).directory, name + STAGED)
    if wanted.extension in _WORKED_WITH:
        raise Refused(f"volume {wanted.volume_id} is mounted; unmount before ReceiveFile")
    paths = volume.paths
    return (paths.index_base if wanted.extension in INDEX_EXTENSIONS else paths.base) + wanted.extension


def _for_shards(store: Store, wanted: Announced) -> Location:
    mounted = store.erasure.holders(wanted.volume_id)
    if mounted:
        disks = " ".join(str(location.disk_id) for location, _ in mounted)
        raise Refused(
            f"ec volume {wanted.volume_id} is mounted on disk_ids:[{disks}]; unmount before ReceiveFile")
    return disk_for_shards(
        store, wanted.volume_id, wanted.collection, wanted.disk_id, no_room="no storage location available")


def _for_staging(store: Store, wanted: Announced) -> Location:
    if not wanted.disk_type:
        raise Refused(f"volume {wanted.volume_id} not found", Kind.ABSENT)
    disk_type = parse_disk_type(wanted.disk_type)

    def fits(location: Location) -> bool:
        return location.disk_type == disk_type and not _holds_shards(location, wanted)

    found = roomiest(store.locations, fits)
    if found is None:
        raise Refused(
            f"no {wanted.disk_type} disk location with a free slot for volume {wanted.volume_id}")
    return found


def _holds_shards(location: Location, wanted: Announced) -> bool:
    """Whether a shard lies there, or is served from there, that a volume must not lie beside."""
    if wanted.volume_id in location.ec_volumes:
        return True
    shards = paths_in(location, name_of(wanted.collection, wanted.volume_id)).shards()
    return any(os.path.getsize(path) for path in shards.values())
