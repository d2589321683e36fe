"""The two long conversations of the master: with volume servers that heartbeat, and with clients that follow.

As generators over what the other side says, so that they can be tested without gRPC. Written after ``weed/server/
master_grpc_server.go`` of SeaweedFS 4.44. It never says that it compares digests: then every beat of a volume server is
a full list, and one machine's list is short.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from seaweedvol.master.broadcast import location_message
from seaweedvol.master.master import MIB, Master
from seaweedvol.master.members import Change, Node
from seaweedvol.master.topology import DuplicateDirectories
from seaweedvol.pb.master_pb2 import (
    Heartbeat,
    HeartbeatResponse,
    KeepConnectedRequest,
    KeepConnectedResponse,
    VolumeLocation,
)

_log = logging.getLogger(__name__)


def attend(master: Master, beats: Iterable[Heartbeat]) -> Iterator[HeartbeatResponse]:
    """Listen to one volume server until it ends the stream; then its volumes are gone."""
    node: Node | None = None
    try:
        for beat in beats:
            if node is None:
                if not beat.ip:
                    continue
                try:
                    node = master.topology.join(beat)
                except DuplicateDirectories as error:
                    _log.error("%s:%d is refused: %s", beat.ip, beat.port, error)
                    yield HeartbeatResponse(duplicated_uuids=error.uuids)
                    return
                _log.info("volume server %s has come", node.url)
                _take(master, node, beat)
                yield HeartbeatResponse(volume_size_limit=master.volume_size_limit_mb * MIB)
            else:
                _take(master, node, beat)
    finally:
        if node is not None:
            gone = master.topology.leave(node)
            if not node.streams:
                _log.info("volume server %s has gone", node.url)
            master.followers.tell_change(node, gone)


def _take(master: Master, node: Node, beat: Heartbeat) -> None:
    if beat.max_file_key:
        master.ledger.saw_key(beat.max_file_key)
    master.followers.tell_change(node, master.topology.apply(node, beat))
    master.ledger.saw_volume_id(master.topology.max_volume_id())


def follow(master: Master, requests: Iterator[KeepConnectedRequest],
           on_end: Callable[[Callable[[], None]], object]) -> Iterator[KeepConnectedResponse]:
    """Tell one client where volumes are, and what changes, until it goes.

    :param on_end: takes what is to be called when the client has gone.
    """
    request = next(requests, None)
    if request is None:
        return
    follower = master.followers.add(request)
    on_end(lambda: master.followers.remove(follower))
    try:
        locations = [location_message(node, Change(frozenset(node.volume_ids()), new_ec=frozenset(node.shard_ids())))
                     for node in master.topology.nodes()] or [VolumeLocation()]
        locations[0].leader = master.address
        for location in locations:
            yield KeepConnectedResponse(volume_location=location)
        yield from follower.pending()
    finally:
        master.followers.remove(follower)
