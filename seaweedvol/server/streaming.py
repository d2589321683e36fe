"""Needles and bytes of whole volumes, one after the other, for who keeps a copy of them.

Blocking, callable from any thread; holds up neither readers nor writers. Iterators give None where the caller may look
whether anybody still listens. Texts of refusals are SeaweedFS 4.44's (``volume_grpc_read_all.go``,
``volume_grpc_copy_incremental.go``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from seaweedvol.server.errors import Refused
from seaweedvol.server.finding import find
from seaweedvol.storage.errors import StorageError

if TYPE_CHECKING:
    from seaweedvol.storage.format.needle import Needle
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.storage.volume.tailing import Stretch
    from seaweedvol.storage.volume.volume import Volume
    from seaweedvol.store.store import Store

#: As of SeaweedFS; its clients accept messages of 4 MiB at most, unless told otherwise.
BLOCK_LENGTH: Final = 2 << 20


def all_needles(store: Store, volume_ids: Iterable[VolumeId]) -> Iterator[tuple[VolumeId, Needle] | None]:
    """The needles of these volumes as the needle map has them, each volume in the order of its .dat.

    :raises Refused: when the next volume is not here; what was before it has been given.
    :raises StorageError, OSError: when a volume cannot be walked through.
    """
    for volume_id in volume_ids:
        for needle in find(store, volume_id).mapped_needles():
            yield None if needle is None else (volume_id, needle)


def blocks_after(store: Store, volume_id: VolumeId, since_ns: int) -> Iterator[bytes]:
    """The .dat from the first record appended after a moment (ns since 1970) to its end; nothing if there is none.

    :raises Refused: when the volume is not here, or cannot be searched.
    :raises OSError: as the device says.
    """
    stretch = stretch_after(find(store, volume_id), since_ns)
    if stretch is not None:
        yield from stretch.blocks(BLOCK_LENGTH)


def stretch_after(volume: Volume, since_ns: int) -> Stretch | None:
    """As :meth:`Volume.stretch_after`.

    :raises Refused: when the volume cannot be searched.
    """
    try:
        return volume.stretch_after(since_ns)
    except (StorageError, OSError) as error:
        raise Refused(f"fail to locate by appendAtNs {since_ns}: {error}") from error
