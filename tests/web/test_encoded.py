"""Needles of encoded volumes over HTTP: answered as those of the volume before it was encoded, on either road."""

from __future__ import annotations

import gzip
import logging
import re
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.ec.encoding import encode
from seaweedvol.ec.index import write_sorted
from seaweedvol.ec.names import EcPaths
from seaweedvol.ec.ratio import DEFAULT_RATIO
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.volumeinfo import VolumeInfo, dump_volume_info
from seaweedvol.storage.ids import VolumeId
from seaweedvol.web.threads import inline
from tests.conformance.exchange import Response
from tests.server.encoded import damage
from tests.web.serving import World, fid, make_world

T = TypeVar("T")
TEXT = b"some words that say little, again and again. " * 40
MANIFEST = b'{"name":"all.txt","mime":"text/plain","size":9,"chunks":[]}'
READS: Sequence[tuple[str, str, tuple[tuple[str, str], ...]]] = [
    (method, target, headers)
    for key in range(1, 9)
    for method, target, headers in (
        ("GET", fid(key), ()), ("HEAD", fid(key), ()), ("GET", fid(key, cookie="00000001"), ()),
        ("GET", fid(key), (("Range", "bytes=3-9"),)), ("GET", fid(key), (("Range", "bytes=-5"),)),
        ("GET", fid(key), (("Range", "bytes=1-2,5-9"),)), ("GET", fid(key), (("Range", "bytes=9999999-"),)),
        ("GET", fid(key), (("Accept-Encoding", "gzip"),)), ("GET", fid(key) + "?dl=true", ()),
        ("GET", fid(key), (("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"),)),
        ("GET", fid(key), (("If-None-Match", '"ffffffff"'),)), ("GET", fid(key) + "?cm=false", ()),
        ("GET", fid(key) + ".png?width=3", ()))
]


def encoded(directory: Path, volume_id: int = 1) -> EcPaths:
    """Put shards in the place of a volume."""
    paths = EcPaths(str(directory), str(directory), "", volume_id)
    write_sorted(paths.row_index, paths.index, OffsetWidth.FOUR)
    encode(paths, DEFAULT_RATIO)
    info = VolumeInfo(version=3, dat_file_size=Path(paths.data).stat().st_size)
    info.ec_shard_config.data_shards, info.ec_shard_config.parity_shards = 10, 4
    Path(paths.info).write_bytes(dump_volume_info(info))
    for path in (paths.data, paths.row_index):
        Path(path).unlink()
    return paths


def seen(answer: Response) -> tuple[object, ...]:
    """An answer without what is drawn by lot for each."""
    boundary = re.search(rb"\r\n--([0-9a-f]{60})\r\n", b"\r\n" + answer.body)
    text, body = "", answer.body
    if boundary:
        text, body = boundary[1].decode(), body.replace(boundary[1], b"")
    headers = [(name, value.replace(text, "") if text else value) for name, value in answer.headers
               if name.lower() != "x-amz-request-id"]
    return answer.status, sorted(headers), body


class EncodedTests(SynchronousTestCase):
    """A volume of needles of all kinds, before and after it was encoded."""

    def setUp(self) -> None:
        log = logging.getLogger("seaweedvol.server.ecneedles")
        self.patch(log, "propagate", False)
        self.patch(log, "handlers", [logging.NullHandler()])
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        world = make_world(self, directory=self.directory)
        world.allocate(1)
        plain = ("Content-Type", "application/octet-stream")
        world.put(1, b"plain bytes", plain)
        world.put(2, TEXT, ("Content-Type", "text/plain"))
        world.put(3, b"", plain)
        world.put(4, gzip.compress(TEXT), ("Content-Type", "text/html"), ("Content-Encoding", "gzip"))
        world.put(5, bytes(range(256)) * 12_000, ("Content-Type", "image/x"), ("Seaweed-Owner", "me"))
        world.put(6, MANIFEST, plain, query="?cm=true")
        world.put(7, b"x" * 70_000, plain, query="?ts=1600000000")
        path = world.put(8, b"to be deleted", plain)
        self.assertEqual(world.ask("DELETE", path).status, 202)
        self.before = [seen(world.ask(method, target, None, *headers)) for method, target, headers in READS]
        world.close()

    def worlds(self) -> tuple[World, World]:
        """Two servers with the shards: with the express lane and without."""
        other = Path(self.mktemp())
        shutil.copytree(self.directory, other)
        return (make_world(self, directory=self.directory), make_world(self, directory=other, has_lane=False))

    def check(self, world: World) -> None:
        """All answers are as they were; an empty needle has a cookie now, as in Go."""
        for (method, target, headers), before in zip(READS, self.before, strict=True):
            after = seen(world.ask(method, target, None, *headers))
            if target == fid(3, cookie="00000001"):
                self.assertEqual(after[0], 404)
            else:
                self.assertEqual(after, before, (method, target, headers))

    def test_reads(self) -> None:
        """All shards are here."""
        encoded(self.directory)
        for world in self.worlds():
            self.check(world)

    def test_degraded(self) -> None:
        """Four are missing, the first among them."""
        paths = encoded(self.directory)
        for number in (0, 2, 9, 11):
            Path(paths.shard(number)).unlink()
        for world in self.worlds():
            self.check(world)

    def test_threads(self) -> None:
        """What may wait for other servers has threads of its own, so that it can keep nobody else waiting."""
        works: list[str] = []

        def far(work: Callable[..., T], *args: Any, **named: Any) -> Awaitable[T]:
            works.append(work.__name__)
            return inline(work, *args, **named)

        world = make_world(self, directory=self.directory, in_far_thread=far, has_lane=False)
        world.ask("GET", fid(1))
        self.assertEqual((world.ask("DELETE", fid(7)).status, works), (202, []))
        world.close()
        encoded(self.directory)
        world = make_world(self, directory=self.directory, in_far_thread=far, has_lane=False)
        self.assertEqual([world.ask(method, fid(1)).status for method in ("GET", "HEAD", "DELETE")], [200, 200, 202])
        self.assertEqual(works, ["open", "open", "delete_encoded"])

    def test_damaged(self) -> None:
        """A flipped byte in each needle: no reader sees one."""
        paths = encoded(self.directory)
        for offset in (8 + 22, 8 + 22 + 64):
            damage(paths.shard(0), offset)
        damage(paths.shard(1), 1 << 19)
        for world in self.worlds():
            self.check(world)

    def test_too_few(self) -> None:
        """Where too much is lost it is our error, not a needle that is missing."""
        paths = encoded(self.directory)
        for number in range(5):
            Path(paths.shard(number)).unlink()
        for world in self.worlds():
            for target, status in ((fid(1), 500), (fid(8), 404), (fid(99), 404)):
                self.assertEqual(world.ask("GET", target).status, status)

    def test_delete(self) -> None:
        """The answers of Go: the size of more than the record, and an error where nothing can be deleted."""
        encoded(self.directory)
        for world in self.worlds():
            for target, status, body in (
                (fid(1), 202, b'{"size":120}'),
                (fid(1), 500, b'{"error":"Deletion Failed: already deleted"}'),
                (fid(2, cookie="00000ab1"), 500, b'{"error":"Deletion Failed: unexpected cookie ab1"}'),
                (fid(99), 500, b'{"error":"Deletion Failed: locate in local ec volume: FindNeedleFromEcx: needle not '
                               b'found"}'),
                (fid(6), 202, b'{"size":168}'),
            ):
                answer = world.ask("DELETE", target)
                self.assertEqual((answer.status, answer.body), (status, body), target)
            self.assertEqual([world.ask("GET", fid(key)).status for key in (1, 2, 6)], [404, 200, 404])
            volume = world.server.store.erasure.find(VolumeId(1))
            assert volume is not None
            self.assertEqual(volume.journal.keys(), [1, 6])

    def test_write(self) -> None:
        """Nothing can be written there."""
        encoded(self.directory)
        for world in self.worlds():
            self.assertEqual(world.ask("PUT", fid(1), b"new", ("Content-Type", "a/b")).status, 500)

    def test_delete_elsewhere(self) -> None:
        """Every other holder is told."""
        encoded(self.directory)
        world, _ = self.worlds()
        shards = world.server.shards
        shards.places = {1: ["a:1"], 2: ["b:1"]}  # type: ignore[attr-defined]
        self.assertEqual(world.ask("DELETE", fid(1)).status, 202)
        self.assertEqual(shards.deleted, {"a:1": {1}, "b:1": {1}})  # type: ignore[attr-defined]
