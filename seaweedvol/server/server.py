"""The volume server as one value: everything that a request may need, wired once by ``tap.py``.

Knows the parts by their types only. Holds no logic beyond the flags of its life; must not know any protocol.
"""

from __future__ import annotations

import ssl
import math
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from seaweedvol.metrics.history import History
from seaweedvol.metrics.instruments import Instruments
from seaweedvol.metrics.tally import Tally
from seaweedvol.server.chronicle import Chronicle
from seaweedvol.server.gauges import Gauges
from seaweedvol.server.occupancy import Occupancy
from seaweedvol.server.workers import Workers

if TYPE_CHECKING:
    from seaweedvol.config.model import Settings
    from seaweedvol.security.guard import Guard
    from seaweedvol.server.interfaces import ILocations, IMasterView, IPeers, IReplicator, IShards, ISources
    from seaweedvol.server.limits import ByteLimit
    from seaweedvol.server.needles import Needles
    from seaweedvol.server.slowness import SlowLog
    from seaweedvol.server.volumes import Volumes
    from seaweedvol.store.identity import Identity
    from seaweedvol.store.store import Store
    from seaweedvol.tier.backends import Backends


def _set_event() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@attrs.define
class Life:
    """Where the server is between start and end. Flags are set by one side and read by any thread.

    :ivar is_heartbeating: false after a leave.
    :ivar first_beat_sent: true once a master has our volumes; the server is not healthy before.
    :ivar beaten_at: when a master was last told of our volumes, in seconds since 1970.
    :ivar is_stopping: true from the stop signal on; the server is not healthy any more.
    :ivar called_at: when the last gRPC call came, by the monotonic clock.
    :ivar calls_may_end: while it is not set, the ends of gRPC calls are held back.
    :ivar calls_end_at: when gRPC calls are broken off that go on until then, by the monotonic clock.
    """

    is_heartbeating: bool = True
    first_beat_sent: bool = False
    beaten_at: float | None = None
    is_stopping: bool = False
    called_at: float = -math.inf
    calls_end_at: float = math.inf
    calls_may_end: threading.Event = attrs.field(factory=_set_event, init=False, repr=False, eq=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False, eq=False)

    @property
    def is_ready(self) -> bool:
        """Whether ``/healthz`` says 200."""
        return self.first_beat_sent and self.is_heartbeating and not self.is_stopping

    def leave(self) -> bool:
        """Stop being part of the cluster; true for the call that changed something."""
        with self._lock:
            was_heartbeating, self.is_heartbeating = self.is_heartbeating, False
        return was_heartbeating


def _plain() -> None:
    return None


def _no_tiers() -> Backends:
    from seaweedvol.tier.backends import Backends

    return Backends(lambda: ())


@attrs.define
class VolumeServer:
    """The parts of one server.

    :ivar clock: seconds since 1970, for what is stamped or compared with file times.
    :ivar tiers: the object stores that volumes may be moved to.
    :ivar client_security: what requests to other servers' HTTP ports are made with, in threads; None: plain HTTP.
    :ivar slow: tells of slow requests, None: nobody does.
    :ivar started_at: ``clock()`` at the start.
    :ivar occupancy: the volumes that are being encoded, rebuilt or decoded.
    :ivar instruments: what has been counted; the express lane's part is in ``tally`` until somebody reads.
    :ivar history: requests by second, minute, hour and day.
    :ivar chronicle: what was last done to each volume.
    :ivar gauges: what is worked out when somebody reads.
    """

    settings: Settings
    identity: Identity
    store: Store
    guard: Guard
    upload_limit: ByteLimit
    download_limit: ByteLimit
    needles: Needles
    volumes: Volumes
    master: IMasterView
    peers: IPeers
    locations: ILocations
    replicator: IReplicator
    sources: ISources
    shards: IShards
    clock: Callable[[], float]
    started_at: float
    life: Life = attrs.field(factory=Life)
    client_security: Callable[[], ssl.SSLContext | None] = _plain
    tiers: Backends = attrs.field(factory=_no_tiers)
    workers: Workers = attrs.field(factory=Workers)
    slow: SlowLog | None = None
    occupancy: Occupancy = attrs.field(factory=Occupancy)
    instruments: Instruments = attrs.field(factory=Instruments)
    tally: Tally = attrs.field(factory=Tally)
    history: History = attrs.field(factory=History)
    chronicle: Chronicle = attrs.field(init=False)
    gauges: Gauges = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.chronicle = Chronicle(self.clock)
        self.gauges = Gauges(self)
        self.instruments.registry.register(self.gauges)
