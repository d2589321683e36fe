"""A real store on a temporary directory, with a volume server around it and fakes around that."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.config.model import LogSettings
from seaweedvol.metrics.instruments import Instruments
from seaweedvol.server.chronicle import Chronicle
from seaweedvol.server.gauges import Gauges
from seaweedvol.server.limits import ByteLimit
from seaweedvol.server.needles import Needles
from seaweedvol.server.server import Life, VolumeServer
from seaweedvol.server.volumes import NewVolume, Volumes
from seaweedvol.server.workers import Workers
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.storage.ids import Cookie, NeedleId, VolumeId
from seaweedvol.storage.volume.writing import BytesBody, Draft
from seaweedvol.store.events import StoreEvents
from seaweedvol.store.identity import Identity
from seaweedvol.store.location import Location
from seaweedvol.store.store import Store
from tests.rpc.fakes import FakeGuard
from tests.server.fakes import FakeMaster

VOLUME = VolumeId(7)
COOKIE = Cookie(0x637037D6)


def open_store(directory: Path, *, count: int = 1) -> Store:
    """A store over ``count`` new directories below ``directory``, which the caller closes."""
    directory.mkdir(parents=True, exist_ok=True)
    locations = []
    for number in range(count):
        place = directory / str(number)
        place.mkdir(exist_ok=True)
        locations.append(Location(place, place, configured_max_count=20))
    store = Store(locations, Identity("10.0.0.7", 8080, 18080, "10.0.0.7:8080", "seven"), StoreEvents())
    store.open()
    store.load()
    return store


def store_for(test: SynchronousTestCase, *, count: int = 1) -> Store:
    """As :func:`open_store`, until the test ends."""
    store = open_store(Path(test.mktemp()), count=count)
    test.addCleanup(store.close)
    return store


@contextlib.contextmanager
def opened(directory: Path, *, count: int = 1) -> Iterator[Store]:
    """As :func:`open_store`, closed at the end."""
    store = open_store(directory, count=count)
    try:
        yield store
    finally:
        store.close()


def new_volume(store: Store, volume_id: int = VOLUME, **settings: str) -> None:
    """An empty volume."""
    Volumes(store, FakeMaster()).allocate(NewVolume(VolumeId(volume_id), **settings))  # type: ignore[arg-type]


def put(store: Store, key: int, data: bytes, *, volume_id: int = VOLUME, flags: int = 0, last_modified: int = 0,
        ttl: Ttl | None = None) -> None:
    """One needle."""
    draft = Draft(
        cookie=COOKIE, key=NeedleId(key), body=BytesBody(data), flags=flags, name=b"", mime=b"", pairs=b"",
        last_modified=last_modified, ttl=ttl)
    store.get(volume_id).append(draft)


def server_over(store: Store, master: FakeMaster | None = None) -> VolumeServer:
    """A server with that store; the parts that only HTTP needs are missing."""
    master = master or FakeMaster()
    parts = SimpleNamespace(
        settings=SimpleNamespace(offset_width=4, data_center="dc1", rack="r1", compaction_rate=0, maintenance_rate=0,
                                 log=LogSettings()),
        identity=store.identity, store=store, guard=FakeGuard(), volumes=Volumes(store, master), master=master,
        life=Life(), slow=None, chronicle=Chronicle(time.time),
        workers=Workers(1), needles=Needles(store), instruments=Instruments(),
        clock=time.time, upload_limit=ByteLimit(0), download_limit=ByteLimit(0))
    server = cast(VolumeServer, parts)
    server.gauges = Gauges(server)
    return server


def server_for(test: SynchronousTestCase, store: Store, master: FakeMaster | None = None) -> VolumeServer:
    """As :func:`server_over`; its workers end with the test."""
    server = server_over(store, master)
    test.addCleanup(server.workers.close)
    return server
