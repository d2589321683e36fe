"""Making the shards of a volume, and making lost ones again.

Blocking generators: each gives None where it may be ended, see :mod:`~seaweedvol.server.stepping`. Rules and texts are
SeaweedFS 4.44's (``volume_grpc_erasure_coding.go``), but for this: a volume takes no changes while it is encoded (Go
encodes some of them), and what is made lies aside until it is whole.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING

import attrs

from seaweedvol.ec.encoding import encode
from seaweedvol.ec.index import write_sorted
from seaweedvol.ec.journal import fold
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.opening import width_of
from seaweedvol.ec.ratio import MAX_SHARDS, Ratio, ratio_of
from seaweedvol.ec.rebuilding import Rebuilt
from seaweedvol.ec.rebuilding import rebuild as rebuild_files
from seaweedvol.pb.volume_server_pb2 import EcShardConfig
from seaweedvol.server import ecfiles
from seaweedvol.server.copying import check_collection
from seaweedvol.server.errors import Refused, words_on_opening
from seaweedvol.server.finding import find_in_collection
from seaweedvol.server.stepping import stepwise
from seaweedvol.server.throttling import Throttle
from seaweedvol.storage import failpoints
from seaweedvol.storage.backend.disk import write_aside
from seaweedvol.storage.errors import FormatError, StorageError
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.volumeinfo import VolumeInfo, dump_volume_info, load_volume_info
from seaweedvol.store.names import name_of
from seaweedvol.store.shardfiles import paths_in

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.storage.volume.volume import Volume

_log = logging.getLogger(__name__)

Check = Callable[[], None]


# --- encoding

def generate(server: VolumeServer, volume_id: VolumeId, collection: str) -> Generator[None, None, None]:
    """Encode a volume that is served; all shards lie beside its .dat afterwards, none is mounted.

    What an earlier encoding left on this server is removed first.

    :raises Refused: when the volume is not here, or cannot be encoded; then nothing is left of it.
    :raises VolumeBusy: when it is being compacted.
    """
    volume = find_in_collection(server.store, volume_id, collection)
    with server.occupancy.of(volume_id), volume.leaving():
        yield from stepwise(server.store, lambda check: _encode(server, volume, check))


def _encode(server: VolumeServer, volume: Volume, check: Check) -> None:
    found = volume.paths
    paths = EcPaths(found.directory, found.index_directory, found.collection, found.volume_id)
    ratio = ratio_of(ecfiles.info_at(attrs.evolve(paths, index_directory=paths.directory)) or VolumeInfo())
    _wipe(server, volume.collection, volume.id)
    try:
        _write_shards(server, volume, paths, ratio, check)
        failpoints.reach("generate.index")
        # Last: shards beside a .dat and without an index are not all there were to be, and a start removes them. With
        # an index it would take them for the volume, be they ever so few.
        _write_index(volume, paths)
    except Exception:
        # Not the .vif: it is the volume's.
        ecfiles.remove([*(paths.shard(number) for number in range(MAX_SHARDS)), paths.index, *paths.sidecars()])
        raise


def _wipe(server: VolumeServer, collection: str, volume_id: VolumeId) -> None:
    """Nothing of an earlier encoding may meet this one, wherever it lies."""
    server.store.erasure.unload(volume_id)
    for location in server.store.locations:
        try:
            ecfiles.remove_all(paths_in(location, name_of(collection, volume_id)))
        except OSError as error:
            raise Refused(f"wipe stale EC artifacts for volume {volume_id} on {location.directory}: "
                          f"{words_on_opening(error)}") from error


def _write_index(volume: Volume, paths: EcPaths) -> None:
    try:
        volume.sync()
        write_sorted(paths.row_index, paths.index, volume.width)
    except (StorageError, OSError) as error:
        raise Refused(f"WriteSortedFileFromIdx {paths.index_base}: {words_on_opening(error)}") from error


def _write_shards(server: VolumeServer, volume: Volume, paths: EcPaths, ratio: Ratio, check: Check) -> None:
    try:
        encode(
            paths, ratio, data_length=volume.data_length, progress=lambda done: check(),
            throttle=Throttle(server.settings.maintenance_rate).note,
            before_publishing=lambda made: _write_info(volume, paths, ratio, made.data_length))
    except FileNotFoundError as error:
        # Of a volume whose data are in an object store.
        raise Refused(f"WriteEcFiles {paths.base}: failed to open dat file: {words_on_opening(error)}") from error
    except (StorageError, OSError) as error:
        raise Refused(f"WriteEcFiles {paths.base}: {words_on_opening(error)}") from error


def _write_info(volume: Volume, paths: EcPaths, ratio: Ratio, data_length: int) -> None:
    """Before there is any shard, so that none is ever there without its encoding being known."""
    failpoints.reach("generate.info")
    try:
        write_aside(paths.info, dump_volume_info(_info_of(volume, ratio, data_length)))
    except OSError as error:
        raise Refused(f"SaveVolumeInfo {paths.base}: {words_on_opening(error)}") from error


def _info_of(volume: Volume, ratio: Ratio, data_length: int) -> VolumeInfo:
    """The .vif goes with the shards: it tells one encoding from another. Go says nothing in it of the width of offsets,
    of which there is only one in each of its programs.
    """
    seconds = volume.ttl.seconds
    return VolumeInfo(
        version=volume.version, bytes_offset=volume.width.bytes if volume.width is OffsetWidth.FIVE else 0,
        dat_file_size=data_length, expire_at_sec=int(time.time()) + seconds if seconds else 0,
        ec_shard_config=EcShardConfig(
            data_shards=ratio.data, parity_shards=ratio.parity, encode_ts_ns=time.time_ns()))


# --- rebuilding

def rebuild(
    server: VolumeServer, volume_id: VolumeId, collection: str, *, ignores_sidecar: bool = False,
) -> Generator[None, None, Sequence[int]]:
    """Make the shards that no disk of this server has; nothing to do where there is no index.

    :param ignores_sidecar: trust shards that do not match their .ecsum.
    :returns: which were made.
    :raises Refused: when there are not enough, or they cannot be trusted; then nothing has changed.
    """
    check_collection(collection)
    places = _places(server, volume_id, collection)
    if not places:
        return ()
    with server.occupancy.of(volume_id):
        return (yield from stepwise(
            server.store, lambda check: _rebuild(server, places, ignores_sidecar, check))).shard_ids


def _places(server: VolumeServer, volume_id: VolumeId, collection: str) -> list[EcPaths]:
    """Where parts of the volume lie; first the disk with most shards of those that have an index, none if none has."""
    best: tuple[int, EcPaths] | None = None
    others = []
    for location in server.store.locations:
        paths = paths_in(location, name_of(collection, volume_id))
        count = ecfiles.look(paths).shard_count
        found = paths.found()
        if found is not None and (best is None or count > best[0]):
            others += [best[1]] if best else []
            best = count, found
        elif count or found is not None:
            others.append(paths)
    return [best[1], *others] if best else []


def _rebuild(server: VolumeServer, places: Sequence[EcPaths], ignores_sidecar: bool, check: Check) -> Rebuilt:
    paths, others = places[0], [place.directory for place in places[1:]]
    info = _info_beside(paths)
    try:
        made = rebuild_files(
            paths, ratio_of(info), others, data_length=info.dat_file_size, ignores_sidecar=ignores_sidecar,
            report=_log.warning, progress=lambda done: check(),
            throttle=Throttle(server.settings.maintenance_rate).note)
    except (StorageError, OSError) as error:
        raise Refused(f"RebuildEcFiles {paths.base}: {words_on_opening(error)}") from error
    # Shards that are served are read from the files that are there now.
    server.store.erasure.reopen(paths.volume_id, made.replaced)
    failpoints.reach("rebuild.fold")
    try:
        fold(paths.index, paths.journal, width_of(info, paths.index, server.store.locations[0].width))
    except (StorageError, OSError) as error:
        raise Refused(f"RebuildEcxFile {paths.index_base}: {words_on_opening(error)}") from error
    return made


def _info_beside(paths: EcPaths) -> VolumeInfo:
    """What the .vif says; one that nobody understands may name another ratio than the usual one.

    :raises Refused: when there is such a one.
    """
    path = paths.found_info()
    if path is None:
        return VolumeInfo()
    try:
        with open(path, "rb") as file:
            return load_volume_info(file.read())
    except (FormatError, OSError) as error:
        raise Refused(f"RebuildEcFiles {paths.base}: RebuildEcFiles {paths.base}: cannot load .vif: "
                      f"{words_on_opening(error)}") from error
