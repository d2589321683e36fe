"""The names of the files of a volume; as in SeaweedFS ``volume.go`` ``FileName`` and ``VolumeFileName``."""

from __future__ import annotations

import os
from typing import Final

import attrs

#: What a destroyed volume leaves nothing of, beside ``.vif``; in the directory of the data and in that of the index.
REMOVED_SUFFIXES: Final = (
    ".dat", ".idx", ".sdx", ".cpd", ".cpx", ".cpc", ".cpldb", ".ldb", ".rdb", ".note",
    ".dat.tmp",
)


def base_name(collection: str, volume_id: int) -> str:
    """``<id>``, or ``<collection>_<id>`` if there is a collection."""
    return f"{collection}_{volume_id}" if collection else str(volume_id)


@attrs.frozen
class SharedPaths:
    """What the paths of a plain volume and those of an encoded one have in common.

    :ivar index_directory: where its index is; often the same directory.
    """

    directory: str
    index_directory: str
    collection: str
    volume_id: int

    @property
    def base(self) -> str:
        """Path of the data files or shards without suffix."""
        return os.path.join(self.directory, base_name(self.collection, self.volume_id))

    @property
    def index_base(self) -> str:
        """Path of the index files without suffix."""
        return os.path.join(self.index_directory, base_name(self.collection, self.volume_id))

    @property
    def data(self) -> str:
        """The .dat: superblock and records."""
        return self.base + ".dat"

    @property
    def info(self) -> str:
        """The .vif."""
        return self.base + ".vif"


@attrs.frozen
class VolumePaths(SharedPaths):
    """Where the files of one volume lie."""

    @classmethod
    def found(cls, directory: str, index_directory: str, collection: str, volume_id: int) -> VolumePaths:
        """The paths of a volume, whose index stays beside its data if it already is there."""
        paths = cls(directory, directory, collection, volume_id)
        if directory == index_directory or os.path.exists(paths.index):
            return paths
        return attrs.evolve(paths, index_directory=index_directory)

    @property
    def index(self) -> str:
        """The .idx: one row for each record."""
        return self.index_base + ".idx"

    @property
    def level_index(self) -> str:
        """The .ldb: a directory made from the .idx, for whom it takes too much memory."""
        return self.index_base + ".ldb"

    @property
    def sorted_index(self) -> str:
        """The .sdx: made from the .idx of a volume that is not written to."""
        return self.index_base + ".sdx"

    @property
    def compacted_data(self) -> str:
        """The .cpd: what a compaction makes to replace the .dat."""
        return self.base + ".cpd"

    @property
    def compacted_index(self) -> str:
        """The .cpx: what a compaction makes to replace the .idx."""
        return self.index_base + ".cpx"

    @property
    def compacted_level_index(self) -> str:
        """The .cpldb: what a compaction makes to replace the .ldb."""
        return self.index_base + ".cpldb"

    @property
    def compaction_marker(self) -> str:
        """The .cpc: while it exists, .cpd and .cpx are complete and must replace the old pair."""
        return self.base + ".cpc"

    def torn(self, offset: int) -> str:
        """A name that is free, for bytes that are cut from the .dat at ``offset``."""
        name = f"{self.base}.torn-{offset}"
        number = 0
        path = name
        while os.path.exists(path):
            number += 1
            path = f"{name}.{number}"
        return path
