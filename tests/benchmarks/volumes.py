"""Volumes written straight to disk, for rows that need many needles: the same bytes for every kind of server."""

from __future__ import annotations

import pathlib
from typing import Iterable

import numpy as np

from seaweedvol.storage.format.index import NUMPY_ENTRY, TOMBSTONE_SIZE, OffsetWidth, encode_entry
from seaweedvol.storage.format.needle import FLAG_LAST_MODIFIED, FLAG_NAME, NEEDLE_VERSIONS, Needle
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.superblock import SuperBlock
from seaweedvol.storage.format.ttl import EMPTY_TTL
from tests.benchmarks.plans import COOKIE, content

WIDTH = OffsetWidth.FOUR
LENGTH = 1024
CODEC = NEEDLE_VERSIONS[3]
FIRST = 8
REAL_ROWS = 64
"""So many records at the end of a sparse volume are really there: servers look at the last ones when they load."""
NOW = 1_700_000_000


def _record(key: int) -> tuple[bytes, int]:
    data = content(key, LENGTH)
    flags = FLAG_LAST_MODIFIED | FLAG_NAME
    needle = Needle(cookie=int(COOKIE, 16), key=key, size=0, data=data, data_size=LENGTH, flags=flags, name=b"f.bin",
                    last_modified=NOW, append_at_ns=NOW * 10**9 + key)
    return CODEC.encode(needle), CODEC.size_of(LENGTH, flags, b"f.bin")


def _superblock() -> bytes:
    return SuperBlock(version=3, placement=ReplicaPlacement(), ttl=EMPTY_TTL).encode()


def write_volume(directory: pathlib.Path, volume_id: int, keys: Iterable[int]) -> None:
    """A volume of 1 KiB needles with what :func:`plans.content` says, in the order of ``keys``."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / f"{volume_id}.dat").open("wb") as data, (directory / f"{volume_id}.idx").open("wb") as index:
        data.write(_superblock())
        offset = FIRST
        for key in keys:
            record, size = _record(key)
            data.write(record)
            index.write(encode_entry(WIDTH, key, offset, size))
            offset += len(record)


def write_half_deleted(directory: pathlib.Path, volume_id: int, length: int) -> int:
    """A volume of ``length`` bytes of 1 KiB needles, all with the data of key 1; keys 2, 4 and so on are deleted.

    :return: the bytes of its .dat.
    """
    directory.mkdir(parents=True, exist_ok=True)
    record, size = _record(1)
    count = length // len(record)
    with (directory / f"{volume_id}.dat").open("wb") as data, (directory / f"{volume_id}.idx").open("wb") as index:
        data.write(_superblock())
        for key in range(1, count + 1):
            index.write(encode_entry(WIDTH, key, data.tell(), size))
            data.write(record[:4] + key.to_bytes(8, "big") + record[12:])
        for key in range(2, count + 1, 2):
            index.write(encode_entry(WIDTH, key, data.tell(), TOMBSTONE_SIZE))
            data.write(CODEC.encode(Needle(int(COOKIE, 16), key, append_at_ns=NOW * 10**9 + count + key)))
        return data.tell()


def write_sparse_volume(directory: pathlib.Path, volume_id: int, rows: int) -> int:
    """A volume whose .idx has so many rows, while only the last records of its .dat are really there.

    Keys mostly ascend with gaps of up to 15, are locally out of order, 2 % of the rows write a key again and 3 % delete
    one: what a server sees that is one of several behind a master.

    :return: a key that can be read.
    """
    directory.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(1)
    keys = np.cumsum(chance.integers(1, 16, rows, dtype=np.uint64), dtype=np.uint64)
    ordered = np.argsort(np.arange(rows - REAL_ROWS) + chance.random(rows - REAL_ROWS) * 16)
    keys[:rows - REAL_ROWS] = keys[ordered]
    record, size = _record(int(keys[-1]))
    sizes = np.full(rows, size, np.int32)
    again = chance.random(rows)
    again[:100] = again[-REAL_ROWS:] = 1
    repeats = np.flatnonzero(again < 0.05)
    keys[repeats] = keys[(repeats * chance.random(len(repeats))).astype(np.int64)]
    sizes[again < 0.03] = -1
    entries = np.zeros(rows, NUMPY_ENTRY[WIDTH])
    entries["key"], entries["size"] = keys, sizes
    entries["offset"] = (FIRST + np.arange(rows, dtype=np.uint64) * len(record)) // 8
    (directory / f"{volume_id}.idx").write_bytes(entries.tobytes())
    with (directory / f"{volume_id}.dat").open("wb") as data:
        data.write(_superblock())
        data.seek(FIRST + (rows - REAL_ROWS) * len(record))
        for key in keys[-REAL_ROWS:]:
            data.write(_record(int(key))[0])
    return int(keys[-1])
