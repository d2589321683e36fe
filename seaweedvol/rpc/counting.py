"""Which calls are counted, and as what: those that Go counts, behind their gates.

Wraps what answers a call; knows grpcio's messages and no connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any, Final

import attrs

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.server.server import VolumeServer

Work = Callable[[VolumeServer, Any], Any]


@attrs.frozen
class Ended:
    """How a call ended.

    :ivar response: the last one, None when there was none.
    :ivar has_succeeded: false also when the caller went before the end.
    """

    request: Any
    response: Any
    seconds: float
    has_succeeded: bool


Note = Callable[[VolumeServer, Ended], None]


def counted(name: str, work: Work) -> Work:
    """``work``, with its end noted if this call is one that is counted."""
    note = NOTES.get(name)
    return work if note is None else _noting(note, work)


def _noting(note: Note, work: Work) -> Work:
    def call(server: VolumeServer, request: Any) -> Any:
        began = time.perf_counter()
        try:
            found = work(server, request)
        except Exception:
            note(server, Ended(request, None, time.perf_counter() - began, False))
            raise
        if isinstance(found, Generator):
            return _followed(server, request, found, note, began)
        note(server, Ended(request, found, time.perf_counter() - began, True))
        return found
    return call


def _followed(server: VolumeServer, request: Any, steps: Generator[Any, None, None], note: Note,
              began: float) -> Generator[Any, None, None]:
    response: Any = None
    has_succeeded = False
    try:
        for step in steps:
            # Work of one response is not asked for more when it has given that.
            response = step if step is not None else response
            has_succeeded = isinstance(response, _LAST)
            yield step
        has_succeeded = True
    finally:
        steps.close()
        note(server, Ended(request, response, time.perf_counter() - began, has_succeeded))


_LAST: Final = (pb.VolumeEcShardsRebuildResponse, pb.ScrubEcVolumeResponse)


def _read(server: VolumeServer, ended: Ended) -> None:
    if not ended.has_succeeded:
        server.instruments.read_failures.add(1)


def _write(server: VolumeServer, ended: Ended) -> None:
    if not ended.has_succeeded:
        server.instruments.write_failures.add(1)


def _compact(server: VolumeServer, ended: Ended) -> None:
    server.instruments.note_compaction(ended.seconds, has_succeeded=ended.has_succeeded)


def _commit(server: VolumeServer, ended: Ended) -> None:
    server.instruments.note_commit(ended.seconds, has_succeeded=ended.has_succeeded)


def _rebuild(server: VolumeServer, ended: Ended) -> None:
    server.instruments.note_rebuild(ended.seconds, has_succeeded=ended.has_succeeded)


def _scrub_shards(server: VolumeServer, ended: Ended) -> None:
    mode = ended.request.mode
    # Where there is nothing to look through any mode will do, and a name for each number would be too many.
    if ended.has_succeeded and mode in pb.VolumeScrubMode.values():
        found = ended.response
        server.instruments.note_scrub(
            pb.VolumeScrubMode.Name(mode), len(found.broken_volume_ids), len(found.broken_shard_infos))


def _delete_collection(server: VolumeServer, ended: Ended) -> None:
    if ended.has_succeeded:
        server.gauges.forget_collection(ended.request.collection)


#: ScrubVolume counts for itself: what it finds counts even when it cannot be marked.
NOTES: Final[dict[str, Note]] = {
    "DeleteCollection": _delete_collection,
    "ReadAllNeedles": _read,
    "ReadNeedleBlob": _read,
    "ReadNeedleMeta": _read,
    "ScrubEcVolume": _scrub_shards,
    "VacuumVolumeCommit": _commit,
    "VacuumVolumeCompact": _compact,
    "VolumeEcShardsRebuild": _rebuild,
    "WriteNeedleBlob": _write,
}
