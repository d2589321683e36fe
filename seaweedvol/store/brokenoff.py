"""What an encoding left in one directory that did not end, and whether it may go.

Knows files: shards go only where the .dat they were being made of is certainly there. As in SeaweedFS
``storage/disk_location_ec.go`` (``validateEcVolume``, ``checkOrphanedShards``, ``removeEcVolumeFiles``).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from seaweedvol.ec.layout import shard_length
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import DEFAULT_RATIO, MAX_SHARDS, Ratio
from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH
from seaweedvol.storage.format.volumeinfo import VolumeInfo, load_volume_info


def is_broken_off(paths: EcPaths) -> bool:
    """Whether the .dat here is the volume, and what is beside it came of an encoding that did not end: the shards are
    all of one length, and shorter than those of that .dat; or there are none, but an index.

    :raises OSError: when files cannot be looked at; then nobody knows.
    """
    data_length = _data_length(paths)
    lengths = _shard_lengths(paths)
    if data_length is None or len(lengths) > 1:
        return False
    return not lengths or lengths.pop() < _expected(paths, data_length)


def is_begun(paths: EcPaths) -> bool:
    """As :func:`is_broken_off`, for shards that no disk has an index for. That comes last, so they may be of any length
    up to that of the shards of that .dat. (Go does not look how long they are.)

    :raises OSError: when files cannot be looked at.
    """
    data_length = _data_length(paths)
    return data_length is not None and max(_shard_lengths(paths), default=0) <= _expected(paths, data_length)


def remove_encoded(paths: EcPaths) -> None:
    """Remove the encoded form of a volume from its directories: index and journal, then shards, then checksums.

    The .vif stays, it is the .dat's too.

    :raises OSError: when a file stays; then those after it do too.
    """
    # The index first: without it no start takes what a crash leaves here for a volume.
    indexes = (base + suffix for suffix in (".ecx", ".ecj") for base in paths.bases)
    for path in (*indexes, *paths.shards().values(), *paths.sidecars()):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def infos(paths: EcPaths) -> Iterator[VolumeInfo]:
    """What the .vif says, beside the data and beside the index; one that says nothing that we understand is none."""
    for base in paths.bases:
        try:
            with open(base + ".vif", "rb") as file:
                yield load_volume_info(file.read())
        except (OSError, FormatError):
            continue


def _data_length(paths: EcPaths) -> int | None:
    """Of the .dat, if it holds anything."""
    try:
        length = os.stat(paths.data).st_size
    except FileNotFoundError:
        return None
    return length if length > SUPERBLOCK_LENGTH else None


def _shard_lengths(paths: EcPaths) -> set[int]:
    return {length for path in paths.shards().values() if (length := os.stat(path).st_size)}


def _expected(paths: EcPaths, data_length: int) -> int:
    """How long a shard of that .dat is. How many there are beside those with data does not matter."""
    counts = (info.ec_shard_config.data_shards for info in infos(paths))
    data_shards = next((count for count in counts if 0 < count < MAX_SHARDS), DEFAULT_RATIO.data)
    return shard_length(data_length, Ratio(data_shards, 1))
