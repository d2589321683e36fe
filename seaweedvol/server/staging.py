"""Taking over a volume that was decoded elsewhere and pushed here, file by file.

As ``adoptStagedVolume`` of SeaweedFS (``volume_grpc_erasure_coding.go``), whose texts these are. What differs: nothing
is put in the place of a volume that lies here unmounted, and if the new one cannot be served it is staged as before.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from seaweedvol.server.copying import check_collection
from seaweedvol.server.errors import Refused, words_of
from seaweedvol.server.receiving import STAGED
from seaweedvol.storage import failpoints
from seaweedvol.storage.backend.disk import sync_directory
from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.volume.arriving import NOTE
from seaweedvol.storage.volume.paths import base_name
from seaweedvol.store.placing import parse_disk_type

if TYPE_CHECKING:
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.store.store import Store

#: In the order in which they take their places.
_EXTENSIONS: Final = (".vif", ".dat", ".idx")
_NOTE_MODE: Final = 0o644


def adopt(store: Store, volume_id: VolumeId, collection: str, disk_type: str) -> None:
    """Serve the volume whose files were staged on a disk of that type.

    :raises Refused: when there is none, it is not whole, or cannot be served.
    """
    check_collection(collection)
    if store.find(volume_id) is not None:
        raise Refused(f"staged volume {volume_id} already exists on this server")
    base = _base_of(store, volume_id, collection, disk_type)
    for extension in (".dat", ".idx", ".vif"):
        if not os.path.exists(base + extension + STAGED):
            raise Refused(f"staged volume {volume_id} missing {extension}{STAGED}")
    if os.path.exists(base + ".dat"):
        raise Refused(f"staged volume {volume_id} already exists on this server, but is not mounted")
    _write_note(base, volume_id)
    try:
        _settle(base, volume_id)
        store.mount(volume_id)
    except (Refused, StorageError, OSError) as error:
        _withdraw(base)
        if isinstance(error, Refused):
            raise
        raise Refused(f"mount staged volume {volume_id}: {error}") from error


def _base_of(store: Store, volume_id: VolumeId, collection: str, disk_type: str) -> str:
    wanted = parse_disk_type(disk_type)
    for location in store.locations:
        base = os.path.join(location.directory, base_name(collection, volume_id))
        if location.disk_type == wanted and os.path.exists(base + ".dat" + STAGED):
            return base
    raise Refused(f"staged volume {volume_id}: no .dat{STAGED} found on a {disk_type} disk")


def _write_note(base: str, volume_id: VolumeId) -> None:
    """While it is there a start takes the files for what a broken off copy left."""
    try:
        descriptor = os.open(base + NOTE, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, _NOTE_MODE)
        try:
            os.write(descriptor, b"adopting decoded volume %d" % volume_id)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_directory(os.path.dirname(base))
    except OSError as error:
        raise Refused(f"write .note for volume {volume_id}: open {base}{NOTE}: {words_of(error)}") from error


def _settle(base: str, volume_id: VolumeId) -> None:
    for extension in _EXTENSIONS:
        failpoints.reach("adopt.rename")
        try:
            os.rename(base + extension + STAGED, base + extension)
        except OSError as error:
            raise Refused(f"rename staged {extension} for volume {volume_id}: rename {base}{extension}{STAGED} "
                          f"{base}{extension}: {words_of(error)}") from error
    sync_directory(os.path.dirname(base))
    failpoints.reach("adopt.settled")
    os.unlink(base + NOTE)
    sync_directory(os.path.dirname(base))


def _withdraw(base: str) -> None:
    """What took its place is staged again."""
    for extension in _EXTENSIONS:
        if os.path.exists(base + extension) and not os.path.exists(base + extension + STAGED):
            with contextlib.suppress(OSError):
                os.rename(base + extension, base + extension + STAGED)
    with contextlib.suppress(OSError):
        os.unlink(base + NOTE)
