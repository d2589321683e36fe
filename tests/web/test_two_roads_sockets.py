"""Both roads on connections of the lane: bodies of any length, the cases again, and random conversations."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from tests.conformance import cases_bodies, cases_protocol, cases_ranges, cases_wire
from tests.conformance.case import PICTURES, PLAIN
from tests.conformance.exchange import Request, form, get, post
from tests.conformance.samples import RANDOM, STORED_AT
from tests.web.roads import Roads
from tests.web.roadscripts import Lot, as_text
from tests.web.serving import fid
from tests.web.socketroads import SocketRoads
from tests.web.test_two_roads import HERE, RoadsTests, after_another, in_crumbs, pipelined, separately
from tests.web.test_two_roads_random import OWN_KEYS

KIB, MIB = 1 << 10, 1 << 20
LENGTHS = (64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 200 * KIB, MIB - 1, MIB, MIB + 1, 3 * MIB)
NOISE = RANDOM * (3 * MIB // len(RANDOM) + 1)
HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (), (("Accept-Encoding", "gzip"),), (("Origin", "http://a"),), (("Connection", "close"),),
    (("If-Modified-Since", STORED_AT),), (("If-Modified-Since", "Tue, 14 Nov 2023 22:13:19 GMT"),),
    (("If-None-Match", "*"),), (("If-None-Match", '"00000000"'),))
RANGES = ("0-0", "0-99", "-1", "-70000", "1-", "0-", "65535-65537", "10-200000", "99999999-", "5-4", "0-1,5-6", "-0",
          "x")


def reads(path: str, length: int) -> Iterator[Request]:
    """Everything that may be asked of a needle of this length."""
    for method, headers in itertools.product(("GET", "HEAD"), HEADERS):
        yield get(path, *headers, method=method)
    ranges = (*RANGES, f"{length - 1}-{length}", f"{length}-", f"0-{length - 1}", f"0-{length - 2}", f"{length // 2}-")
    for method, wanted in itertools.product(("GET", "HEAD"), ranges):
        yield get(path, ("Range", f"bytes={wanted}"), method=method)
    yield get(path + "?dl=true")
    yield get(path + ".txt")
    yield get(path.replace("beef", "bee0").replace("00d5", "00d6"))


class LengthTests(SynchronousTestCase):
    """Needles of the lengths at which something changes."""

    def check(self, roads: Roads, *requests: Request) -> None:
        """All of ``requests`` on connections of their own, then on one."""
        for request in requests:
            found = roads.send(request)
            self.assertEqual(found, "", f"{request.method} {request.target} {request.headers}")
        kept = [request.encode() for request in requests if ("Connection", "close") not in request.headers]
        self.assertEqual(roads.converse(kept), "")
        self.assertEqual(roads.converse([b"".join(kept)]), "")

    def test_raw(self) -> None:
        """Of noise, of a type that must be guessed."""
        for number, length in enumerate(LENGTHS):
            roads = SocketRoads(self)
            upload = post(fid(number), NOISE[:length], method="PUT")
            self.assertEqual(roads.send(upload), "")
            self.check(roads, *reads(fid(number), length))
            self.assertGreater(roads.share, 0.3, length)

    def test_typed(self) -> None:
        """With name and type."""
        for number, length in enumerate(LENGTHS):
            roads = SocketRoads(self)
            body, kind = form("noise.bin", NOISE[:length], ("Content-Type", "image/x-noise"))
            self.assertEqual(roads.send(post(fid(number) + "?ts=1700000000", body, ("Content-Type", kind))), "")
            self.check(roads, *reads(fid(number), length))
            self.assertGreater(roads.share, 0.4, length)

    def test_compressed(self) -> None:
        """Stored packed, above the length of one glance too."""
        for text in (b"a line like any other\n" * 5000, RANDOM.hex().encode() * 60):
            roads = SocketRoads(self)
            self.assertEqual(roads.send(post(fid(1) + ".txt", text, ("Content-Type", "text/plain"), method="PUT")), "")
            self.check(roads, *reads(fid(1), len(text)))

    def test_damaged(self) -> None:
        """Whose data are not those of their checksum any more, and that are not sent before that is seen."""
        for length in (1000, 64 * KIB + 1, MIB - 100):
            roads = self._damaged(length)
            for request in (get(fid(1)), get(fid(1), ("Range", "bytes=0-9")), get(fid(1), method="HEAD")):
                self.assertEqual(roads.send(request), "", (length, request))

    def test_damaged_in_pages(self) -> None:
        """Of which much is sent before that is seen: nobody gets all of it, nor takes what there is for all."""
        for length in (MIB + 1, 3 * MIB):
            roads = self._damaged(length)
            heard = []
            for road in roads.both:
                talk = roads.connect(road, False)
                talk.say(get(fid(1)).encode())
                received, is_closed, _ = talk.news()
                self.assertTrue(is_closed)
                head, _, body = received.partition(b"\r\n\r\n")
                self.assertIn(b"\r\nContent-Length: %d\r\n" % length, head + b"\r\n")
                self.assertEqual(body, NOISE[:len(body)])
                self.assertLess(len(body), length - 300)
                heard.append(head)
                talk.leave()
            self.assertEqual(*heard)
            for request in (get(fid(1), ("Range", "bytes=0-9")), get(fid(1), method="HEAD")):
                self.assertEqual(roads.send(request), "", (length, request))

    def _damaged(self, length: int) -> SocketRoads:
        """Servers with a needle that is not what it was."""
        roads = SocketRoads(self)
        self.assertEqual(roads.send(post(fid(1), NOISE[:length], method="PUT")), "")
        for road in roads.both:
            path = road.directory / "1.dat"
            with open(path, "r+b") as file:
                file.seek(path.stat().st_size - 300)
                file.write(b"damage")
        return roads

    def test_pieces(self) -> None:
        """Uploaded in pieces, left off in the middle, or ended too early."""
        roads = SocketRoads(self)
        lot = random.Random(3)
        for number, length in enumerate((1, 1000, 64 * KIB, 255 * KIB, 256 * KIB, 257 * KIB, MIB)):
            for name, body, kind in (("PUT", NOISE[:length], "a/b"), ("POST", *form("n.bin", NOISE[:length]))):
                data = post(fid(number * 2 + (name == "PUT")), body, ("Content-Type", kind), method=name).encode()
                places = sorted(lot.randrange(len(data)) for _ in range(4))
                packets = [data[start:end] for start, end in zip([0, *places], [*places, len(data)]) if start < end]
                self.assertEqual(roads.converse([*packets, get(fid(number)).encode()]), "")
                again = [packet.replace(b"5eaf00d5", b"5eaf00d6") for packet in packets]
                for count in range(1, len(packets)):
                    for half_closes, waits in itertools.product((False, True), (0, 40.0)):
                        found = roads.converse(again[:count], half_closes=half_closes, waits=waits)
                        self.assertEqual(found, "", (length, name, count, half_closes, waits))


class CaseTests(RoadsTests):
    """Cases that are about bytes."""

    def test_cases(self) -> None:
        """In all manners."""
        for manner in (separately, after_another, pipelined, in_crumbs):
            for cases in (cases_bodies.cases, cases_ranges.cases, cases_wire.cases, cases_protocol.cases):
                roads = SocketRoads(self)
                self.compare(roads, cases(), manner)


class RandomTests(SynchronousTestCase):
    """Conversations drawn by lot."""

    def test_open(self) -> None:
        """A server for everybody."""
        roads = SocketRoads(self)
        for road in roads.both:
            road.world.locations.holders = {PLAIN: HERE, PICTURES: HERE}
        for seed in range(300):
            script = Lot(random.Random(seed), 0x900000 + seed * OWN_KEYS).script()
            found = roads.converse(script.packets, is_public=script.is_public, half_closes=script.half_closes,
                                   waits=script.waits)
            self.assertEqual(found, "", f"#{seed} {as_text(script)}")
        self.assertGreater(roads.share, 0.1)
