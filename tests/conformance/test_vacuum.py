"""Vacuums by Go and by us: the same volume becomes the same, and what one began the other finishes or undoes."""

from __future__ import annotations

import pathlib
import shutil
import tempfile
import time
from collections.abc import Mapping

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.storage.format.placement import NO_REPLICATION
from seaweedvol.storage.format.ttl import EMPTY_TTL, parse_ttl
from seaweedvol.storage.volume.loading import create_volume
from tests.conformance.exchange import get, post, send
from tests.conformance.servers import WEED, Server, launch
from tests.robustness.vacuums import NEEDLES, VOLUME, ended_vacuums, fill
from tests.storage.volume.building import COOKIE, draft

SUFFIXES = (".dat", ".idx", ".vif", ".cpd", ".cpx", ".cpc")


class VacuumCase(SynchronousTestCase):
    """Servers on directories that were prepared."""

    def setUp(self) -> None:
        if not WEED:
            raise SkipTest("no Go server to compare with: set WEED_BINARY")
        base = tempfile.TemporaryDirectory(prefix="vacuum")
        self.addCleanup(base.cleanup)
        self.root = pathlib.Path(base.name)

    def launch(self, kind: str, place: str, *flags: str) -> Server:
        """Start a server on ``place``/data; it ends with the test."""
        server = launch(kind, self.root / place, flags=flags)
        self.addCleanup(server.stop)
        return server

    def data(self, place: str) -> pathlib.Path:
        """The directory of a server that is to be started."""
        directory = self.root / place / "data"
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    def check(self, server: Server, volume: int, known: Mapping[int, bytes | None], where: str) -> None:
        """All that is known is there, and writes are taken."""
        for key, data in known.items():
            (answer,) = send(server.port, get(f"/{volume},{key:x}{COOKIE:08x}"))
            self.assertEqual((answer.status, answer.body if data is not None else b""),
                             (404, b"") if data is None else (200, data), f"{where}, needle {key}")
        status = server.stub().VolumeStatus(pb.VolumeStatusRequest(volume_id=volume))
        self.assertFalse(status.is_read_only, where)
        (answer,) = send(server.port, post(f"/{volume},ff{COOKIE:08x}", where.encode(), method="PUT"))
        self.assertEqual(answer.status, 201, where)


def place(source: pathlib.Path, target: pathlib.Path, volume: int) -> None:
    """Copy the files of a volume, under another number."""
    for path in source.glob(f"{VOLUME}.*"):
        if path.suffix in SUFFIXES:
            shutil.copy(path, target / f"{volume}{path.suffix}")


def vacuum(server: Server, volume: int) -> None:
    """All of it."""
    stub = server.stub()
    stub.VacuumVolumeCheck(pb.VacuumVolumeCheckRequest(volume_id=volume))
    list(stub.VacuumVolumeCompact(pb.VacuumVolumeCompactRequest(volume_id=volume)))
    stub.VacuumVolumeCommit(pb.VacuumVolumeCommitRequest(volume_id=volume))
    stub.VacuumVolumeCleanup(pb.VacuumVolumeCleanupRequest(volume_id=volume))


class SameVacuumTests(VacuumCase):
    """Two copies of each volume."""

    def test_same_files(self) -> None:
        """Vacuumed by Go and by us they have the same bytes in .dat and .idx."""
        stamp = int(time.time())
        for volume, (version, ttl) in enumerate(((1, ""), (2, ""), (3, ""), (3, "1h")), 1):
            made = create_volume(
                self.data("go"), self.data("go"), "", volume, placement=NO_REPLICATION, version=version,
                ttl=parse_ttl(ttl) if ttl else EMPTY_TTL)
            for key in range(200, 0, -1):
                body = b"%d" % key * (key % 13 + 1)
                made.append(draft(key * 7 % 211, body, name=b"n" * (key % 4), last_modified=stamp))
            for key in range(1, 200, 3):
                made.delete(key, COOKIE)
            made.append(draft(300, b""))
            made.append(draft(301, b"L" * (5 << 20), last_modified=stamp))
            made.close()
        # In the midst of the third a needle is damaged.
        with (self.data("go") / "3.dat").open("r+b") as file:
            file.seek(8 + 30)
            file.write(b"\xff")
        shutil.copytree(self.data("go"), self.data("ours"), dirs_exist_ok=True)
        for kind in ("go", "ours"):
            server = self.launch(kind, kind)
            for volume in range(1, 5):
                vacuum(server, volume)
            server.stop()
        for volume in range(1, 5):
            for suffix in (".dat", ".idx"):
                go, ours = ((self.data(kind) / f"{volume}{suffix}").read_bytes() for kind in ("go", "ours"))
                self.assertTrue(go == ours, f"{volume}{suffix}: {len(go)} against {len(ours)}")


class HandoverTests(VacuumCase):
    """A vacuum begun by one, ended at each of its steps, and found by the other."""

    def test_begun_by_us(self) -> None:
        """Go finishes or undoes it, and serves all that was acknowledged."""
        every = list(ended_vacuums(self.root / "ended"))
        for ended in every:
            place(ended.directory, self.data("go"), ended.number + 1)
        server = self.launch("go", "go")
        for ended in every:
            # A torn write or deletion makes a volume of Go's read-only, whatever else went on.
            if not ended.is_torn:
                self.check(server, ended.number + 1, ended.known, f"{ended.number} {ended.step}")
        self.assertEqual(list(self.data("go").glob("*.cp*")), [])

    def test_begun_by_go(self) -> None:
        """We do, of each state of the files that Go's steps pass through."""
        made = create_volume(self.data("go"), self.data("go"), "", VOLUME, placement=NO_REPLICATION, ttl=EMPTY_TTL)
        fill(made)
        made.close()
        server = self.launch("go", "go")
        stub = server.stub()
        list(stub.VacuumVolumeCompact(pb.VacuumVolumeCompactRequest(volume_id=VOLUME)))
        for key, data in NEEDLES.items():
            path = f"/{VOLUME},{key:x}{COOKIE:08x}"
            if key >= 30 or key in (6, 8):
                send(server.port, post(path, data or b"gone soon", method="PUT"))
            if data is None:
                send(server.port, post(path, b"", method="DELETE"))
        before = self.files()
        stub.VacuumVolumeCommit(pb.VacuumVolumeCommitRequest(volume_id=VOLUME))
        server.stop()
        after = self.files()
        carried = {**before, ".cpd": after[".dat"], ".cpx": after[".idx"]}
        half = {**carried, ".cpx": carried[".cpx"][:-16]}
        renamed = {".dat": after[".dat"], ".idx": before[".idx"], ".cpx": after[".idx"], ".vif": before[".vif"]}
        states = {
            "being copied": {**before, ".cpd": before[".cpd"][:200], ".cpx": b""}, "copied": before,
            "half carried over": half, "carried over": carried, "marked": {**carried, ".cpc": b""},
            "half renamed": {**renamed, ".cpc": b""}, "renamed": {**after, ".cpc": b""}, "done": after,
        }
        for number, state in enumerate(states.values(), 1):
            for suffix, content in state.items():
                (self.data("ours") / f"{number}{suffix}").write_bytes(content)
        server = self.launch("ours", "ours")
        for number, name in enumerate(states, 1):
            self.check(server, number, NEEDLES, name)
            vacuum(server, number)
            self.check(server, number, NEEDLES, f"{name}, and vacuumed")
        self.assertEqual(list(self.data("ours").glob("*.cp*")), [])

    def files(self) -> dict[str, bytes]:
        """The files of Go's volume by their suffixes."""
        found = (self.data("go") / f"{VOLUME}{suffix}" for suffix in SUFFIXES)
        return {path.suffix: path.read_bytes() for path in found if path.exists()}
