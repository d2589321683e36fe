"""A server is killed, or stopped, in the midst of a compaction: its workers end with it, and all needles are there."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import threading
import time

import grpc
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.storage.format.placement import NO_REPLICATION
from seaweedvol.storage.format.ttl import EMPTY_TTL
from seaweedvol.storage.volume.loading import create_volume
from tests.robustness.running import VolumeProcess
from tests.robustness.wire import Wire
from tests.storage.volume.building import COOKIE, draft

VOLUME = 3
COUNT = 80
LENGTH = 512 << 10
PATIENCE = 20.0


def body(key: int) -> bytes:
    """The data of a needle."""
    return b"%04d" % key * (LENGTH // 4)


class VacuumKillTests(SynchronousTestCase):
    """A volume of 40 MiB, compacted at 4 MiB a second."""

    def setUp(self) -> None:
        base = pathlib.Path(self.mktemp()).absolute()
        self.data = base / "data"
        self.data.mkdir(parents=True)
        volume = create_volume(self.data, self.data, "", VOLUME, placement=NO_REPLICATION, ttl=EMPTY_TTL)
        for key in range(1, COUNT + 1):
            volume.append(draft(key, body(key)))
        for key in range(1, COUNT + 1, 4):
            volume.delete(key, COOKIE)
        volume.close()
        self.server = VolumeProcess(base, flags=("-compactionMBps=4",))
        self.server.start()
        self.addCleanup(self.server.kill)

    def begin(self) -> "tuple[threading.Thread, list[grpc.RpcError]]":
        """Have it compacted, and come back when that is under way; with what becomes of the call."""
        failures: list[grpc.RpcError] = []

        def compact() -> None:
            try:
                list(self.server.stub().VacuumVolumeCompact(pb.VacuumVolumeCompactRequest(volume_id=VOLUME)))
            except grpc.RpcError as error:
                failures.append(error)

        thread = threading.Thread(target=compact)
        thread.start()
        self.wait_until(lambda: self.length(".cpd") > 2 << 20, "the compaction does not begin")
        return thread, failures

    def length(self, suffix: str) -> int:
        """Bytes of a file, 0 if there is none."""
        with contextlib.suppress(FileNotFoundError):
            return (self.data / f"{VOLUME}{suffix}").stat().st_size
        return 0

    def wait_until(self, condition: object, complaint: str) -> None:
        """Wait for something to come true."""
        until = time.monotonic() + PATIENCE
        while not condition():  # type: ignore[operator]
            self.assertLess(time.monotonic(), until, complaint)
            time.sleep(0.02)

    def children(self) -> list[int]:
        """Processes that the server began."""
        assert self.server.popen is not None
        task = pathlib.Path(f"/proc/{self.server.popen.pid}/task")
        return [int(child) for path in task.glob("*/children") for child in path.read_text().split()]

    def check(self) -> None:
        """Every needle that there is to be, no other, and writes."""
        wire = Wire(self.server.port)
        for key in range(1, COUNT + 1):
            answer = wire.ask("GET", f"/{VOLUME},{key:x}{COOKIE:08x}")
            expected = (404, b"") if key % 4 == 1 else (200, body(key))
            self.assertTrue((answer.status, answer.body) == expected, f"needle {key}: {answer.status}")
        self.assertEqual(wire.ask("PUT", f"/{VOLUME},ff{COOKIE:08x}", os.urandom(10)).status, 201)
        wire.close()

    def test_killed(self) -> None:
        """By SIGKILL: nobody writes on; the next server drops what was made, and can do it itself."""
        thread, failures = self.begin()
        children = self.children()
        self.assertTrue(children)
        self.server.kill()
        thread.join()
        self.assertEqual(len(failures), 1)
        self.wait_until(
            lambda: not any(pathlib.Path(f"/proc/{child}/cmdline").exists() for child in children),
            "workers outlive the server")
        self.server.flags = ()
        self.server.start()
        self.assertEqual(self.length(".cpd"), 0)
        self.check()
        before = self.length(".dat")
        stub = self.server.stub()
        list(stub.VacuumVolumeCompact(pb.VacuumVolumeCompactRequest(volume_id=VOLUME)))
        done = stub.VacuumVolumeCommit(pb.VacuumVolumeCommitRequest(volume_id=VOLUME))
        self.assertEqual(done.volume_size, self.length(".dat"))
        self.assertLess(done.volume_size, before * 0.8)
        self.check()

    def test_stopped(self) -> None:
        """By SIGTERM: it does not take as long as the compaction would, and leaves nothing of that."""
        thread, failures = self.begin()
        start = time.monotonic()
        assert self.server.popen is not None
        self.server.popen.send_signal(signal.SIGTERM)
        self.server.popen.wait(PATIENCE)
        thread.join()
        self.assertLess(time.monotonic() - start, 5)
        self.assertIn("skips compact because volume is stopping", str(failures[0].details()))
        self.assertEqual((self.length(".cpd"), self.length(".cpx")), (0, 0))

    def test_caller_gone(self) -> None:
        """When nobody waits for it any more it is given up, and can be begun again."""
        call = self.server.stub().VacuumVolumeCompact(pb.VacuumVolumeCompactRequest(volume_id=VOLUME))
        self.wait_until(lambda: self.length(".cpd") > 2 << 20, "the compaction does not begin")
        call.cancel()
        self.wait_until(lambda: not self.length(".cpd"), "the compaction goes on")
        thread, failures = self.begin()
        self.server.kill()
        thread.join()
        self.assertEqual(len(failures), 1)

    def test_unmounted(self) -> None:
        """The volume goes at once, and the compaction with it."""
        thread, failures = self.begin()
        stub = self.server.stub()
        stub.VolumeUnmount(pb.VolumeUnmountRequest(volume_id=VOLUME), timeout=5)
        thread.join()
        self.assertEqual(failures[0].details(), f"volume {VOLUME} was closed while it was compacted")
        stub.VolumeMount(pb.VolumeMountRequest(volume_id=VOLUME))
        self.check()
        self.assertEqual(self.length(".cpd"), 0)
