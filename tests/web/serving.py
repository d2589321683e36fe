"""The HTTP side of a volume server without sockets: a real store, fakes around it, and clients that hide nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

import attrs
from twisted.internet import task
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IProtocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgent, IResponse
from zope.interface import implementer

from seaweedvol.config.load import load_settings
from seaweedvol.security.guard import Guard
from seaweedvol.server.ecneedles import EcNeedles
from seaweedvol.server.interfaces import (
    DeleteResult, ISources, Location, LookupFailed, RemoteCallFailed, VolumeUnknown,
)
from seaweedvol.server.limits import ByteLimit
from seaweedvol.server.needles import Needles
from seaweedvol.server.server import VolumeServer
from seaweedvol.server.slowness import SlowLog
from seaweedvol.server.volumes import NewVolume, Volumes
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.writing import Draft
from seaweedvol.tap import build_store
from seaweedvol.web.connection.channel import Channel
from seaweedvol.web.connection.site import Site
from seaweedvol.web.express.batches import Batches
from seaweedvol.web.sites import make_app, make_takes
from seaweedvol.web.threads import InThread, inline
from tests.conformance.exchange import Request, Response
from tests.server.encoded import FakeShards, Inline
from tests.server.fakes import FakeMaster

HERE = "127.0.0.1:8080"
COOKIE = "5eaf00d5"
IDLE_SECONDS = 30.0
NOW = 1_700_000_000.0

T = TypeVar("T")


def fid(key: int, volume: int = 1, cookie: str = COOKIE) -> str:
    """The path of a needle."""
    return f"/{volume},{key:02x}{cookie}"


# --- the wire ----------------------------------------------------------------------------------------------------

class Wire(StringTransport):
    """A connection as the server sees it. Like a socket it asks its pull producer for more once all bytes have left.

    :ivar takes_bytes: whether the client reads; while it does not, bytes wait here.
    :ivar is_half_closed: whether the server has ended its side only.
    """

    def __init__(self) -> None:
        super().__init__(IPv4Address("TCP", "127.0.0.1", 8080), IPv4Address("TCP", "127.0.0.1", 4711))
        self.takes_bytes = True
        self.is_half_closed = False

    def write(self, data: bytes) -> None:
        """See ITransport."""
        super().write(data)
        self.ask_for_more()

    def ask_for_more(self) -> None:
        """The bytes that wait have left, if the client takes them."""
        if self.takes_bytes and self.producer is not None:
            self.producer.resumeProducing()

    def loseWriteConnection(self) -> None:
        """See IHalfCloseableDescriptor."""
        self.is_half_closed = True


class Client:
    """One connection to the server, and what came back on it."""

    def __init__(self, site: Site) -> None:
        self.wire = Wire()
        self.channel: Channel = site.buildProtocol(None)
        self.channel.makeConnection(self.wire)
        self.is_lost = False
        self._methods: list[str] = []

    @property
    def statuses(self) -> list[int]:
        """The status of each answer so far."""
        return [answer.status for answer in self.answers()]

    @property
    def is_closed(self) -> bool:
        """Whether the server has ended the connection, or its side of it."""
        return self.wire.disconnecting or self.wire.is_half_closed

    @property
    def is_aborted(self) -> bool:
        """Whether the server broke the connection off."""
        return self.wire.disconnected

    @property
    def received(self) -> bytes:
        """All bytes that came back."""
        data: bytes = self.wire.value()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if not self.is_lost:
            self.channel.dataReceived(data)

    def send(self, *requests: Request) -> list[Response]:
        """Send requests at once; all answers so far."""
        self._methods += [request.method for request in requests]
        self.write(b"".join(request.encode() for request in requests))
        return self.answers()

    def answers(self) -> list[Response]:
        """All answers so far, the last one as far as it has come."""
        return answers_in(self.received, self._methods)

    def take_bytes(self) -> None:
        """Read what waits, and everything from now on."""
        self.wire.takes_bytes = True
        self.wire.ask_for_more()

    def half_close(self) -> None:
        """Say that no more will be sent."""
        self.channel.readConnectionLost()

    def leave(self, reason: type[Exception] = ConnectionDone) -> None:
        """Be gone."""
        if not self.is_lost:
            self.is_lost = True
            if self.wire.producer is not None:
                self.wire.producer.stopProducing()
            self.channel.connectionLost(Failure(reason()))


def answers_in(data: bytes, methods: Sequence[str]) -> list[Response]:
    """The HTTP answers in ``data``, to requests with these methods. The last may lack the end of its body.

    :raises ValueError: when it is no HTTP.
    """
    found: list[Response] = []
    waiting = list(methods)
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        if not end:
            raise ValueError(f"no end of head in {head!r}")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, reason = first.split(" ", 2)
        headers = tuple((name, value.strip(" ")) for name, _, value in (line.partition(":") for line in lines))
        answer = Response(int(status), reason, version, headers, b"")
        if answer.status >= 200:
            method = waiting.pop(0) if waiting else "GET"
            body, data = _body_of(answer, method, data)
            answer = attrs.evolve(answer, body=body)
        found.append(answer)
    return found


def _body_of(answer: Response, method: str, data: bytes) -> tuple[bytes, bytes]:
    """The body of ``answer``, and what follows it."""
    if method == "HEAD" or answer.status in (204, 304):
        return b"", data
    if answer.header("Transfer-Encoding") == "chunked":
        return _dechunked(data)
    length = answer.header("Content-Length")
    return (data, b"") if length is None else (data[:int(length)], data[int(length):])


def _dechunked(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while data:
        line, _, data = data.partition(b"\r\n")
        size = int(line, 16)
        body += data[:size]
        if len(data) >= size + 2 and data[size:size + 2] != b"\r\n":
            raise ValueError(f"no end of chunk in {data[size:size + 20]!r}")
        data = data[size + 2:]
        if not size:
            break
    return body, data


# --- other servers -----------------------------------------------------------------------------------------------

@attrs.define
class FakeLocations:
    """A master's knowledge of volumes; one that has no ``holders`` is unknown to it.

    :ivar failure: the words of the error when it cannot be asked.
    """

    holders: dict[int, Sequence[Location]] = attrs.field(factory=dict)
    forgotten: list[int] = attrs.field(factory=list)
    failure: str = ""

    async def lookup(self, volume_id: int) -> Sequence[Location]:
        """See ILocations."""
        if self.failure:
            raise LookupFailed(self.failure)
        if volume_id not in self.holders:
            raise VolumeUnknown(f"volume id {volume_id} not found")
        return self.holders[volume_id]

    def known(self, volume_id: int) -> Sequence[Location] | None:
        """See ILocations."""
        return None if self.failure else self.holders.get(volume_id)

    def invalidate(self, volume_id: int) -> None:
        """See ILocations."""
        self.forgotten.append(volume_id)


@attrs.define
class FakeReplicator:
    """Remembers what was to be repeated.

    :ivar failure: the words of the error when a replica fails.
    :ivar road: the quick way, where a test wants one.
    """

    failure: str = ""
    road: Any = None
    written: list[tuple[dict[str, Any], bytes]] = attrs.field(factory=list)
    deleted: list[dict[str, Any]] = attrs.field(factory=list)

    async def write(self, *, draft: Draft, **told: Any) -> None:
        """See IReplicator."""
        self.written.append((told, b"".join(draft.body.chunks())))
        if self.failure:
            raise RemoteCallFailed(self.failure)

    async def delete(self, **told: Any) -> None:
        """See IReplicator."""
        self.deleted.append(told)
        if self.failure:
            raise RemoteCallFailed(self.failure)


@attrs.define
class FakePeers:
    """Other volume servers; ``errors`` by file id."""

    asked: list[tuple[str, tuple[str, ...]]] = attrs.field(factory=list)
    errors: dict[str, str] = attrs.field(factory=dict)
    failure: str = ""

    async def batch_delete(self, address: str, file_ids: Sequence[str]) -> Sequence[DeleteResult]:
        """See IPeers."""
        self.asked.append((address, tuple(file_ids)))
        if self.failure:
            raise RemoteCallFailed(self.failure)
        return [DeleteResult(one, 500 if one in self.errors else 202, self.errors.get(one, "")) for one in file_ids]


@implementer(IResponse)
class FakeResponse:
    """Another server's answer.

    :ivar wire: where whoever reads the body pauses and stops it; None until somebody reads.
    :ivar reader: who reads the body.
    """

    version = (b"HTTP", 1, 1)
    phrase = b"OK"
    request = None
    previousResponse = None

    def __init__(self, code: int = 200, body: bytes = b"", *headers: tuple[str, str], ends: bool = True,
                 breaks_off: bool = False) -> None:
        """:param ends: the whole body is there at once. :param breaks_off: instead of its end comes a lost connection.
        """
        self.code = code
        self.headers = Headers()
        for name, value in headers:
            self.headers.addRawHeader(name.encode("latin-1"), value.encode("latin-1"))
        self.length: Any = len(body) if ends and not breaks_off else UNKNOWN_LENGTH
        self.wire: StringTransport | None = None
        self.reader: Any = None
        self._body = body
        self._ends = ends
        self._breaks_off = breaks_off

    def deliverBody(self, protocol: IProtocol) -> None:
        """See IResponse."""
        self.reader = protocol
        self.wire = StringTransport()
        self.reader.makeConnection(self.wire)
        if self._body:
            self.reader.dataReceived(self._body)
        if self._ends or self._breaks_off:
            self.end()

    def end(self) -> None:
        """The body is over."""
        self.reader.connectionLost(Failure(ConnectionLost() if self._breaks_off else ResponseDone()))

    def setPreviousResponse(self, response: object) -> None:
        """See IResponse."""


@attrs.frozen
class Asked:
    """A request to another server."""

    method: str
    url: str
    headers: dict[str, list[str]]


@implementer(IAgent)
class FakeAgent:
    """Other servers' HTTP: ``answers`` by URL; a URL that is not there cannot be reached."""

    def __init__(self, answers: dict[str, FakeResponse] | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[Asked] = []

    def request(self, method: bytes, uri: bytes, headers: Headers | None = None,
                bodyProducer: object = None) -> Deferred[IResponse]:
        """See IAgent."""
        told = {name.decode("latin-1"): [value.decode("latin-1") for value in values]
                for name, values in (headers or Headers()).getAllRawHeaders()}
        asked = Asked(method.decode("ascii"), uri.decode("ascii"), told)
        self.asked.append(asked)
        try:
            return succeed(cast(IResponse, self.answer(asked)))
        except Exception as error:
            return fail(error)

    def answer(self, asked: Asked) -> FakeResponse:
        """What another server says; raises what happens instead."""
        if asked.url not in self.answers:
            raise ConnectionLost("nobody there")
        return self.answers[asked.url]


class LoopAgent(FakeAgent):
    """The only other server is this one."""

    site: Site

    def answer(self, asked: Asked) -> FakeResponse:
        """What this server says."""
        headers = tuple((name, value) for name, values in asked.headers.items() for value in values)
        host, slash, path = asked.url.removeprefix("http://").partition("/")
        client = Client(self.site)
        answer, = client.send(Request(asked.method, slash + path, headers))
        client.leave()
        return FakeResponse(answer.status, answer.body, *answer.headers)


# --- threads -----------------------------------------------------------------------------------------------------

class HeldThreads:
    """Threads that do nothing before they are told to.

    :ivar waiting: what they have to do, in order.
    :ivar is_open: whether they work as soon as there is work.
    """

    def __init__(self, *, is_open: bool = False) -> None:
        self.waiting: list[tuple[Deferred[Any], Callable[[], Any]]] = []
        self.is_open = is_open

    def __call__(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> Deferred[T]:
        """See InThread."""
        done: Deferred[T] = Deferred()
        self.waiting.append((done, functools.partial(work, *args, **kwargs)))
        if self.is_open:
            self.run()
        return done

    def run(self, count: int | None = None) -> None:
        """Do what waits, or the first ``count`` of it; what comes up meanwhile waits too."""
        now, self.waiting = self.waiting[:count], self.waiting[len(self.waiting) if count is None else count:]
        for done, work in now:
            try:
                result = work()
            except Exception:
                done.errback(Failure())
            else:
                done.callback(result)

    def open(self) -> None:
        """Work from now on."""
        self.is_open = True
        while self.waiting:
            self.run(1)


# --- the server --------------------------------------------------------------------------------------------------

@attrs.define
class World:
    """A server and its surroundings.

    :ivar clock: the reactor's; does not move by itself.
    :ivar seconds: what time of day it is for HTTP.
    """

    server: VolumeServer
    clock: task.Clock
    site: Site
    public: Site
    agent: FakeAgent
    locations: FakeLocations
    replicator: FakeReplicator
    peers: FakePeers
    clients: list[Client] = attrs.field(factory=list)
    seconds: float = NOW

    def client(self, *, is_public: bool = False) -> Client:
        """A new connection."""
        client = Client(self.public if is_public else self.site)
        self.clients.append(client)
        return client

    def ask(self, method: str, target: str, body: bytes | None = None, *headers: tuple[str, str],
            is_public: bool = False) -> Response:
        """One request on a connection of its own, and its answer."""
        client = self.client(is_public=is_public)
        answer, = client.send(Request(method, target, headers, body))
        client.leave()
        return answer

    def put(self, key: int, data: bytes, *headers: tuple[str, str], volume: int = 1, query: str = "") -> str:
        """Store a needle; its path."""
        path = fid(key, volume)
        answer = self.ask("PUT", path + query, data, *headers)
        assert answer.status == 201, answer
        return path

    def allocate(self, volume_id: int = 1, **fields: Any) -> None:
        """Make a volume."""
        self.server.volumes.allocate(NewVolume(VolumeId(volume_id), **fields))

    def close(self) -> None:
        """All clients leave; the store is closed."""
        for client in self.clients:
            client.leave()
        self.server.store.close()


def make_world(test: SynchronousTestCase, *flags: str, directory: Path | None = None, agent: FakeAgent | None = None,
               in_thread: InThread = inline, in_far_thread: InThread | None = None,
               idle_seconds: float = IDLE_SECONDS, has_lane: bool = True,
               environ: Mapping[str, str] = MappingProxyType({})) -> World:
    """A server with the volumes in ``directory`` (else a new one), until the test ends.

    :param flags: of its command line.
    :param has_lane: whether requests are offered to the express lane first.
    """
    if directory is None:
        directory = Path(test.mktemp())
        directory.mkdir(parents=True)
    settings = load_settings([f"-dir={directory}", "-max=20", "-ip=127.0.0.1", "-reserveSpace=0", *flags], environ)
    store = build_store(settings)
    store.open()
    store.load()
    clock, master = task.Clock(), FakeMaster()
    locations, replicator, peers = FakeLocations(), FakeReplicator(), FakePeers()
    shards, keys = FakeShards(), settings.security
    server = VolumeServer(
        settings=settings, identity=store.identity, store=store,
        guard=Guard(settings.white_list, keys.write_key, keys.write_expires, keys.read_key, keys.read_expires),
        upload_limit=ByteLimit(settings.http.upload_limit), download_limit=ByteLimit(settings.http.download_limit),
        needles=Needles(store, EcNeedles(store, shards, Inline())), volumes=Volumes(store, master), master=master,
        peers=peers, locations=locations, replicator=replicator, sources=cast(ISources, None), shards=shards,
        clock=lambda: world.seconds, started_at=NOW)
    agent = agent or FakeAgent()
    app = make_app(server, cast(Any, clock), in_thread=in_thread, in_far_thread=in_far_thread, agent=agent,
                   now=lambda: world.seconds)
    takes = make_takes(server, in_thread, Batches(in_thread, lambda: False), now=lambda: world.seconds)
    least = settings.log.slow_seconds
    slow = SlowLog(least, clock.seconds) if least else None
    site, public = (Site(app, cast(Any, clock), is_public=is_public, idle_seconds=idle_seconds,
                         take=takes[is_public] if has_lane else None, slow=slow) for is_public in (False, True))
    if isinstance(agent, LoopAgent):
        agent.site = site
    world = World(server, clock, site, public, agent, locations, replicator, peers)
    test.addCleanup(world.close)
    return world
