"""Which volume servers there are and what they hold, as their heartbeats say.

Every value comes from heartbeats and is kept as the message that brought it. Knows no stream, no file and no clock.
Written after ``weed/topology`` of SeaweedFS 4.44, without its tree: on one machine a walk over all volumes is quick.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Iterator
from typing import Final

from seaweedvol.config.address import join_host_port
from seaweedvol.master import shards
from seaweedvol.master.members import Change, Layout, Node, Wish, disk_kind
from seaweedvol.pb.master_pb2 import Heartbeat, VolumeInformationMessage, VolumeShortInformationMessage

DEFAULT_DATA_CENTER: Final = "DefaultDataCenter"
DEFAULT_RACK: Final = "DefaultRack"
# The disk of a volume that was just made, until its server says which it is.
UNKNOWN_DISK: Final = 2**32 - 1


class DuplicateDirectories(Exception):
    """Raised when a server announces directories that another one has announced.

    :ivar uuids: of these directories.
    """

    def __init__(self, uuids: list[str], holder: str) -> None:
        super().__init__(f"directories {uuids} are announced by {holder} already")
        self.uuids = uuids


class Topology:
    """All volume servers. Any thread; nothing blocks for long.

    :param volume_size_limit: bytes from which on a volume takes no more files.
    """

    def __init__(self, volume_size_limit: int, choose: random.Random | None = None) -> None:
        self.volume_size_limit = volume_size_limit
        self.lock = threading.RLock()
        self.has_seen_nodes = False
        self._nodes: dict[str, Node] = {}
        self._random = choose or random.SystemRandom()
        self._writable: dict[Layout, list[int]] | None = None
        self._promised: dict[int, int] = {}

    # --- servers come and go ---

    def join(self, beat: Heartbeat) -> Node:
        """The server of a stream's first beat, with one stream more.

        :raises DuplicateDirectories: when another server has one of its directories.
        """
        with self.lock:
            url = join_host_port(beat.ip, beat.port)
            uuids = tuple(beat.location_uuids)
            for other in self._nodes.values():
                twice = [one for one in uuids if one in other.uuids]
                if twice and other.url != url:
                    raise DuplicateDirectories(twice, other.url)
            node = self._nodes.get(url)
            if node is None:
                node = self._nodes[url] = Node(
                    beat.ip, beat.port, beat.grpc_port, beat.public_url, beat.id or url,
                    beat.data_center or DEFAULT_DATA_CENTER, beat.rack or DEFAULT_RACK)
            node.grpc_port = beat.grpc_port or node.grpc_port
            node.public_url, node.uuids = beat.public_url, uuids
            node.streams += 1
            self.has_seen_nodes = True
            return node

    def leave(self, node: Node) -> Change:
        """One stream of a server has ended; with the last one the server and its volumes are gone."""
        with self.lock:
            node.streams -= 1
            if node.streams > 0:
                return Change()
            self._nodes.pop(node.url, None)
            gone = Change(deleted=frozenset(node.volume_ids()), deleted_ec=frozenset(node.shard_ids()))
            self._forget_picks()
            return gone

    def apply(self, node: Node, beat: Heartbeat) -> Change:
        """Take over what a beat says."""
        with self.lock:
            before, shards_before = node.volume_ids(), node.shard_ids()
            self._apply_capacity(node, beat)
            self._apply_volumes(node, beat)
            node.shards = shards.after(node.shards, beat)
            after, shards_after = node.volume_ids(), node.shard_ids()
            self._forget_picks()
            return Change(frozenset(after - before), frozenset(before - after),
                          frozenset(shards_after - shards_before), frozenset(shards_before - shards_after))

    @staticmethod
    def _apply_capacity(node: Node, beat: Heartbeat) -> None:
        if beat.max_volume_counts:
            node.max_counts = {disk_kind(kind): count for kind, count in beat.max_volume_counts.items()}
        if beat.disk_total_bytes:
            node.disk_total, node.disk_free = dict(beat.disk_total_bytes), dict(beat.disk_free_bytes)
        if beat.disk_tags:
            node.disk_tags = tuple(beat.disk_tags)

    def _apply_volumes(self, node: Node, beat: Heartbeat) -> None:
        for short in beat.new_volumes:
            node.volumes.pop((UNKNOWN_DISK, short.id), None)
            node.volumes.setdefault((short.disk_id, short.id), _from_short(short))
        for gone in beat.deleted_volumes:
            for key in [key for key in node.volumes if key[1] == gone.id]:
                del node.volumes[key]
        for volume in beat.changed_volumes:
            node.volumes.pop((UNKNOWN_DISK, volume.id), None)
            node.volumes[volume.disk_id, volume.id] = volume
            self._promised.pop(volume.id, None)
        if beat.volumes or beat.has_no_volumes:
            node.volumes = {(volume.disk_id, volume.id): volume for volume in beat.volumes}
            for volume in beat.volumes:
                self._promised.pop(volume.id, None)

    def add_volume(self, node: Node, volume: VolumeInformationMessage) -> None:
        """A volume was just made on a server; the server's own beat will say so too, or has."""
        with self.lock:
            if volume.id not in node.volume_ids():
                node.volumes[UNKNOWN_DISK, volume.id] = volume
            self._forget_picks()

    def drop_collection(self, node: Node, collection: str) -> Change:
        """A server has deleted all volumes of a collection."""
        with self.lock:
            gone = {key for key, volume in node.volumes.items() if volume.collection == collection}
            for key in gone:
                del node.volumes[key]
            before = node.shard_ids()
            node.shards = shards.without(node.shards, collection)
            self._forget_picks()
            return Change(deleted=frozenset(volume_id for _, volume_id in gone),
                          deleted_ec=frozenset(before - node.shard_ids()))

    def mark(self, ip: str, port: int, volume_id: int, is_read_only: bool) -> bool:
        """Take files to a volume on one server no longer, or again; whether it was found."""
        with self.lock:
            node = self._nodes.get(join_host_port(ip, port))
            keys = [] if node is None else [key for key in node.volumes if key[1] == volume_id]
            for key in keys:
                assert node is not None
                marked = VolumeInformationMessage()
                marked.CopyFrom(node.volumes[key])
                marked.read_only = is_read_only
                node.volumes[key] = marked
            self._forget_picks()
            return bool(keys)

    # --- questions ---

    def nodes(self) -> list[Node]:
        """All servers, ordered by where they stand."""
        with self.lock:
            return sorted(self._nodes.values(), key=lambda node: (node.data_center, node.rack, node.node_id))

    def lookup(self, volume_id: int, collection: str = "") -> list[Node]:
        """The servers that hold a volume, or shards of it."""
        with self.lock:
            found = [node for node in self.nodes() if any(
                volume.id == volume_id and collection in ("", volume.collection) for volume in node.volumes.values())]
            return found or [node for node in self.nodes() if volume_id in node.shard_ids()]

    def all_volumes(self) -> Iterator[tuple[Node, VolumeInformationMessage]]:
        """Every volume on every server."""
        with self.lock:
            pairs = [(node, volume) for node in self.nodes() for volume in node.volumes.values()]
        return iter(pairs)

    def max_volume_id(self) -> int:
        """The highest id anywhere, 0 when there is none."""
        with self.lock:
            ids = (node.volume_ids() | node.shard_ids() for node in self._nodes.values())
            return max((max(one, default=0) for one in ids), default=0)

    def free_slots(self, disk_type: str, wish: Wish = Wish()) -> int:
        """How many more volumes all servers together take where the client wants them."""
        with self.lock:
            return sum(max(0, node.free_slots(disk_type)) for node in self._nodes.values() if wish.allows(node))

    def layouts(self) -> dict[Layout, list[int]]:
        """Every layout that has volumes, with the ids of those that take files."""
        with self.lock:
            if self._writable is None:
                self._writable = self._sort_out()
            return {layout: list(ids) for layout, ids in self._writable.items()}

    def pick(self, layout: Layout, wish: Wish, promised_bytes: int) -> tuple[int, list[Node]] | None:
        """A volume that takes files, with its servers; None when there is none.

        :param promised_bytes: what the client is about to write, counted until the volume's next report.
        """
        with self.lock:
            if self._writable is None:
                self._writable = self._sort_out()
            ids = self._writable.get(layout, [])
            if wish:
                ids = [one for one in ids if any(wish.allows(node) for node in self.lookup(one, layout.collection))]
            if not ids:
                return None
            volume_id = self._random.choice(ids)
            nodes = self.lookup(volume_id, layout.collection)
            self._random.shuffle(nodes)
            self._promise(volume_id, nodes, promised_bytes)
            return volume_id, nodes

    def _promise(self, volume_id: int, nodes: Iterable[Node], promised_bytes: int) -> None:
        if not promised_bytes:
            return
        total = self._promised[volume_id] = self._promised.get(volume_id, 0) + promised_bytes
        size = max(volume.size for node in nodes for volume in node.volumes.values() if volume.id == volume_id)
        if size + total >= self.volume_size_limit:
            self._forget_picks()

    def _forget_picks(self) -> None:
        self._writable = None

    def _sort_out(self) -> dict[Layout, list[int]]:
        """All layouts with their writable volumes: enough copies, none read-only, none full."""
        copies: dict[tuple[Layout, int], dict[str, VolumeInformationMessage]] = {}
        for node, volume in self.all_volumes():
            copies.setdefault((Layout.of(volume), volume.id), {})[node.url] = volume
        found: dict[Layout, list[int]] = {}
        for (layout, volume_id), by_server in sorted(copies.items(), key=lambda item: item[0][1]):
            ids, volumes = found.setdefault(layout, []), list(by_server.values())
            size = max(volume.size for volume in volumes) + self._promised.get(volume_id, 0)
            if (len(volumes) >= layout.placement.copy_count and size < self.volume_size_limit
                    and not any(volume.read_only for volume in volumes)):
                ids.append(volume_id)
        return found


def _from_short(short: VolumeShortInformationMessage) -> VolumeInformationMessage:
    return VolumeInformationMessage(
        id=short.id, collection=short.collection, replica_placement=short.replica_placement, version=short.version,
        ttl=short.ttl, disk_type=short.disk_type, disk_id=short.disk_id)
