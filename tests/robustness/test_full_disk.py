"""A file system of 16 MB filled by clients that do not stop: nothing is damaged, and it goes on once there is room."""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import pathlib
import random
import threading
import time
import unittest

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.store.room import RESERVE_NAME
from tests.robustness.running import VolumeProcess
from tests.robustness.wire import Wire, path_of

SIZE = 16 << 20
VOLUMES = (1, 2, 3, 4)
CLIENTS = 3
RESUMED_WITHIN = 20.0
_DETACH = 2


def mounted(path: pathlib.Path) -> None:
    """Mount a file system in memory there.

    :raises unittest.SkipTest: where that is not allowed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(path), b"tmpfs", 0, b"size=%d" % SIZE):
        raise unittest.SkipTest(f"file systems cannot be mounted here: {os.strerror(ctypes.get_errno())}")


def unmount(path: pathlib.Path) -> None:
    """Take it away."""
    ctypes.CDLL(None).umount2(os.fsencode(path), _DETACH)


class FullFileSystemTests(SynchronousTestCase):
    """Our server on a small file system of its own."""

    def setUp(self) -> None:
        directory = pathlib.Path(self.mktemp()).absolute()
        self.data = directory / "data"
        self.data.mkdir(parents=True)
        mounted(self.data)
        self.addCleanup(unmount, self.data)
        self.server = VolumeProcess(directory)
        self.server.start()
        self.addCleanup(self.server.kill)
        for volume in VOLUMES:
            self.server.allocate(volume)
        self.stored: dict[str, bytes] = {}
        self.refused: list[bytes] = []
        self.failures: list[str] = []
        self.seeds = itertools.count(1)
        self.is_over = threading.Event()

    def write(self, seed: int) -> None:
        """Store needles of all sizes, also large ones that go the general road, one after the other."""
        chance = random.Random(seed)
        wire = Wire(self.server.port)
        try:
            while not self.is_over.is_set():
                path = path_of(chance.choice(VOLUMES), chance.getrandbits(40))
                body = chance.randbytes(chance.choice((100, 3000, 30_000, 300_000)))
                answer = wire.ask("PUT", path, body)
                if answer.status == 201:
                    self.stored[path] = body
                elif answer.status == 500:
                    self.refused.append(answer.body)
                    if len(body) > 200_000:
                        # Whoever is refused before the body was read must not count on the connection.
                        wire.close()
                        wire = Wire(self.server.port)
                    time.sleep(0.01)
                else:
                    self.failures.append(f"{answer.status} {answer.body!r}")
        except OSError as error:
            self.failures.append(repr(error))
        finally:
            wire.close()

    def load(self) -> list[threading.Thread]:
        """Clients that do not stop."""
        self.is_over.clear()
        threads = [threading.Thread(target=self.write, args=(next(self.seeds),), daemon=True) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        return threads

    def end(self, threads: list[threading.Thread]) -> None:
        """They stop."""
        self.is_over.set()
        for thread in threads:
            thread.join(30)
        self.assertEqual(self.failures, [])

    def until(self, is_so: object, within: float, what: str) -> None:
        """Wait for something."""
        deadline = time.monotonic() + within
        while not is_so():  # type: ignore[operator]
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)

    def check_needles(self) -> None:
        """All that was acknowledged is there, byte for byte."""
        wire = Wire(self.server.port)
        for path, body in self.stored.items():
            answer = wire.ask("GET", path)
            self.assertEqual((answer.status, answer.body == body), (200, True), path)
        wire.close()

    def status(self) -> dict[str, object]:
        """``/status``."""
        wire = Wire(self.server.port)
        found: dict[str, object] = json.loads(wire.ask("GET", "/status").body)
        wire.close()
        return found

    def vacuum(self, volume: int) -> None:
        """As a master has it done."""
        stub = self.server.stub()
        list(stub.VacuumVolumeCompact(pb.VacuumVolumeCompactRequest(volume_id=volume)))
        stub.VacuumVolumeCommit(pb.VacuumVolumeCommitRequest(volume_id=volume))

    def delete_all(self, volume: int) -> int:
        """Delete every needle of a volume; how many that were."""
        wire = Wire(self.server.port)
        mine = [path for path in self.stored if path.startswith(f"/{volume},")]
        for path in mine:
            answer = wire.ask("DELETE", path)
            self.assertEqual(answer.status, 202, answer.body)
            del self.stored[path]
        wire.close()
        return len(mine)

    def test_filled_and_freed(self) -> None:
        """Filled under load; refusals say why; deletions are taken, a vacuum frees room, and writes resume by
        themselves within seconds; then once more, with a restart of the full server in between."""
        for is_first in (True, False):
            threads = self.load()
            # Before that there is no room for the large ones only.
            self.until(lambda: any(b"required" in body for body in self.refused), 60, "the disk was never full")
            self.end(threads)
            self.assertIn(b"is read only: disk space is low (", b"".join(self.refused[-3:]))
            for volume in VOLUMES:
                self.assertTrue(self.server.is_read_only(volume))
            found = self.status()
            self.assertIn("disk space is low (", found["Volumes"][0]["ReadOnlyReason"])  # type: ignore[index]
            self.assertIn("low_space", found["DiskStatuses"][0])  # type: ignore[index]
            self.check_needles()
            if not is_first:
                self.server.kill()
                self.server.start()
                self.check_needles()
                self.assertTrue(self.server.is_read_only(1))
            self.refused.clear()
            threads = self.load()
            volume = 1 if is_first else 2
            self.assertGreater(self.delete_all(volume), 5)
            before = len(self.stored)
            self.vacuum(volume)
            self.assertLess((self.data / f"{volume}.dat").stat().st_size, 100_000 + 4 * 300_000)
            self.until(lambda: len(self.stored) > before, RESUMED_WITHIN, "writes did not resume")
            self.end(threads)
            self.assertTrue(all(b"read only" in body or b"No space" in body for body in self.refused))
            self.check_needles()
            self.refused.clear()
        self.assertNotIn("torn", (self.server.directory / "server.log").read_text())

    def test_to_the_last_byte(self) -> None:
        """Where something else has taken all there was, deletions are taken still, from the reserve; a vacuum gets its
        room from it too."""
        wire = Wire(self.server.port)
        paths = [path_of(1, key) for key in range(1, 301)]
        for path in paths:
            self.assertEqual(wire.ask("PUT", path, b"x" * 5000).status, 201)
        self.assertTrue((self.data / RESERVE_NAME).exists())
        with open(self.data / "other", "wb", buffering=0) as other:
            try:
                while other.write(bytes(4096)):
                    pass
            except OSError:
                pass
        deadline = time.monotonic() + 30
        while wire.ask("PUT", path_of(1, 999), b"x" * 5000).status == 201:
            self.assertLess(time.monotonic(), deadline)
        for path in paths:
            self.assertEqual(wire.ask("DELETE", path).status, 202)
        self.assertTrue(self.server.is_read_only(1))
        self.vacuum(1)
        self.assertLess((self.data / "1.dat").stat().st_size, 20_000)
        (self.data / "other").unlink()
        self.until(lambda: not self.server.is_read_only(1), RESUMED_WITHIN, "writes did not resume")
        self.assertEqual(wire.ask("PUT", paths[0], b"again").status, 201)
        self.assertTrue((self.data / RESERVE_NAME).exists())
        wire.close()
