"""What takes a view of all disks, once each has loaded what it can on its own: which shards go, and how those are
served whose index lies on another disk.

Knows locations. As in SeaweedFS ``storage/store_ec_reconcile.go``, where what each step does is told.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from seaweedvol.ec.layout import shard_length
from seaweedvol.ec.opening import info_of
from seaweedvol.ec.ratio import encode_time_of, ratio_of
from seaweedvol.storage.format.volumeinfo import VolumeInfo
from seaweedvol.store.mirroring import has_all, mirror
from seaweedvol.store.names import VolumeName
from seaweedvol.store.pruning import prune
from seaweedvol.store.shardfiles import directories_of, index_directory_in, paths_in
from seaweedvol.store.shardloading import load_volume, waiting

if TYPE_CHECKING:
    from seaweedvol.store.location import Location

_log = logging.getLogger(__name__)


@attrs.frozen
class Owner:
    """A disk that has the index of a volume, and what the .vif there says."""

    location: Location
    index_directory: Path
    info: VolumeInfo


def settle(locations: Sequence[Location], *, is_start: bool) -> None:
    """Serve every shard that can be served, whichever disk its index is on. Never raises for what is wrong with one.

    :param is_start: whether nobody can be writing shards yet: only then is anything removed.
    """
    if is_start:
        prune(locations)
    for location in locations:
        try:
            left = waiting(location)
        except OSError as error:
            _log.error("%s: %s", location.directory, error)
            continue
        for name, shard_ids in left.items():
            # Beside a .dat that is served they wait: with an index the next start would serve them in its place.
            if location.volumes.get(name.volume_id) is None:
                _serve(locations, location, name, shard_ids)


def _serve(locations: Sequence[Location], location: Location, name: VolumeName, shard_ids: list[int]) -> None:
    owners = list(_owners(locations, name))
    owner = _owner_for(owners, location, name, shard_ids)
    if not owners and paths_in(location, name).found() is not None:
        # Empty, and no other: there was no needle left in the volume when it was encoded.
        load_volume(location, name, shard_ids)
        return
    if owner is None:
        _log.warning("%s: shards %s are not served: no disk here has the index of their encoding",
                     location.directory / name.base, shard_ids)
        return
    if owner.location is not location and not has_all(location, name):
        _mirror(location, owner, name)
    elsewhere = None if index_directory_in(location, name) else owner.index_directory
    load_volume(location, name, shard_ids, index_directory=elsewhere, directories=directories_of(locations))


def _mirror(location: Location, owner: Owner, name: VolumeName) -> None:
    try:
        for path in mirror(location, owner.location, owner.index_directory, name):
            _log.info("%s is made, as on %s", path, owner.location.directory)
    except OSError as error:
        _log.warning("%s: the index stays on another disk: %s", location.directory / name.base, error)


def _owner_for(owners: list[Owner], location: Location, name: VolumeName, shard_ids: list[int]) -> Owner | None:
    """The disk whose index is that of the encoding of these shards.

    Where a .vif beside them tells which encoding that is, it must be the same. Where none does, the first index whose
    shards would be of this length; if that fits none, the first.
    """
    own, has_info = info_of(paths_in(location, name), _log.warning)
    if has_info and encode_time_of(own):
        # An index without a time may be older than times are.
        known = (0, encode_time_of(own))
        return next((owner for owner in owners if owner.location is location or encode_time_of(owner.info) in known),
                    None)
    lengths = {shard.stat().st_size for shard in (Path(paths_in(location, name).shard(each)) for each in shard_ids)}
    fitting = (owner for owner in owners if lengths == {_length(owner.info)})
    return next(fitting, owners[0] if owners else None)


def _owners(locations: Sequence[Location], name: VolumeName) -> Iterator[Owner]:
    for location in locations:
        directory = index_directory_in(location, name)
        if directory is not None:
            yield Owner(location, directory, info_of(paths_in(location, name, directory), _log.warning)[0])


def _length(info: VolumeInfo) -> int:
    return shard_length(info.dat_file_size, ratio_of(info))
