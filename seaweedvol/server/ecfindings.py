"""What is looked through when encoded volumes are searched for damage, and what was found.

Knows the shards of one encoding on the disks of this server. Must not know how they are looked at.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from seaweedvol.ec import sidecar as sidecars
from seaweedvol.ec.layout import data_length_from_shard
from seaweedvol.ec.scrubbing import EcStill, LocalShard
from seaweedvol.server.errors import Kind, Refused
from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.volume.rowchecking import MOST_FAILURES

if TYPE_CHECKING:
    from seaweedvol.ec.shard import EcShard
    from seaweedvol.ec.sidecar import Sidecar
    from seaweedvol.ec.volume import EcVolume
    from seaweedvol.server.server import VolumeServer


@attrs.frozen(order=True)
class BrokenShard:
    """A shard with something wrong; ``length`` in bytes, of the shard or of what could not be read."""

    volume_id: int
    id: int
    length: int
    collection: str


@attrs.define
class Findings:
    """Of one volume."""

    files: int = 0
    shards: dict[int, BrokenShard] = attrs.Factory(dict)
    details: list[str] = attrs.Factory(list)

    def add(self, detail: str) -> None:
        """Take note, up to a point."""
        if len(self.details) < MOST_FAILURES:
            self.details.append(detail)


@attrs.frozen
class Whole:
    """A volume as all disks of this server have it; ``directories`` are all in which something of it may be."""

    volume: EcVolume
    shards: Mapping[int, EcShard]
    directories: tuple[str, ...]

    @property
    def id(self) -> int:
        """The number of the volume."""
        return int(self.volume.id)

    def broken(self, shard_id: int, length: int) -> BrokenShard:
        """One of its shards."""
        return BrokenShard(self.id, shard_id, length, self.volume.collection)

    def still(self) -> EcStill:
        """For whoever looks at its needles."""
        volume = self.volume
        longest = max((shard.length for shard in self.shards.values()), default=0)
        return EcStill(
            self.id, volume.version, volume.width, os.path.abspath(volume.index.path), volume.index.length,
            volume.ratio, volume.data_length or data_length_from_shard(longest, volume.ratio),
            tuple((number, LocalShard(os.path.abspath(shard.path), shard.length))
                  for number, shard in sorted(self.shards.items())))


def find_whole(server: VolumeServer, volume_id: int) -> Whole:
    """The youngest encoding of a volume.

    :raises Refused: when it is not here.
    """
    volume = server.store.erasure.find(volume_id)
    if volume is None:
        raise Refused(f"EC volume id {volume_id} not found", Kind.ABSENT)
    shards: dict[int, EcShard] = {}
    directories = []
    for _, other in server.store.erasure.holders(volume_id):
        if other.encode_time_ns == volume.encode_time_ns:
            directories.append(other.paths.directory)
            for shard in other.loaded():
                shards.setdefault(shard.id, shard)
    return Whole(volume, shards, tuple(directories))


def sidecar_of(whole: Whole) -> Sidecar | None:
    """As :func:`read_sidecar`, but one that nobody may rely on is none."""
    try:
        return read_sidecar(whole)
    except (FormatError, OSError):
        return None


def read_sidecar(whole: Whole) -> Sidecar | None:
    """The .ecsum of this encoding; None if there is none.

    :raises FormatError: when there is one that nobody may rely on.
    :raises OSError: when it cannot be read.
    """
    return sidecars.usable_sidecar(whole.volume.paths.found_sidecar(0, whole.directories), whole.volume.ratio)


def check_not_stopping(server: VolumeServer) -> None:
    """:raises Refused: when the server is about to end."""
    if server.life.is_stopping:
        raise Refused("the server is stopping")
