"""Removing what copies and encodings of volumes left behind that a crash broke off; for the start, while there are
none.

Knows names and one small file, no volume. What has a .note and can be found by its .idx or .vif is removed where
volumes are loaded, as in Go; this is about the rest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from seaweedvol.storage.volume.arriving import EXTENSIONS, NOTE, SUFFIX
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.removing import remove_files
from seaweedvol.store.names import VolumeName, parse_base

_WORDS: Final = b"copying from "
_ASIDE: Final = re.compile(r"(.+)\.(ec[0-9][0-9]|ecx|ecj|ecsum(\.v[0-9]+)?|dat|idx|vif)(\.mirror|\.copying)?\.tmp")


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


def sweep_asides(directory: Path, index_directory: Path) -> Iterator[Path]:
    """Remove what an encoding, a decoding, a rebuild, a mirroring or one who received a file wrote aside and did not
    publish; its paths.

    In an index directory only what belongs to a volume of which something is in the data directory.

    :raises OSError: as :func:`sweep`.
    """
    bases = {base for entry in os.listdir(directory) for base in (Path(entry).stem, _base_of_aside(entry))}
    for place in dict.fromkeys((directory, index_directory)):
        for entry in sorted(os.listdir(place)):
            base = _base_of_aside(entry)
            if base is not None and (place == directory or base in bases):
                (place / entry).unlink()
                yield place / entry


def _base_of_aside(file_name: str) -> str | None:
    found = _ASIDE.fullmatch(file_name)
    return found[1] if found and parse_base(found[1]) is not None else None


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
