"""The .vif file of a volume on disk; its text is ``format.volumeinfo``'s. As in SeaweedFS ``volume_info.go`` and
``volume_tier.go``.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from seaweedvol.storage.backend import write_aside
from seaweedvol.storage.errors import FormatError, StorageError
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.storage.format.volumeinfo import VolumeInfo, dump_volume_info, load_volume_info


def read_info(path: str, report: Callable[[str], None]) -> tuple[VolumeInfo, bool]:
    """What the file says, and whether there is one (an empty one is none).

    One that cannot be understood is reported, left as it is and taken to say nothing, as Go does: the volume itself
    may be sound.

    :raises OSError: when it is there and cannot be read: then nobody knows what it says.
    """
    try:
        with open(path, "rb") as file:
            text = file.read()
    except FileNotFoundError:
        return VolumeInfo(), False
    if not text:
        return VolumeInfo(), False
    try:
        return load_volume_info(text), True
    except FormatError as error:
        report(f"{path}: {error}")
        return VolumeInfo(), True


def write_info(path: str, info: VolumeInfo, ttl: Ttl, now: float) -> None:
    """Have the file say ``info`` durably; a volume with a time to live also gets the second at which it expires.

    :raises StorageError: when the file is there and write-protected.
    :raises OSError: when it cannot be written; then the old one stands.
    """
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise StorageError(f"failed to check {path} not writable")
    if ttl.seconds:
        info.expire_at_sec = int(now) + ttl.seconds
    write_aside(path, dump_volume_info(info))
