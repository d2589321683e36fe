"""Opening an encoded volume: which of the places where its index may be is it, and what its .vif says.

Opens no shard; those are added one by one. As in SeaweedFS ``erasure_coding/ec_volume.go`` (``NewEcVolume``).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from seaweedvol.ec.index import EcIndex
from seaweedvol.ec.journal import Journal
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import encode_time_of, ratio_of
from seaweedvol.ec.volume import EcVolume
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.format.volumeinfo import VolumeInfo
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.info import read_info

_CURRENT_VERSION: Final = 3


def open_volume(paths: EcPaths, *, width: OffsetWidth, report: Callable[[str], None],
                directories: Sequence[str] = ()) -> EcVolume:
    """The volume of these paths, still without shards.

    A missing .vif is not made up: the volume then has the default ratio, and no encoding that could be compared.

    :param width: of the offsets in its index, where the .vif does not say it.
    :param directories: where a .vif may be that is in neither of its own.
    :raises FileNotFoundError: when there is no index.
    :raises OSError: when a file cannot be read.
    """
    found = paths.found()
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), paths.index)
    info, has_info = info_of(paths, report, directories)
    if not has_info:
        report(f"{paths.info} is missing: {paths.volume_id} is taken for one of the default ratio")
    index = EcIndex(found.index, width_of(info, found.index, width))
    try:
        journal = Journal(found.journal)
    except BaseException:
        index.close()
        raise
    return EcVolume(
        id=VolumeId(paths.volume_id),
        collection=paths.collection,
        paths=paths,
        ratio=ratio_of(info),
        width=index.width,
        version=info.version if info.version in NEEDLE_VERSIONS else _CURRENT_VERSION,
        data_length=info.dat_file_size,
        encode_time_ns=encode_time_of(info),
        expires_at=info.expire_at_sec,
        index=index,
        journal=journal,
    )


def info_of(paths: EcPaths, report: Callable[[str], None],
            directories: Sequence[str] = ()) -> tuple[VolumeInfo, bool]:
    """What the .vif says, and whether there is one: beside the shards, else beside the index, else elsewhere, if it is
    that of shards there.

    :raises OSError: when it is there and cannot be read.
    """
    path = paths.found_info()
    if path is not None:
        return read_info(path, report)
    for directory in directories:
        path = attrs.evolve(paths, directory=directory, index_directory=directory).found_info()
        info, has_info = (VolumeInfo(), False) if path is None else read_info(path, report)
        if has_info and info.HasField("ec_shard_config"):
            return info, True
    return VolumeInfo(), False


def width_of(info: VolumeInfo, index_path: str, default: OffsetWidth) -> OffsetWidth:
    """Of the offsets in an .ecx: what the .vif says, else the only one that fits the length of the file, else
    ``default``.
    """
    for width in OffsetWidth:
        if info.bytes_offset == width.bytes:
            return width
    length = os.path.getsize(index_path)
    fitting = [width for width in OffsetWidth if length % width.entry_length == 0]
    return fitting[0] if len(fitting) == 1 else default
