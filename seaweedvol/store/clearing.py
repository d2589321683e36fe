"""Removing, before a volume is loaded, what is in its way: copies and encodings that were broken off.

Knows what :mod:`~seaweedvol.store.survey` has found, and opens no volume.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.removing import remove_files
from seaweedvol.store.brokenoff import remove_encoded
from seaweedvol.store.survey import Found, Verdict, judge

_log = logging.getLogger(__name__)


def cleared(found: Found, *, is_start: bool, may_remove: bool) -> Verdict:
    """What to do with a volume once nothing is in its way any more; parameters as for :func:`judge`.

    :raises OSError: when its files cannot be looked at, or one not be removed.
    """
    verdict = judge(found, is_start=is_start, may_remove=may_remove)
    while verdict in _REMOVALS:
        what, remove = _REMOVALS[verdict]
        _log.warning("%s: %s is removed", found.directory / found.name.base, what)
        remove(found)
        verdict = judge(found, is_start=is_start, may_remove=False)
    return verdict


def remove_broken_off(found: Found) -> None:
    """Remove the erasure-coded form of a volume.

    :raises OSError: when a file cannot be removed.
    """
    remove_encoded(found.encoded)


def remove_stub(found: Found) -> None:
    """Remove a .dat that holds nothing, and its .idx: some servers made one of the .vif of shards.

    :raises OSError: when one cannot be removed.
    """
    for path in (found.data_file(".dat"), *found.either(".idx")):
        path.unlink(missing_ok=True)


def remove_incomplete(found: Found) -> None:
    """Remove every file of a volume that was never completely copied here, but for a .vif that shards need.

    :raises OSError: when one cannot be removed.
    """
    name = found.name
    remove_files(VolumePaths(str(found.directory), str(found.index_directory), name.collection, name.volume_id))


_REMOVALS: Final[dict[Verdict, tuple[str, Callable[[Found], None]]]] = {
    Verdict.INCOMPLETE: ("an unfinished copy", remove_incomplete),
    Verdict.BROKEN_OFF: ("what an unfinished encoding left", remove_broken_off),
    Verdict.STUB: ("an empty .dat beside the .vif of shards", remove_stub),
}
