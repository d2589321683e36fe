"""Removing shards, or all that an encoding left; texts and rules are SeaweedFS 4.44's
(``volume_grpc_erasure_coding.go``, ``VolumeEcShardsDelete``).

Blocking, callable from any thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from seaweedvol.server import ecfiles
from seaweedvol.server.copying import check_collection
from seaweedvol.server.errors import Refused, words_of
from seaweedvol.store.names import name_of
from seaweedvol.store.shardfiles import paths_in

if TYPE_CHECKING:
    from seaweedvol.ec.names import EcPaths
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.store.location import Location
    from seaweedvol.store.store import Store


def delete_shards(store: Store, volume_id: VolumeId, collection: str, shard_ids: Iterable[int]) -> None:
    """Remove shards, which should not be mounted; the index too, when no disk has shards of the volume any more.

    :raises Refused: when the collection is none.
    :raises OSError: when a file stays.
    """
    check_collection(collection)
    wanted = tuple(shard_ids)
    places = [(location, paths_in(location, name_of(collection, volume_id))) for location in store.locations]
    if not any(_has_others(paths, wanted) for _, paths in places):
        # With an index a start would take the shards that a crash leaves for the volume, and not the .dat beside them.
        ecfiles.remove([base + ".ecx" for _, paths in places for base in paths.bases])
    for _, paths in places:
        if ecfiles.remove_shards(paths, wanted) and not ecfiles.look(paths).shard_count:
            ecfiles.remove_sidecars(paths, beside_index=not _is_index_shared(places, paths))
    found = [(paths, ecfiles.look(paths)) for _, paths in places]
    if not any(presence.shard_count for _, presence in found):
        for paths, presence in found:
            ecfiles.remove_index(paths, presence)


def _has_others(paths: EcPaths, shard_ids: Iterable[int]) -> bool:
    return ecfiles.look(paths).shard_count > len({*paths.shards()} & {*shard_ids})


def _is_index_shared(places: list[tuple[Location, EcPaths]], paths: EcPaths) -> bool:
    """Whether a disk with the same directory for indexes still has shards of the volume."""
    return any(
        ecfiles.look(other).shard_count for _, other in places if other.index_directory == paths.index_directory)


def tear_down(store: Store, volume_id: VolumeId, collection: str, encode_time_ns: int = 0) -> None:
    """Remove every file of the volume's encodings from every disk, mounted or not; a plain volume stays.

    :param encode_time_ns: only from disks that are known to have an older encoding; 0: from all.
    :raises Refused: when a file stays.
    """
    check_collection(collection)
    places = [(location, paths_in(location, name_of(collection, volume_id))) for location in store.locations]
    kind = "full"
    if encode_time_ns:
        kind = "fenced"
        places = [place for place in places if 0 < ecfiles.generation_at(place[1]) < encode_time_ns]
    store.erasure.unload(volume_id, [location for location, _ in places])
    for location, paths in places:
        try:
            ecfiles.remove_all(paths)
        except OSError as error:
            raise Refused(f"{kind} teardown of ec volume {volume_id} on {location.directory}: "
                          f"remove {os.fsdecode(error.filename or '')}: {words_of(error)}"
                          ) from error
