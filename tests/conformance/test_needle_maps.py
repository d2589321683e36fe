"""Needle maps on disk go both ways: what one server left, in order or not, the other one serves, and gives back."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Iterable

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.conformance.case import PLAIN
from tests.conformance.exchange import get, post, send
from tests.conformance.servers import WEED, Server, launch
from tests.contracts.needlemaps import NO_LEVELDB

FLAGS = ("-index=leveldb",)
COOKIE = "12345678"


class NeedleMapTests(SynchronousTestCase):
    """One directory of volumes, and one server after the other on it."""

    def setUp(self) -> None:
        if not WEED:
            raise SkipTest("no Go server to compare with: set WEED_BINARY")
        if NO_LEVELDB:
            raise SkipTest(NO_LEVELDB)
        base = tempfile.TemporaryDirectory(prefix="maps")
        self.addCleanup(base.cleanup)
        self.root = pathlib.Path(base.name)
        self.count = 0

    def launch(self, kind: str, *flags: str) -> Server:
        """Start a server of this kind on the directory."""
        self.count += 1
        place = self.root / f"{kind}{self.count}"
        place.mkdir()
        (self.root / "data").mkdir(exist_ok=True)
        (place / "data").symlink_to(self.root / "data")
        server = launch(kind, place, flags=(*FLAGS, *flags))
        self.addCleanup(server.stop)
        return server

    def fill(self, server: Server, keys: Iterable[int]) -> None:
        """Store a needle for each key; delete every seventh."""
        for key in keys:
            path = f"/{PLAIN},{key:x}{COOKIE}"
            stored, = send(server.port, post(path, b"needle %d" % key, method="PUT"))
            self.assertEqual(stored.status, 201)
            if not key % 7:
                deleted, = send(server.port, post(path, b"", method="DELETE"))
                self.assertEqual(deleted.status, 202)

    def check(self, server: Server, keys: Iterable[int]) -> None:
        """The needles of :meth:`fill` are there, and those not that are not."""
        for key in keys:
            reply, = send(server.port, get(f"/{PLAIN},{key:x}{COOKIE}"))
            self.assertEqual((reply.status, reply.body) if key % 7 else reply.status,
                             (200, b"needle %d" % key) if key % 7 else 404, (server.name, key))

    def stop(self, server: Server, hard: bool) -> None:
        """End it, in order or by force."""
        server.processes[-1].stop(hard=hard)
        server.stop()

    def test_leveldb_changes_hands(self) -> None:
        """Needles of both servers, and deletions, are served by both, whatever became of the other one."""
        keys: list[int] = []
        for turn, (kind, hard) in enumerate((
            ("go", False), ("ours", True), ("ours", False), ("go", True), ("ours", True), ("go", False),
            ("ours", False),
        )):
            server = self.launch(kind)
            if not turn:
                server.allocate(PLAIN)
            self.check(server, keys)
            new = range(1 + 1000 * turn, 101 + 1000 * turn)
            self.fill(server, new)
            keys += new
            self.stop(server, hard)
        self.check(self.launch("go"), keys)
        self.assertTrue((self.root / "data" / f"{PLAIN}.ldb").is_dir())

    def test_directories_closed_by_us_are_taken_as_they_are(self) -> None:
        """Go opens them once, to serve, and not before that to replay the .idx."""
        server = self.launch("ours")
        server.allocate(PLAIN)
        self.fill(server, range(1, 100))
        self.stop(server, hard=False)
        server = self.launch("go")
        self.check(server, range(1, 100))
        log = (self.root / "data" / f"{PLAIN}.ldb" / "LOG").read_text()
        self.assertEqual(log.count("db@open opening"), 1)

    def test_sorted_files_are_equal(self) -> None:
        """Of a read-only volume both make the same .sdx, and neither makes the other's anew."""
        server = self.launch("go")
        server.allocate(PLAIN)
        self.fill(server, range(1, 50))
        self.stop(server, hard=False)
        info = self.root / "data" / f"{PLAIN}.vif"
        info.write_text(info.read_text().replace('"readOnly": false', '"readOnly": true'))
        table = self.root / "data" / f"{PLAIN}.sdx"
        made = []
        for kind in ("go", "ours"):
            table.unlink(missing_ok=True)
            for _ in range(2):
                server = self.launch(kind)
                self.check(server, range(1, 50))
                self.stop(server, hard=False)
                made.append((table.read_bytes(), table.stat().st_mtime_ns))
        self.assertEqual([data for data, _ in made], [made[0][0]] * 4)
        self.assertEqual([made[0][1], made[2][1]], [made[1][1], made[3][1]])
