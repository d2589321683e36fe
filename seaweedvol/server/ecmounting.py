"""Serving shards, and serving them no more; what is served; and an index for shards that have none.

Texts are SeaweedFS 4.44's (``volume_grpc_erasure_coding.go`` and ``_recover.go``), but for this: shards that get their
index from another server get the deletions that any server knows of, not those of one.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import attrs
import numpy

from seaweedvol.config.address import ServerAddress
from seaweedvol.ec.names import EcPaths
from seaweedvol.server.copying import check_collection
from seaweedvol.server.ecfiles import generation_at
from seaweedvol.server.errors import Refused
from seaweedvol.server.interfaces import RemoteCallFailed
from seaweedvol.server.shardcopying import Fetch, add_keys
from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.format.index import TOMBSTONE_SIZE
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.shardfiles import index_directory_in, paths_in
from seaweedvol.store.shardloading import waiting

if TYPE_CHECKING:
    from seaweedvol.ec.shard import EcShard
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.store.names import VolumeName
    from seaweedvol.store.store import Store

_log = logging.getLogger(__name__)

#: Go keeps the number of a shard in a byte.
_SHARD_MASK: Final = 0xFF


@attrs.frozen
class EncodedVolume:
    """What is served of a volume here.

    :ivar length: of all its needles, in bytes.
    :ivar deleted_count: of those that were deleted when it was encoded or rebuilt.
    """

    collection: str
    shards: Sequence[EcShard]
    length: int
    file_count: int
    deleted_count: int


def mount(store: Store, volume_id: VolumeId, collection: str, shard_ids: Iterable[int], source_disk_type: str) -> None:
    """Serve shards, one after the other.

    :param source_disk_type: under which they are reported; "" for that of their disk.
    :raises Refused: at the first that cannot be served; those before it are.
    """
    check_collection(collection)
    for number in shard_ids:
        try:
            store.erasure.mount(volume_id, collection, (number & _SHARD_MASK,), source_disk_type)
        except (StorageError, OSError) as error:
            raise Refused(f"mount {volume_id}.{number}: {error}") from error


def unmount(store: Store, volume_id: VolumeId, shard_ids: Iterable[int], encode_time_ns: int = 0) -> None:
    """Serve shards no more; one that is not served is none to unmount.

    :param encode_time_ns: only those of an older encoding; 0 for all, as is what is below.
    """
    store.erasure.unmount(volume_id, [number & _SHARD_MASK for number in shard_ids], max(encode_time_ns, 0))


def ask(store: Store, volume_id: VolumeId) -> EncodedVolume:
    """What is served, over all disks.

    :raises Refused: when nothing is.
    :raises StorageError, OSError: when the index cannot be read.
    """
    held = [volume for _, volume in store.erasure.holders(volume_id)]
    if not held:
        raise Refused(f"VolumeEcShardsInfo: EC volume {volume_id} not found")
    shards: dict[int, EcShard] = {}
    for volume in held:
        for shard in sorted(volume.loaded(), key=lambda shard: shard.id):
            shards.setdefault(shard.id, shard)
    sizes = held[0].index.table()["size"].astype(numpy.int64)
    deleted_count = int((sizes < 0).sum())
    return EncodedVolume(
        collection=held[0].collection, shards=tuple(shards.values()),
        length=int(numpy.abs(sizes[sizes != TOMBSTONE_SIZE]).sum()), file_count=len(sizes) - deleted_count,
        deleted_count=deleted_count)


# --- shards without an index

def recover_indexes(server: VolumeServer, volume_id: VolumeId) -> Generator[None, None, int]:
    """Fetch the index of shards that lie here without one, from servers that have it, and serve the shards.

    :param volume_id: 0 for every volume.
    :returns: of how many volumes it came. Never raises: what cannot be had now may be later.
    """
    missing = [paths for paths in _without_index(server.store) if volume_id in (0, paths.volume_id)]
    if missing and not server.master.leader():
        _log.warning("shards without an index, and no master to ask who has it")
        return 0
    found = 0
    for paths in missing:
        found += yield from _recover(server, paths)
    if found:
        with server.store.erasure.announcing():
            server.store.erasure.settle()
    return found


def _without_index(store: Store) -> list[EcPaths]:
    """Volumes with shards that are not served and an index nowhere here; the first disk of each."""
    found: dict[VolumeName, EcPaths] = {}
    for location in store.locations:
        for name in waiting(location):
            if not any(index_directory_in(place, name) for place in store.locations):
                found.setdefault(name, paths_in(location, name))
    return list(found.values())


def _recover(server: VolumeServer, paths: EcPaths) -> Generator[None, None, bool]:
    try:
        peers = other_holders(server, paths.volume_id)
    except RemoteCallFailed as error:
        _log.warning("ec volume %d has no index, and nobody says who has it: %s", paths.volume_id, error)
        return False
    generation = generation_at(paths)
    for peer in peers:
        try:
            if not (yield from Fetch(server, peer).fits(paths, generation)):
                raise Refused("it has another encoding")
            yield from Fetch(server, peer).file(paths, paths.index_base, ".ecx", may_be_empty=False)
        except (Refused, RemoteCallFailed) as error:
            _log.info("ec volume %d: no index from %s: %s", paths.volume_id, peer, error)
            continue
        yield from _fetch_rest(server, paths, peer, peers)
        _log.info("ec volume %d got its index from %s", paths.volume_id, peer)
        return True
    _log.warning("ec volume %d has no index, and nobody else has it", paths.volume_id)
    return False


def _fetch_rest(
    server: VolumeServer, paths: EcPaths, peer: str, peers: Sequence[str],
) -> Generator[None, None, None]:
    """The .vif of the same server, and the deletions of all; it is well without."""
    try:
        yield from Fetch(server, peer).file(paths, paths.base, ".vif", may_be_missing=True)
    except (Refused, RemoteCallFailed) as error:
        _log.warning("ec volume %d: no .vif from %s: %s", paths.volume_id, peer, error)
    generation = generation_at(paths)
    for other in peers:
        try:
            if (yield from Fetch(server, other).fits(paths, generation)):
                add_keys(server.store, paths, (yield from Fetch(server, other).journal(paths)))
        except (RemoteCallFailed, StorageError, OSError) as error:
            _log.warning("ec volume %d: no deletions from %s: %s", paths.volume_id, other, error)


def other_holders(server: VolumeServer, volume_id: int) -> list[str]:
    """The addresses of all servers with shards of a volume, without this one.

    :raises RemoteCallFailed: when the master cannot be asked, or knows no such volume.
    """
    places = server.shards.locations(volume_id, fresh=True)
    known = dict.fromkeys(address for addresses in places.values() for address in addresses)
    own = ServerAddress.of(server.identity.ip, server.identity.port).http
    return [address for address in known if ServerAddress(address).http != own]
