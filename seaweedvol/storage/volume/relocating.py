"""Moving the index of an open volume to another directory; as ``RelocateIndexTo`` in SeaweedFS ``volume.go``.

The volume never leaves: readers go on with the old map, writers wait until the new one is made. What can be made from
the .idx (.sdx, .ldb) is made anew there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil

import attrs

from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import sync_directory
from seaweedvol.storage.errors import VolumeBusy, VolumeError
from seaweedvol.storage.volume.core import Core
from seaweedvol.storage.volume.indexing import open_needles
from seaweedvol.storage.volume.paths import VolumePaths


def relocate_index(core: Core, directory: str) -> None:
    """Have the .idx lie in ``directory``; nothing, if it does or there is none.

    :raises VolumeBusy: while the volume is compacted.
    :raises VolumeError: when the file cannot be moved; then it is where it was.
    :raises VolumeClosed: when the volume is closed.
    :raises OSError: when it cannot be read where it is now; then it is back where it was.
    """
    with core.lock:
        before = core.paths
        if before.index_directory == directory or not os.path.exists(before.index):
            return
        files = core.open_files()
        if core.is_compacting:
            raise VolumeBusy(f"volume {core.volume_id} is compacting")
        after = attrs.evolve(before, index_directory=directory)
        try:
            files.needles.sync()
            _move(before.index, after.index)
        except OSError as error:
            words = os.strerror(error.errno or 0).lower()
            raise VolumeError(f"relocate index for volume {core.volume_id}: move .idx: {words}") from error
        core.paths = after
        try:
            core.files = open_needles(core, files.data)
        except Exception:
            core.paths = before
            _move(after.index, before.index)
            raise
        files.needles.close()
        _remove_derived(before)


def _move(source: str, target: str) -> None:
    """At no moment is there none, nor, for who loads the volume, one of which a part is missing."""
    failpoints.reach("relocate")
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target)
    for path in (target, source):
        sync_directory(os.path.dirname(path))


def _copy(source: str, target: str) -> None:
    aside = target + ".moving"
    try:
        shutil.copyfile(source, aside)
        with open(aside, "rb") as file:
            os.fsync(file.fileno())
        os.replace(aside, target)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        raise
    try:
        # The loader prefers the one beside the data, which must not grow old there.
        os.unlink(source)
    except OSError:
        os.unlink(target)
        raise


def _remove_derived(paths: VolumePaths) -> None:
    with contextlib.suppress(OSError):
        os.unlink(paths.sorted_index)
    shutil.rmtree(paths.level_index, ignore_errors=True)
