"""A server as a process: bodies in its memory, and what becomes of requests when it is told to stop."""

from __future__ import annotations

import hashlib
import http.client
import pathlib
import random
import re
import signal
import socket
import subprocess
import threading
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.robustness.running import ROOT, VolumeProcess

MIB = 1 << 20
BODY = random.Random(5).randbytes(MIB) * 48
#: What an upload and a download may take beyond what an idle server has: their buffers.
BUFFERS = 12 * MIB
PATH = "/1,0100c0ffee"


class LifeTests(SynchronousTestCase):
    """One server with one volume."""

    def setUp(self) -> None:
        directory = pathlib.Path(self.mktemp())
        directory.mkdir()
        self.server = VolumeProcess(directory)
        self.server.start()
        self.addCleanup(self.server.kill)
        self.server.allocate(1)

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def peak(self) -> int:
        """The most memory the process ever had, in bytes."""
        assert self.server.popen is not None
        status = pathlib.Path(f"/proc/{self.server.popen.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def test_memory(self) -> None:
        """Large bodies pass through, whether raw, in a form, packed by the server or unpacked again."""
        before = self.peak()
        form = (b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
                + b"text " * (len(BODY) // 5) + b"\r\n--b--\r\n")
        self.assertEqual(self.ask("PUT", PATH, BODY)[0], 201)
        self.assertEqual(hashlib.sha256(self.ask("GET", PATH)[1]).digest(), hashlib.sha256(BODY).digest())
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        connection.request("POST", "/1,0200c0ffee", form, {"Content-Type": "multipart/form-data; boundary=b"})
        self.assertEqual(connection.getresponse().status, 201)
        connection.close()
        self.assertEqual(len(self.ask("GET", "/1,0200c0ffee")[1]), len(BODY) // 5 * 5)
        self.assertLess(self.peak() - before, BUFFERS)

    def test_stop(self) -> None:
        """Told to stop, the server takes no new clients, lets those it has finish, and keeps what they sent."""
        process = self.server.popen
        assert process is not None
        answers: dict[int, bytes] = {}
        uploads = [threading.Thread(target=self.slow_upload, args=(key, answers), daemon=True) for key in range(2, 5)]
        idle = socket.create_connection(("127.0.0.1", self.server.port))
        self.addCleanup(idle.close)
        for upload in uploads:
            upload.start()
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        self.assertRaises(OSError, socket.create_connection, ("127.0.0.1", self.server.port), 1)
        for upload in uploads:
            upload.join(20)
        self.assertEqual(answers, dict.fromkeys(range(2, 5), b"HTTP/1.1 201 Created"))
        self.assertEqual(process.wait(10), 0)
        self.server.start()
        for key in range(2, 5):
            self.assertEqual(self.ask("GET", f"/1,0{key}00c0ffee"), (200, BODY[:MIB]))

    def slow_upload(self, key: int, answers: dict[int, bytes]) -> None:
        """Send a body over more than a second, and remember the first line of the answer."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            connection.sendall(b"PUT /1,0%d00c0ffee HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (key, MIB))
            for at in range(0, MIB, MIB // 8):
                connection.sendall(BODY[at:at + MIB // 8])
                time.sleep(0.15)
            answers[key] = connection.recv(4096).partition(b"\r\n")[0]

    def test_second_server(self) -> None:
        """A taken port and a taken directory end a second server at once, with a line and code 1."""
        server, data = self.server, self.server.directory / "data"
        other = server.directory / "other"
        other.mkdir()
        for directory, word in ((data, "in use by process"), (other, "Address already in use")):
            done = subprocess.run(
                [*server.command(), f"-dir={directory.absolute()}"], cwd=ROOT, capture_output=True, text=True,
                timeout=20)
            self.assertEqual(done.returncode, 1)
            self.assertIn(word, done.stderr)
            self.assertNotIn("Traceback", done.stderr)
