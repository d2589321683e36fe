"""How wide the offsets in the .idx of a volume are, found out without opening the volume."""

from __future__ import annotations

from typing import Final

from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.index import OffsetWidth, guess_width
from seaweedvol.storage.format.volumeinfo import VolumeInfo
from seaweedvol.storage.volume.paths import VolumePaths

_GUESS_LENGTH: Final = 64 * 1024


def width_of(paths: VolumePaths, info: VolumeInfo, data_length: int) -> OffsetWidth | None:
    """What the .vif says, else what the .idx looks like; None when neither tells.

    :raises FormatError: when the .vif says one that does not exist.
    """
    if info.bytes_offset:
        try:
            return OffsetWidth(info.bytes_offset)
        except ValueError:
            raise FormatError(f"{paths.info}: BytesOffset {info.bytes_offset}") from None
    try:
        return width_by_looks(paths.index, data_length)
    except FileNotFoundError:
        return None


def width_by_looks(index_path: str, data_length: int) -> OffsetWidth | None:
    """As :func:`guess_width`, from the beginning of an .idx.

    :raises OSError: when it cannot be read.
    """
    with open(index_path, "rb") as file:
        return guess_width(file.read(_GUESS_LENGTH), data_length)
