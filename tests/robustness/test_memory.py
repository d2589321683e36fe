"""Mixed load for a while: memory does not grow with the bytes served, and every answer is right.

``SOAK_SECONDS`` in the environment sets how long (8 unless set; 600 is the figure for a release). What is written goes
to a bounded number of keys and, for large bodies, at a bounded rate, so that only time grows.
"""

from __future__ import annotations

import os
import pathlib
import random
import statistics
import threading
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.robustness.running import VolumeProcess
from tests.robustness.wire import Wire, path_of, request

MIB = 1 << 20
SECONDS = float(os.environ.get("SOAK_SECONDS", "8"))
#: The share of the time that the server has to fill its buffers, pools and caches; a minute at most.
WARM_UP = min(SECONDS * 0.4, 60.0)
CLIENTS = 6
VOLUMES = (1, 2)
KEYS_OF_EACH = 200
LARGE = MIB
LARGE_EVERY = 0.5
BURST = 32
#: By how much the later half may be above the earlier one: a share, and some pages beside it.
SHARE = 0.05
# A short run ends while what the lane remembers of requests still grows to its bounds.
SOME_PAGES = 3 * MIB if SECONDS >= 60 else 16 * MIB


class Client(threading.Thread):
    """One connection that does everything, on keys of its own, and knows what must come back."""

    def __init__(self, port: int, number: int, is_over: threading.Event) -> None:
        super().__init__(daemon=True)
        self._chance = random.Random(number)
        self._pool = self._chance.randbytes(2 * LARGE)
        self._wire = Wire(port)
        self._is_over = is_over
        self._volume = VOLUMES[number % len(VOLUMES)]
        self._first = (number + 1) << 20
        self._stored: dict[int, bytes] = {}
        self._next_large = 0.0
        self.asked = 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        """One request after the other until told to stop."""
        steps = (self._put, self._put, self._get, self._get, self._get, self._get, self._range, self._head,
                 self._remove, self._missing, self._unchanged, self._burst)
        try:
            while not self._is_over.is_set():
                self._chance.choice(steps)()
                self.asked += 1
        except BaseException as error:
            self.failure = error
        finally:
            self._wire.close()

    def _put(self) -> None:
        length = self._chance.choice((1, 100, 1024, 1024, 4000, 70_000))
        if self._chance.random() < 0.1 and time.monotonic() > self._next_large:
            self._next_large = time.monotonic() + LARGE_EVERY * CLIENTS
            length = LARGE
        start = self._chance.randrange(LARGE)
        key = self._first + self._chance.randrange(KEYS_OF_EACH)
        body = self._pool[start:start + length]
        if self._chance.random() < 0.5:
            form = (b'--edge\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n'
                    b"Content-Type: application/octet-stream\r\n\r\n" + body + b"\r\n--edge--\r\n")
            answer = self._wire.ask("POST", self._path(key), form, Content_Type="multipart/form-data; boundary=edge")
        else:
            answer = self._wire.ask("PUT", self._path(key), body, Content_Type="application/octet-stream")
        # 204: the very same is there already.
        assert answer.status in (201, 204), answer
        self._stored[key] = body

    def _get(self) -> None:
        key, body = self._any()
        answer = self._wire.ask("GET", self._path(key))
        assert answer.status == 200 and answer.body == body, (key, answer.status, len(answer.body), len(body))

    def _range(self) -> None:
        key, body = self._any()
        if len(body) < 10:
            return
        start = self._chance.randrange(len(body) - 5)
        answer = self._wire.ask("GET", self._path(key), Range=f"bytes={start}-{start + 4}")
        assert answer.status == 206 and answer.body == body[start:start + 5], (key, answer)

    def _head(self) -> None:
        key, _ = self._any()
        assert self._wire.ask("HEAD", self._path(key)).status == 200, key

    def _remove(self) -> None:
        key, _ = self._any()
        assert self._wire.ask("DELETE", self._path(key)).status == 202, key
        del self._stored[key]

    def _missing(self) -> None:
        assert self._wire.ask("GET", self._path(self._first + KEYS_OF_EACH)).status == 404

    def _unchanged(self) -> None:
        key, _ = self._any()
        since = "Fri, 31 Dec 9999 23:59:59 GMT"
        assert self._wire.ask("GET", self._path(key), If_Modified_Since=since).status == 304, key

    def _burst(self) -> None:
        """Many requests in one piece, answered in their order."""
        wanted = [pair for pair in self._stored.items() if len(pair[1]) < 5000][:BURST]
        self._wire.socket.sendall(b"".join(request("GET", self._path(key)) for key, _ in wanted))
        for key, body in wanted:
            assert self._wire.answer().body == body, key

    def _any(self) -> tuple[int, bytes]:
        while not self._stored:
            self._put()
        return self._chance.choice(list(self._stored.items()))

    def _path(self, key: int) -> str:
        return path_of(self._volume, key)


class MemoryTests(SynchronousTestCase):
    """One server under load from several clients."""

    def test_flat(self) -> None:
        """After the warm-up, the later half of the time needs no more memory than the earlier one."""
        directory = pathlib.Path(self.mktemp())
        directory.mkdir()
        server = VolumeProcess(directory)
        server.start()
        self.addCleanup(server.kill)
        for volume in VOLUMES:
            server.allocate(volume)
        is_over = threading.Event()
        clients = [Client(server.port, number, is_over) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        start = time.monotonic()
        seen: list[int] = []
        while time.monotonic() - start < SECONDS and all(client.is_alive() for client in clients):
            time.sleep(0.1)
            if time.monotonic() - start > WARM_UP:
                seen.append(server.resident())
        is_over.set()
        for client in clients:
            client.join(30)
        self.assertEqual([client.failure for client in clients], [None] * CLIENTS)
        half = len(seen) // 2
        earlier, later = statistics.median(seen[:half]), statistics.median(seen[half:])
        asked = sum(client.asked for client in clients)
        told = f"{earlier / MIB:.1f} MiB, then {later / MIB:.1f} MiB, at most {max(seen) / MIB:.1f}; {asked} requests"
        if "SOAK_SECONDS" in os.environ:
            print(told)
        self.assertLess(later, earlier * (1 + SHARE) + SOME_PAGES, told)
        self.assertGreater(asked, 50 * SECONDS)
