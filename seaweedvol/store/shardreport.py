"""What the master is told of the shards of an encoded volume on one disk.

Knows encoded volumes to read from them, nothing of the heartbeat's messages. As in SeaweedFS
``erasure_coding/ec_volume.go`` (``ToVolumeEcShardInformationMessage``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from seaweedvol.ec.shard import EcShard
    from seaweedvol.ec.volume import EcVolume


@attrs.frozen
class ShardReport:
    """Shards of one volume on one disk as the master sees them.

    :ivar shards: number and length in bytes of each, by number; the length is 0 of one that is gone.
    :ivar disk_type: "" for hdd; may differ from that of the disk.
    :ivar expires_at: seconds since 1970, 0 for never.
    :ivar encode_time_ns: names the encoding, 0 when not known.
    """

    id: int
    collection: str = ""
    shards: tuple[tuple[int, int], ...] = ()
    disk_type: str = ""
    disk_id: int = 0
    expires_at: int = 0
    file_count: int = 0
    delete_count: int = 0
    encode_time_ns: int = 0

    @property
    def shard_bits(self) -> int:
        """The numbers of the shards as bits of a word."""
        return sum(1 << number for number, _ in self.shards)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Their lengths, by number."""
        return tuple(length for _, length in self.shards)


def shards_of(volume: EcVolume) -> ShardReport:
    """Everything of a volume on its disk."""
    return attrs.evolve(
        appeared(volume, volume.loaded()), file_count=volume.file_count, delete_count=volume.delete_count)


def appeared(volume: EcVolume, shards: Iterable[EcShard]) -> ShardReport:
    """Shards that are served from now on; the counts of needles come with the next full report."""
    return ShardReport(
        id=volume.id,
        collection=volume.collection,
        shards=tuple(sorted((shard.id, shard.length) for shard in shards)),
        disk_type=volume.disk_type,
        disk_id=volume.disk_id,
        expires_at=volume.expires_at,
        encode_time_ns=volume.encode_time_ns,
    )


def vanished(volume: EcVolume, shard_ids: Iterable[int]) -> ShardReport:
    """Shards that are served no more."""
    return ShardReport(
        id=volume.id,
        collection=volume.collection,
        shards=tuple((number, 0) for number in sorted(shard_ids)),
        disk_type=volume.disk_type,
        disk_id=volume.disk_id,
        encode_time_ns=volume.encode_time_ns,
    )
