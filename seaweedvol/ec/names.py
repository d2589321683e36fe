"""The names of the files of an encoded volume, and where to look for those that may lie in either directory.

As in SeaweedFS ``erasure_coding/ec_shard.go``, ``ec_volume.go`` (``NewEcVolume``) and ``ec_bitrot.go``.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from seaweedvol.ec.ratio import MAX_SHARDS
from seaweedvol.storage.volume.paths import SharedPaths, base_name

ASIDE_SUFFIX: Final = ".tmp"
"""What the name of a file ends in while it is written; ``write_aside`` uses it too."""


def shard_suffix(shard_id: int) -> str:
    """``.ec00`` and so on."""
    return f".ec{shard_id:02d}"


def aside(path: str) -> str:
    """The name under which the file for ``path`` is written before it is published."""
    return path + ASIDE_SUFFIX


@attrs.frozen
class EcPaths(SharedPaths):
    """Where the files of one encoded volume lie: shards in ``directory``, the index in ``index_directory``."""

    @property
    def bases(self) -> tuple[str, ...]:
        """Both, that of the shards first; one if they are the same."""
        return (self.base,) if self.base == self.index_base else (self.base, self.index_base)

    def shard(self, shard_id: int) -> str:
        """One shard."""
        return self.base + shard_suffix(shard_id)

    @property
    def index(self) -> str:
        """The .ecx: rows of the needles, sorted by key."""
        return self.index_base + ".ecx"

    @property
    def journal(self) -> str:
        """The .ecj: keys that were deleted since."""
        return self.index_base + ".ecj"

    def sidecar(self, generation: int = 0) -> str:
        """The .ecsum: checksums of the shards; ``.ecsum.v<N>`` for later generations."""
        return self.base + _sidecar_suffix(generation)

    @property
    def row_index(self) -> str:
        """The .idx that belongs to the .dat that is encoded, or decoded to."""
        return self.index_base + ".idx"

    # --- what is there --------------------------------------------------------------------------------------------

    def found(self) -> EcPaths | None:
        """These paths with the index directory where the .ecx really is; None if there is none.

        One beside the shards comes first, but an empty one only when the other is not there or is empty too.
        """
        lengths = [(base, _file_length(base + ".ecx")) for base in self.bases]
        there = [base for base, length in lengths if length] or [base for base, length in lengths if length is not None]
        return attrs.evolve(self, index_directory=os.path.dirname(there[0])) if there else None

    def found_info(self) -> str | None:
        """Path of the .vif: beside the shards, else beside the index."""
        return _first(base + ".vif" for base in self.bases)

    def found_sidecar(self, generation: int = 0, directories: Sequence[str] = ()) -> str | None:
        """Path of the .ecsum: beside the shards, else beside the index, else in one of the ``directories``."""
        name = base_name(self.collection, self.volume_id)
        bases = (*self.bases, *(os.path.join(directory, name) for directory in directories))
        return _first(base + _sidecar_suffix(generation) for base in bases)

    def found_shard(self, shard_id: int, directories: Sequence[str] = ()) -> str | None:
        """Path of a shard: here, else in one of the ``directories``."""
        name = base_name(self.collection, self.volume_id) + shard_suffix(shard_id)
        return _first((self.shard(shard_id), *(os.path.join(directory, name) for directory in directories)))

    def shards(self) -> dict[int, str]:
        """The shards of this directory by number, empty files too."""
        return {number: path for number in range(MAX_SHARDS) if os.path.isfile(path := self.shard(number))}

    def sidecars(self) -> list[str]:
        """The .ecsum of all generations, beside the shards and beside the index."""
        found: list[str] = []
        for base in self.bases:
            found.extend(path for path in (base + ".ecsum",) if os.path.exists(path))
            found.extend(sorted(glob.glob(glob.escape(base) + ".ecsum.v*")))
        return found

    def asides(self) -> list[str]:
        """What a broken off encode, rebuild or decode left that was never published."""
        suffixes = [shard_suffix(number) for number in range(MAX_SHARDS)]
        suffixes += [".ecx", ".ecj", ".ecsum", ".dat", ".idx"]
        paths = (aside(base + suffix) for base in self.bases for suffix in suffixes)
        return [path for path in paths if os.path.exists(path)]


def _sidecar_suffix(generation: int) -> str:
    return f".ecsum.v{generation}" if generation else ".ecsum"


def _file_length(path: str) -> int | None:
    return os.path.getsize(path) if os.path.isfile(path) else None


def _first(paths: Iterator[str] | Sequence[str]) -> str | None:
    return next((path for path in paths if os.path.exists(path)), None)
