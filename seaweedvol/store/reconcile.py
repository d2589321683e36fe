"""Finishes, or takes back, what a compaction was doing when the process died.

Knows files and their names, no volume. A compaction writes ``.cpd`` and ``.cpx`` beside ``.dat`` and ``.idx``; the
empty marker ``.cpc`` says that they are whole and replace the old ones. With the marker the renames are finished,
without it the new files are dropped. As in SeaweedFS ``storage/volume_vacuum.go`` (``reconcileCompactState``),
so that either program can take over a disk from the other in the middle.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Final

from seaweedvol.storage.backend.disk import rename_durably, sync_directory
from seaweedvol.storage.ids import VolumeId
from seaweedvol.store.names import VolumeName, parse_base

_log = logging.getLogger(__name__)

_LEFTOVERS: Final = (".cpc", ".cpd", ".cpx")
# Maps kept beside an .idx; they are made anew from it.
_DERIVED: Final = (".ldb", ".cpldb", ".rdb", ".sdx")


def settle_compactions(directory: Path, index_directory: Path, loaded: Container[VolumeId]) -> dict[VolumeId, str]:
    """Settle every interrupted compaction of a directory, except of loaded volumes, whose compaction may be running.

    :returns: why, for each volume that could not be settled; it must not be loaded, its files may not fit together.
    """
    failed = {}
    for name in sorted(_interrupted(directory, index_directory), key=lambda name: name.base):
        if name.volume_id in loaded:
            continue
        try:
            _settle(directory, index_directory, name.base)
        except OSError as error:
            failed[name.volume_id] = f"interrupted compaction could not be settled: {error}"
    return failed


def _interrupted(directory: Path, index_directory: Path) -> set[VolumeName]:
    bases = {path.stem for path in _leftovers_in(directory)}
    if index_directory != directory:
        # Several directories may share it: what others are in the midst of is theirs to settle.
        bases |= {path.stem for path in _leftovers_in(index_directory) if (directory / f"{path.stem}.dat").exists()}
    return {name for base in bases if (name := parse_base(base)) is not None}


def _leftovers_in(directory: Path) -> Iterator[Path]:
    return (path for path in directory.iterdir() if path.suffix in _LEFTOVERS and not path.is_dir())


def _settle(directory: Path, index_directory: Path, base: str) -> None:
    # The index may lie with the data although there is an index directory; Go looks for the .cpx only in the latter.
    places = [directory] if directory == index_directory else [directory, index_directory]
    if (directory / f"{base}.cpc").exists():
        _log.warning("finishing the interrupted compaction of %s", directory / base)
        _roll_forward(places, base)
    else:
        _log.warning("dropping the unfinished compaction of %s", directory / base)
        _roll_back(places, base)


def _roll_forward(places: list[Path], base: str) -> None:
    for new, old in ((".cpd", ".dat"), (".cpx", ".idx")):
        for place in places:
            if (place / (base + new)).exists():
                rename_durably(str(place / (base + new)), str(place / (base + old)))
    # Also where both were renamed already: Go removes the maps after that, and asks for them no more.
    _drop_derived(places, base)
    # The marker goes last, so that a crash in here is settled by the next start.
    (places[0] / f"{base}.cpc").unlink(missing_ok=True)
    sync_directory(str(places[0]))


def _roll_back(places: list[Path], base: str) -> None:
    for place in places:
        for suffix in (".cpd", ".cpx"):
            (place / (base + suffix)).unlink(missing_ok=True)
    _drop_derived(places, base)


def _drop_derived(places: list[Path], base: str) -> None:
    for place in places:
        for suffix in _DERIVED:
            path = place / (base + suffix)
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
