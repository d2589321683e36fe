"""Giving every disk that has shards an index of its own, so that it can be read when the others are gone.

Knows files. As in SeaweedFS ``storage/store_ec_mirror.go``.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import rename_durably
from seaweedvol.store.names import VolumeName
from seaweedvol.store.shardfiles import Place, paths_in

#: In the order in which a volume's files are opened.
MIRRORED: Final = (".ecx", ".ecj", ".vif")
ASIDE_SUFFIX: Final = ".mirror.tmp"


def has_all(place: Place, name: VolumeName) -> bool:
    """Whether each of the files is in one of the directories of the place."""
    bases = paths_in(place, name).bases
    return all(any(os.path.isfile(base + suffix) for base in bases) for suffix in MIRRORED)


def mirror(place: Place, owner: Place, index_directory: Path, name: VolumeName) -> list[str]:
    """Copy what the place lacks from the place that has the index; one that is there stays, it may be newer.

    :param index_directory: where that has it.
    :returns: the paths of the copies.
    :raises OSError: when one cannot be made; those before it are.
    """
    source = paths_in(owner, name, index_directory)
    target = paths_in(place, name)
    copied = []
    for suffix in MIRRORED:
        path = (target.base if suffix == ".vif" else target.index_base) + suffix
        found = next((base + suffix for base in (source.index_base, source.base) if os.path.isfile(base + suffix)), "")
        if found and not os.path.exists(path):
            _copy(found, path)
            copied.append(path)
    return copied


def _copy(source: str, target: str) -> None:
    """Make a copy that is whole whenever it is there."""
    aside = target + ASIDE_SUFFIX
    try:
        with open(source, "rb") as reading, open(aside, "wb") as writing:
            shutil.copyfileobj(reading, writing)
            writing.flush()
            failpoints.reach("mirror.sync")
            os.fsync(writing.fileno())
        rename_durably(aside, target)
    except Exception:
        Path(aside).unlink(missing_ok=True)
        raise
