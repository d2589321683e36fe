"""How many volumes to make when none takes files, and on which servers.

Pure. The number differs from SeaweedFS on purpose: its master makes seven volumes at a time for a cluster, which on one
machine with the usual eight slots would leave one for all other collections. Here it is three at most, and never more
than half of what is free, so that five collections fit in eight slots.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from seaweedvol.master.members import Node, Wish
from seaweedvol.storage.format.placement import ReplicaPlacement

USUAL_COUNT: Final = 3


class NoRoom(Exception):
    """Raised when no choice of servers satisfies a placement; the text is Go's."""


def volumes_to_grow(free_slots: int, copy_count: int) -> int:
    """How many volumes to make at once, at least one."""
    return max(1, min(USUAL_COUNT, free_slots // copy_count // 2))


def choose_servers(nodes: Sequence[Node], placement: ReplicaPlacement, wish: Wish, disk_type: str,
                   choose: random.Random) -> list[Node]:
    """One server for each copy of a new volume, the first where the client wants it.

    :raises NoRoom: when there are not enough servers with a free slot at the wanted distances.
    """
    free = [node for node in nodes if node.free_slots(disk_type) > 0]
    choose.shuffle(free)
    free.sort(key=lambda node: node.free_slots(disk_type), reverse=True)
    for first in free:
        if wish.allows(first):
            servers = _complete(first, free, placement)
            if servers is not None:
                return servers
    raise NoRoom("No matching data node found!" if len(free) >= placement.copy_count
                 else "Not enough data nodes found!")


def _complete(first: Node, free: Sequence[Node], placement: ReplicaPlacement) -> list[Node] | None:
    """The first server with company at the wanted distances."""
    beside = [node for node in free if node is not first
              and (node.data_center, node.rack) == (first.data_center, first.rack)]
    racks = {node.rack: node for node in free if node.data_center == first.data_center and node.rack != first.rack}
    centers = {node.data_center: node for node in free if node.data_center != first.data_center}
    groups = ((beside, placement.same_rack), (list(racks.values()), placement.diff_rack),
              (list(centers.values()), placement.diff_dc))
    if any(len(group) < wanted for group, wanted in groups):
        return None
    return [first, *(node for group, wanted in groups for node in group[:wanted])]
