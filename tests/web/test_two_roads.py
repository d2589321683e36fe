"""Every request of the conformance cases goes down both roads: with the express lane, and without."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.interfaces import Location
from tests.conformance import cases_admin, cases_bodies, cases_elsewhere, cases_encodings, cases_images, cases_manifests
from tests.conformance import cases_multipart, cases_names, cases_overrides, cases_paths, cases_pictures, cases_ports
from tests.conformance import cases_protocol, cases_queries, cases_ranges, cases_tokens, cases_wire, cases_writes
from tests.conformance.case import PICTURES, PLAIN, Case
from tests.conformance.exchange import Request, describe, get
from tests.web.roads import Roads
from tests.web.serving import FakeAgent, LoopAgent, make_world

UPLOADS = (cases_names, cases_bodies, cases_queries, cases_multipart, cases_writes, cases_wire)
READS = (cases_encodings, cases_pictures, cases_paths, cases_ranges, cases_overrides, cases_images, cases_manifests)
HERE: Final = (Location("127.0.0.1:8080", "127.0.0.1:8080"),)
OTHER: Final = (Location("10.0.0.2:8080", "10.0.0.2:8080"),)
IDLE: Final = 40.0

Packets = list[bytes]
Manner = Callable[[Sequence[Request]], Iterator[tuple[Packets, bool]]]
"""How the requests of a case are sent: for each connection its packets, and whether it goes to the public port."""


def separately(requests: Sequence[Request]) -> Iterator[tuple[Packets, bool]]:
    """Each on a connection of its own."""
    for request in requests:
        yield [request.encode()], request.public


def after_another(requests: Sequence[Request]) -> Iterator[tuple[Packets, bool]]:
    """On one connection, each when the one before is answered."""
    for is_public, some in _by_port(requests):
        yield [request.encode() for request in some], is_public


def pipelined(requests: Sequence[Request]) -> Iterator[tuple[Packets, bool]]:
    """On one connection, all at once."""
    for is_public, some in _by_port(requests):
        yield [b"".join(request.encode() for request in some)], is_public


def in_crumbs(requests: Sequence[Request]) -> Iterator[tuple[Packets, bool]]:
    """On one connection, in pieces that know nothing of requests."""
    lot = random.Random(5)
    for is_public, some in _by_port(requests):
        data = b"".join(request.encode() for request in some)
        yield cut(data, lot), is_public


def cut(data: bytes, lot: random.Random) -> Packets:
    """``data`` in pieces: many small ones at first, then larger ones."""
    pieces, at, longest = [], 0, 60
    while at < len(data):
        length = lot.randrange(1, longest)
        pieces.append(data[at:at + length])
        at += length
        longest = min(longest + 20 + longest // 8, 1 << 17)
    return pieces


def _by_port(requests: Sequence[Request]) -> Iterator[tuple[bool, list[Request]]]:
    for is_public in (False, True):
        some = [request for request in requests if request.public == is_public]
        if some:
            yield is_public, some


class RoadsTests(SynchronousTestCase):
    """What the tests below share."""

    def compare(self, roads: Roads, cases: Iterable[Case], manner: Manner = separately) -> int:
        """Send all cases down both roads; how many requests those were."""
        report, count = [], 0
        for case in cases:
            count += len(case.requests)
            for packets, is_public in manner(case.requests):
                found = roads.converse(packets, is_public=is_public)
                if found:
                    what = describe(case.requests[0]) if len(case.requests) == 1 else repr(packets[0][:160])
                    report.append(f"{case.name}: {what}\n    {found}")
        if report:
            self.fail(f"{len(report)} conversations of {count} requests differ:\n" + "\n".join(report[:20]))
        return count

    def make_roads(self, *flags: str, **kwargs: Any) -> Roads:
        """Both servers; files in chunks find their chunks here."""
        roads = Roads(self, *flags, **kwargs)
        for road in roads.both:
            road.world.locations.holders = {PLAIN: HERE, PICTURES: HERE}
        return roads


def _uploads() -> Iterator[Case]:
    return chain.from_iterable(module.cases() for module in UPLOADS)


def _reads() -> Iterator[Case]:
    return chain.from_iterable(module.cases() for module in READS)


def _shapes() -> Iterator[Case]:
    yield Case("shapes", tuple(get(target) for target in cases_admin.shape_targets()))


class CaseTests(RoadsTests):
    """Servers with default settings."""

    def test_uploads(self) -> None:
        """Every shape of upload, and reading it back."""
        roads = self.make_roads()
        self.assertGreater(self.compare(roads, _uploads()), 1000)
        self.assertGreater(roads.share, 0.1)

    def test_reads(self) -> None:
        """Every shape of read."""
        roads = self.make_roads()
        self.assertGreater(self.compare(roads, _reads()), 1000)
        self.assertGreater(roads.share, 0.1)

    def test_protocol(self) -> None:
        """Raw requests, broken ones too, with what becomes of the connection."""
        roads = self.make_roads()
        self.assertGreater(self.compare(roads, cases_protocol.cases()), 50)

    def test_public(self) -> None:
        """The public port."""
        roads = self.make_roads()
        self.assertGreater(self.compare(roads, cases_ports.public_cases()), 200)

    def test_endpoints(self) -> None:
        """What is no needle."""
        roads = self.make_roads()
        self.compare(roads, chain(cases_admin.status_cases(), _shapes()))
        self.assertEqual(roads.lane.taken, 0)


class MannerTests(RoadsTests):
    """The same requests on connections that are used in other ways, but for those that differ in bodies only."""

    def check(self, manner: Manner) -> None:
        """All of them in one manner."""
        reads = chain.from_iterable(module.cases() for module in (cases_paths, cases_ranges, cases_overrides))
        for cases in (_uploads(), reads, cases_protocol.cases(), cases_ports.public_cases()):
            self.compare(self.make_roads(), cases, manner)

    def test_after_another(self) -> None:
        """Kept connections."""
        self.check(after_another)

    def test_pipelined(self) -> None:
        """Several requests in one packet."""
        self.check(pipelined)

    def test_crumbs(self) -> None:
        """Requests in pieces."""
        self.check(in_crumbs)


class SettingsTests(RoadsTests):
    """Servers with settings of their own."""

    def test_tokens(self) -> None:
        """Keys for reading and writing."""
        keys = {"WEED_JWT_SIGNING_KEY": cases_tokens.WRITE_KEY, "WEED_JWT_SIGNING_READ_KEY": cases_tokens.READ_KEY}
        for manner in (separately, after_another, pipelined):
            roads = self.make_roads(environ=keys)
            self.assertGreater(self.compare(roads, cases_tokens.cases(), manner), 200)
            self.assertGreater(roads.share, 0.03)

    def test_limits(self) -> None:
        """A limit for files."""
        self.compare(self.make_roads("-fileSizeLimitMB=1"), cases_admin.limit_cases())

    def test_throttles(self) -> None:
        """Limits for what is under way."""
        flags = "-concurrentUploadLimitMB=1", "-concurrentDownloadLimitMB=1"
        for manner in (separately, in_crumbs):
            roads = self.make_roads(*flags)
            self.compare(roads, chain(cases_bodies.cases(), cases_ranges.cases()), manner)

    def test_white_list(self) -> None:
        """Writers that are on no list."""
        roads = self.make_roads("-whiteList=10.0.0.1")
        self.compare(roads, cases_ports.refused_cases())
        self.compare(self.make_roads("-whiteList=127.0.0.1"), cases_ports.refused_cases())

    def test_elsewhere(self) -> None:
        """Volumes that another server has, in each mode."""
        for mode in ("proxy", "redirect", "local"):
            far = make_world(self, agent=FakeAgent())
            far.allocate(cases_elsewhere.REMOTE)
            for request in cases_elsewhere.setup():
                far.client().send(request)
            roads = Roads(self, f"-readMode={mode}")
            for road in roads.both:
                road.world.locations.holders = {cases_elsewhere.REMOTE: OTHER}
                assert isinstance(road.world.agent, LoopAgent)
                road.world.agent.site = far.site
            count = self.compare(roads, chain(cases_elsewhere.cases(), cases_elsewhere.writes()))
            self.assertGreater(count, 400)
