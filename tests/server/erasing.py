"""A server with a volume that is or will be erasure-coded, and other servers whose stores are at hand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import attrs

from seaweedvol.ec.names import EcPaths
from seaweedvol.server import copying, ecmounting, erasure
from seaweedvol.server.copying import CopyChunk, CopyRequest
from seaweedvol.server.errors import Refused
from seaweedvol.server.interfaces import LookupFailed, RemoteCallFailed
from seaweedvol.server.occupancy import Occupancy
from seaweedvol.server.server import VolumeServer
from seaweedvol.server.stepping import run_out
from seaweedvol.storage.format.volumeinfo import VolumeInfo, load_volume_info
from seaweedvol.store.store import Store
from tests.server.building import VOLUME, new_volume, put, server_over

ALL = tuple(range(14))


@attrs.define
class Neighbours:
    """Other servers, as sources and as holders of shards.

    :ivar stores: by address; an address without one does not answer.
    :ivar holders: the addresses that the master names for every volume; None when there is no master.
    """

    stores: dict[str, Store] = attrs.Factory(dict)
    holders: Sequence[str] | None = ()
    asked: list[tuple[str, str]] = attrs.Factory(list)

    def copy_file(self, address: str, request: CopyRequest) -> Iterator[CopyChunk]:
        """As its store says."""
        self.asked.append((address, request.extension))
        store = self.stores.get(address)
        if store is None:
            raise RemoteCallFailed("rpc error: code = Unavailable desc = nobody", code="UNAVAILABLE")
        try:
            yield from copying.copy_file(store, request)
        except Refused as error:
            raise RemoteCallFailed(f"rpc error: code = Unknown desc = {error}") from error

    def locations(self, volume_id: int, *, fresh: bool = False) -> Mapping[int, Sequence[str]]:
        """Every holder has every shard."""
        if self.holders is None:
            raise LookupFailed("no master")
        return {0: list(self.holders), 1: list(self.holders)}


def erasing_server(store: Store, neighbours: Neighbours | None = None) -> VolumeServer:
    """A server over that store."""
    server = server_over(store)
    parts = cast(Any, server)
    parts.occupancy = Occupancy()
    parts.sources = parts.shards = neighbours or Neighbours()
    return server


def fill(store: Store, count: int = 5, **settings: str) -> None:
    """A volume with needles of keys 1 to ``count``."""
    new_volume(store, VOLUME, **settings)
    for key in range(1, count + 1):
        put(store, key, bytes((key,)) * 1000 * key)


def make_encoded(server: VolumeServer, *, count: int = 5, shards: Iterable[int] = ALL, **settings: str) -> EcPaths:
    """An encoded volume whose plain form is gone; these shards are mounted."""
    fill(server.store, count, **settings)
    volume = server.store.get(VOLUME)
    paths = EcPaths(str(volume.directory), str(volume.directory), volume.collection, VOLUME)
    run_out(erasure.generate(server, VOLUME, volume.collection))
    server.store.unmount(VOLUME)
    os.unlink(paths.data)
    os.unlink(paths.row_index)
    ecmounting.mount(server.store, VOLUME, volume.collection, shards, "")
    return paths


def names_in(directory: str | Path) -> set[str]:
    """The suffixes of the volume's files in a directory."""
    return {name.partition(".")[2] for name in os.listdir(directory) if name.startswith(str(VOLUME))}


def info_of(paths: EcPaths) -> VolumeInfo:
    """What its .vif says."""
    return load_volume_info(Path(paths.info).read_bytes())
