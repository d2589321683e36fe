"""Making a plain volume of its shards.

Rules and texts are SeaweedFS 4.44's (``volume_grpc_erasure_coding.go`` ``VolumeEcShardsToVolume``), but for this: any
shards will do if they are enough, deletions are collected from all servers that have shards, not only taken from the
journal that is here, and what was written to a volume since it was encoded is not overwritten.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

import attrs
import numpy

from seaweedvol.ec.decoding import decode as decode_files
from seaweedvol.ec.index import sorted_rows
from seaweedvol.server.ecdeletions import gather
from seaweedvol.server.errors import Kind, Refused, words_on_opening
from seaweedvol.server.stepping import stepwise
from seaweedvol.server.throttling import Throttle
from seaweedvol.storage.backend.disk import write_aside
from seaweedvol.storage.errors import NoLiveEntries, StorageError
from seaweedvol.storage.format.index import NUMPY_ENTRY
from seaweedvol.storage.format.volumeinfo import VolumeInfo, dump_volume_info
from seaweedvol.storage.volume.compacting import PART_LENGTH, Compaction

if TYPE_CHECKING:
    from seaweedvol.ec.volume import EcVolume
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.store.store import Store

_log = logging.getLogger(__name__)


def decode(server: VolumeServer, volume_id: VolumeId, collection: str) -> Generator[None, None, None]:
    """Make the .dat and the .idx, on a disk that has shards; the shards stay, and stay mounted. A plain volume of this
    id that is served beside them is replaced by what was made.

    :raises Refused: when there are not enough shards, nothing in them is alive, or they do not make a volume.
    """
    volume = _chosen(server.store, volume_id)
    if volume is None:
        raise Refused(f"ec volume {volume_id} not found", Kind.ABSENT)
    if volume.collection != collection:
        raise Refused(f"existing collection:{volume.collection} unexpected input: {collection}")
    shards = _shards_of(server.store, volume)
    with server.occupancy.of(volume_id):
        yield from gather(server, volume)
        with (_set_aside(server.store, volume) if _has_live(volume) else contextlib.nullcontext(),
              _expecting_deletions(server.store, volume_id)):
            yield from stepwise(server.store, lambda check: _decode(server, volume, shards, check))


@contextlib.contextmanager
def _expecting_deletions(store: Store, volume_id: VolumeId) -> Iterator[None]:
    """What is deleted from now on is deleted in what is made too, unless nothing is made."""
    is_new = store.erasure.late.expect(volume_id)
    try:
        yield
    except BaseException:
        if is_new:
            store.erasure.late.forget(volume_id)
        raise


def _has_live(volume: EcVolume) -> bool:
    rows = volume.index.table()
    live = rows["key"][rows["size"] >= 0].astype(numpy.uint64)
    deleted = numpy.array(volume.journal.keys(), numpy.uint64)
    return not bool(numpy.isin(live, deleted).all())


def _chosen(store: Store, volume_id: VolumeId) -> EcVolume | None:
    """The last disk that has the youngest encoding, or the one that has the plain volume too."""
    held = [volume for _, volume in store.erasure.holders(volume_id)]
    youngest = max((volume.encode_time_ns for volume in held), default=0)
    fitting = [volume for volume in held if volume.encode_time_ns == youngest]
    plain = store.find(volume_id)
    if plain is not None:
        fitting.sort(key=lambda volume: volume.paths.directory == str(plain.directory))
    return fitting[-1] if fitting else None


def _shards_of(store: Store, volume: EcVolume) -> dict[int, str]:
    found: dict[int, str] = {}
    for _, other in store.erasure.holders(volume.id):
        if other.encode_time_ns == volume.encode_time_ns:
            for shard in other.loaded():
                found.setdefault(shard.id, shard.path)
    if len(found) < volume.ratio.data:
        missing = next(number for number in range(volume.ratio.total) if number not in found)
        raise Refused(f"ec volume {volume.id} missing shard {missing}")
    return found


@contextlib.contextmanager
def _set_aside(store: Store, volume: EcVolume) -> Iterator[None]:
    """Nobody has the plain volume open meanwhile; who reads it reads the shards."""
    plain = store.find(volume.id)
    _check_unchanged(store, volume)
    if plain is None or str(plain.directory) != volume.paths.directory:
        yield
        return
    is_read_only, can_delete = plain.is_read_only, plain.no_write_can_delete
    store.unmount(volume.id)
    try:
        yield
    finally:
        store.mount(volume.id)
        if is_read_only:
            store.mark_read_only(volume.id, can_delete=can_delete)


def _check_unchanged(store: Store, volume: EcVolume) -> None:
    """:raises Refused: when a .dat is in the way that has what the shards do not."""
    path, length = volume.paths.data, volume.data_length
    plain = store.find(volume.id)
    if plain is not None and str(plain.directory) == volume.paths.directory:
        # Of an encoding by an older Go nobody knows how long the .dat was.
        has_more = plain.data_length != length if length else _has_others(volume)
    else:
        # One that is shorter is what an earlier decoding made, if nobody has written to it since.
        has_more = os.path.exists(path) and (0 < length < os.path.getsize(path) or _has_others(volume))
    if has_more:
        raise Refused(f"volume {volume.id} has changed since it was encoded: refusing to replace {path}")


def _has_others(volume: EcVolume) -> bool:
    """Whether an .idx here knows of needles that were not there when the shards were made."""
    return any(_is_of_others(base + ".idx", volume) for base in volume.paths.bases)


def _is_of_others(path: str, volume: EcVolume) -> bool:
    try:
        with open(path, "rb") as file:
            rows = numpy.frombuffer(sorted_rows(file.read(), volume.width), NUMPY_ENTRY[volume.width])
    except FileNotFoundError:
        return False
    table = volume.index.table()
    if not len(table):
        return bool(len(rows))
    at = numpy.searchsorted(table["key"].astype(numpy.uint64), rows["key"].astype(numpy.uint64))
    same = table[numpy.minimum(at, len(table) - 1)]
    is_known = (same["key"] == rows["key"]) & ((same["size"] == rows["size"]) | (same["size"] < 0))
    return not bool(is_known.all())


def _decode(
    server: VolumeServer, volume: EcVolume, shards: dict[int, str], check: Callable[[], None],
) -> None:
    throttle = Throttle(server.settings.maintenance_rate)
    wanted = Compaction(
        part_length=min(PART_LENGTH, throttle.step) if throttle.rate else PART_LENGTH, after_part=throttle.note,
        check=check, run=server.workers.run)
    paths = attrs.evolve(volume.paths, index_directory=os.path.dirname(volume.index.path))
    others = [other.paths.directory for _, other in server.store.erasure.holders(volume.id)]
    try:
        made = decode_files(
            paths, shards, volume.ratio, volume.width, data_length=volume.data_length, directories=others,
            wanted=wanted, report=_log.warning)
    except NoLiveEntries as error:
        raise Refused(str(error), Kind.PRECONDITION) from error
    except (StorageError, OSError) as error:
        raise Refused(f"WriteDatFile {paths.base}: {words_on_opening(error)}") from error
    if paths.found_info() is None:
        write_aside(paths.info, dump_volume_info(VolumeInfo(version=volume.version, bytes_offset=volume.width.bytes)))
    _log.info("ec volume %d is a plain one again, of %d needles", volume.id, made.count)
