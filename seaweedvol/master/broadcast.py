"""The clients that follow the master (filers, shells, mounts), and what they are told.

Each has a queue that its own stream drains. Knows messages and threads, no stream.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Final

import attrs

from seaweedvol.master.members import Change, Node
from seaweedvol.pb.master_pb2 import ClusterNodeUpdate, KeepConnectedRequest, KeepConnectedResponse, VolumeLocation

# A client that takes nothing for so many messages has lost its place and must connect again.
BACKLOG: Final = 10_000


@attrs.define(eq=False)
class Follower:
    """One client. ``messages`` ends with None."""

    kind: str
    address: str
    group: str
    version: str
    data_center: str
    rack: str
    since_ns: int
    messages: queue.Queue[KeepConnectedResponse | None] = attrs.Factory(lambda: queue.Queue(BACKLOG))

    def end(self) -> None:
        """Let the stream end after what waits, or at once when nothing more fits."""
        try:
            self.messages.put_nowait(None)
        except queue.Full:
            self.messages.get_nowait()
            self.messages.put_nowait(None)

    def pending(self) -> Iterator[KeepConnectedResponse]:
        """*Blocking.* What this client is told, until the end."""
        while (message := self.messages.get()) is not None:
            yield message


class Followers:
    """All clients. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Follower] = []

    def add(self, request: KeepConnectedRequest) -> Follower:
        """A client has come; the others of its group are told."""
        follower = Follower(request.client_type, request.client_address, request.filer_group, request.version,
                            request.data_center, request.rack, time.time_ns())
        with self._lock:
            self._all.append(follower)
        self.tell(_membership(follower, is_add=True))
        return follower

    def remove(self, follower: Follower) -> None:
        """A client has gone."""
        with self._lock:
            if follower not in self._all:
                return
            self._all.remove(follower)
        follower.end()
        self.tell(_membership(follower, is_add=False))

    def list(self, kind: str, group: str) -> list[Follower]:
        """The clients of a kind and group."""
        with self._lock:
            return [one for one in self._all if (one.kind, one.group) == (kind, group)]

    def tell(self, message: KeepConnectedResponse) -> None:
        """Put a message into everybody's queue."""
        with self._lock:
            followers = list(self._all)
        for follower in followers:
            try:
                follower.messages.put_nowait(message)
            except queue.Full:
                follower.end()

    def tell_change(self, node: Node, change: Change) -> None:
        """Say what a server holds now or holds no more."""
        if change:
            self.tell(KeepConnectedResponse(volume_location=location_message(node, change)))

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            followers, self._all = self._all, []
        for follower in followers:
            follower.end()


def location_message(node: Node, change: Change) -> VolumeLocation:
    """What came to and went from a server."""
    return VolumeLocation(
        url=node.url, public_url=node.public_url, data_center=node.data_center, grpc_port=node.grpc_port,
        new_vids=sorted(change.new), deleted_vids=sorted(change.deleted),
        new_ec_vids=sorted(change.new_ec), deleted_ec_vids=sorted(change.deleted_ec))


def _membership(follower: Follower, is_add: bool) -> KeepConnectedResponse:
    return KeepConnectedResponse(cluster_node_update=ClusterNodeUpdate(
        node_type=follower.kind, address=follower.address, is_add=is_add, filer_group=follower.group,
        created_at_ns=follower.since_ns))
