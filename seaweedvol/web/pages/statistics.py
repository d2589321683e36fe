"""``/stats/counter``, ``/stats/memory``, ``/stats/disk``: JSON for scripts, and ``/livez``.

SeaweedFS 4.44 has the code of the first three and no routes to it any more; the shapes are those of
``server/common.go`` and ``stats/stats.go``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from seaweedvol.metrics.history import Series
from seaweedvol.server.status import memory_status
from seaweedvol.server.version import version_text
from seaweedvol.web.message.reply import Reply, empty, json_reply
from seaweedvol.web.message.request import Request
from seaweedvol.web.pages.status import described_disks
from seaweedvol.web.syntax.gojson import Struct, omit_empty

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer

#: Go's kinds of requests; those that it does not count on a volume server either stay at nothing.
_KINDS: Final = ("Requests", "Connections", "AssignRequests", "ReadRequests", "WriteRequests", "DeleteRequests",
                 "BytesIn", "BytesOut")


def is_told(server: VolumeServer, request: Request) -> bool:
    """Whether numbers are for this client, and asked for; to others their paths are those of needles, as in 4.44."""
    asks = "" if request.is_public else request.path
    return request.method in ("GET", "HEAD") and server.guard.allows_peer(request.peer_host, asks)


def live() -> Reply:
    """200: who answers, lives."""
    return empty(200)


def counters(server: VolumeServer, request: Request) -> Reply:
    """Requests by second, minute, hour and day of the week."""
    history = server.history
    known = {"ReadRequests": history.reads, "WriteRequests": history.writes, "DeleteRequests": history.deletions}
    told = Struct(tuple((kind, _rings(known.get(kind, _NOTHING))) for kind in _KINDS))
    return _told(server, request, "Counters", told)


def memory(server: VolumeServer, request: Request) -> Reply:
    """Of the machine and of this process, in bytes."""
    found = memory_status()
    return _told(server, request, "Memory", omit_empty(
        ("goroutines", found.threads), ("all", found.total), ("used", found.used), ("free", found.free),
        ("self", found.resident), ("heap", found.heap), ("stack", found.stack)))


def disks(server: VolumeServer, request: Request) -> Reply:
    """The file systems of the directories. Blocking."""
    return _told(server, request, "DiskStatuses", described_disks(server) or None)


def _told(server: VolumeServer, request: Request, name: str, value: object) -> Reply:
    return json_reply(request, 200, {"Version": version_text(server.settings.offset_width), name: value})


def _rings(series: Series) -> Struct:
    return Struct(tuple(
        (name, Struct((("LastIndex", ring.last_index), ("Values", ring.values), ("Counts", ring.counts))))
        for name, ring in series.rings.items()))


_NOTHING: Final = Series()


Tell = Callable[["VolumeServer", Request], Reply]
#: By what follows ``/stats/``.
PAGES: Final[Mapping[str, Tell]] = {"counter": counters, "memory": memory, "disk": disks}
