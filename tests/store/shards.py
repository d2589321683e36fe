"""Encoded volumes in directories, for the tests of this package."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
from twisted.trial import unittest

from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.volume import EcVolume
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.format.volumeinfo import dump_volume_info, load_volume_info
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.erasure import ErasureStore
from seaweedvol.store.events import Event
from seaweedvol.store.location import Location
from seaweedvol.store.store import Store
from tests.ec.encoded import Encoded, make_encoded
from tests.store.making import ANY_SPACE, new_directory

SEVEN = VolumeId(7)
INDEXES = (".ecx", ".ecj", ".vif")
ALL = range(14)


def encoded_directory(test: unittest.SynchronousTestCase, *, keeps_data: bool = False) -> tuple[Path, Encoded]:
    """A directory with volume 7, encoded."""
    directory = new_directory(test)
    encoded = make_encoded(directory, count=20)
    if not keeps_data:
        encoded.drop_source()
    return directory, encoded


def at(directory: Path, **fields: Any) -> Location:
    """A location that a store is to open; ``fields`` as :class:`Location` has them."""
    return Location(directory, **{"index_directory": directory, "min_free": ANY_SPACE, **fields})


def move(source: Path, target: Path, names: Iterable[str]) -> None:
    """Move files of volume 7 by their suffixes; those that are not there are left out."""
    for name in names:
        if (source / f"7{name}").exists():
            shutil.move(source / f"7{name}", target / f"7{name}")


def copy(source: Path, target: Path, names: Iterable[str]) -> None:
    """Copy files of volume 7 by their suffixes."""
    for name in names:
        shutil.copy2(source / f"7{name}", target / f"7{name}")


def shard_names(numbers: Iterable[int]) -> list[str]:
    """The suffixes of shards."""
    return [f".ec{number:02d}" for number in numbers]


def set_info(directory: Path, *, data_length: int | None = None, encode_time_ns: int | None = None,
             expires_at: int | None = None, data_shards: int | None = None) -> None:
    """Change the .vif of volume 7."""
    path = directory / "7.vif"
    info = load_volume_info(path.read_bytes())
    if data_length is not None:
        info.dat_file_size = data_length
    if encode_time_ns is not None:
        info.ec_shard_config.encode_ts_ns = encode_time_ns
    if expires_at is not None:
        info.expire_at_sec = expires_at
    if data_shards is not None:
        info.ec_shard_config.data_shards = data_shards
    path.write_bytes(dump_volume_info(info))


def files(directory: Path) -> set[str]:
    """The suffixes of the files of volume 7."""
    return {name[1:] for name in os.listdir(directory) if name.startswith("7.")}


def served(store: Store) -> list[list[int]]:
    """The shards of volume 7 that are served, disk by disk."""
    volumes = (location.ec_volumes.get(SEVEN) for location in store.locations)
    return [[] if volume is None else volume.shard_ids for volume in volumes]


def read_needle(erasure: ErasureStore, volume: EcVolume, key: int) -> bytes:
    """The data of a needle, put together from shards that are served."""
    found = volume.find(key)
    assert found is not None and not found.is_deleted, found
    pieces = []
    for interval in volume.intervals(found.offset, found.size):
        shard = erasure.shard(volume.id, interval.shard_id, encode_time_ns=volume.encode_time_ns)
        assert shard is not None, interval
        pieces.append(shard.read_at(interval.length, interval.offset))
    return NEEDLE_VERSIONS[volume.version].decode(b"".join(pieces), found.size).data


@attrs.define
class Listener:
    """What was announced, in words."""

    heard: list[tuple[str, int, int, tuple[int, ...]]] = attrs.Factory(list)

    def __call__(self, event: Event) -> None:
        """Take an event: its kind, and volume, disk and shards or sizes."""
        report = event.report
        shards = getattr(report, "shards", ())
        self.heard.append((type(event).__name__, report.id, report.disk_id, tuple(number for number, _ in shards)))


def listening(store: Store) -> Listener:
    """Listens from now on."""
    listener = Listener()
    store.events.subscribe(listener)
    return listener


def paths_in(directory: Path, index_directory: Path | None = None) -> EcPaths:
    """The files of volume 7."""
    return EcPaths(str(directory), str(index_directory or directory), "", SEVEN)
