"""Removing the files of a volume that is no more; as ``removeVolumeFiles`` in SeaweedFS ``volume_write.go``."""

from __future__ import annotations

import glob
import os
import shutil

from seaweedvol.storage import failpoints
from seaweedvol.storage.volume.paths import REMOVED_SUFFIXES, VolumePaths


def remove_files(paths: VolumePaths) -> None:
    """Remove everything of this volume, but the .vif if an .ecx or a shard says that it is of an erasure-coded one too.

    :raises OSError: when a file cannot be removed; the others are, all the same.
    """
    bases = {paths.base, paths.index_base}
    shards = glob.glob(glob.escape(paths.base) + ".ec[0-9][0-9]")
    is_shared = bool(shards) or any(os.path.exists(base + ".ecx") for base in bases)
    suffixes = REMOVED_SUFFIXES if is_shared else (*REMOVED_SUFFIXES, ".vif")
    doomed = [base + suffix for base in sorted(bases) for suffix in suffixes]
    doomed += glob.glob(glob.escape(paths.base) + ".torn-*")
    problem: OSError | None = None
    for path in doomed:
        try:
            failpoints.reach("remove")
            _remove(path)
        except OSError as error:
            problem = problem or error
    if problem is not None:
        raise problem


def _remove(path: str) -> None:
    # Some maps are directories of LevelDB files.
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
