"""The file names of a volume: ``7.dat`` or, in a collection, ``photos_7.dat``.

Knows names only, no file. As in SeaweedFS ``storage/disk_location.go`` (``parseCollectionVolumeId``).
"""

from __future__ import annotations

from typing import Final

import attrs

from seaweedvol.storage.errors import InvalidId
from seaweedvol.storage.ids import VolumeId, parse_volume_id
from seaweedvol.storage.volume.paths import base_name

# A directory is searched for volumes by these; both are four characters long.
VOLUME_SUFFIXES: Final = (".idx", ".vif")


@attrs.frozen
class VolumeName:
    """What a file name says of the volume it belongs to; ``base`` is the name without suffix."""

    base: str
    collection: str
    volume_id: VolumeId

    @property
    def is_text(self) -> bool:
        """Whether the name is UTF-8, which is all that masters, shells and Prometheus can be told."""
        try:
            self.collection.encode()
        except UnicodeEncodeError:
            return False
        return True


def parse_base(base: str) -> VolumeName | None:
    """The name without suffix taken apart at its last underscore; None when it does not end in a volume id.

    Names that no server writes, such as ``007``, are none either: they would stand for the files of volume 7.
    """
    at = base.rfind("_")
    collection, id_text = (base[:at], base[at + 1:]) if at > 0 else ("", base)
    try:
        volume_id = parse_volume_id(id_text)
    except InvalidId:
        return None
    return VolumeName(base, collection, volume_id) if base == base_name(collection, volume_id) else None


def name_of(collection: str, volume_id: VolumeId) -> VolumeName:
    """The name of a volume."""
    return VolumeName(base_name(collection, volume_id), collection, volume_id)


def volume_of_file(file_name: str) -> VolumeName | None:
    """The volume whose .idx or .vif this is, None for every other file."""
    if not file_name.endswith(VOLUME_SUFFIXES):
        return None
    return parse_base(file_name[:-4])
