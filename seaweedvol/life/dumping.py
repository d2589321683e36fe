"""A look into a running server, for the log: SIGUSR1. What it is doing, what waits, where each thread is.

Changes nothing and never raises for a part that cannot be asked. Secrets are not in it: settings show only what their
values show of themselves.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from seaweedvol.server.state import is_in_maintenance
from seaweedvol.server.status import memory_status

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer

Look = Callable[[], object]


def dump_text(looks: Mapping[str, Look]) -> str:
    """Every look's answer as JSON under its name, and the stacks of all threads as text below. Blocking."""
    answers = {name: _answer(look) for name, look in looks.items()}
    return json.dumps(answers, indent=1, default=str) + "\n" + stacks()


def looks_at(server: VolumeServer) -> dict[str, Look]:
    """What there is to tell of a server."""
    return {
        "life": lambda: _life(server),
        "settings": lambda: repr(server.settings),
        "in flight": lambda: {"upload bytes": server.upload_limit.in_flight,
                              "download bytes": server.download_limit.in_flight},
        "process": _process,
        "directories": lambda: [_directory(location) for location in server.store.disks],
        "volumes": lambda: [_volume(volume) for location in server.store.locations for volume in location.loaded()],
    }


def stacks() -> str:
    """The stack of every thread, the newest call last."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    parts = []
    for ident, frame in sorted(sys._current_frames().items()):
        parts.append(f"thread {names.get(ident, '?')} ({ident}):\n" + "".join(traceback.format_stack(frame)))
    return "\n".join(parts)


def _answer(look: Look) -> object:
    try:
        return look()
    except Exception as error:
        return f"cannot be told: {error!r}"


def _life(server: VolumeServer) -> dict[str, object]:
    life = server.life
    return {
        "seconds up": round(server.clock() - server.started_at, 1), "is heartbeating": life.is_heartbeating,
        "master has our volumes": life.first_beat_sent, "is stopping": life.is_stopping,
        "is in maintenance mode": is_in_maintenance(server.store),
    }


def _process() -> dict[str, object]:
    memory = memory_status()
    return {"pid": os.getpid(), "threads": memory.threads, "resident bytes": memory.resident,
            "open files": len(os.listdir("/proc/self/fd")), "collector counts": gc.get_count(),
            "frozen objects": gc.get_freeze_count()}


def _directory(location: Any) -> dict[str, object]:
    return {
        "directory": str(location.directory), "disk type": location.disk_type or "hdd",
        "volumes": len(location.volumes), "at most": location.max_count, "is low on space": location.is_low_space,
        "free bytes": location.status.free, "error": location.status.error,
        "set aside": {int(number): why for number, why in location.failed.items()},
    }


def _volume(volume: Any) -> dict[str, object]:
    counts = volume.counts
    return {
        "id": int(volume.id), "collection": volume.collection, "data bytes": volume.data_length,
        "files": counts.file_count, "deleted": counts.deleted_count, "is compacting": volume.is_compacting,
        "read only": volume.reason_text(),
    }
