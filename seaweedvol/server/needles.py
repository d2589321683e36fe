"""The use cases over single needles: open, read, write, delete. Blocking, callable from any thread, no event loop.

Says what SeaweedFS says where a volume cannot take a change (``storage/store.go``, ``topology/store_replicate.go``).
Knows the store; must not know HTTP, replicas or where other volumes are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

import attrs

from seaweedvol.storage.errors import VolumeNotFound, VolumeReadOnly
from seaweedvol.storage.ids import Cookie, NeedleId, VolumeId

if TYPE_CHECKING:
    from seaweedvol.server.ecneedles import EcNeedles
    from seaweedvol.server.interfaces import QuickVolume
    from seaweedvol.storage.format.needle import Needle
    from seaweedvol.storage.volume.reading import PagedNeedle
    from seaweedvol.storage.volume.volume import Volume
    from seaweedvol.storage.volume.writing import Appended, Draft
    from seaweedvol.store.store import Store

# A record up to this size is read whole and checked before anything of it is sent.
PAGED_ABOVE: Final = 1 << 20


@attrs.frozen
class Needles:
    """The needles of every volume in ``store``.

    :ivar encoded: those of erasure coded volumes; None for a server that has nothing to do with them.
    """

    store: Store
    encoded: EcNeedles | None = None
    _directories: tuple[Mapping[int, QuickVolume], ...] = attrs.field(init=False)

    @_directories.default
    def _volumes_by_directory(self) -> tuple[Mapping[int, QuickVolume], ...]:
        # They change, but they are never replaced.
        return tuple(cast("Mapping[int, QuickVolume]", location.volumes) for location in self.store.disks)

    def holds(self, volume_id: VolumeId) -> bool:
        """Whether the volume is here, or a shard of it."""
        return self.store.find(volume_id) is not None or self.is_encoded(volume_id)

    def is_encoded(self, volume_id: VolumeId) -> bool:
        """Whether a shard of the volume is here; there may be the volume itself too, which then is read."""
        return self.encoded is not None and self.encoded.holds(volume_id)

    def is_far(self, volume_id: VolumeId) -> bool:
        """Whether who reads the volume here may have to wait for other servers."""
        return self.store.find(volume_id) is None and self.is_encoded(volume_id)

    def copy_count(self, volume_id: VolumeId) -> int:
        """How many servers should hold the volume, 0 when it is not here."""
        volume = self.store.find(volume_id)
        return volume.placement.copy_count if volume is not None else 0

    def at_hand(self, volume_id: int) -> QuickVolume | None:
        """The volume, if it is here, for what needs no waiting."""
        for volumes in self._directories:
            volume = volumes.get(volume_id)
            if volume is not None:
                return volume
        return None if self.encoded is None else self.encoded.glances.at_hand(volume_id)

    def open(self, volume_id: VolumeId, key: NeedleId, *, read_deleted: bool = False) -> Needle | PagedNeedle:
        """A needle to be sent: with its data when they are small or a manifest, else to be read in pages.

        An empty needle (``size`` 0) may be known by its key only, then its cookie is 0: whoever asks, his fits. One of
        an erasure coded volume comes with all its data; there is no reading of one that was deleted.

        :raises StorageError: when there is nothing to read (:class:`NeedleNotFound` and its kin) or it is damaged.
        """
        volume = self.store.find(volume_id)
        if volume is None and self.encoded is not None and self.encoded.holds(volume_id):
            return self.encoded.read(volume_id, key)
        return self._volume(volume_id).open(key, read_deleted=read_deleted, paged_above=PAGED_ABOVE)

    def read(self, volume_id: VolumeId, key: NeedleId, *, read_deleted: bool = False) -> Needle:
        """A needle with all its data, however many they are.

        :raises StorageError: as :meth:`open`.
        """
        if self.encoded is not None and self.store.find(volume_id) is None and self.encoded.holds(volume_id):
            return self.encoded.read(volume_id, key)
        return self._volume(volume_id).read(key, read_deleted=read_deleted)

    def refusal(self, volume_id: VolumeId) -> VolumeReadOnly | None:
        """What :meth:`write` would say to any needle; None when it would take some, or the volume is not here."""
        volume = self.store.find(volume_id)
        return volume.refusal() if volume is not None else None

    def write(self, volume_id: VolumeId, draft: Draft, *, fsync: bool = False) -> Appended:
        """Append a needle, unless the very same is there already.

        :param fsync: return only when it would survive a power cut.
        :raises StorageError: when the volume takes no writes or the needle is another's.
        """
        volume = self._volume(volume_id)
        refusal = volume.refusal()
        if refusal is not None:
            raise refusal
        return volume.append(draft, check_cookie=True, fsync=fsync)

    def delete(self, volume_id: VolumeId, key: NeedleId, cookie: Cookie, *, checksum: int = 0) -> int:
        """Delete a needle; the bytes that frees, 0 when there was none.

        :param checksum: of the data, for the record of the deletion.
        :raises StorageError: when the volume takes no deletes.
        """
        volume = self._volume(volume_id)
        if volume.no_write_or_delete:
            raise volume.refusal() or VolumeReadOnly(f"volume {volume_id} is read only")
        return volume.delete(key, cookie, checksum=checksum)

    def delete_encoded(self, volume_id: VolumeId, key: NeedleId, cookie: Cookie) -> int:
        """Delete a needle of an erasure coded volume, at all holders of its shards; the bytes that Go says it frees.

        :raises StorageError: when it is not there, or another's, or cannot be read.
        """
        assert self.encoded is not None
        return self.encoded.delete(volume_id, key, cookie)

    def _volume(self, volume_id: VolumeId) -> Volume:
        volume = self.store.find(volume_id)
        if volume is None:
            identity = self.store.identity
            raise VolumeNotFound(f"volume {volume_id} not found on {identity.ip}:{identity.port}")
        return volume
