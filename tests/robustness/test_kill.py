"""SIGKILL while uploads run: nothing acknowledged is lost, and the volume takes writes after the restart.

The server runs as a process of its own without any master: volumes are allocated by RPC. ``KILLS`` in the environment
sets how often it is killed (2 unless set, so that the suite stays short).
"""

from __future__ import annotations

import hashlib
import http.client
import os
import pathlib
import random
import threading
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.robustness.running import VolumeProcess

KILLS = int(os.environ.get("KILLS", "2"))
WRITERS = 3
VOLUME = 1


def content(key: int, round_number: int) -> bytes:
    """What is stored under a key: of any size from nothing to 60 kB, told from the key alone."""
    size = int.from_bytes(hashlib.sha256(b"%d" % key).digest()[:2], "big") % (60_000 if key % 7 == 0 else 3_000)
    return hashlib.shake_256(b"%d-%d" % (key, round_number)).digest(size)


class Writer(threading.Thread):
    """Uploads, overwrites and deletes until the server is gone; remembers what was acknowledged."""

    def __init__(self, port: int, first_key: int, round_number: int) -> None:
        super().__init__(daemon=True)
        self.port, self.first_key, self.round_number = port, first_key, round_number
        self.acknowledged: dict[int, bytes | None] = {}
        self.open: set[int] = set()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        key = self.first_key
        try:
            while True:
                key += 1
                self._do(connection, "PUT", key, content(key, self.round_number))
                if key % 5 == 0:
                    self._do(connection, "PUT", key - 1, content(key - 1, self.round_number) + b"again")
                if key % 11 == 0:
                    self._do(connection, "DELETE", key - 3, None)
        except (OSError, http.client.HTTPException):
            return

    def _do(self, connection: http.client.HTTPConnection, method: str, key: int, body: bytes | None) -> None:
        self.open.add(key)
        connection.request(method, path(key), body, {"Content-Type": "application/octet-stream"})
        answer = connection.getresponse()
        answer.read()
        if answer.status in (201, 202, 204):
            self.acknowledged[key] = body
            self.open.discard(key)


def path(key: int) -> str:
    """The request path of a key."""
    return f"/{VOLUME},{key:x}00c0ffee"


class KillTests(SynchronousTestCase):
    """Kill -9 under load."""

    def test_nothing_acknowledged_is_lost(self) -> None:
        """After each kill every acknowledged needle reads back, deleted ones stay deleted, and a new write succeeds."""
        directory = pathlib.Path(self.mktemp())
        directory.mkdir()
        expected: dict[int, bytes | None] = {}
        chance = random.Random(7)
        server = VolumeProcess(directory)
        server.start()
        self.addCleanup(server.kill)
        server.allocate(VOLUME)
        for round_number in range(KILLS):
            writers = [
                Writer(server.port, (round_number * WRITERS + n + 1) << 20, round_number) for n in range(WRITERS)
            ]
            for writer in writers:
                writer.start()
            time.sleep(chance.uniform(0.5, 1.5))
            server.kill()
            for writer in writers:
                writer.join()
                self.assertTrue(writer.acknowledged)
                expected.update({key: body for key, body in writer.acknowledged.items() if key not in writer.open})
            server.start()
            self.check(server.port, expected)
        self.assertFalse(server.is_read_only(VOLUME))

    def check(self, port: int, expected: dict[int, bytes | None]) -> None:
        """Read everything that was promised, then write one more."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for key, body in expected.items():
            connection.request("GET", path(key), headers={"Accept-Encoding": "identity"})
            answer = connection.getresponse()
            found = answer.read()
            self.assertEqual(answer.status, 404 if body is None else 200, path(key))
            if body is not None:
                self.assertEqual(hashlib.sha256(found).digest(), hashlib.sha256(body).digest(), path(key))
        connection.request("PUT", path(len(expected) + 1), b"still writable")
        self.assertEqual(connection.getresponse().status, 201)
        connection.close()
