"""Removing what copies of volumes left behind that a crash broke off; for the start, while nobody copies.

Knows names and one small file, no volume. What has a .note and can be found by its .idx or .vif is removed where
volumes are loaded, as in Go; this is about the rest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from seaweedvol.storage.volume.arriving import EXTENSIONS, NOTE, SUFFIX
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.removing import remove_files
from seaweedvol.store.names import VolumeName, parse_base

_WORDS: Final = b"copying from "


def sweep(directory: Path, index_directory: Path) -> Iterator[str]:
    """Remove it; the names of the volumes whose files it was.

    The index directory may be shared with others: only what belongs to a volume of the data directory goes.

    :raises OSError: when a directory cannot be read, or a file not removed.
    """
    names = set(os.listdir(directory))
    for name in sorted(filter(None, {_volume_of(each) for each in names}), key=lambda name: name.base):
        if name.base + NOTE in names and not names & {name.base + ".idx", name.base + ".vif"}:
            if not _is_ours(directory / (name.base + NOTE)):
                continue
            remove_files(VolumePaths(str(directory), str(index_directory), name.collection, name.volume_id))
        for place in (directory, index_directory):
            for extension in EXTENSIONS:
                (place / (name.base + extension + SUFFIX)).unlink(missing_ok=True)
        yield name.base


def _volume_of(file_name: str) -> VolumeName | None:
    """The volume of which such a file is left."""
    for ending in (NOTE, *(extension + SUFFIX for extension in EXTENSIONS)):
        if file_name.endswith(ending):
            return parse_base(file_name[:-len(ending)])
    return None


def _is_ours(note: Path) -> bool:
    """Whether a copy wrote it, and not an operator."""
    with open(note, "rb") as file:
        return file.read(len(_WORDS)) == _WORDS
