"""Both roads on connections of the lane: transports that send files by themselves, batches at the end of a turn."""

from __future__ import annotations

import socket
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.express.batches import Batches
from seaweedvol.web.lane.transport import LaneTransport
from seaweedvol.web.sites import make_takes
from seaweedvol.web.threads import inline
from tests.web import lanes
from tests.web.roads import Road, Roads, Talk


class SocketTalk(Talk):
    """One connection through a pair of sockets."""

    def __init__(self, turns: lanes.World, connection: lanes.Connection) -> None:
        self._turns = turns
        self._connection = connection
        self._heard = b""
        self._boundaries = set()

    def say(self, data: bytes) -> None:
        """See Talk; reads what is answered meanwhile, as the server may wait for that."""
        while data:
            try:
                data = data[self._connection.there.send(data):]
            except BlockingIOError:
                self._heard += self._connection.read()
            except OSError:
                return
        self._turns.turn(2)

    def end(self) -> None:
        """See Talk."""
        try:
            self._connection.there.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def leave(self) -> None:
        """See Talk."""
        self._connection.there.close()
        self._turns.turn()

    @property
    def is_open(self) -> bool:
        """Whether the server has not ended the connection."""
        return bool(self._connection.transport.connected)

    def requests_waiting(self) -> int:
        """How many whole requests the server has that it has not begun with."""
        channel: Any = self._connection.protocol
        return bytes(channel.unread).count(b"\r\n\r\n")

    def sip(self, length: int) -> bytes:
        """What can be read at once, up to ``length``."""
        try:
            data = self._connection.there.recv(length)
        except BlockingIOError:
            data = b""
        self._turns.turn()
        return data

    def heard(self) -> tuple[bytes, bool, bool]:
        """See Talk; a client cannot tell how a connection came to its end."""
        received, self._heard = self._heard + self._connection.read(), b""
        return received, self._connection.is_ended, False


class SocketRoads(Roads):
    """As :class:`Roads`, on a lane; both servers, so that they differ in one thing still."""

    def __init__(self, test: SynchronousTestCase, *flags: str, **kwargs: Any) -> None:
        self._turns = lanes.World(test)
        # Pairs of sockets know nothing of TCP.
        for option in ("setTcpNoDelay", "setTcpKeepAlive"):
            test.patch(LaneTransport, option, lambda transport, enabled: None)
        super().__init__(test, *flags, **kwargs)

    def watch(self, road: Road) -> None:
        """See Roads."""
        world, lane = road.world, self._turns.lane
        if world.site.take is not None:
            batches = Batches(inline, lambda: lane.is_in_round)
            lane.after_round.append(batches.flush)
            world.site.take, world.public.take = make_takes(world.server, inline, batches, now=lambda: world.seconds)
        super().watch(road)

    def turn(self) -> None:
        """Let the reactor turn for a while."""
        self._turns.turn()

    def connect(self, road: Road, is_public: bool) -> Talk:
        """See Roads."""
        site = road.world.public if is_public else road.world.site
        return SocketTalk(self._turns, self._turns.connect(cast(Any, site.buildProtocol(None))))
