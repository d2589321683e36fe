"""What lies in a directory, and what is to be done with each volume found, before any is opened.

Knows file names, sizes and the .vif; never opens a .dat. As in SeaweedFS ``storage/disk_location.go``
(``loadExistingVolume``).
"""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator
from pathlib import Path

import attrs

from seaweedvol.ec.names import EcPaths
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.brokenoff import infos, is_broken_off
from seaweedvol.store.names import VolumeName, volume_of_file
from seaweedvol.store.shardfiles import paths_in


class Verdict(enum.Enum):
    """What to do with a volume that was found."""

    LOAD = enum.auto()
    SKIP = enum.auto()
    INCOMPLETE = enum.auto()
    """A copy from another server that was broken off: remove it."""
    ENCODED = enum.auto()
    """There is a .dat, but the volume has been erasure-coded since: leave it alone."""
    BROKEN_OFF = enum.auto()
    """It was being erasure-coded when the process died: remove what came of that, and look again."""
    STUB = enum.auto()
    """The .dat holds nothing, the volume is in shards: remove the .dat and the .idx."""


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

    @property
    def encoded(self) -> EcPaths:
        """The files of its erasure-coded form."""
        return paths_in(self, self.name)

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


def judge(found: Found, *, is_start: bool, may_remove: bool = False) -> Verdict:
    """What to do with a volume.

    :param is_start: whether all volumes are being loaded, not this one by request; only then does an erasure-coded form
        take precedence.
    :param may_remove: whether nobody can be encoding it, so that what is not whole may go.
    :raises OSError: when its files cannot be looked at.
    """
    data_length = _length(found.data_file(".dat"))
    has_ecx = any(path.exists() for path in found.either(".ecx"))
    if data_length is not None and data_length <= SUPERBLOCK_LENGTH and _is_encoded(found):
        return Verdict.STUB if may_remove and not _has_rows(found) else Verdict.SKIP
    if found.is_known_by_info and has_ecx:
        # That .vif belongs to the shards. Without this, a volume would be made of nothing.
        return Verdict.SKIP
    if is_start and has_ecx:
        if data_length is None or data_length <= SUPERBLOCK_LENGTH:
            return Verdict.SKIP
        if not is_broken_off(found.encoded):
            return Verdict.ENCODED
        if may_remove:
            return Verdict.BROKEN_OFF
    if found.data_file(".note").exists():
        return Verdict.INCOMPLETE
    if data_length is None and not _is_remote(found):
        return Verdict.SKIP
    return Verdict.LOAD


def _length(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _has_rows(found: Found) -> bool:
    return any(_length(path) for path in found.either(".idx"))


def _is_encoded(found: Found) -> bool:
    return any(info.HasField("ec_shard_config") for info in infos(found.encoded))


def _is_remote(found: Found) -> bool:
    return any(len(info.files) > 0 for info in infos(found.encoded))
