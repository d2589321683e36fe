"""What a client asks for when it wants to write, and what it is answered. Pure.

The texts are those of SeaweedFS 4.44's master (``topology/topology.go``, ``server/master_server_handlers.go``).
"""

from __future__ import annotations

import json
from typing import Any

import attrs

from seaweedvol.master.members import Layout, Node, Wish, disk_kind
from seaweedvol.storage.format.placement import parse_placement
from seaweedvol.storage.format.ttl import parse_ttl

VOLUME_VERSION = 3


@attrs.frozen
class AssignRequest:
    """A wish for file ids.

    :ivar count: how many ids in a row.
    :ivar writable_count: how many volumes to make if one must be made; 0: the usual number.
    :ivar data_size: bytes that will be written, 0 when not known.
    """

    layout: Layout
    wish: Wish = Wish()
    count: int = 1
    writable_count: int = 0
    data_size: int = 0


@attrs.frozen
class Assigned:
    """File ids.

    :ivar file_id: the first; the others have ``_1`` and so on behind it.
    :ivar nodes: the servers to write to, any of them.
    """

    file_id: str
    count: int
    nodes: tuple[Node, ...]


class AssignRefused(Exception):
    """Raised when no file id can be given."""


class WarmingUp(Exception):
    """Raised as long as no volume server has reported since the start; the client is to ask again."""

    def __init__(self) -> None:
        super().__init__("master is warming up, topology is still loading")


def layout_of(collection: str, replication: str, ttl: str, disk_type: str) -> Layout:
    """The layout that texts of a request name.

    :raises InvalidSetting: with Go's words.
    """
    return Layout(collection, parse_placement(replication), parse_ttl(ttl), disk_kind(disk_type))


def described(request: AssignRequest) -> str:
    """The request as Go's messages show it: JSON without what is empty."""
    layout, wish = request.layout, request.wish
    copies = {"node": layout.placement.same_rack, "rack": layout.placement.diff_rack, "dc": layout.placement.diff_dc}
    shown: dict[str, Any] = {"collection": layout.collection} if layout.collection else {}
    shown["replication"] = {name: count for name, count in copies.items() if count}
    shown["ttl"] = {"Count": layout.ttl.count, "Unit": layout.ttl.unit}
    optional = {"disk": layout.disk_type, "dataCenter": wish.data_center, "rack": wish.rack,
                "dataNode": wish.data_node}
    shown |= {name: text for name, text in optional.items() if text}
    shown["version"] = VOLUME_VERSION
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False)


def no_writable(request: AssignRequest, free_slots: int, reason: str = "") -> AssignRefused:
    """The refusal when no volume takes files and none can be made.

    :param reason: why none could be made although there were free slots.
    """
    layout, wish = request.layout, request.wish
    text = (f"failed to find writable volumes for collection:{layout.collection} replication:{layout.placement} "
            f"ttl:{layout.ttl} error: No writable volumes")
    if wish:
        text += f" in DataCenter:{wish.data_center} Rack:{wish.rack} DataNode:{wish.data_node}"
    if free_slots <= 0:
        text += f" and no free volumes left for {described(request)}"
    elif reason:
        text += f" and none could be made: {reason}"
    return AssignRefused(text)
