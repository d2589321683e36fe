"""Where volumes are: asked of the master, remembered for ten minutes.

Implements ``server.interfaces.ILocations``; lives in the reactor's thread. As ``weed/operation/lookup.go`` and
``lookup_vid_cache.go`` of SeaweedFS 4.44. An empty answer and an error are not remembered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import grpc
from twisted.internet import defer
from twisted.internet.interfaces import IReactorTime

from seaweedvol.cluster.calls import Channels, FromThread, as_deferred, go_text, master_calls
from seaweedvol.config.address import ServerAddress
from seaweedvol.pb.master_pb2 import LookupVolumeRequest, LookupVolumeResponse
from seaweedvol.server.interfaces import Location, LookupFailed, VolumeUnknown

CACHE_SECONDS: Final = 600.0
LOOKUP_SECONDS: Final = 30.0


@attrs.frozen
class _Cached:
    locations: tuple[Location, ...]
    good_until: float


class GrpcLookup:
    """Asks the current master.

    :param leader: gives the address of the master to ask.
    """

    def __init__(self, leader: Callable[[], str], channels: Channels, reactor: FromThread) -> None:
        self._leader, self._channels, self._reactor = leader, channels, reactor

    async def __call__(self, volume_id: int) -> LookupVolumeResponse:
        """The master's answer.

        :raises LookupFailed: when it cannot be asked.
        """
        stub = master_calls(await self._channels.soon(ServerAddress(self._leader()).grpc))
        request = LookupVolumeRequest(volume_or_file_ids=[str(volume_id)])
        try:
            return await as_deferred(stub.LookupVolume.future(request, timeout=LOOKUP_SECONDS), self._reactor)
        except grpc.RpcError as error:
            raise LookupFailed(go_text(error)) from None


class Locations:
    """The cache.

    :param ask: one question to the master.
    """

    def __init__(self, ask: Callable[[int], Awaitable[LookupVolumeResponse]], clock: IReactorTime) -> None:
        self._ask, self._clock = ask, clock
        self._cache: dict[int, _Cached] = {}
        self._waiting: dict[int, list[defer.Deferred[tuple[Location, ...]]]] = {}

    async def lookup(self, volume_id: int) -> tuple[Location, ...]:
        """All servers that hold the volume, this one included; requests for one volume share one question.

        :raises VolumeUnknown: when the master knows no such volume.
        :raises LookupFailed: when it cannot be asked.
        """
        known = self.known(volume_id)
        if known is not None:
            return known
        if volume_id in self._waiting:
            turn: defer.Deferred[tuple[Location, ...]] = defer.Deferred()
            self._waiting[volume_id].append(turn)
            return await turn
        self._waiting[volume_id] = []
        try:
            locations = await self._look(volume_id)
        except BaseException as error:
            failure = error if isinstance(error, LookupFailed) else LookupFailed(str(error))
            for turn in self._waiting.pop(volume_id):
                turn.errback(failure)
            raise
        for turn in self._waiting.pop(volume_id):
            turn.callback(locations)
        return locations

    def known(self, volume_id: int) -> tuple[Location, ...] | None:
        """What :meth:`lookup` would say without asking, None when it would ask."""
        cached = self._cache.get(volume_id)
        return cached.locations if cached is not None and self._clock.seconds() <= cached.good_until else None

    def invalidate(self, volume_id: int) -> None:
        """Forget what was cached for the volume."""
        self._cache.pop(volume_id, None)

    async def _look(self, volume_id: int) -> tuple[Location, ...]:
        answer = await self._ask(volume_id)
        for found in answer.volume_id_locations:
            if found.error:
                raise VolumeUnknown(found.error)
            locations = tuple(
                Location(at.url, at.public_url, at.grpc_port, at.data_center) for at in found.locations)
            if locations:
                self._cache[volume_id] = _Cached(locations, self._clock.seconds() + CACHE_SECONDS)
            return locations
        return ()
