"""Files go both ways: equal bytes for equal requests, and each server serves what the other wrote."""

from __future__ import annotations

import pathlib
import subprocess
import tempfile
import time
from typing import Iterator

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from seaweedvol.storage.format.index import OffsetWidth, iterate
from seaweedvol.storage.format.needle import HEADER_LENGTH, NEEDLE_VERSIONS, decode_header
from seaweedvol.storage.format.superblock import SUPERBLOCK_LENGTH
from tests.conformance.case import HOURLY, PICTURES, PLAIN, Keys
from tests.conformance.cases_bodies import BODIES
from tests.conformance.cases_names import NAMES
from tests.conformance.compare import differences
from tests.conformance.exchange import Request, form, get, post, send
from tests.conformance.samples import RANDOM
from tests.conformance.servers import WEED, Server, launch

# Not in the past: Go destroys a volume with a TTL at the next heartbeat when its first needle has outlived that.
STAMP = f"ts={int(time.time())}"
BASES = {PLAIN: str(PLAIN), PICTURES: f"pics_{PICTURES}", HOURLY: str(HOURLY)}


def work() -> Iterator[tuple[Request, str]]:
    """Requests that fill three volumes, each with a path to read afterwards."""
    keys = Keys(0x600000)
    for volume in (PLAIN, PICTURES, HOURLY):
        for name in NAMES[:20]:
            path = keys.path(volume)
            body, kind = form(name, RANDOM[: 40 + len(name)])
            yield post(f"{path}?{STAMP}", body, ("Content-Type", kind), ("Seaweed-Name", "pair")), path
        for data in BODIES.values():
            path = keys.path(volume)
            yield post(f"{path}?{STAMP}&ttl=5d", data, method="PUT"), path
        for data in (b"text that compresses " * 90, RANDOM * 300, b""):
            path = keys.path(volume)
            yield post(f"{path}?{STAMP}", data, ("Content-Type", "text/plain"), method="PUT"), path
            yield post(f"{path}?{STAMP}", data, ("Content-Type", "text/plain"), method="PUT"), path
            yield post(f"{path}?{STAMP}", data + b"changed", method="PUT"), path
        for _ in range(5):
            path = keys.path(volume)
            yield post(f"{path}?{STAMP}&cm=true", b'{"name":"m","size":0,"chunks":[]}', method="PUT"), path
            gone = keys.path(volume)
            yield post(f"{gone}?{STAMP}", RANDOM[:70], method="PUT"), gone
            yield post(gone, b"", method="DELETE"), gone + "?readDeleted=true"


def without_times(data: bytes) -> bytes:
    """A version 3 .dat with every append time set to zero."""
    out, at, version = bytearray(data), SUPERBLOCK_LENGTH, NEEDLE_VERSIONS[3]
    while at < len(data):
        _, _, size = decode_header(data, at)
        stamp = at + HEADER_LENGTH + max(size, 0) + 4
        out[stamp : stamp + 8] = bytes(8)
        at += version.record_length(max(size, 0))
    return bytes(out)


class InterchangeTests(SynchronousTestCase):
    """One run: both servers do the same work, then change places."""

    def setUp(self) -> None:
        if not WEED:
            raise SkipTest("no Go server to compare with: set WEED_BINARY")
        base = tempfile.TemporaryDirectory(prefix="interchange")
        self.addCleanup(base.cleanup)
        self.root = pathlib.Path(base.name)

    def launch(self, kind: str, place: str, master: int | None = None) -> Server:
        """Start a server that ends with the test."""
        server = launch(kind, self.root / place, master=master)
        self.addCleanup(server.stop)
        return server

    def test_both_ways(self) -> None:
        """Equal files for equal work; in each other's place each answers as the other did; Go's tools take ours."""
        go, ours = self.launch("go", "go"), self.launch("ours", "ours")
        for server in (go, ours):
            server.allocate(PLAIN)
            server.allocate(PICTURES, collection="pics")
            server.allocate(HOURLY, ttl="1h")
            for request, _ in work():
                send(server.port, request)
        paths = sorted({path for _, path in work()})
        reads = [get(path, method=method) for path in paths for method in ("GET", "HEAD")]
        before = {server.name: [send(server.port, read) for read in reads] for server in (go, ours)}
        for server in (go, ours):
            server.stop()
        for volume, base in BASES.items():
            self.compare_files(go.directory, ours.directory, base)
        swapped_go = self.swap("go", ours.directory, "go-second")
        swapped_ours = self.swap("ours", go.directory, "ours-second")
        for name, server in (("ours", swapped_go), ("go", swapped_ours)):
            for read, earlier in zip(reads, before[name]):
                self.assertEqual(
                    differences(earlier, send(server.port, read), fresh_times=False), [], (name, read.target)
                )
        swapped_go.stop()
        self.check_tools(ours.directory)

    def swap(self, kind: str, directory: pathlib.Path, place: str) -> Server:
        """Start ``kind`` on files that the other one wrote."""
        target = self.root / place
        target.mkdir()
        (target / "data").symlink_to(directory)
        return self.launch(kind, place)

    def compare_files(self, go: pathlib.Path, ours: pathlib.Path, base: str) -> None:
        """.dat equal but for append times, .idx equal."""
        theirs, mine = ((side / f"{base}.dat").read_bytes() for side in (go, ours))
        self.assertEqual(
            without_times(theirs) == without_times(mine), True, f"{base}.dat: {first_difference(theirs, mine)}"
        )
        rows = [list(iterate(OffsetWidth.FOUR, (side / f"{base}.idx").read_bytes())) for side in (go, ours)]
        self.assertEqual(rows[0], rows[1])

    def check_tools(self, directory: pathlib.Path) -> None:
        """``weed fix`` rebuilds our index to the same content, ``weed export`` lists every live needle."""
        for volume, collection in ((PLAIN, ""), (PICTURES, "pics")):
            base = BASES[volume]
            listing = self.weed("export", f"-dir={directory}", f"-volumeId={volume}", f"-collection={collection}")
            self.assertNotIn("error", listing.lower())
            live = last_rows((directory / f"{base}.idx").read_bytes())
            self.assertTrue(live)
            self.weed("fix", f"-volumeId={volume}", f"-collection={collection}", str(directory))
            self.assertEqual(last_rows((directory / f"{base}.idx").read_bytes()), live)

    def weed(self, *arguments: str) -> str:
        """Run a command of Go's and return what it printed."""
        done = subprocess.run([WEED, *arguments], capture_output=True, text=True, timeout=60, cwd=self.root)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


def last_rows(index: bytes) -> dict[int, tuple[int, int]]:
    """What an index says in the end: live needles with place and size."""
    rows = {key: (offset, size) for key, offset, size in iterate(OffsetWidth.FOUR, index)}
    return {key: place for key, place in rows.items() if place[1] > 0}


def first_difference(theirs: bytes, mine: bytes) -> str:
    """Where two volumes part, for a failing test."""
    one, other = without_times(theirs), without_times(mine)
    at = next((n for n, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
    low = max(at - 40, 0)
    return f"at {at} of {len(one)}/{len(other)}: {one[low:at + 60]!r} against {other[low:at + 60]!r}"
