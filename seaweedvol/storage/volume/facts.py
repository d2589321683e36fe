"""What a volume says of itself: where it lies, what it holds, if it takes writes. Takes no lock and changes nothing."""

from __future__ import annotations

from pathlib import Path

import attrs

from seaweedvol.storage.errors import VolumeReadOnly
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.placement import ReplicaPlacement
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH, SuperBlock
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.storage.format.volumeinfo import VolumeInfo
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.needlemap import Counts
from seaweedvol.storage.volume.core import Core
from seaweedvol.storage.volume.paths import VolumePaths
from seaweedvol.storage.volume.readonly import ReadOnlyReason


@attrs.define(eq=False)
class VolumeFacts:
    """Of one volume, as of the moment in which each is asked for; any thread may."""

    _core: Core

    # -- identity

    @property
    def id(self) -> VolumeId:
        """The number by which file ids name it."""
        return VolumeId(self._core.paths.volume_id)

    @property
    def collection(self) -> str:
        """The name of its collection, empty for none."""
        return self._core.paths.collection

    @property
    def paths(self) -> VolumePaths:
        """Where its files lie."""
        return self._core.paths

    @property
    def directory(self) -> Path:
        """Where the .dat lies."""
        return Path(self._core.paths.directory)

    @property
    def index_directory(self) -> Path:
        """Where the .idx lies."""
        return Path(self._core.paths.index_directory)

    @property
    def data_path(self) -> Path:
        """The .dat."""
        return Path(self._core.paths.data)

    @property
    def index_path(self) -> Path:
        """The .idx."""
        return Path(self._core.paths.index)

    @property
    def width(self) -> OffsetWidth:
        """How wide offsets are in its .idx."""
        return self._core.width

    @property
    def super_block(self) -> SuperBlock:
        """The head of the .dat, with the placement of the .vif if that names one."""
        return self._core.super_block

    @property
    def info(self) -> VolumeInfo:
        """What the .vif says; change it through methods of the volume only."""
        return self._core.info

    @property
    def version(self) -> int:
        """Of the record layout."""
        return self._core.super_block.version

    @property
    def placement(self) -> ReplicaPlacement:
        """Where its replicas are to be."""
        return self._core.super_block.placement

    @property
    def copy_count(self) -> int:
        """How many servers should hold it."""
        return self._core.super_block.placement.copy_count

    @property
    def ttl(self) -> Ttl:
        """How long its needles live."""
        return self._core.super_block.ttl

    @property
    def compaction_revision(self) -> int:
        """How often it was compacted."""
        return self._core.super_block.compaction_revision

    # -- figures

    @property
    def counts(self) -> Counts:
        """Totals of its needles; all zero once closed."""
        files = self._core.files
        return files.needles.counts if files else Counts()

    @property
    def data_length(self) -> int:
        """Bytes of the .dat; 0 once closed."""
        files = self._core.files
        return files.data.length() if files else 0

    @property
    def index_length(self) -> int:
        """Bytes of the .idx; 0 once closed."""
        files = self._core.files
        return files.needles.index_length() if files else 0

    @property
    def modified_at(self) -> float:
        """Unix time in seconds at which the .dat last changed; 0 once closed."""
        files = self._core.files
        try:
            return files.data.modified_at() if files else 0.0
        except OSError:
            if self._core.files is files:
                raise
            return 0.0

    @property
    def last_modified_at(self) -> int:
        """The latest time of modification that a needle brought, or that the .dat had when loaded, in seconds."""
        return self._core.last_modified_at

    @property
    def last_append_at_ns(self) -> int:
        """When the last record was appended, by the record itself; nanoseconds."""
        return self._core.last_append_at_ns

    # -- taking writes or not

    @property
    def is_compacting(self) -> bool:
        """Whether a compaction holds it."""
        return self._core.is_compacting

    @property
    def is_read_only(self) -> bool:
        """Whether writes are refused."""
        return self._core.gate.is_closed

    @property
    def read_only_reasons(self) -> frozenset[ReadOnlyReason]:
        """Why."""
        return self._core.gate.reasons

    def reason_text(self) -> str:
        """Why, in words."""
        return self._core.gate.text()

    @property
    def no_write_or_delete(self) -> bool:
        """Whether deletes are refused too."""
        return self._core.gate.refuses_deletes

    @property
    def no_write_can_delete(self) -> bool:
        """Whether there is a reason that lets deletes through."""
        return self._core.gate.takes_deletes_only

    @property
    def is_remote(self) -> bool:
        """Whether its data are read from an object store."""
        return self._core.is_remote

    @property
    def is_quarantined(self) -> bool:
        """Whether the disk failed under it too often; then it is not reported to the master."""
        return self._core.faults.is_quarantined

    def refusal(self) -> VolumeReadOnly | None:
        """What to say to who wants to write; None while writes are taken."""
        gate = self._core.gate
        return gate.refusal() if gate.is_closed else None

    @property
    def io_errors(self) -> int:
        """How often the disk has failed under it since it was loaded."""
        return self._core.faults.total

    # -- age

    def is_expired(self, volume_size_limit: int) -> bool:
        """Whether all it holds has outlived its time; never while the master has not yet told the size limit."""
        minutes = self.ttl.minutes
        if not volume_size_limit or not minutes or self.data_length <= SUPERBLOCK_LENGTH:
            return False
        return minutes < (self._now() - self.last_modified_at) // 60

    def is_expired_long_enough(self, max_delay_minutes: int) -> bool:
        """Whether it expired so long ago (a tenth of its time to live, at most that many minutes) that it may go."""
        minutes = self.ttl.minutes
        delay = min(minutes // 10, max_delay_minutes)
        return bool(minutes) and (minutes + delay) * 60 + self.last_modified_at < self._now()

    def _now(self) -> int:
        return self._core.now_ns() // 10**9
