"""Two servers that differ in one thing: one has the express lane. What one answers and stores the other must too."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.loading import create_volume, load_volume
from seaweedvol.store import location, volumeloading
from seaweedvol.web.connection.exchange import Exchange
from seaweedvol.web.connection.side import LaneSide
from seaweedvol.web.connection.site import Site
from tests.conformance.case import HOURLY, PICTURES, PLAIN, READ_ONLY
from tests.conformance.exchange import Request
from tests.web.serving import NOW, Client, LoopAgent, World, make_world

# What is drawn by lot for each answer. These begin with what can be searched fast, as answers may be long.
_REQUEST_ID = re.compile(rb"(\r\nX-Amz-Request-Id: )[0-9A-F]{20,40}(?=\r\n)")
_BOUNDARY = re.compile(rb"\r\nContent-Type: multipart/byteranges; boundary=([0-9a-f]+)\r\n")
# How long the answer about disks is: a number more or less.
_LENGTH = re.compile(rb"(\r\nContent-Type: application/json\r\nServer: (?:[^\r\n]+\r\n)*?Content-Length: )"
                     rb"1\d{3}(?=\r\n\r\n)")
# Answers about the machine: its disks and directories, and how long they took.
_ABOUT_MACHINE = re.compile(rb'"DiskStatuses"|<!DOCTYPE html>\s*<html')


@attrs.define
class Road:
    """One of the servers.

    :ivar asked: requests that the general road was asked.
    :ivar offered: how often the lane was offered something, and how often it took that.
    """

    world: World
    directory: Path
    asked: int = 0
    offered: int = 0
    taken: int = 0

    def watch(self) -> None:
        """Count."""
        for site in (self.world.site, self.world.public):
            self._watch(site)

    def _watch(self, site: Site) -> None:
        serve, take = site.serve, site.take

        def counted_serve(exchange: Exchange) -> None:
            self.asked += 1
            serve(exchange)

        def counted_take(data: bytes, channel: LaneSide) -> int:
            self.offered += 1
            taken = take(data, channel) if take is not None else 0
            self.taken += taken > 0
            return taken

        setattr(site, "serve", counted_serve)
        if take is not None:
            site.take = counted_take

    def files(self) -> dict[str, int]:
        """The files of volumes, and how long they are."""
        return {path.name: path.stat().st_size for path in self.directory.iterdir()
                if path.suffix in (".dat", ".idx", ".vif")}

    def read(self, name: str, start: int) -> bytes:
        """A file from ``start`` on."""
        with open(self.directory / name, "rb") as file:
            file.seek(start)
            return file.read()


class Talk:
    """One connection to one of the servers."""

    def __init__(self, client: Client, forget: Callable[[Client], object]) -> None:
        self._client = client
        self._forget = forget
        self._boundaries: set[bytes] = set()

    def say(self, data: bytes) -> None:
        """Send bytes."""
        if not self._client.is_aborted:
            self._client.write(data)

    def end(self) -> None:
        """Send no more."""
        if not self._client.is_aborted:
            self._client.half_close()

    def leave(self) -> None:
        """Be gone."""
        self._client.leave()
        self._forget(self._client)

    def heard(self) -> tuple[bytes, bool, bool]:
        """What came since this was asked last; whether the connection is closed, or broken off."""
        received = self._client.received
        self._client.wire.clear()
        return received, self._client.is_closed, self._client.is_aborted

    def news(self) -> tuple[bytes, bool, bool]:
        """As :meth:`heard`, without what is drawn by lot."""
        received, is_closed, is_aborted = self.heard()
        if received:
            received = _LENGTH.sub(rb"\1*", _REQUEST_ID.sub(rb"\1*", received))
            self._boundaries.update(_BOUNDARY.findall(received))
            for boundary in self._boundaries:
                received = received.replace(boundary, b"*")
            if _ABOUT_MACHINE.search(received):
                received = re.sub(rb"Content-Length: \d+", b"Content-Length: *", received.partition(b"\r\n\r\n")[0])
        return received, is_closed, is_aborted


class Roads:
    """Both servers, with the same volumes, the same time of day and the same clock for what they append.

    :ivar lane, general: the one with the lane, and the one without.
    """

    def __init__(self, test: SynchronousTestCase, *flags: str, environ: Mapping[str, str] = MappingProxyType({}),
                 volumes: bool = True, make_agent: Callable[[], Any] = LoopAgent, **kwargs: Any) -> None:
        self._now = NOW

        def now_ns() -> int:
            return int(self._now * 1e9)

        test.patch(volumeloading, "load_volume", functools.partial(load_volume, now_ns=now_ns))
        test.patch(location, "create_volume", functools.partial(create_volume, now_ns=now_ns))
        self.lane, self.general = (self._make(test, flags, environ, has_lane, make_agent(), kwargs)
                                   for has_lane in (True, False))
        self._compared: dict[str, int] = {}
        if volumes:
            for road in self.both:
                allocate(road.world)

    def _make(self, test: SynchronousTestCase, flags: Sequence[str], environ: Mapping[str, str], has_lane: bool,
              agent: Any, kwargs: Mapping[str, Any]) -> Road:
        directory = Path(test.mktemp())
        directory.mkdir(parents=True)
        world = make_world(test, *flags, directory=directory, environ=environ, has_lane=has_lane, agent=agent, **kwargs)
        road = Road(world, directory)
        self.watch(road)
        return road

    def watch(self, road: Road) -> None:
        """Count what one of the servers is asked."""
        road.watch()

    def pass_time(self, seconds: float) -> None:
        """Let it be later, for storage and for HTTP."""
        self._now += seconds
        for road in self.both:
            road.world.seconds += seconds

    @property
    def both(self) -> tuple[Road, Road]:
        """With the lane, without."""
        return self.lane, self.general

    @property
    def share(self) -> float:
        """Of all requests that were answered, the part that never came to the general road."""
        return 1 - self.lane.asked / self.general.asked if self.general.asked else 0.0

    def converse(self, packets: Sequence[bytes], *, is_public: bool = False, half_closes: bool = False,
                 waits: float = 0) -> str:
        """Send ``packets`` on one connection to each; what was answered or stored differently, "" for nothing.

        :param half_closes: whether the client ends its side at last.
        :param waits: seconds that it stays after that.
        """
        talks = [self.connect(road, is_public) for road in self.both]
        try:
            found = self._spoken(talks, packets, half_closes, waits)
        finally:
            for talk in talks:
                talk.leave()
        return found or self.difference_of_files() or self.difference_of_rest()

    def connect(self, road: Road, is_public: bool) -> Talk:
        """A new connection."""
        return Talk(road.world.client(is_public=is_public), road.world.clients.remove)

    def _spoken(self, talks: Sequence[Talk], packets: Sequence[bytes], half_closes: bool, waits: float) -> str:
        for number, packet in enumerate(packets):
            for talk in talks:
                talk.say(packet)
            found = _difference(talks)
            if found:
                return f"after packet {number}: {found}"
        if half_closes:
            for talk in talks:
                talk.end()
            found = _difference(talks)
            if found:
                return f"after the client's end: {found}"
        if waits:
            for road in self.both:
                road.world.clock.advance(waits)
            found = _difference(talks)
            if found:
                return f"after {waits} s: {found}"
        return ""

    def difference_of_files(self) -> str:
        """What is stored differently, of what was stored since this was asked last."""
        one, other = (road.files() for road in self.both)
        if one != other:
            return f"lengths of files: {sorted(set(one.items()) ^ set(other.items()))}"
        for name, length in one.items():
            known = self._compared.get(name, 0)
            if length > known or length < known:
                start = known if length > known else 0
                data, expected = (road.read(name, start) for road in self.both)
                if data != expected:
                    at = next(at for at, (mine, theirs) in enumerate(zip(data, expected)) if mine != theirs)
                    return f"{name} at {start + at}: {data[at:at + 60]!r} against {expected[at:at + 60]!r}"
                self._compared[name] = length
        return ""

    def difference_of_rest(self) -> str:
        """What else may differ: what other servers were told, what is counted as under way."""
        one, other = (_surroundings(road.world) for road in self.both)
        for name, value in one.items():
            if value != other[name]:
                return f"{name}: {value!r:.300} against {other[name]!r:.300}"
        return ""

    def send(self, request: Request) -> str:
        """One request on a connection of its own; what differs."""
        return self.converse([request.encode()], is_public=request.public)


def allocate(world: World) -> None:
    """The volumes that cases use."""
    world.allocate(PLAIN)
    world.allocate(PICTURES, collection="pics")
    world.allocate(HOURLY, ttl="1h")
    world.allocate(READ_ONLY)
    world.server.volumes.mark_readonly(VolumeId(READ_ONLY))


def _surroundings(world: World) -> dict[str, Any]:
    server = world.server
    told = {
        "written": list(world.replicator.written), "deleted": list(world.replicator.deleted),
        "forgotten": list(world.locations.forgotten),
        "asked of peers": list(world.peers.asked), "asked of others": list(world.agent.asked),
        "uploads under way": server.upload_limit.in_flight, "downloads under way": server.download_limit.in_flight,
    }
    for memory in (world.replicator.written, world.replicator.deleted, world.locations.forgotten, world.peers.asked,
                   world.agent.asked):
        memory.clear()
    return told


def _difference(talks: Sequence[Talk]) -> str:
    one, other = (talk.news() for talk in talks)
    if one == other:
        return ""
    alike = len(os.path.commonprefix([one[0], other[0]]))
    return f"answers:\n      lane    {_told(one, alike)}\n      general {_told(other, alike)}"


def _told(news: tuple[bytes, bool, bool], alike: int) -> str:
    data, is_closed, is_aborted = news
    start = max(0, data.rfind(b"HTTP/1.1 ", 0, alike + 8))
    shown = data[start:max(alike + 300, start + 600)]
    return f"closed {is_closed} aborted {is_aborted} length {len(data)} from {start} {shown!r}"
