"""The master's use cases, for both of its surfaces. Any thread; those that say so block.

Ties topology, ledger, growth and followers together. Must not know HTTP, gRPC or Twisted.
"""

from __future__ import annotations

import logging
import random
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from seaweedvol.master.admin_locks import AdminLocks
from seaweedvol.master.allocation import VOLUME_VERSION, CallFailed
from seaweedvol.master.assign import Assigned, AssignRefused, AssignRequest, WarmingUp, layout_of, no_writable
from seaweedvol.master.broadcast import Followers
from seaweedvol.master.growth import NoRoom, choose_servers, volumes_to_grow
from seaweedvol.master.ledger import IdsExhausted, Ledger
from seaweedvol.master.members import Change, Layout, Node, Wish
from seaweedvol.master.topology import Topology
from seaweedvol.pb.master_pb2 import VolumeInformationMessage
from seaweedvol.security.guard import Guard
from seaweedvol.security.jwt import mint
from seaweedvol.storage.errors import InvalidId
from seaweedvol.storage.ids import Cookie, FileId, NeedleId, VolumeId, parse_volume_id

_log = logging.getLogger(__name__)

# How long assignments are put off after the start while no server has reported.
WARM_UP_SECONDS: Final = 15.0
MIB: Final = 1 << 20


class IVolumeServers(Protocol):
    """What the master makes volume servers do. All block and raise CallFailed."""

    def allocate(self, node: Node, volume_id: int, layout: Layout) -> None:
        """Make a volume."""

    def delete(self, node: Node, volume_id: int) -> None:
        """Remove a volume."""

    def delete_collection(self, node: Node, collection: str) -> None:
        """Remove a collection."""

    def ping(self, node: Node) -> int:
        """The time there, ns since 1970."""


class Master:
    """One master.

    :param address: ``host:port`` or ``host:port.grpcPort`` under which it calls itself the leader.
    :param replication: of volumes whose client asks for none in particular.
    :param guard: gives the key that assigned file ids are signed with, and the white list.
    """

    def __init__(self, *, address: str, directory: Path, volume_size_limit_mb: int, replication: str,
                 guard: Guard, servers: IVolumeServers, clock: Callable[[], float] = time.monotonic) -> None:
        self.address = address
        self.volume_size_limit_mb = volume_size_limit_mb
        self.replication = replication
        self.guard = guard
        self.ledger = Ledger(directory)
        self.topology = Topology(volume_size_limit_mb * MIB)
        self.followers = Followers()
        self.locks = AdminLocks(time.time_ns)
        self.servers = servers
        self._clock, self._started_at = clock, clock()
        self._growing = threading.Lock()
        self._random = random.SystemRandom()

    # --- assign ---

    def layout(self, collection: str, replication: str, ttl: str, disk_type: str) -> Layout:
        """The layout that texts of a request name, with the master's default placement.

        :raises InvalidSetting: with Go's words.
        """
        return layout_of(collection, replication or self.replication, ttl, disk_type)

    def assign_now(self, request: AssignRequest) -> Assigned | None:
        """File ids in a volume that is there; None when one must be made first. Does not block.

        :raises AssignRefused: when there are not so many ids.
        :raises WarmingUp: see there.
        """
        if not self.topology.has_seen_nodes and self._clock() - self._started_at < WARM_UP_SECONDS:
            raise WarmingUp()
        picked = self.topology.pick(request.layout, request.wish, request.count * request.data_size)
        if picked is None:
            return None
        volume_id, nodes = picked
        try:
            key = self.ledger.next_keys(request.count)
        except IdsExhausted as error:
            raise AssignRefused(str(error)) from None
        file_id = FileId(VolumeId(volume_id), NeedleId(key), Cookie(secrets.randbits(32)))
        return Assigned(str(file_id), request.count, tuple(nodes))

    def assign(self, request: AssignRequest) -> Assigned:
        """*Blocking.* File ids; volumes are made when none takes files.

        :raises AssignRefused: when none can be made.
        :raises WarmingUp: see there.
        """
        found = self.assign_now(request)
        if found is not None:
            return found
        with self._growing:
            # Whoever held the lock before may have made what is needed.
            found = self.assign_now(request)
            if found is not None:
                return found
            free = self.topology.free_slots(request.layout.disk_type)
            count = request.writable_count or volumes_to_grow(free, request.layout.placement.copy_count)
            reason = self._grow(request.layout, request.wish, count)[1]
            found = self.assign_now(request)
        if found is None:
            raise no_writable(request, free, reason)
        return found

    def token(self, file_id: str, *, is_write: bool = True) -> str:
        """A token for a file id, "" when none is asked for."""
        if is_write:
            return mint(self.guard.write_key, file_id, self.guard.write_expires)
        return mint(self.guard.read_key, file_id, self.guard.read_expires)

    # --- grow ---

    def grow(self, layout: Layout, wish: Wish, count: int) -> int:
        """*Blocking.* Make ``count`` volumes; how many copies were made.

        :raises AssignRefused: when there is no room for all, or a server refused.
        """
        free, needed = self.topology.free_slots(layout.disk_type, wish), count * layout.placement.copy_count
        if free < needed:
            raise AssignRefused(f"only {free} volumes left, not enough for {needed}")
        with self._growing:
            made, reason = self._grow(layout, wish, count)
        if reason:
            raise AssignRefused(reason)
        return made

    def _grow(self, layout: Layout, wish: Wish, count: int) -> tuple[int, str]:
        """How many copies were made, and why not all of them."""
        made = 0
        for _ in range(count):
            try:
                servers = choose_servers(self.topology.nodes(), layout.placement, wish, layout.disk_type, self._random)
                made += self._make_volume(servers, layout)
            except (NoRoom, CallFailed, IdsExhausted) as error:
                _log.info("volume growth ended after %d: %s", made, error)
                return made, str(error)
        return made, ""

    def _make_volume(self, servers: list[Node], layout: Layout) -> int:
        self.ledger.saw_volume_id(self.topology.max_volume_id())
        volume_id = self.ledger.next_volume_id()
        done: list[Node] = []
        try:
            for node in servers:
                self.servers.allocate(node, volume_id, layout)
                done.append(node)
        except CallFailed:
            for node in done:
                self._take_back(node, volume_id)
            raise
        for node in done:
            self.topology.add_volume(node, VolumeInformationMessage(
                id=volume_id, collection=layout.collection, replica_placement=layout.placement.to_byte(),
                ttl=layout.ttl.to_uint32(), version=VOLUME_VERSION, disk_type=layout.disk_type))
            self.followers.tell_change(node, Change(new=frozenset({volume_id})))
        _log.info("volume %d is made on %s", volume_id, ", ".join(node.url for node in done))
        return len(done)

    def _take_back(self, node: Node, volume_id: int) -> None:
        try:
            self.servers.delete(node, volume_id)
        except CallFailed as error:
            _log.warning("volume %d is left over on %s: %s", volume_id, node.url, error)

    # --- look up ---

    def find(self, volume_text: str, collection: str = "") -> tuple[list[Node], str]:
        """The servers of a volume named by text, or an empty list and Go's words for why."""
        try:
            nodes = self.topology.lookup(parse_volume_id(volume_text), collection)
        except InvalidId:
            return [], f"Unknown volume id {volume_text}"
        return (nodes, "") if nodes else ([], f"volume id {volume_text} not found")

    @property
    def max_volume_id(self) -> int:
        """The highest volume id given out or seen."""
        return max(self.ledger.max_volume_id, self.topology.max_volume_id())

    def collections(self) -> list[str]:
        """The names of all collections that have volumes, "" for the one without a name."""
        return sorted({volume.collection for _, volume in self.topology.all_volumes()})

    def delete_collection(self, name: str) -> bool:
        """*Blocking.* Remove a collection everywhere; whether there was one.

        :raises CallFailed: when a server refused.
        """
        holders = [node for node in self.topology.nodes() if name in node.collections()]
        for node in holders:
            self.servers.delete_collection(node, name)
            self.followers.tell_change(node, self.topology.drop_collection(node, name))
        return bool(holders)
