"""Over volumes that SeaweedFS wrote we must answer as it did, and for the same requests write the same volumes."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.server.interfaces import Location
from seaweedvol.storage.format.needle import Needle, decode_header
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.loading import create_volume, load_volume
from seaweedvol.store import location, volumeloading
from tests.conformance.exchange import Request, Response
from tests.golden import reading
from tests.golden.recording import NOISE, body_of
from tests.web.serving import LoopAgent, World, make_world

# Where a manifest's chunks are looked for; with a fake agent any name will do.
ITSELF = (Location("127.0.0.1:8080", "127.0.0.1:8080"),)


def asked(case: str, *methods: str) -> list[tuple[Request, dict[str, Any]]]:
    """The HTTP requests of ``case`` with these methods to the volume server, and the answers they got."""
    return [(as_request(told["request"]), told["response"]) for told in reading.exchanges(case)
            if told["server"] == "volume" and told.get("request", {}).get("method") in methods]


def as_request(told: dict[str, Any]) -> Request:
    """A recorded request, with the very bytes that were sent."""
    lines = [f"{told['method']} {told['path']} HTTP/1.1", *(f"{name}: {value}" for name, value in told["headers"])]
    raw = "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body_of(told)
    return Request(told["method"], told["path"], raw=raw)


def as_told(answer: Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """Of our answer what records keep of Go's."""
    return answer.status, [pair for pair in answer.headers if pair[0] not in NOISE], answer.body


def in_record(told: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    """A recorded answer in the shape of :func:`as_told`."""
    return told["status"], [(name, value) for name, value in told["headers"]], body_of(told)


def without_boundary(answer: tuple[int, list[tuple[str, str]], bytes]) -> tuple[int, list[tuple[str, str]], bytes]:
    """The same, with one name for the random line between ranges."""
    status, headers, body = answer
    kind = dict(headers).get("Content-Type", "")
    if not kind.startswith("multipart/byteranges"):
        return answer
    boundary = kind.partition("boundary=")[2]
    return (status, [(name, value.replace(boundary, "B")) for name, value in headers],
            body.replace(boundary.encode("ascii"), b"B"))


def end_of(case: str) -> float:
    """When the recording was over, in seconds since 1970; 0 when nothing in it tells, as nothing then expires."""
    times = [parsedate_to_datetime(value).timestamp() for _, told in asked(case, "GET")
             for name, value in told["headers"] if name == "Last-Modified"]
    return max(times, default=0.0)


class GoldenTests(SynchronousTestCase):
    """What the tests below share: a server whose volumes live in a time of our choice."""

    def make_world(self, directory: Path | None, now_ns: Callable[[], int]) -> World:
        """A server on ``directory``."""
        self.patch(volumeloading, "load_volume", functools.partial(load_volume, now_ns=now_ns))
        self.patch(location, "create_volume", functools.partial(create_volume, now_ns=now_ns))
        world = make_world(self, directory=directory, agent=LoopAgent())
        world.locations.holders = {1: ITSELF, 2: ITSELF}
        return world

    def check(self, world: World, request: Request, told: dict[str, Any]) -> None:
        """Ask, and compare the answer with the recorded one."""
        client = world.client()
        answer, = client.send(request)
        client.leave()
        self.assertEqual(without_boundary(as_told(answer)), without_boundary(in_record(told)),
                         f"{request.method} {request.target}")
        self.assertEqual((world.server.upload_limit.in_flight, world.server.download_limit.in_flight), (0, 0))


class ReadingTests(GoldenTests):
    """The recorded reads."""

    def replay(self, case: str) -> None:
        """Ask for everything again that was read in ``case``."""
        directory = Path(self.mktemp())
        shutil.copytree(reading.DIRECTORY / case, directory, ignore=shutil.ignore_patterns("requests.json"))
        now_ns = int(end_of(case)) * 10**9
        world = self.make_world(directory, lambda: now_ns)
        reads = asked(case, "GET", "HEAD")
        self.assertTrue(reads)
        for request, told in reads:
            self.check(world, request, told)

    def test_every_shape(self) -> None:
        """Names, types, pairs, gzip, ranges, manifests, deleted needles, wrong cookies: answered as recorded."""
        self.replay("needles")

    def test_collections(self) -> None:
        """Volumes of collections are found and read as recorded."""
        self.replay("collections")

    def test_times_to_live(self) -> None:
        """Needles of a volume with a TTL are answered as recorded."""
        self.replay("ttl")

    def test_version_1(self) -> None:
        """The oldest layout has no names and types, and is answered as recorded."""
        self.replay("version1")

    def test_version_2(self) -> None:
        """The second layout has no append times, and is answered as recorded."""
        self.replay("version2")

    def test_compacted(self) -> None:
        """A volume after a vacuum is answered as recorded."""
        self.replay("compacted")


class WritingTests(GoldenTests):
    """The recorded uploads and deletions."""

    def setUp(self) -> None:
        self.now_ns = 0

    def replay(self, case: str, **volumes: dict[str, Any]) -> None:
        """Do again what was done to the volumes of ``case``, and compare answers and files.

        :param volumes: how each is made, by base name.
        """
        world = self.make_world(None, lambda: self.now_ns)
        for base, settings in volumes.items():
            world.allocate(**settings)
        stems = {settings["volume_id"]: base for base, settings in volumes.items()}
        golden = {number: self.records(case, base) for number, base in stems.items()}
        for request, told in asked(case, "POST", "PUT", "DELETE"):
            number = int(request.target[1:2])
            record = golden[number].get(world.server.store.get(VolumeId(number)).data_length)
            if record is not None:
                # If this request writes a record, then this one; its times are the server's clock at that moment.
                self.now_ns = record.append_at_ns
                world.seconds = float(record.last_modified)
            self.check(world, request, told)
        directory = world.server.store.locations[0].directory
        for base in volumes:
            for suffix in (".dat", ".idx"):
                places = (directory, reading.DIRECTORY / case)
                ours, theirs = ((place / (base + suffix)).read_bytes().hex(" ", 8) for place in places)
                self.assertEqual(ours, theirs, base + suffix)

    def records(self, case: str, base: str) -> dict[int, Needle]:
        """The needles of a golden volume by offset."""
        found = {}
        for codec, at, record in reading.records(reading.DIRECTORY / case / f"{base}.dat"):
            _, _, size = decode_header(record)
            found[at] = codec.decode(record, size)
        return found

    def test_every_shape(self) -> None:
        """Every kind of upload, overwritten, refused and deleted, gives the recorded answers and files."""
        self.replay("needles", **{"1": {"volume_id": 1}})

    def test_collections(self) -> None:
        """Two volumes of collections come out byte for byte."""
        self.replay("collections", pictures_1={"volume_id": 1, "collection": "pictures"},
                    old_maps_2={"volume_id": 2, "collection": "old_maps"})

    def test_times_to_live(self) -> None:
        """Needles inherit the volume's TTL as recorded."""
        self.replay("ttl", **{"1": {"volume_id": 1, "ttl": "99y"}})

    def test_version_1(self) -> None:
        """The oldest layout comes out byte for byte."""
        self.replay("version1", **{"1": {"volume_id": 1, "version": 1}})

    def test_version_2(self) -> None:
        """The second layout comes out byte for byte."""
        self.replay("version2", **{"2": {"volume_id": 2, "version": 2}})
