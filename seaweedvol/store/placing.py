"""Where a volume goes: which of the locations takes a new one, and how many fit where nobody set a limit.

Knows counts and bytes, no files. As in SeaweedFS ``storage/store.go`` (``addVolume``, ``MaybeAdjustVolumeMax``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from fractions import Fraction
from typing import Final, Protocol, TypeVar

from seaweedvol.storage.errors import NoFreeSlot

_UNLIMITED_SHARDS: Final = 1 << 30


class Place(Protocol):
    """What is asked of a location."""

    @property
    def disk_type(self) -> str:
        """The kind of disk, "" for hdd."""
        ...

    @property
    def has_free_slot(self) -> bool:
        """Whether it takes one more volume."""
        ...

    @property
    def local_count(self) -> int:
        """How many volumes it holds whose .dat is not in an object store."""
        ...


P = TypeVar("P", bound=Place)


def parse_disk_type(text: str) -> str:
    """A disk type as it is stored and compared: lower case, and "" for hdd."""
    text = text.lower()
    return "" if text == "hdd" else text


def place_for_new(places: Iterable[P], disk_type: str) -> P:
    """The emptiest place of exactly this disk type that takes one more; the first of several.

    :raises NoFreeSlot: when there is none.
    """
    fitting = [place for place in places if place.disk_type == disk_type and place.has_free_slot]
    if not fitting:
        raise NoFreeSlot()
    return min(fitting, key=lambda place: place.local_count)


class Room(Protocol):
    """What is asked of a location for a volume that comes from elsewhere."""

    @property
    def max_count(self) -> int:
        """How many volumes it may hold; 0 as long as nobody worked that out."""
        ...

    @property
    def volume_count(self) -> int:
        """How many it holds."""
        ...

    @property
    def shard_count(self) -> int:
        """How many shards of encoded volumes it serves."""
        ...

    @property
    def shard_slots(self) -> int:
        """How many volumes fit in their place."""
        ...

    @property
    def takes_nothing(self) -> bool:
        """Whether the disk is too full, or in another bad state."""
        ...


R = TypeVar("R", bound=Room)


def roomiest(places: Iterable[R], fits: Callable[[R], bool], *, leaving: Collection[R] = ()) -> R | None:
    """The place with most free slots of those that fit, the first of several; None when there is none.

    :param leaving: places out of which a volume goes first.
    """
    best, most = None, 0
    for place in places:
        free = place.max_count - place.volume_count - place.shard_slots + (place in leaving)
        if free > most and not place.takes_nothing and fits(place):
            best, most = place, free
    return best


def place_for_shard(places: Iterable[R], data_shards: int, rank: Callable[[R], int]) -> R | None:
    """The place that is to take one more shard of a volume: of those with room that of the highest rank, of several
    that with most room, of several again the first. None when no place has room.

    Room is counted in shards, for a place that takes no whole volume any more may take a few shards. As
    ``FindEcShardTargetLocation`` in ``storage/store_ec.go``.
    """
    best, most = None, (0, 0)
    for place in places:
        room = _room_for_shards(place, data_shards)
        if place.takes_nothing or room <= 0:
            continue
        value = (rank(place), room)
        if best is None or value > most:
            best, most = place, value
    return best


def _room_for_shards(place: Room, data_shards: int) -> int:
    if place.max_count <= 0:
        # Nobody worked out a limit: any number fits, and the emptier place comes first.
        return max(_UNLIMITED_SHARDS - place.volume_count * data_shards - place.shard_count, 1)
    return (place.max_count - place.volume_count) * data_shards - place.shard_count


def slots_for_shards(counts: Iterable[tuple[int, int]]) -> int:
    """How many volumes fit in the place of shards.

    :param counts: for each encoded volume, how many shards there are, and how many of them make a volume.
    """
    return math.ceil(sum((Fraction(count, data_shards) for count, data_shards in counts), Fraction()))


def count_that_fits(volume_count: int, free: int, owed: int, volume_size_limit: int) -> int:
    """How many volumes of full size a directory without configured limit can hold, at least 1.

    :param volume_count: those that are there already, shards counted as :func:`slots_for_shards` does.
    :param free: bytes free in the file system.
    :param owed: bytes that volumes there may still grow by.
    """
    return max(volume_count + max(free - owed, 0) // volume_size_limit, 1)
