"""Which calls have their failures told in the log: work on volumes that masters and shells ask for, and whose reason
somebody will look for here when it was not done. As in SeaweedFS 4.44, whose calls say so one by one.

Knows requests and errors; answers nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constantly import NamedConstant  # type: ignore[import-untyped]
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from seaweedvol.rpc import errors
from seaweedvol.server.errors import Kind, Refused
from seaweedvol.storage.errors import VolumeNotFound

#: What others than the caller want to hear of; for questions, reads and tails its answer is enough.
CHORES: Final = frozenset("""
    DeleteCollection AllocateVolume VolumeMount VolumeUnmount VolumeConsolidateIndex VolumeDelete VolumeConfigure
    VolumeMarkReadonly VolumeMarkWritable SetState VacuumVolumeCompact VacuumVolumeCommit VacuumVolumeCleanup VolumeCopy
    ReceiveFile VolumeTailReceiver VolumeEcShardsGenerate VolumeEcShardsRebuild VolumeEcShardsCopy VolumeEcShardsDelete
    VolumeEcShardsMount VolumeEcShardsUnmount VolumeEcShardsToVolume VolumeTierMoveDatToRemote
    VolumeTierMoveDatFromRemote ScrubVolume ScrubEcVolume FetchAndWriteNeedle VolumeServerLeave
""".split())
#: Mistakes of the caller, who can do better without us.
_OF_THE_CALLER: Final = {Kind.ABSENT, Kind.INVALID, Kind.MAINTENANCE}
#: Volumes that are named in a line.
_MOST_IDS: Final = 10

_log = Logger()


def tell(name: str, request: object, error: Exception) -> None:
    """A line about a call that has failed; debug where it is of no interest, with a stack where it is our fault."""
    what = f"{name}{_object_of(request)}"
    if not errors.is_foreseen(error):
        _log.failure("{what} failed", Failure(error), what=what)
        return
    _log.emit(level_of(name, error), "{what} failed: {text}", what=what, text=errors.status_of(error)[1])


def level_of(name: str, error: Exception) -> NamedConstant:
    """How much it matters that this call has failed so.

    :returns: one of Twisted's levels.
    """
    kind = error.kind if isinstance(error, Refused) else None
    # Whom the white list refuses is in the log already.
    if name not in CHORES or kind is Kind.DENIED:
        return LogLevel.debug
    return LogLevel.info if kind in _OF_THE_CALLER or isinstance(error, VolumeNotFound) else LogLevel.warn


def _object_of(request: object) -> str:
    """What a call is about, in the words of a sentence; "" when it does not say."""
    volume_id = getattr(request, "volume_id", None)
    if volume_id:
        return f" of volume {volume_id}"
    volume_ids: Sequence[int] = getattr(request, "volume_ids", ())
    if volume_ids:
        more = f" and {len(volume_ids) - _MOST_IDS} more" if len(volume_ids) > _MOST_IDS else ""
        return f" of volumes {', '.join(map(str, volume_ids[:_MOST_IDS]))}{more}"
    collection = getattr(request, "collection", None)
    return f" of collection {collection}" if collection else ""
