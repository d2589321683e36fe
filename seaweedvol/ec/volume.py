"""An encoded volume on one disk: its index, what was deleted since, and the shards that lie there.

Knows files and arithmetic: where the bytes of a needle are, by shard and offset. Must not know other disks, other
servers, nor how missing shards are made good. As in SeaweedFS ``erasure_coding/ec_volume.go``.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

import attrs

from seaweedvol.ec.index import EcIndex
from seaweedvol.ec.journal import Journal
from seaweedvol.ec.layout import Interval, data_length_from_shard, locate
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import Ratio
from seaweedvol.ec.shard import EcShard
from seaweedvol.storage.errors import VolumeClosed
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.needle import NEEDLE_VERSIONS
from seaweedvol.storage.ids import VolumeId


@attrs.frozen
class Found:
    """What the index says of a needle.

    :ivar offset: of its record in the .dat, in bytes.
    :ivar size: as in the header of its record.
    :ivar is_deleted: whether it was deleted, before or after the volume was encoded.
    """

    offset: int
    size: int
    is_deleted: bool


@attrs.define(eq=False)
class EcVolume:
    """An encoded volume on one disk.

    Any thread may ask; nothing that only asks takes a lock. Who adds or removes shards, closes or destroys must see to
    it that nobody else does.

    :ivar paths: where its files belong; where the index and the journal are is what ``index`` and ``journal`` say.
    :ivar width: of the offsets in the index.
    :ivar version: of its needles.
    :ivar data_length: bytes of the .dat when it was encoded, 0 when nobody wrote that down.
    :ivar encode_time_ns: names the encoding, 0 when nobody wrote that down: shards of another one do not fit.
    :ivar expires_at: the second at which it is to be removed, 0 for never.
    :ivar shards: those that are served, by number.
    :ivar disk_type: under which it is reported, "" for hdd.
    :ivar disk_id: the position of its disk among all.
    """

    id: VolumeId
    collection: str
    paths: EcPaths
    ratio: Ratio
    width: OffsetWidth
    version: int
    data_length: int
    encode_time_ns: int
    expires_at: int
    index: EcIndex = attrs.field(repr=False)
    journal: Journal = attrs.field(repr=False)
    shards: dict[int, EcShard] = attrs.field(factory=dict, repr=False)
    disk_type: str = ""
    disk_id: int = 0

    # --- needles ------------------------------------------------------------------------------------------------

    def find(self, key: int) -> Found | None:
        """What is known of a needle here.

        :raises OSError: when the index cannot be read, or is closed.
        """
        row = self.index.find(key)
        if row is None:
            return None
        offset, size = row
        return Found(offset, size, size < 0 or self.journal.contains(key))

    def intervals(self, offset: int, size: int) -> list[Interval]:
        """Where the record of a needle lies, piece by piece.

        :param size: as :class:`Found` has it, not negative.
        """
        return self.pieces(offset, NEEDLE_VERSIONS[self.version].record_length(size))

    def pieces(self, offset: int, length: int) -> list[Interval]:
        """Where these bytes of the .dat lie.

        :raises VolumeClosed: when only a shard could tell, and there is none any more.
        """
        return locate(self.ratio, self.data_length or self._guessed_length(), offset, length)

    def _guessed_length(self) -> int:
        length = self.shard_length
        if not length:
            raise VolumeClosed(f"ec volume {self.id} has no shards here")
        return data_length_from_shard(length, self.ratio)

    def tombstone(self, key: int) -> None:
        """Delete a needle, durably. One that is not there, or no more, is nothing to do.

        :raises OSError: when the journal cannot be written, or the index not be read.
        :raises VolumeClosed: when the volume is closed.
        """
        row = self.index.find(key)
        if row is None:
            return
        if row[1] < 0:
            # The index tells it already; it counts as a deletion all the same.
            self.journal.note(key)
        else:
            self.journal.append(key)

    # --- figures ------------------------------------------------------------------------------------------------

    @property
    def file_count(self) -> int:
        """How many needles there were when it was encoded."""
        return self.index.row_count

    @property
    def delete_count(self) -> int:
        """How many of them were deleted since, as far as is known here."""
        return len(self.journal)

    @property
    def shard_ids(self) -> list[int]:
        """The numbers of the shards that are served, ascending."""
        return sorted(self.shards)

    @property
    def shard_length(self) -> int:
        """Bytes of one shard, all being equal; 0 without shards."""
        return max((shard.length for shard in self.loaded()), default=0)

    @property
    def length(self) -> int:
        """Bytes of the shards that are served."""
        return sum(shard.length for shard in self.loaded())

    @property
    def created_at(self) -> float:
        """When it was encoded, by its index: seconds since 1970.

        :raises OSError: when the index is gone.
        """
        return os.stat(self.index.path).st_mtime

    def is_overdue(self) -> bool:
        """Whether its time to live is over."""
        return 0 < self.expires_at < int(time.time())

    # --- shards -------------------------------------------------------------------------------------------------

    def loaded(self) -> list[EcShard]:
        """The shards of this moment, as a list of one's own."""
        return list(self.shards.values())

    def add(self, shard: EcShard) -> bool:
        """Serve a shard; whether there was none of its number. If there was, it stays and this one is closed."""
        if shard.id in self.shards:
            shard.close()
            return False
        self.shards[shard.id] = shard
        return True

    def replace(self, shard: EcShard) -> None:
        """Serve this one instead of that of its number, which is closed when nobody holds it any more."""
        self.shards[shard.id] = shard

    def remove(self, shard_id: int) -> EcShard | None:
        """Serve a shard no more; its file stays."""
        shard = self.shards.pop(shard_id, None)
        if shard is not None:
            shard.close()
        return shard

    # --- ending -------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of all files. Reads that have begun end well or with an :class:`OSError`."""
        for shard in self.loaded():
            shard.close()
        self.index.close()
        self.journal.close()

    def destroy(self) -> None:
        """Close it, and remove the shards that were served, and all that is of no use without them.

        The .vif stays when there is a .dat or an .idx beside it: it is that volume's too, whose data it may be the only
        one to know the place of.

        :raises OSError: when a file stays; the others are removed all the same.
        """
        shards = [shard.path for shard in self.loaded()]
        self.close()
        problem: OSError | None = None
        # The index first: without it no start takes what a crash leaves here for a volume.
        for path in (*self._index_files(), *shards, *self._lesser_files()):
            try:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
            except OSError as error:
                problem = problem or error
        if problem is not None:
            raise problem

    def _index_files(self) -> Iterator[str]:
        # A copy in the other directory would come to life at the next start.
        for suffix, path in ((".ecx", self.index.path), (".ecj", self.journal.path)):
            yield from dict.fromkeys((path, *(base + suffix for base in self.paths.bases)))

    def _lesser_files(self) -> Iterator[str]:
        if not any(map(os.path.exists, (self.paths.data, *(base + ".idx" for base in self.paths.bases)))):
            yield self.paths.info
        yield from self.paths.sidecars()
