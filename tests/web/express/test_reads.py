"""What the express lane takes, and must leave; that it does what the general road does is shown by both together."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.peeranswer import PeerAnswer
from seaweedvol.cluster.replicaconnection import Call
from seaweedvol.cluster.replicaroad import ReplicaRoad
from seaweedvol.server.interfaces import Location
from seaweedvol.storage import failpoints
from seaweedvol.storage.format.checksum import crc32c, legacy_mask
from seaweedvol.storage.format.needle import FLAG_TTL
from seaweedvol.storage.volume.writing import Draft
from tests.conformance.cases_tokens import READ_KEY, WRITE_KEY, bearer, token
from tests.conformance.exchange import Request, form, get, post
from tests.conformance.samples import RANDOM, STORED_AT
from tests.web.roads import Roads
from tests.web.serving import FakeReplicator, fid

BODY, KIND = form("f.bin", RANDOM[:900], ("Content-Type", "application/octet-stream"))
FORM = ("Content-Type", KIND)
TEXT = b"a line that is stored compressed\n" * 40


def readings(path: str) -> tuple[Request, ...]:
    """Reads that the lane is there for."""
    return (
        get(path), get(path, method="HEAD"), get(path.replace(",", "/")), get(path + ".jpg"),
        get(path, ("Range", "bytes=0-3")), get(path, ("Range", "bytes=-5")), get(path, ("If-None-Match", "*")),
        get(path, ("If-Modified-Since", STORED_AT)), get(path, ("Accept-Encoding", "gzip")),
        get(path, ("Origin", "http://a")), get(path, ("X-Amz-Request-Id", "0123-abc")), get(path, ("X-Other", "x")),
        get(path, ("Connection", "close")), get(path, ("Cookie", "a=b")), get("/1,ff5eaf00d5"),
        get(path.replace("00d5", "00d6")))


class ExpressTests(SynchronousTestCase):
    """What the tests below share."""

    def taken(self, roads: Roads, *requests: Request) -> None:
        """The lane serves all of ``requests``, as the general road does."""
        for request in requests:
            before = roads.lane.asked
            self.assertEqual(roads.send(request), "", request)
            self.assertEqual(roads.lane.asked, before, f"not taken: {request}")

    def left(self, roads: Roads, *requests: Request) -> None:
        """The lane serves none of them."""
        for request in requests:
            before = roads.lane.asked
            self.assertEqual(roads.send(request), "", request)
            self.assertEqual(roads.lane.asked, before + 1, f"taken: {request}")


class TakenTests(ExpressTests):
    """Nearly all requests of ordinary clients."""

    def test_reads(self) -> None:
        """Of needles with and without name and type."""
        roads = Roads(self)
        self.taken(roads, post(fid(1), RANDOM[:500], method="PUT"), post(fid(2), BODY, FORM))
        self.taken(roads, *readings(fid(1)), *readings(fid(2)))

    def test_public(self) -> None:
        """On the read-only port too, where nothing else is."""
        roads = Roads(self)
        self.taken(roads, post(fid(1), RANDOM[:500], method="PUT"))
        self.taken(roads, *(attrs.evolve(request, public=True) for request in readings(fid(1))))
        self.left(roads, *(attrs.evolve(request, public=True) for request in (
            post(fid(3), RANDOM, method="PUT"), post(fid(3), BODY, FORM), Request("DELETE", fid(1)))))

    def test_compressed(self) -> None:
        """Of packed needles for clients that unpack; others are left."""
        roads = Roads(self)
        self.left(roads, post(fid(1) + ".txt", TEXT, ("Content-Type", "text/plain"), method="PUT"))
        gzip = ("Accept-Encoding", "deflate, gzip")
        self.taken(roads, get(fid(1), gzip), get(fid(1), gzip, method="HEAD"),
                   get(fid(1), gzip, ("Range", "bytes=1-2")))
        self.left(roads, get(fid(1)), get(fid(1), ("Accept-Encoding", "br")))

    def test_uploads(self) -> None:
        """Of files that are stored as they come."""
        roads = Roads(self)
        queries = ("", "?ts=1700000000", "?ttl=3m", "?fsync=true", "?type=replicate", "?ts=5&ttl=1h&fsync=true")
        for number, query in enumerate(queries):
            self.taken(roads, post(fid(3 * number) + query, RANDOM[:500], method="PUT"),
                       post(fid(3 * number + 1) + query, RANDOM[:500], ("Content-Type", "a/b")),
                       post(fid(3 * number + 2) + query, BODY, FORM))
            self.taken(roads, *(get(fid(3 * number + more)) for more in range(3)))

    def test_deletions(self) -> None:
        """Of needles that are there."""
        roads = Roads(self)
        for number, query in enumerate(("", "?type=replicate", "?ts=5")):
            self.taken(roads, post(fid(number), RANDOM[:500], method="PUT"), Request("DELETE", fid(number) + query))
            self.taken(roads, get(fid(number)))
            self.left(roads, Request("DELETE", fid(number) + query), Request("DELETE", fid(99)))

    def test_tokens(self) -> None:
        """With the right token wherever it may be; who has none, or a wrong one, is refused by the general road."""
        roads = Roads(self, environ={"WEED_JWT_SIGNING_KEY": WRITE_KEY, "WEED_JWT_SIGNING_READ_KEY": READ_KEY})
        read, write = token(READ_KEY, fid(1)[1:]), token(WRITE_KEY, fid(1)[1:])
        self.left(roads, post(fid(1), RANDOM, method="PUT"), post(fid(1), RANDOM, bearer(read), method="PUT"))
        self.taken(roads, post(fid(1), RANDOM, bearer(write), method="PUT"))
        self.taken(roads, get(fid(1), bearer(read)), get(fid(1), ("Cookie", f"AT={read}")), get(f"{fid(1)}?jwt={read}"),
                   get(fid(1), bearer(read), ("Range", "bytes=0-1")), get(fid(1), bearer(read), method="HEAD"))
        self.left(roads, get(fid(1)), get(fid(1), bearer(write)), get(fid(2), bearer(read)), Request("DELETE", fid(1)),
                  get(fid(1), ("Authorization", ""), bearer(read)))
        self.taken(roads, Request("DELETE", fid(1), (bearer(write),)))

    def test_kept_connection(self) -> None:
        """One after the other, and several at once."""
        roads = Roads(self)
        requests = [post(fid(1), BODY, FORM), *(get(fid(1)) for _ in range(5)), Request("DELETE", fid(1)), get(fid(1))]
        packets = [request.encode() for request in requests]
        self.assertEqual(roads.converse(packets), "")
        self.assertEqual(roads.converse([b"".join(packets).replace(b",01", b",02")]), "")
        self.assertEqual((roads.lane.asked, roads.general.asked), (0, 2 * len(packets)))


class LeftTests(ExpressTests):
    """What takes more than a look."""

    def test_reads(self) -> None:
        """Odd headers, and reads that transform or search."""
        roads = Roads(self)
        self.taken(roads, post(fid(1), RANDOM, method="PUT"))
        self.left(roads, get(fid(1), ("Range", "bytes=0-1,4-5")), get(fid(1), ("Range", "x")),
                  get(fid(1) + "?width=5"), get(fid(1), ("Content-Length", "0")), get(fid(1) + "_1"),
                  get(fid(1) + "?dl=true"), get("/7,0123456789"), get(fid(1), ("Connection", "upgrade")),
                  get(fid(1), ("Transfer-Encoding", "chunked")), get("/status"))

    def test_uploads(self) -> None:
        """What is compressed, compared, refused, unpacked or described otherwise."""
        roads = Roads(self)
        self.taken(roads, post(fid(1), RANDOM, method="PUT"))
        self.left(roads, post(fid(2) + ".txt", TEXT, method="PUT"), post(fid(3), b"", method="PUT"),
                  post(fid(3), RANDOM, ("Seaweed-A", "b"), method="PUT"), post("/4,0123456789", RANDOM, method="PUT"),
                  post("/77,0123456789", RANDOM, method="PUT"), post(fid(4) + "?cm=true", RANDOM, method="PUT"),
                  post(fid(5), RANDOM, ("Content-Disposition", "inline; filename=x.bin"), method="PUT"),
                  post(fid(6), RANDOM, ("Content-Type", "a/b;;"), method="PUT"),
                  post(fid(7), BODY[:-20], FORM), post(fid(8), b"\r\n" + BODY, FORM))

    def test_overwriting(self) -> None:
        """Keys that are there: with the same data, with others, with another cookie, deleted; whoever answers."""
        roads = Roads(self)
        large = post(fid(9), RANDOM * 100, ("Content-Type", "a/b"), method="PUT")
        for path in (fid(1), fid(1, 3)):
            upload = post(path, RANDOM, method="PUT")
            other = post(path, RANDOM[:500], ("Content-Type", "a/b"), method="PUT")
            stranger = post(path.replace("00d5", "00d6"), RANDOM, method="PUT")
            deletion = Request("DELETE", path)
            for request in (upload, upload, other, upload, stranger, post(path, BODY, FORM),
                            post(path + "?ts=5", BODY, FORM), get(path), post(path + "?ttl=3m", BODY, FORM),
                            post(path + "?fsync=true", RANDOM, method="PUT"), post(path, b"", method="PUT"), upload,
                            deletion, upload, upload, get(path), deletion, stranger, get(path), upload, large, large,
                            Request("DELETE", fid(9)), post(path + "?type=replicate", TEXT, method="PUT"), upload,
                            get(path)):
                self.assertEqual(roads.send(request), "", request)
        for number in range(2):
            packets = [post(fid(5), RANDOM[:length], method="PUT").encode() for length in (9, 9, 10, 9)]
            self.assertEqual(roads.converse([b"".join(packets)]), "")

    def test_limits(self) -> None:
        """While too much is under way."""
        roads = Roads(self, "-concurrentUploadLimitMB=1", "-concurrentDownloadLimitMB=1")
        self.taken(roads, post(fid(1), RANDOM, method="PUT"), get(fid(1)))
        for road in roads.both:
            road.world.server.upload_limit.add(2 << 20)
            road.world.server.download_limit.add(2 << 20)
        packets = [post(fid(2), RANDOM, method="PUT").encode()], [get(fid(1)).encode()]
        for waiting in packets:
            self.assertEqual(roads.converse(waiting, waits=80), "")
        self.assertEqual(roads.lane.asked, 2)

    def test_legacy_checksum(self) -> None:
        """A checksum as old servers wrote it is right too."""
        roads = Roads(self)
        self.taken(roads, post(fid(1), RANDOM, method="PUT"))
        crc = crc32c(RANDOM)
        for road in roads.both:
            path = road.directory / "1.dat"
            data = path.read_bytes()
            path.write_bytes(data.replace(crc.to_bytes(4, "big"), legacy_mask(crc).to_bytes(4, "big")))
        for request in readings(fid(1)):
            self.assertEqual(roads.send(request), "", request)

    def test_versions(self) -> None:
        """Volumes of all versions."""
        roads = Roads(self)
        for version in (1, 2):
            for road in roads.both:
                road.world.allocate(6 + version, version=version)
            path = fid(1, 6 + version)
            for request in (post(path, RANDOM, method="PUT"), post(fid(2, 6 + version), BODY, FORM), *readings(path),
                            Request("DELETE", path), get(path), *readings(fid(2, 6 + version))):
                self.assertEqual(roads.send(request), "", request)

    def test_expiry(self) -> None:
        """Needles whose time is over."""
        roads = Roads(self)
        self.taken(roads, post(fid(1) + "?ttl=3m", RANDOM, method="PUT"), post(fid(2, 3), RANDOM, method="PUT"),
                   post(fid(3) + "?ttl=3m&ts=5", RANDOM, method="PUT"))
        for seconds in (0, 100, 100, 3300, 200):
            roads.pass_time(seconds)
            for path in (fid(1), fid(2, 3), fid(3)):
                self.taken(roads, *(request for request in readings(path) if "00d6" not in request.target))
        for path in (fid(1), fid(2, 3), fid(3)):
            self.assertEqual(roads.send(Request("DELETE", path)), "")
            self.assertEqual(roads.send(post(path, RANDOM, method="PUT")), "")


class BlockTests(ExpressTests):
    """Header blocks that are remembered."""

    def test_shared(self) -> None:
        """A block of an upload means the same before a read, which has a body then."""
        roads = Roads(self)
        upload = post(fid(1), RANDOM[:50], method="PUT").encode()
        reading = upload.replace(b"PUT /", b"GET /")
        head = reading[:-50]
        self.assertEqual(roads.converse([upload, head, RANDOM[:50] + get(fid(1)).encode()]), "")
        self.assertEqual(roads.converse([reading + get(fid(1)).encode()] * 2), "")
        self.assertEqual(roads.converse([head, RANDOM[:20]], half_closes=True), "")

    def test_request_ids(self) -> None:
        """What looks like a request id within another line is none."""
        roads = Roads(self)
        self.taken(roads, post(fid(1), RANDOM, method="PUT"))
        for before in ("Evil-", "Cookie: ", "X: a\n", "X: a\r", "", "\r\n", " "):
            for after in ("Range: bytes=0-4", " folded", "Connection: close", "X: y", ""):
                lines = f"{before}X-Amz-Request-Id: abc\r\n{after}"
                raw = f"GET {fid(1)} HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n".encode()
                self.assertEqual(roads.converse([raw, raw]), "", lines)
                raw = f"GET {fid(1)} HTTP/1.1\r\n{lines}\r\nHost: a\r\n\r\n".encode()
                self.assertEqual(roads.converse([raw, raw]), "", lines)


class FailureTests(ExpressTests):
    """Disks that fail, and exceptions that nobody thought of."""

    def failing(self, code: int) -> Callable[[], None]:
        """What disks do."""
        def fail() -> None:
            raise OSError(code, "the disk")
        return fail

    def test_disk(self) -> None:
        """A change that cannot be written is told as the general road tells it, and has left no trace."""
        for point in ("data.write", "index.write"):
            roads = Roads(self)
            self.taken(roads, post(fid(1), RANDOM, method="PUT"))
            with failpoints.armed(point, self.failing(errno.ENOSPC)):
                for request in (post(fid(2), RANDOM, method="PUT"), post(fid(3), BODY, FORM),
                                Request("DELETE", fid(1)), post(fid(4) + "?fsync=true", RANDOM, method="PUT")):
                    self.left(roads, request)
            self.taken(roads, get(fid(1)), get(fid(2)))
            # The disk is taken to be full for a while.
            self.left(roads, post(fid(2), RANDOM, method="PUT"))

    def test_mistake(self) -> None:
        """A mistake of the lane's is logged, and the general road answers."""
        roads = Roads(self)
        self.taken(roads, post(fid(1), RANDOM, method="PUT"))

        def mistaken(*args: Any) -> None:
            raise ValueError("a mistake")

        self.patch(type(roads.lane.world.server.store.get(1)), "glance", mistaken)
        self.left(roads, get(fid(1)), Request("DELETE", fid(1)))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)


@attrs.define
class Repeating(FakeReplicator):
    """Remembers what the needle was that was to be repeated."""

    needles: list[tuple[object, ...]] = attrs.field(factory=list)

    async def write(self, *, draft: Draft, **told: Any) -> None:
        """See IReplicator."""
        flags, ttl = draft.flags & ~FLAG_TTL, str(draft.ttl or "")
        self.needles.append((draft.name, draft.mime, flags, draft.last_modified, ttl))
        await super().write(draft=draft, **told)


@attrs.define
class QuickRoad:
    """The quick way, as slow as the test likes; tells ``replicator`` what it would have been told."""

    replicator: Repeating
    waiting: list[Callable[[], None]] = attrs.field(factory=list)

    def write_now(self, path: bytes, locations: Sequence[Location], done: Callable[[str | None], None], *,
                  data: bytes, name: bytes, mime: bytes, flags: int, last_modified: int, ttl: object, fsync: bool,
                  token: bytes) -> None:
        """See IReplicaRoad."""
        self.replicator.needles.append((name, mime, flags & ~FLAG_TTL, last_modified, str(ttl or "")))
        self.replicator.written.append(({"path": path.decode(), "locations": list(locations), "fsync": fsync,
                                         "token": token.decode(), "content_md5": ""}, data))
        self.waiting.append(lambda: done(self.replicator.failure or None))

    def delete_now(self, path: bytes, locations: Sequence[Location], done: Callable[[str | None], None], *,
                   token: bytes) -> None:
        """See IReplicaRoad."""
        self.replicator.deleted.append({"path": path.decode(), "locations": list(locations), "token": token.decode()})
        self.waiting.append(lambda: done(self.replicator.failure or None))

    def run(self) -> None:
        """The others have answered."""
        while self.waiting:
            self.waiting.pop(0)()


class ReplicaTests(SynchronousTestCase):
    """Volumes that other servers have too."""

    def setUp(self) -> None:
        """Both servers, with a volume of which there is one other."""
        self.roads = Roads(self)
        self.replicators = []
        for road in self.roads.both:
            road.world.allocate(8, replication="001")
            here = Location("127.0.0.1:8080", "127.0.0.1:8080")
            road.world.locations.holders = {8: (here, Location("10.0.0.2:8080", "10.0.0.2:8080"))}
            road.world.replicator = road.world.server.replicator = Repeating()
            self.replicators.append(road.world.replicator)
        self.road = QuickRoad(self.replicators[0])
        self.replicators[0].road = self.road

    def check(self, *requests: Request) -> None:
        """Both answer the same, and tell the others the same; the lane once these have answered."""
        for request in requests:
            one, other = (self.roads.connect(road, False) for road in self.roads.both)
            one.say(request.encode())
            self.assertEqual(one.news(), (b"", False, False), request)
            self.road.run()
            other.say(request.encode())
            self.assertEqual(one.news(), other.news(), request)
            one.leave()
            other.leave()
            self.assertEqual(self.roads.difference_of_files(), "")
            self.assertEqual(self.replicators[0].needles, self.replicators[1].needles)
            self.assertEqual(self.roads.difference_of_rest(), "")
        self.assertEqual(self.roads.lane.asked, 0)

    def test_repeated(self) -> None:
        """Uploads and deletions are repeated before they are answered."""
        self.check(post(fid(1, 8), RANDOM, method="PUT"), post(fid(2, 8) + "?ttl=3m&ts=5&fsync=true", BODY, FORM),
                   post(fid(3, 8) + ".x", RANDOM, ("Content-Type", "a/b")), Request("DELETE", fid(1, 8)))

    def test_bytes_as_token(self) -> None:
        """What a client sends as a token that nobody asked for goes on to the others, whatever it is."""
        waiting: list[Call] = []

        class Network:
            """Connects to nobody."""

            def send(self, url: str, call: Call) -> None:
                """See Network."""
                waiting.append(call)

        self.replicators[0].road = ReplicaRoad(Network())
        upload = post(fid(1, 8), RANDOM, ("Authorization", "Bearer a\xffb"), method="PUT")
        for request in (upload, Request("DELETE", fid(1, 8), (("Authorization", "Bearer a\xffb"),))):
            client = self.roads.lane.world.client()
            client.write(request.encode())
            call, = waiting
            waiting.clear()
            self.assertIn(b"\r\nAuthorization: BEARER a\xffb\r\n", call.request)
            call.answered(PeerAnswer(204, b"", True))
            self.assertEqual(len(client.statuses), 1)

    def test_failing(self) -> None:
        """What is said of a replica that fails."""
        self.check(post(fid(1, 8), RANDOM, method="PUT"))
        for replicator in self.replicators:
            replicator.failure = "[10.0.0.2:8080]: no room"
        self.check(post(fid(2, 8), RANDOM, method="PUT"), Request("DELETE", fid(1, 8)))

    def test_repetition(self) -> None:
        """What another server repeats here goes no further."""
        self.assertEqual(self.roads.send(post(fid(1, 8) + "?type=replicate", RANDOM, method="PUT")), "")
        self.assertEqual(self.roads.send(Request("DELETE", fid(1, 8) + "?type=replicate")), "")
        self.assertEqual((self.roads.lane.asked, self.replicators[0].written), (0, []))

    def test_unknown(self) -> None:
        """Who the others are must be known at once, else the general road finds out."""
        for road in self.roads.both:
            road.world.locations.holders = {}
        self.assertEqual(self.roads.send(post(fid(1, 8), RANDOM, method="PUT")), "")
        self.assertEqual(self.roads.lane.asked, 1)
