"""What servers ask each other about shards: bytes of one, and putting a needle into the journal of deletions.

Blocking, callable from any thread. Texts are SeaweedFS 4.44's (``volume_grpc_erasure_coding.go``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.server.errors import Refused, words_of
from seaweedvol.storage.errors import StorageError

if TYPE_CHECKING:
    from seaweedvol.ec.shard import EcShard
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.store.store import Store

PIECE_LENGTH: Final = 2 << 20
#: Go keeps the number of a shard in a byte.
_SHARD_MASK: Final = 0xFF


@attrs.frozen
class ShardRequest:
    """Bytes of a shard.

    :ivar key: 0, or a needle of which the caller wants to know whether it is deleted.
    :ivar encode_time_ns: refuse those of another encoding; 0 takes any.
    """

    volume_id: VolumeId
    shard_id: int
    offset: int
    length: int
    key: int = 0
    encode_time_ns: int = 0


@attrs.frozen
class ShardPiece:
    """The next bytes, or the news that the needle is deleted; and of which encoding the shard is."""

    data: bytes
    encode_time_ns: int
    is_deleted: bool = False


def read_shard(store: Store, wanted: ShardRequest) -> Iterator[ShardPiece]:
    """Bytes of a shard that is mounted here, fewer where it ends.

    :raises Refused: when it is not, is of another encoding, or cannot be read.
    """
    shard_id = wanted.shard_id & _SHARD_MASK
    held = store.erasure.held(wanted.volume_id, shard_id, encode_time_ns=wanted.encode_time_ns)
    if held is None:
        name = f"{wanted.volume_id}.{wanted.shard_id}"
        if store.erasure.held(wanted.volume_id, shard_id) is None:
            raise Refused(f"not found ec shard {name}")
        raise Refused(f"ec shard {name} belongs to a different encode run")
    generation = held.volume.encode_time_ns
    if wanted.key:
        found = held.volume.find(wanted.key)
        if found is not None and (found.is_deleted or store.erasure.is_deleted(wanted.volume_id, wanted.key)):
            yield ShardPiece(b"", generation, is_deleted=True)
            return
    for data in _pieces(held.shard, wanted.offset, wanted.length):
        yield ShardPiece(data, generation)


def _pieces(shard: EcShard, offset: int, length: int) -> Iterator[bytes]:
    if length > 0 and offset < 0:
        raise Refused(f"readat {shard.path}: negative offset")
    end = min(offset + length, shard.length)
    try:
        # The file stays open though the shard may be unmounted meanwhile.
        read = shard.pinned()
        while offset < end and (data := read(min(PIECE_LENGTH, end - offset), offset)):
            yield data
            offset += len(data)
    except OSError as error:
        raise Refused(f"read {shard.path}: {words_of(error)}") from error


def delete_needle(store: Store, volume_id: VolumeId, key: int) -> None:
    """Put a needle into the journal of every disk that has shards of the volume; none has it: nothing to do.

    :raises Refused: when the volume is here and has no such needle.
    :raises StorageError, OSError: when a journal cannot be written.
    """
    volume = store.erasure.find(volume_id)
    if volume is None:
        return
    try:
        found = volume.find(key)
    except (StorageError, OSError) as error:
        raise Refused(f"locate in local ec volume: FindNeedleFromEcx: {error}") from error
    if found is None:
        raise Refused("locate in local ec volume: FindNeedleFromEcx: needle not found")
    # Also one that is deleted: another disk may not know it yet.
    store.erasure.tombstone(volume_id, key)
