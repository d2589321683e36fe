"""Makes directories, volumes and servers for the tests of this package."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.trial import unittest

from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.ttl import EMPTY_TTL, Ttl
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.loading import create_volume
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.storage.volume.writing import BytesBody, Draft
from seaweedvol.store.diskspace import MinFree
from seaweedvol.store.events import Event, StoreEvents
from seaweedvol.store.identity import Identity
from seaweedvol.store.location import Location
from seaweedvol.store.store import Store

IDENTITY = Identity(ip="10.0.0.7", port=8080, grpc_port=18080, public_url="10.0.0.7:8080", server_id="seven")
# Never low, however full the disk is that the tests run on.
ANY_SPACE = MinFree(percent=0)
# Always low, however large the disk is.
NO_SPACE = MinFree(amount=2**64 - 1)


def new_directory(test: unittest.SynchronousTestCase) -> Path:
    """An empty directory for one test."""
    path = Path(test.mktemp())
    path.mkdir(parents=True)
    return path


def new_location(test: unittest.SynchronousTestCase, directory: Path | None = None, **fields: Any) -> Location:
    """A location over a directory, open; closed when the test ends. ``fields`` as :class:`Location` has them."""
    directory = directory or new_directory(test)
    location = Location(directory, **{"index_directory": directory, "min_free": ANY_SPACE, **fields})
    location.open()
    test.addCleanup(location.close)
    return location


def new_store(test: unittest.SynchronousTestCase, *locations: Location, count: int = 1, **fields: Any) -> Store:
    """A loaded store over these locations, or over so many new ones; closed when the test ends."""
    if not locations:
        directories = [new_directory(test) for _ in range(count)]
        locations = tuple(Location(each, each, **{"min_free": ANY_SPACE, **fields}) for each in directories)
    store = Store(locations, IDENTITY, StoreEvents())
    store.open()
    test.addCleanup(store.close)
    store.load()
    return store


def put_volume(directory: Path, volume_id: int, collection: str = "", *, ttl: Ttl = EMPTY_TTL, needles: int = 1,
               index_directory: Path | None = None) -> None:
    """The files of a volume with some needles, as a server leaves them."""
    volume = create_volume(directory, index_directory or directory, collection, volume_id,
                           placement=ReplicaPlacement(), ttl=ttl)
    put_needles(volume, needles)
    volume.close()


def put_needles(volume: Volume, count: int = 1, *, last_modified: int = 0) -> None:
    """Needles with the keys 1..count."""
    for key in range(1, count + 1):
        volume.append(Draft(cookie=0x1234, key=key, body=BytesBody(b"needle %d" % key), last_modified=last_modified))


def ids(*numbers: int) -> list[VolumeId]:
    """Volume ids."""
    return [VolumeId(number) for number in numbers]


def fail_with(number: int) -> Callable[[], object]:
    """A failpoint action that raises this error."""
    def fail() -> None:
        raise OSError(number, os.strerror(number))
    return fail


def listening(store: Store) -> list[Event]:
    """All events from now on."""
    heard: list[Event] = []
    store.events.subscribe(heard.append)
    return heard


def kinds(events: list[Event]) -> list[tuple[type[Event], int, int]]:
    """Each event in short: its type, the volume and the disk."""
    return [(type(event), event.report.id, event.report.disk_id) for event in events]
