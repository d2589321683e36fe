"""The files of one volume, opened to be looked at: nothing is repaired, nothing is written, as a server would do.

Knows which volume an operator means, and what superblock, .vif and .idx say. An unreadable part is told, not guessed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import attrs

from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS, NeedleVersion
from seaweedvol.storage.format.placement import parse_placement
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH, SuperBlock, decode_superblock
from seaweedvol.storage.format.volumeinfo import VolumeInfo
from seaweedvol.storage.needlemap import Rows, read_rows
from seaweedvol.storage.volume.info import read_info
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.width import width_of as known_width
from seaweedvol.store.directory import LOCK_NAME, DirectoryLock
from seaweedvol.store.names import parse_base
from seaweedvol.tools.commandline import Flag, Given, UsageError
from seaweedvol.tools.errors import ToolError

_MAX_SUPERBLOCK_LENGTH: Final = SUPERBLOCK_LENGTH + 0xFFFF

VOLUME_FLAGS: Final = (
    Flag("dir", ".", "directory of the volume"),
    Flag("dir.idx", "", "directory of its .idx, where that is another one"),
    Flag("collection", "", "collection of the volume"),
    Flag("volumeId", -1, "id of the volume"),
)


@attrs.frozen
class VolumeFiles:
    """What was found of a volume. ``info`` is what the .vif says, an empty message if nothing."""

    paths: VolumePaths
    data: DiskFile
    super_block: SuperBlock
    info: VolumeInfo
    width: OffsetWidth

    @property
    def codec(self) -> NeedleVersion:
        """The layout of its records."""
        return NEEDLE_VERSIONS[self.super_block.version]

    @property
    def served_superblock(self) -> SuperBlock:
        """The superblock as a server takes it: with the replication of the .vif, if that says one.

        :raises InvalidSetting: when that makes no sense.
        """
        if not self.info.replication:
            return self.super_block
        return attrs.evolve(self.super_block, placement=parse_placement(self.info.replication))

    @property
    def has_index(self) -> bool:
        """Whether there is an .idx."""
        return os.path.exists(self.paths.index)

    def rows(self) -> Rows:
        """All rows of the .idx.

        :raises OSError: when it cannot be read.
        """
        return rows_of(self.paths, self.width)


def rows_of(paths: VolumePaths, width: OffsetWidth) -> Rows:
    """All rows of the .idx of a volume.

    :raises OSError: when it cannot be read.
    """
    index = DiskFile(paths.index, writable=False, role="index")
    try:
        return read_rows(index, width)
    finally:
        index.close()


def open_files(paths: VolumePaths, note: Callable[[str], None]) -> VolumeFiles:
    """Open a volume for reading.

    :param note: takes lines about what is odd.
    :raises ToolError: when there is no .dat, or no sense in its superblock.
    :raises OSError: when a file cannot be read.
    """
    info, _ = read_info(paths.info, note)
    if not os.path.exists(paths.data):
        where = " (it is in an object store)" if info.files else ""
        raise ToolError(f"there is no {paths.data}{where}")
    data = DiskFile(paths.data, writable=False, role="data")
    try:
        super_block = decode_superblock(data.read_at(_MAX_SUPERBLOCK_LENGTH, 0))
    except FormatError as error:
        raise ToolError(f"{paths.data}: {error}") from None
    return VolumeFiles(paths, data, super_block, info, width_of(paths, info, data.length()))


def width_of(paths: VolumePaths, info: VolumeInfo, data_length: int) -> OffsetWidth:
    """Of offsets: what the .vif says, else what the .idx looks like, else 4 bytes.

    :raises ToolError: when the .vif says one that does not exist.
    """
    try:
        return known_width(paths, info, data_length) or OffsetWidth.FOUR
    except FormatError:
        raise ToolError(f"{paths.info} says that offsets have {info.bytes_offset} bytes") from None


def meant_volume(given: Given) -> VolumePaths:
    """The one volume that Go's flags ``-dir``, ``-collection`` and ``-volumeId`` name.

    :raises UsageError: when they name none.
    """
    number = given.number("volumeId")
    if not 0 <= number < 1 << 32:
        raise UsageError("-volumeId must name a volume")
    directory = os.path.expanduser(given.text("dir"))
    index = os.path.expanduser(str(given.values.get("dir.idx", ""))) or directory
    return VolumePaths.found(directory, index, given.text("collection"), number)


def meant_volumes(given: Given) -> list[VolumePaths]:
    """The volumes that paths name (.dat files, or directories with all their volumes), or else the flags.

    :raises UsageError: when nothing is named.
    :raises ToolError: when a path is no such file or directory.
    """
    if not given.paths:
        return [meant_volume(given)]
    index = os.path.expanduser(given.text("dir.idx"))
    found: list[VolumePaths] = []
    for path in given.paths:
        path = os.path.expanduser(path)
        if os.path.isdir(path):
            found.extend(_volumes_in(path, index, given))
        else:
            found.append(_volume_of(path, index))
    return found


def _volumes_in(directory: str, index: str, given: Given) -> Iterator[VolumePaths]:
    wanted = given.number("volumeId")
    for name in sorted(os.listdir(directory)):
        parsed = parse_base(name[:-4]) if name.endswith(".dat") else None
        if parsed is None or wanted >= 0 and parsed.volume_id != wanted:
            continue
        if given.text("collection") not in ("", parsed.collection):
            continue
        yield VolumePaths.found(directory, index or directory, parsed.collection, parsed.volume_id)


def _volume_of(path: str, index: str) -> VolumePaths:
    directory, name = os.path.split(path)
    stem, suffix = os.path.splitext(name)
    parsed = parse_base(stem) if suffix in (".dat", ".idx", ".vif") else None
    if parsed is None:
        raise ToolError(f"{path} is no directory and no file of a volume")
    return VolumePaths.found(directory or ".", index or directory or ".", parsed.collection, parsed.volume_id)


def hold_directory(directory: str) -> DirectoryLock | None:
    """Keep servers of ours out of a directory for as long as the answer is kept; Go's have no lock.

    :raises DirectoryInUse: when a server runs on it.
    """
    path = Path(directory)
    return DirectoryLock(path) if (path / LOCK_NAME).exists() else None
