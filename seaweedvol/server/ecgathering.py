"""One range of bytes on its way: what of it is there, who was asked, and what can be told of it.

Pure but for the promises of who was asked. Must not know how shards are asked, nor in what order.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING

import attrs

from seaweedvol.ec.codec import reconstruct
from seaweedvol.storage.errors import TooFewShards

if TYPE_CHECKING:
    from seaweedvol.ec.layout import Interval
    from seaweedvol.ec.volume import EcVolume


@attrs.frozen
class Source:
    """Whose shards are asked for, and what for.

    :ivar key: of the needle that is read: a server that knows it as deleted says so.
    :ivar doubted: shards that have lied, which are asked last.
    """

    volume: EcVolume
    key: int
    doubted: frozenset[int] = frozenset()

    @property
    def volume_id(self) -> int:
        """The number of the volume."""
        return self.volume.id


@attrs.define(eq=False)
class Gathering:
    """One range of bytes on the way.

    :ivar pieces: what is there, by shard.
    :ivar others: shards that were not asked yet.
    """

    interval: Interval
    needed: int
    pieces: dict[int, bytes] = attrs.Factory(dict)
    others: list[int] = attrs.Factory(list)
    pending: dict[Future[bytes], int] = attrs.Factory(dict)

    @property
    def is_done(self) -> bool:
        """Whether the bytes can be told."""
        return self.interval.shard_id in self.pieces or len(self.pieces) >= self.needed

    @property
    def lacking(self) -> int:
        """How many more must be asked, if all that are asked answer."""
        return self.needed - len(self.pieces) - len(self.pending)


def in_order(source: Source) -> list[int]:
    """All shards, those that have lied last."""
    return sorted(range(source.volume.ratio.total), key=lambda shard_id: (shard_id in source.doubted, shard_id))


def told(source: Source, gathering: Gathering) -> bytes:
    """The bytes of one that is done: of the wanted shard itself, or computed, if that is more to be believed."""
    wanted = gathering.interval.shard_id
    if wanted in gathering.pieces and wanted not in source.doubted:
        return gathering.pieces[wanted]
    trusted = [shard_id for shard_id in in_order(source) if shard_id in gathering.pieces and shard_id != wanted]
    if len(trusted) < gathering.needed:
        return gathering.pieces[wanted]
    pieces = {shard_id: gathering.pieces[shard_id] for shard_id in trusted[:gathering.needed]}
    return reconstruct(source.volume.ratio, pieces, (wanted,))[wanted]


def too_few(source: Source, gathering: Gathering) -> TooFewShards:
    """What to say of one that cannot be done, in Go's words."""
    there = sorted(gathering.pieces)
    missing = sorted(set(range(source.volume.ratio.total)) - set(there))
    return TooFewShards(
        f"ReadEcShardIntervals: cannot recover shard {source.volume_id}.{gathering.interval.shard_id}: only "
        f"{len(there)} shards available {_listed(there)}, need at least {gathering.needed} "
        f"(missing: {_listed(missing)})")


def _listed(numbers: Iterable[int]) -> str:
    return f"[{' '.join(map(str, numbers))}]"
