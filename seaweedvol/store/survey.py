"""What lies in a directory, and what is to be done with each volume found, before any is opened.

Knows file names, sizes and the .vif; never opens a .dat. As in SeaweedFS ``storage/disk_location.go``
(``loadExistingVolume``) and ``disk_location_ec.go`` (``validateEcVolume``), except that files of erasure-coded volumes
are never removed here: where Go would remove shards of an interrupted encoding, they stay.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH
from seaweedvol.storage.format.volumeinfo import VolumeInfo, load_volume_info
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.removing import remove_files
from seaweedvol.store.names import VolumeName, volume_of_file

MAX_SHARDS: Final = 32
_DEFAULT_DATA_SHARDS: Final = 10
_LARGE_BLOCK: Final = 1 << 30
_SMALL_BLOCK: Final = 1 << 20


class Verdict(enum.Enum):
    """What to do with a volume that was found."""

    LOAD = enum.auto()
    SKIP = enum.auto()
    INCOMPLETE = enum.auto()
    """A copy from another server that was broken off: remove it."""
    ENCODED = enum.auto()
    """There is a .dat, but the volume has been erasure-coded since: leave it alone."""


@attrs.frozen
class Found:
    """One volume of a directory, known by one file: its .idx, or its .vif when the .idx lies elsewhere."""

    directory: Path
    index_directory: Path
    name: VolumeName
    is_known_by_info: bool

    def data_file(self, suffix: str) -> Path:
        """A file of the volume in the data directory."""
        return self.directory / (self.name.base + suffix)

    def index_file(self, suffix: str) -> Path:
        """A file of the volume in the index directory."""
        return self.index_directory / (self.name.base + suffix)

    def either(self, suffix: str) -> Iterator[Path]:
        """The places where such a file may be."""
        yield self.data_file(suffix)
        if self.index_directory != self.directory:
            yield self.index_file(suffix)


def find_volumes(directory: Path, index_directory: Path) -> dict[VolumeId, list[Found]]:
    """Every volume of the data directory; an id has several entries when collections share it.

    :raises OSError: when the directory cannot be read.
    """
    seen: dict[str, Found] = {}
    for entry in sorted(os.listdir(directory)):
        name = volume_of_file(entry)
        if name is not None and name.base not in seen and not (directory / entry).is_dir():
            seen[name.base] = Found(directory, index_directory, name, entry.endswith(".vif"))
    volumes: dict[VolumeId, list[Found]] = {}
    for found in seen.values():
        volumes.setdefault(found.name.volume_id, []).append(found)
    return volumes


def judge(found: Found, *, is_start: bool) -> Verdict:
    """What to do with a volume.

    :param is_start: whether all volumes are being loaded, not this one by request; only then does an erasure-coded form
        take precedence.
    :raises OSError: when its files cannot be looked at.
    """
    data_length = _length(found.data_file(".dat"))
    has_ecx = any(path.exists() for path in found.either(".ecx"))
    if data_length is not None and data_length <= SUPERBLOCK_LENGTH and _is_encoded(found):
        return Verdict.SKIP
    if found.is_known_by_info and has_ecx:
        # That .vif belongs to the shards. Without this, a volume would be made of nothing.
        return Verdict.SKIP
    if is_start and has_ecx:
        if data_length is None or data_length <= SUPERBLOCK_LENGTH:
            return Verdict.SKIP
        if not _is_encoding_interrupted(found, data_length):
            return Verdict.ENCODED
    if found.data_file(".note").exists():
        return Verdict.INCOMPLETE
    if data_length is None and not _is_remote(found):
        return Verdict.SKIP
    return Verdict.LOAD


def remove_incomplete(found: Found) -> None:
    """Remove every file of a volume that was never completely copied here, but for a .vif that shards need.

    :raises OSError: when one cannot be removed.
    """
    name = found.name
    remove_files(VolumePaths(str(found.directory), str(found.index_directory), name.collection, name.volume_id))


def _length(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _infos(found: Found) -> Iterator[VolumeInfo]:
    for path in found.either(".vif"):
        try:
            yield load_volume_info(path.read_bytes())
        except (OSError, FormatError):
            continue


def _is_encoded(found: Found) -> bool:
    return any(info.HasField("ec_shard_config") for info in _infos(found))


def _is_remote(found: Found) -> bool:
    return any(len(info.files) > 0 for info in _infos(found))


def _is_encoding_interrupted(found: Found, data_length: int) -> bool:
    """Whether the shards are certainly less than the .dat, so that the .dat is the volume."""
    lengths = {length for number in range(MAX_SHARDS) if (length := _length(found.data_file(f".ec{number:02d}")))}
    if len(lengths) > 1:
        return False
    return not lengths or lengths.pop() < _shard_length(data_length, _data_shards(found))


def _data_shards(found: Found) -> int:
    for info in _infos(found):
        if info.ec_shard_config.data_shards:
            return int(info.ec_shard_config.data_shards)
    return _DEFAULT_DATA_SHARDS


def _shard_length(data_length: int, data_shards: int) -> int:
    large_rows, rest = divmod(data_length, _LARGE_BLOCK * data_shards)
    small_rows = -(-rest // (_SMALL_BLOCK * data_shards))
    return large_rows * _LARGE_BLOCK + small_rows * _SMALL_BLOCK
