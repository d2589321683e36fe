"""Needles of encoded volumes whose bytes are at hand: on this server and in the page cache, for the express lane.

The companion of ``storage/volume/glancing`` for volumes in shards. A shard that is not here is computed at once, if
enough others are. Whatever else is unusual (a piece elsewhere, a cold page, a needle over two shards, a wrong checksum,
a shard that has lied) is for :mod:`ecneedles`, in a thread. For the reactor's thread only.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from seaweedvol.ec.arena import Arena
from seaweedvol.ec.codec import best_codec
from seaweedvol.ec.matrix import recovery_rows
from seaweedvol.ec.ratio import MAX_SHARDS
from seaweedvol.storage.errors import StorageError, VolumeReadOnly
from seaweedvol.storage.format.checksum import checksum_matches, crc32c
from seaweedvol.storage.format.needle import HEADER_LENGTH, NEEDLE_VERSIONS
from seaweedvol.storage.format.ttl import EMPTY_TTL
from seaweedvol.storage.volume.glancing import ELSEWHERE, GLANCE_LENGTH, MISSING, Glancer, Glimpse, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seaweedvol.ec.layout import Interval
    from seaweedvol.ec.shard import EcShard
    from seaweedvol.ec.volume import EcVolume
    from seaweedvol.server.ecneedles import Doubts
    from seaweedvol.storage.format.ttl import Ttl
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.storage.volume.batching import Put, Removal, SyncTicket
    from seaweedvol.storage.volume.opening import OpenNeedle
    from seaweedvol.store.erasure import ErasureStore

_DATA_START: Final = HEADER_LENGTH + 4
_MAX_RECORD: Final = GLANCE_LENGTH + 1024
_HEAD = struct.Struct(">IQiI").unpack_from
_CHECKSUM = struct.Struct(">I").unpack_from


class EncodedView:
    """An encoded volume as the express lane sees one (``interfaces.QuickVolume``): it may be read, if that is easy.

    :ivar volume: on the disk whose index is looked at.
    """

    is_read_only: Final = True
    copy_count: Final = 1
    ttl: Final[Ttl] = EMPTY_TTL

    __slots__ = ("volume", "shards", "_eyes")

    def __init__(self, volume: EcVolume, shards: Mapping[int, EcShard], eyes: EcGlances) -> None:
        self.volume, self.shards, self._eyes = volume, shards, eyes

    @property
    def id(self) -> VolumeId:
        """The number by which file ids name it."""
        return self.volume.id

    def locate(self, key: int) -> tuple[int, int] | None:
        """Nobody changes what is here, so nobody asks."""
        return None

    def glance(self, key: int, glancer: Glancer) -> Glimpse | Verdict:
        """A small needle, verified."""
        return self._eyes.glance(self.volume, self.shards, key)

    def open_now(self, key: int) -> OpenNeedle | None:
        """No large ones."""
        return None

    def apply(self, changes: Sequence[Put | Removal], *, blocking: bool = True,
              fsync: bool = False) -> SyncTicket | None:
        """Nothing can be changed here.

        :raises VolumeReadOnly: always.
        """
        raise VolumeReadOnly(f"volume {self.volume.id} is read only")


class EcGlances:
    """Looks at needles, one at a time: the data are good until the next."""

    def __init__(self, erasure: ErasureStore, doubts: Doubts) -> None:
        self._erasure, self._doubts = erasure, doubts
        self._views: dict[int, EncodedView] = {}
        self._view = memoryview(bytearray(_MAX_RECORD))
        self._arena: Arena | None = None

    def at_hand(self, volume_id: int) -> EncodedView | None:
        """The volume, if a shard of it is here."""
        holders = self._erasure.holders(volume_id)
        if not holders:
            self._views.pop(volume_id, None)
            return None
        if len(holders) == 1:
            volume = holders[0][1]
            known = self._views.get(volume_id)
            if known is None or known.volume is not volume or known.shards is not volume.shards:
                known = self._views[volume_id] = EncodedView(volume, volume.shards, self)
            return known
        newest = max((each for _, each in holders), key=lambda each: each.encode_time_ns)
        shards: dict[int, EcShard] = {}
        for _, each in reversed(holders):
            if each.encode_time_ns == newest.encode_time_ns:
                shards.update(each.shards)
        return EncodedView(newest, shards, self)

    def glance(self, volume: EcVolume, shards: Mapping[int, EcShard], key: int) -> Glimpse | Verdict:
        """The needle, verified; or what there is to say of it."""
        try:
            row = volume.index.find_now(key)
            if row is None:
                return MISSING
            offset, size = row
            codec = NEEDLE_VERSIONS[volume.version]
            if not 0 < size <= GLANCE_LENGTH or codec.data_offset != _DATA_START or self._doubts.of(volume) or \
                    self._erasure.is_deleted(volume.id, key):
                return ELSEWHERE
            intervals = volume.pieces(offset, codec.record_length(size))
            if len(intervals) != 1:
                return ELSEWHERE
            record = self._piece(volume, shards, intervals[0])
        except (OSError, KeyError, StorageError):
            # KeyError: a shard went away at this moment.
            return ELSEWHERE
        return ELSEWHERE if record is None else _parsed(record, key, size)

    def _piece(self, volume: EcVolume, shards: Mapping[int, EcShard], interval: Interval) -> memoryview | None:
        shard = shards.get(interval.shard_id)
        if shard is None:
            return self._computed(volume, shards, interval)
        view = self._view[:interval.length]
        return view if shard.descriptor.read_now(view, interval.offset) == interval.length else None

    def _computed(self, volume: EcVolume, shards: Mapping[int, EcShard], interval: Interval) -> memoryview | None:
        """The bytes of a shard that is not here, from others that are."""
        ratio, length, offset = volume.ratio, interval.length, interval.offset
        present = tuple(sorted(shards))[:ratio.data]
        if len(present) < ratio.data:
            return None
        arena = self._arena
        if arena is None:
            arena = self._arena = Arena(MAX_SHARDS + 1, _MAX_RECORD)
        for row, number in enumerate(present):
            if shards[number].descriptor.read_now(arena.row(row)[:length], offset) != length:
                return None
        rows = recovery_rows(ratio, present, (interval.shard_id,))
        best_codec().transform(rows, arena, tuple(range(ratio.data)), (ratio.data,), length)
        return arena.row(ratio.data)[:length]


def _parsed(record: memoryview, key: int, size: int) -> Glimpse | Verdict:
    cookie, found_key, found_size, data_length = _HEAD(record)
    data_end, footer = _DATA_START + data_length, HEADER_LENGTH + size
    if found_key != key or found_size != size or not data_length or data_end >= footer:
        return ELSEWHERE
    data = record[_DATA_START:data_end]
    checksum = crc32c(data)
    stored, = _CHECKSUM(record, footer)
    if stored != checksum and not checksum_matches(stored, checksum):
        return ELSEWHERE
    return cookie, checksum, data, bytes(record[data_end:footer])
