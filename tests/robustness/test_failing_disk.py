"""A disk that fails under load: its volumes are quarantined, no file goes, and the other disk serves as before."""

from __future__ import annotations

import contextlib
import json
import pathlib
import random
import threading
import time
from typing import Any

import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb
from tests.robustness.running import VolumeProcess
from tests.robustness.wire import Wire, path_of

COUNT = 40
#: Of some that are not small: read whole, and sent while they are read.
LENGTHS = {10: 400_000, 20: 2_000_000, 30: 400_000, 40: 2_000_000}
SECONDS = 2.0


class FailingDiskTests(SynchronousTestCase):
    """Our server with two disks, each of which has some volumes; ``broken`` are those on the one that fails."""

    def setUp(self) -> None:
        self.place = pathlib.Path(self.mktemp()).absolute()
        self.place.mkdir(parents=True)
        metrics = VolumeProcess(self.place).port
        self.metrics_port = metrics
        self.server = VolumeProcess(self.place, module="tests.robustness.failingdisk", disks=("bad", "good"),
                                    flags=(f"-metricsPort={metrics}",))
        self.server.start()
        self.addCleanup(self.server.kill)
        for volume in range(1, 5):
            self.server.allocate(volume)
        self.broken = [int(path.stem) for path in (self.place / "bad").glob("*.dat")]
        self.sound = [int(path.stem) for path in (self.place / "good").glob("*.dat")]
        self.assertEqual((len(self.broken), len(self.sound)), (2, 2))
        wire = Wire(self.server.port)
        self.bodies = {path_of(volume, key): random.Random(key).randbytes(LENGTHS.get(key, 200))
                       for volume in range(1, 5) for key in range(1, COUNT + 1)}
        for path, body in self.bodies.items():
            self.assertEqual(wire.ask("PUT", path, body).status, 201)
        wire.close()
        self.failures: list[str] = []
        self.served = 0
        self.is_over = threading.Event()

    def work(self, seed: int) -> None:
        """Reads, writes and deletions of all volumes; those on the sound disk must succeed."""
        chance = random.Random(seed)
        wire = Wire(self.server.port)
        while not self.is_over.is_set():
            volume = chance.choice(self.broken + self.sound)
            key = chance.randint(1, COUNT)
            new = path_of(volume, chance.getrandbits(40) + 1000)
            for method, path, body in (("GET", path_of(volume, key), b""), ("PUT", new, b"new"), ("DELETE", new, b"")):
                try:
                    answer = wire.ask(method, path, body)
                except OSError:
                    # A large needle that cannot be read to its end.
                    answer = None
                    wire.close()
                    wire = Wire(self.server.port)
                if volume in self.sound:
                    self.served += 1
                    wanted = {"GET": 200, "PUT": 201, "DELETE": 202}[method]
                    is_right = method != "GET" or answer is not None and answer.body == self.bodies[path]
                    if answer is None or answer.status != wanted or not is_right:
                        self.failures.append(f"{method} {path}: {answer and answer.status}")
        wire.close()

    def status(self) -> dict[str, Any]:
        """``/status``."""
        wire = Wire(self.server.port)
        found: dict[str, Any] = json.loads(wire.ask("GET", "/status").body)
        wire.close()
        return found

    def metric(self, name: str) -> dict[str, float]:
        """Samples whose line begins so, by their labels."""
        wire = Wire(self.metrics_port)
        lines = wire.ask("GET", "/metrics").body.decode().splitlines()
        wire.close()
        found = (line.rpartition(" ") for line in lines if line.startswith(name + "{"))
        return {labels[len(name):]: float(value) for labels, _, value in found}

    def files(self) -> dict[str, int]:
        """Lengths of the files on the disk that fails."""
        return {path.name: path.stat().st_size for path in (self.place / "bad").iterdir()}

    def test_under_load(self) -> None:
        """Nothing goes from the disk that fails; who asks for it gets errors, all others what they want. What is wrong
        stands in status, metrics and log. When the disk is well again, an operator's word is enough."""
        threads = [threading.Thread(target=self.work, args=(seed,), daemon=True) for seed in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(SECONDS / 4)
        before = self.files()
        marker = self.place / "bad.broken"
        marker.touch()
        time.sleep(SECONDS)
        self.is_over.set()
        for thread in threads:
            thread.join(30)
        self.assertEqual(self.failures, [])
        self.assertGreater(self.served, 50)
        after = self.files()
        self.assertEqual(set(after), set(before))
        self.assertTrue(all(after[name] >= length for name, length in before.items()), (before, after))
        self.check_told()
        marker.unlink()
        for volume in self.broken:
            # It is done before the master is told, whom nobody finds here.
            with contextlib.suppress(grpc.RpcError):
                self.server.stub().VolumeMarkWritable(pb.VolumeMarkWritableRequest(volume_id=volume))
        self.check_well()
        self.server.kill()
        self.server.start()
        self.check_well()

    def check_told(self) -> None:
        """What an operator sees."""
        volumes = {one["Id"]: one for one in self.status()["Volumes"]}
        for volume in self.broken:
            self.assertTrue(volumes[volume]["ReadOnly"])
            self.assertEqual(volumes[volume]["ReadOnlyReason"], "the disk fails ([Errno 5] Input/output error)")
            self.assertGreaterEqual(volumes[volume]["IoErrors"], 3)
        for volume in self.sound:
            self.assertNotIn("ReadOnlyReason", volumes[volume])
            self.assertNotIn("IoErrors", volumes[volume])
        bad, good = self.status()["DiskStatuses"]
        self.assertGreaterEqual(bad["io_errors"], 6)
        self.assertNotIn("io_errors", good)
        disks = self.metric("seaweedvol_io_errors_total")
        self.assertEqual(disks.pop('{name="%s"}' % (self.place / "good")), 0)
        self.assertGreaterEqual(disks.pop('{name="%s"}' % (self.place / "bad")), 6)
        self.assertEqual(len(self.metric("seaweedvol_volume_io_errors_total")), 2)
        self.assertEqual(self.metric("seaweedvol_read_only_volumes"), {'{collection="",reason="io_error"}': 2})
        log = (self.place / "server.log").read_text()
        for volume in self.broken:
            self.assertIn(f"volume {volume} is quarantined after 3 I/O errors: [Errno 5] Input/output error", log)
        self.assertRegex(log, r"bad: I/O error \d+, under volume \d")

    def check_well(self) -> None:
        """All needles are there, and volumes take more."""
        wire = Wire(self.server.port)
        for path, body in self.bodies.items():
            answer = wire.ask("GET", path)
            self.assertEqual((answer.status, answer.body == body), (200, True), path)
        for volume in self.broken:
            path = path_of(volume, 5_000_000 + len(self.bodies))
            self.assertEqual(wire.ask("PUT", path, b"well").status, 201)
            self.assertEqual(wire.ask("DELETE", path).status, 202)
        wire.close()
        self.assertFalse(any("ReadOnlyReason" in one for one in self.status()["Volumes"]))
