"""The files of encoded volumes on the disks of this server: what is there, and removing it.

Knows names and directories, and no open volume. As in SeaweedFS ``volume_grpc_erasure_coding.go``.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from typing import Final

import attrs

from seaweedvol.ec.names import EcPaths, aside, shard_suffix
from seaweedvol.ec.ratio import MAX_SHARDS, encode_time_of
from seaweedvol.storage.backend.disk import sync_directory
from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.volumeinfo import VolumeInfo, load_volume_info
from seaweedvol.storage.volume.paths import base_name

_SHARD: Final = re.compile(r"\.ec(\d\d)\Z", re.ASCII)


@attrs.frozen
class Presence:
    """What lies on one disk of a volume.

    :ivar has_index: a .ecx or a .ecj.
    :ivar has_rows: a .idx, so that it is a plain volume too.
    :ivar shard_count: shards, empty ones too.
    """

    has_index: bool
    has_rows: bool
    shard_count: int


def look(paths: EcPaths) -> Presence:
    """
    :raises OSError: when a directory cannot be read.
    """
    base = base_name(paths.collection, paths.volume_id)
    names = [name for directory in _directories(paths) for name in os.listdir(directory) if name.startswith(base)]
    shards = [found for name in names if (found := _SHARD.fullmatch(name[len(base):]))]
    return Presence(
        has_index=base + ".ecx" in names or base + ".ecj" in names, has_rows=base + ".idx" in names,
        shard_count=sum(int(found[1]) < MAX_SHARDS for found in shards))


def info_at(paths: EcPaths) -> VolumeInfo | None:
    """What the .vif says: nothing if it cannot be understood, None if there is none; an empty one is none.

    :raises OSError: when it cannot be read.
    """
    for base in paths.bases:
        try:
            with open(base + ".vif", "rb") as file:
                text = file.read()
        except FileNotFoundError:
            continue
        if text:
            try:
                return load_volume_info(text)
            except FormatError:
                return VolumeInfo()
    return None


def generation_at(paths: EcPaths) -> int:
    """When the volume was encoded whose files lie there; 0 if nobody knows."""
    info = info_at(paths)
    return 0 if info is None else encode_time_of(info)


def remove_all(paths: EcPaths) -> None:
    """Remove all that an encoding left, so that another may be put in its place; the plain volume stays.

    :raises OSError: for the first file that stays; the others are removed all the same.
    """
    shards = [paths.shard(number) for number in range(MAX_SHARDS)]
    # The index first: with it a start would take what a crash leaves for the volume, and not the .dat beside it. The
    # journal last: without it deletions would come back.
    doomed = [base + ".ecx" for base in reversed(paths.bases)]
    doomed += [*shards, *map(aside, shards), *(base + ".ecj" for base in reversed(paths.bases)), *paths.sidecars()]
    # Where a .idx is, the .vif is that of a volume that lives.
    if not os.path.exists(paths.index_base + ".idx"):
        doomed.append(paths.index_base + ".vif")
        if not os.path.exists(paths.base + ".idx"):
            doomed.append(paths.base + ".vif")
    remove(doomed)


def remove_shards(paths: EcPaths, shard_ids: Iterable[int]) -> bool:
    """Remove these shards; whether there were any.

    :raises OSError: when one stays.
    """
    doomed = [path for number in shard_ids if os.path.exists(path := paths.base + shard_suffix(number))]
    remove(doomed)
    return bool(doomed)


def remove_sidecars(paths: EcPaths, *, beside_index: bool) -> None:
    """Remove the checksums of shards that are gone; ``beside_index``: there too, where other disks may look.

    :raises OSError: when one stays.
    """
    remove([path for path in paths.sidecars() if beside_index or path.startswith(paths.base + ".")])


def remove_index(paths: EcPaths, found: Presence) -> None:
    """Remove what belongs to all shards of a volume, when there are none any more.

    :raises OSError: when a file stays.
    """
    doomed = []
    if found.has_index:
        doomed += [base + suffix for base in reversed(paths.bases) for suffix in (".ecx", ".ecj")]
    if not found.has_rows:
        doomed.append(paths.info)
    remove(doomed)


def remove(doomed: Iterable[str]) -> None:
    """Remove files that may be there, durably.

    :raises OSError: for the first that stays; the others are removed all the same.
    """
    problem: OSError | None = None
    touched = set()
    for path in doomed:
        try:
            os.unlink(path)
            touched.add(os.path.dirname(path))
        except FileNotFoundError:
            continue
        except OSError as error:
            problem = problem or error
    for directory in touched:
        with contextlib.suppress(OSError):
            sync_directory(directory)
    if problem is not None:
        raise problem


def _directories(paths: EcPaths) -> tuple[str, ...]:
    return tuple(dict.fromkeys((paths.directory, paths.index_directory)))
