"""A small volume with needles of all sorts, and its shards."""

from __future__ import annotations

import hashlib
from pathlib import Path

import attrs

from seaweedvol.ec.encoding import encode
from seaweedvol.ec.index import write_sorted
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import DEFAULT_RATIO, Ratio
from seaweedvol.ec.sidecar import BLOCK_SIZE, ShardSums
from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.placement import NO_REPLICATION
from seaweedvol.storage.format.ttl import EMPTY_TTL
from seaweedvol.storage.format.volumeinfo import VolumeInfo, dump_volume_info
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.loading import create_volume
from seaweedvol.storage.volume.writing import BytesBody, Draft

VOLUME = 7
COOKIE = 0xC0FFEE
SIZES = (0, 1, 7, 50, 3000, 70_000)


def content(key: int) -> bytes:
    """What is stored under a key."""
    return hashlib.shake_256(b"%d" % key).digest(SIZES[key % len(SIZES)])


@attrs.define
class Encoded:
    """A volume and its shards in one directory.

    :ivar held: contents by key, without what was deleted.
    """

    paths: EcPaths
    ratio: Ratio
    data_length: int
    held: dict[int, bytes]

    def shards(self) -> dict[int, bytes]:
        """The bytes of the shards that are there."""
        return {number: Path(path).read_bytes() for number, path in self.paths.shards().items()}

    def drop_source(self) -> None:
        """Remove what it was encoded from."""
        Path(self.paths.data).unlink()
        Path(self.paths.row_index).unlink()


def paths_in(directory: Path) -> EcPaths:
    """Of the volume, with everything in one directory."""
    return EcPaths(str(directory), str(directory), "", VOLUME)


def fill(directory: Path, count: int) -> dict[int, bytes]:
    """A volume of ``count`` needles, of which each fifth was deleted, and each seventh written twice."""
    place = str(directory)
    volume = create_volume(place, place, "", VolumeId(VOLUME), placement=NO_REPLICATION, ttl=EMPTY_TTL)
    held = {key: content(key) for key in range(1, count + 1)}
    for key in reversed(held):
        if not key % 7:
            volume.append(Draft(COOKIE, key, BytesBody(b"before")))
        volume.append(Draft(COOKIE, key, BytesBody(held[key])))
    for key in range(5, count + 1, 5):
        volume.delete(key, COOKIE)
        del held[key]
    volume.close()
    return held


def make_encoded(directory: Path, count: int = 60, ratio: Ratio = DEFAULT_RATIO) -> Encoded:
    """Such a volume, encoded, with its .dat and .idx still there."""
    directory.mkdir(parents=True, exist_ok=True)
    held = fill(directory, count)
    paths = paths_in(directory)
    write_sorted(paths.row_index, paths.index, OffsetWidth.FOUR)
    encoded = encode(paths, ratio)
    info = VolumeInfo(version=3, dat_file_size=encoded.data_length)
    info.ec_shard_config.data_shards, info.ec_shard_config.parity_shards = ratio.data, ratio.parity
    info.ec_shard_config.encode_ts_ns = 1
    Path(paths.info).write_bytes(dump_volume_info(info))
    return Encoded(paths, ratio, encoded.data_length, held)


def sums_of(path: str, block_size: int = BLOCK_SIZE) -> ShardSums:
    """The checksums of a shard as it is now."""
    data = Path(path).read_bytes()
    return ShardSums(len(data), tuple(
        crc32c(data[start:start + block_size]) for start in range(0, len(data), block_size)))
