"""What a master knows of the shards of encoded volumes on its servers, and how it comes to know it.

As in SeaweedFS ``topology/topology_ec.go`` and ``disk_ec.go``. Must not know the network.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from seaweedvol.pb.master_pb2 import Heartbeat
from seaweedvol.pb.master_pb2 import VolumeEcShardInformationMessage as _Message

#: So many shards take the place of one volume, whatever the ratio of theirs.
SHARDS_OF_A_VOLUME: Final = 10
_NUMBERS: Final = range(32)

#: By disk id and volume id.
Shards: TypeAlias = dict[tuple[int, int], _Message]


def after(shards: Shards, beat: Heartbeat) -> Shards:
    """What one server has after a beat, of what it had before, which stays as it is: others may be reading it."""
    if beat.ec_shards or beat.has_no_ec_shards:
        shards = {}
    elif beat.new_ec_shards or beat.deleted_ec_shards:
        shards = dict(shards)
    for came in (*beat.ec_shards, *beat.new_ec_shards):
        _add(shards, came)
    for gone in beat.deleted_ec_shards:
        _remove(shards, gone)
    return shards


def _add(shards: Shards, came: _Message) -> None:
    known = shards.get((came.disk_id, came.id))
    if known is not None:
        # A delta does not count needles, the whole report before it did.
        came = _with(came, _lengths(known) | _lengths(came), max(came.file_count, known.file_count),
                     max(came.delete_count, known.delete_count))
    shards[came.disk_id, came.id] = came


def _remove(shards: Shards, gone: _Message) -> None:
    known = shards.get((gone.disk_id, gone.id))
    if known is None:
        return
    left = {number: length for number, length in _lengths(known).items() if not gone.ec_index_bits >> number & 1}
    if left:
        shards[gone.disk_id, gone.id] = _with(known, left, known.file_count, known.delete_count)
    else:
        del shards[gone.disk_id, gone.id]


def _with(shards: _Message, lengths: dict[int, int], file_count: int, delete_count: int) -> _Message:
    changed = _Message()
    changed.CopyFrom(shards)
    changed.ec_index_bits = sum(1 << number for number in lengths)
    changed.shard_sizes[:] = [length for _, length in sorted(lengths.items())]
    changed.file_count, changed.delete_count = file_count, delete_count
    return changed


def shard_numbers(shards: _Message) -> list[int]:
    """The numbers of the shards in a message, ascending."""
    return [number for number in _NUMBERS if shards.ec_index_bits >> number & 1]


def _lengths(shards: _Message) -> dict[int, int]:
    """The lengths by number; 0 where the message has fewer of them, as those of old servers."""
    sizes = iter(shards.shard_sizes)
    return {number: next(sizes, 0) for number in shard_numbers(shards)}


def slots_for(shards: Iterable[_Message]) -> int:
    """How many volumes fit in the place of shards."""
    count = sum(each.ec_index_bits.bit_count() for each in shards)
    return -(-count // SHARDS_OF_A_VOLUME)


def without(shards: Shards, collection: str) -> Shards:
    """What a server has when it has removed a collection."""
    return {key: held for key, held in shards.items() if held.collection != collection}
