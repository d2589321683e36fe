"""Moving the .dat of a volume to an object store and back. Texts are SeaweedFS 4.44's (``volume_grpc_tier_*.go``).

Each is an iterator of how far it is, at most one step a second. Whoever closes it ends the move: what was copied is
removed and the volume stays where it was.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.server.errors import Refused
from seaweedvol.server.finding import find_in_collection
from seaweedvol.storage import failpoints
from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.volume.tiering import RemoteCopy
from seaweedvol.tier.transfer import Cancelled

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.storage.ids import VolumeId
    from seaweedvol.tier.backends import Store
    from seaweedvol.tier.transfer import Progress

STEP_SECONDS: Final = 1.0
#: What is being downloaded, beside the .dat that it will be.
DOWNLOAD_SUFFIX: Final = ".dat.tmp"


@attrs.frozen
class Step:
    """Bytes moved so far, and how many of a hundred parts that is."""

    processed: int
    percentage: float


def to_remote(
    server: VolumeServer, volume_id: VolumeId, collection: str, destination: str, *, keep_local: bool,
) -> Iterator[Step]:
    """Copy the .dat to the store ``destination``, verify it, and read it there; one that is there already stays so.

    :raises Refused: when the volume or the store is not known, or the copy cannot be made.
    """
    volume = find_in_collection(server.store, volume_id, collection)
    if volume.is_remote:
        return
    store = server.tiers.find(destination)
    if store is None:
        raise Refused(f"destination {destination} not found, supported: {_go_list(server.tiers.names())}")
    backend_type, _, backend_id = destination.partition(".")
    with volume.leaving() as data:
        length, modified_at = data.length(), int(data.modified_at())
        key = ""

        def work(tell: Progress) -> None:
            nonlocal key
            key = store.upload(data, length, tell)
        try:
            yield from _moving(work, length)
        except (StorageError, OSError) as error:
            raise Refused(f"backend {destination} copy file {data.path}: {error}") from error
        except GeneratorExit:
            # The copy may have been complete before it noticed that nobody waits.
            if key:
                _forget(store, key)
            raise
        failpoints.reach("tier.out.uploaded")
        copy = RemoteCopy(backend_type, backend_id or "default", key, length, modified_at)
        try:
            volume.move_out(copy, keep_local=keep_local)
        except (StorageError, OSError) as error:
            if not volume.is_remote:
                _forget(store, key)
            raise Refused(f"volume {volume_id} failed to save remote file info: {error}") from error


def from_remote(
    server: VolumeServer, volume_id: VolumeId, collection: str, *, keep_remote: bool,
) -> Iterator[Step]:
    """Copy the object into a .dat, verify it, and read it there.

    :param keep_remote: leave the object, since other replicas read it.
    :raises Refused: when the volume is not tiered, its store not known, or the copy cannot be made.
    """
    volume = find_in_collection(server.store, volume_id, collection)
    if not volume.is_remote:
        raise Refused(f"volume {volume_id} is already on local disk")
    copy = volume.info.files[0]
    name, key = f"{copy.backend_type}.{copy.backend_id}", copy.key
    store = server.tiers.find(name)
    if store is None:
        raise Refused(f"remote storage {name} not found from supported: {_go_list(server.tiers.names())}")
    with volume.returning():
        if not volume.is_remote:
            raise Refused(f"volume {volume_id} is already on local disk")
        path = os.fspath(volume.directory / volume.data_path.with_suffix(DOWNLOAD_SUFFIX).name)
        try:
            yield from _download(store, key, path, copy.file_size, copy.modified_time)
        except (StorageError, OSError) as error:
            raise Refused(f"backend {name} copy file {volume.data_path}: {error}") from error
        failpoints.reach("tier.in.downloaded")
        try:
            volume.move_in(path)
        except (StorageError, OSError) as error:
            raise Refused(f"volume {volume_id} failed to save remote file info: {error}") from error
    if keep_remote:
        return
    failpoints.reach("tier.in.delete")
    try:
        store.delete(key)
    except StorageError as error:
        raise Refused(f"volume {volume_id} failed to delete remote file {key}: {error}") from error


def _download(store: Store, key: str, path: str, length: int, modified_at: int) -> Iterator[Step]:
    """The object as the file ``path``, synced; nothing of it stays if that fails."""
    file = DiskFile(path, create=True, role="data")
    try:
        file.truncate(0)
        yield from _moving(lambda tell: store.download(key, file, length, tell), length)
        file.sync()
        if modified_at:
            os.utime(path, (modified_at, modified_at))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
    finally:
        file.close()


def _go_list(names: list[str]) -> str:
    return f"[{' '.join(names)}]"


def _forget(store: Store, key: str) -> None:
    with contextlib.suppress(StorageError):
        store.delete(key)


def _moving(work: Callable[[Progress], None], length: int) -> Iterator[Step]:
    """Do ``work`` in another thread and say how far it is. Closed before the end, the work is ended and waited for."""
    is_over = threading.Event()
    done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    so_far = 0

    def tell(processed: int) -> None:
        nonlocal so_far
        so_far = max(so_far, processed)
        if is_over.is_set():
            raise Cancelled()

    def run() -> None:
        try:
            work(tell)
        except BaseException as error:
            # Whatever it is, it is the caller's: nobody else would ever hear of it.
            done.put(error)
        else:
            done.put(None)

    thread = threading.Thread(target=run, name="tier", daemon=True)
    thread.start()
    try:
        while True:
            try:
                error = done.get(timeout=STEP_SECONDS)
                break
            except queue.Empty:
                # A step that says nothing new still finds out whether anybody listens.
                processed = so_far
                yield Step(processed, processed * 100 / length if length else 100.0)
    finally:
        is_over.set()
        thread.join()
    if error is not None:
        raise error
