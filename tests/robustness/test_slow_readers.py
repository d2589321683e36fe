"""Clients that ask for large needles and stop reading: what they cost the server, and what they cost the others.

``SLOW_READERS`` in the environment sets how many there are (200 unless set, so that the suite stays short).
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import random
import socket
import statistics
import time
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from tests.robustness.running import VolumeProcess
from tests.robustness.wire import Wire, latencies, path_of

MIB = 1 << 20
READERS = int(os.environ.get("SLOW_READERS", "200"))   # not fewer than 50: the server has other open files too
#: What a stopped reader may take of the server's memory; what all of them together may take beside that.
FOR_EACH = 64 << 10
FOR_ALL = 32 * MIB
RECEIVE_BUFFER = 4096
SMALL, MEDIUM, LARGE = path_of(1, 1), path_of(1, 2), path_of(1, 3)
BODIES = {SMALL: random.Random(1).randbytes(1024), MEDIUM: random.Random(2).randbytes(MIB),
          LARGE: random.Random(3).randbytes(8 * MIB)}
PAIRS = 9


class SlowReadersTests(SynchronousTestCase):
    """Half of them in the midst of a needle of 1 MiB, half of one of 8 MiB."""

    def start(self) -> VolumeProcess:
        """A server that has all needles at hand."""
        directory = pathlib.Path(self.mktemp())
        directory.mkdir()
        # Silent connections must last as long as the test does.
        server = VolumeProcess(directory, flags=("-idleTimeout=300",))
        server.start()
        self.addCleanup(server.kill)
        server.allocate(1)
        wire = Wire(server.port)
        for path, body in BODIES.items():
            self.assertEqual(wire.ask("PUT", path, body, Content_Type=self.kind).status, 201)
            for _ in range(3):
                self.assertEqual(wire.ask("GET", path).body, body)
        wire.close()
        return server

    def stopped_reader(self, path: str) -> socket.socket:
        """A connection that has asked and reads nothing; it takes in a few kB, as its buffer is small."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        connection.connect(("127.0.0.1", self.server.port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        self.addCleanup(connection.close)
        return connection

    def check(self, kind: str) -> None:
        """Memory is bounded, others get at least half of their rate, and who reads on gets every byte.

        A second server has no such clients: the two are measured in turn, as what else the machine does changes all
        the time.
        """
        self.kind = kind
        idle, self.server = self.start(), self.start()
        memory = self.server.resident()
        readers = [self.stopped_reader((MEDIUM, LARGE)[number % 2]) for number in range(READERS)]
        self.assertTrue(self.wait_for(lambda: self.server.open_files() >= READERS), "not all are let in")
        ratios = []
        for _ in range(PAIRS):
            first, second = (len(latencies(server.port, SMALL, 0.2)) for server in (idle, self.server))
            ratios.append(second / first)
        grown = self.server.resident() - memory
        self.assertLess(grown, FOR_ALL + READERS * FOR_EACH, f"{grown / MIB:.1f} MiB for {READERS} stopped readers")
        self.assertGreater(statistics.median(ratios), 0.5, f"{ratios}")
        if "SLOW_READERS" in os.environ:
            print(f"{grown / MIB:.1f} MiB, {statistics.median(ratios):.2f} of the rate")
        for reader, path in zip(readers[:4], (MEDIUM, LARGE, MEDIUM, LARGE)):
            self.assertEqual(self.read_on(reader, len(BODIES[path])), hashlib.sha256(BODIES[path]).digest())
        for reader in readers:
            reader.close()
        self.assertTrue(self.wait_for(lambda: self.server.open_files() < READERS), "connections stay open")
        self.assertTrue(latencies(self.server.port, MEDIUM, 0.1))

    def test_of_stored_type(self) -> None:
        """Needles that were stored with a media type."""
        self.check("image/x-noise")

    def test_of_guessed_type(self) -> None:
        """Needles whose type is told from their first bytes."""
        self.check("")

    def read_on(self, reader: socket.socket, length: int) -> bytes:
        """The digest of the body, read to its end."""
        reader.settimeout(20)
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIB)
        data = b""
        while b"\r\n\r\n" not in data:
            data += reader.recv(65536)
        body = bytearray(data.partition(b"\r\n\r\n")[2])
        while len(body) < length and (data := reader.recv(MIB)):
            body += data
        self.assertEqual(len(body), length)
        return hashlib.sha256(body).digest()

    def wait_for(self, is_true: Callable[[], bool], seconds: float = 20) -> bool:
        """Whether something becomes true in time."""
        deadline = time.monotonic() + seconds
        while not is_true():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True
