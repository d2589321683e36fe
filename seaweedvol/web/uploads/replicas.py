"""Which other servers must repeat a write or delete. As ``weed/topology/store_replicate.go``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seaweedvol.config.address import join_host_port
from seaweedvol.server.interfaces import Location, LookupFailed, VolumeUnknown
from seaweedvol.storage.ids import VolumeId

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer


class TooFewReplicas(Exception):
    """Raised when not all servers of a volume can be named; the text is Go's."""


def own_url(server: VolumeServer) -> str:
    """This server as the master names it."""
    return join_host_port(server.identity.ip, server.identity.port)


async def remote_replicas(server: VolumeServer, volume_id: VolumeId) -> Sequence[Location]:
    """The other servers that hold the volume, or should; none for a volume that only this one holds.

    :raises TooFewReplicas: when the master cannot be asked, or knows fewer than there should be.
    """
    copy_count = server.needles.copy_count(volume_id)
    if copy_count == 1:
        return ()
    try:
        known = await server.locations.lookup(volume_id)
    except VolumeUnknown:
        known = ()
    except LookupFailed as error:
        raise TooFewReplicas(f"replicating lookup failed for {volume_id}: {error}") from None
    if len(known) < copy_count:
        # What is cached is stale: the next write shall ask the master again.
        server.locations.invalidate(volume_id)
        raise TooFewReplicas(f"replicating operations [{len(known)}] is less than volume {volume_id} "
                             f"replication copy count [{copy_count}]")
    here = own_url(server)
    return [location for location in known if location.url != here]
