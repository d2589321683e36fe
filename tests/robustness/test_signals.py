"""A server as a process: what it tells systemd, what signals do to it, and what its log is."""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.robustness.running import ROOT, VolumeProcess

SECONDS = 20.0


class SignalTests(SynchronousTestCase):
    """One server that finds a socket in systemd's place, settings in files, and logs in JSON."""

    def setUp(self) -> None:
        self.directory = pathlib.Path(self.mktemp())
        self.directory.mkdir()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"\0seaweedvol-signals-{os.getpid()}-{self.id()}"[:100]
        self.listener.bind(name)
        self.listener.settimeout(SECONDS)
        self.addCleanup(self.listener.close)
        environ = {"NOTIFY_SOCKET": "@" + name[1:], "WATCHDOG_USEC": "1000000"}
        self.config = self.directory / "volume.toml"
        self.configure(upload=7, key="")
        self.logs = self.directory / "logs"
        self.logs.mkdir()
        self.server = VolumeProcess(self.directory, flags=(
            f"-config={self.config.absolute()}", f"-config_dir={self.directory.absolute()}", "-log_json",
            f"-logdir={self.logs.absolute()}", "-pprof"), environ=environ)
        self.server.start()
        self.addCleanup(self.server.kill)

    def configure(self, *, upload: int, key: str) -> None:
        """Write the files that settings come from."""
        self.config.write_text(f"[http]\nconcurrentUploadLimitMB = {upload}\n")
        (self.directory / "security.toml").write_text(f'[jwt.signing]\nkey = "{key}"\n')

    def heard(self) -> list[str]:
        """The lines of the next datagram to systemd that is no mere sign of life."""
        while True:
            lines = self.listener.recv(4096).decode().split("\n")
            if lines != ["WATCHDOG=1"]:
                return lines

    def logged(self) -> list[dict[str, Any]]:
        """All lines of the log, each an object."""
        return [json.loads(line) for line in (self.directory / "server.log").read_text().splitlines()]

    def wait_for(self, what: Callable[[], object]) -> None:
        """Wait until it is so."""
        deadline = time.monotonic() + SECONDS
        while not what():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def send(self, number: int) -> None:
        """A signal."""
        assert self.server.popen is not None
        self.server.popen.send_signal(number)

    def ask(self, method: str, path: str, body: bytes | None = None) -> int:
        """The status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=SECONDS)
        connection.request(method, path, body)
        status = connection.getresponse().status
        connection.close()
        return status

    def test_life(self) -> None:
        """Loading, ready, signs of life, a reload that is taken, a look inside, and the end: all in order."""
        self.assertEqual(self.heard(), ["STATUS=loading volumes"])
        self.assertEqual(self.heard()[0], "READY=1")
        self.assertEqual(self.listener.recv(4096), b"WATCHDOG=1")
        self.server.allocate(1)
        self.assertEqual(self.ask("PUT", "/1,0100c0ffee", b"x"), 201)
        self.configure(upload=9, key="k" * 40)
        self.send(signal.SIGHUP)
        self.assertEqual(self.heard()[0], "RELOADING=1")
        self.assertEqual(self.heard()[0], "READY=1")
        self.assertEqual(self.ask("PUT", "/1,0100c0ffee", b"y"), 401)
        lines = [line["msg"] for line in self.logged() if line["msg"].startswith("settings read anew")]
        self.assertEqual(lines, ["settings read anew; changed: http.upload_limit, security.write_key"])
        self.send(signal.SIGUSR1)
        self.wait_for(lambda: any("state of the server" in line["msg"] for line in self.logged()))
        dump, = (line["msg"] for line in self.logged() if "state of the server" in line["msg"])
        for part in ('"id": 1', '"read only": ""', "thread MainThread", '"is stopping": false'):
            self.assertIn(part, dump)
        self.assertNotIn("k" * 40, dump)
        self.assertEqual(self.ask("GET", "/debug/pprof/cmdline"), 200)
        self.send(signal.SIGTERM)
        self.assertEqual(self.heard()[0], "STOPPING=1")
        assert self.server.popen is not None
        self.assertEqual(self.server.popen.wait(SECONDS), 0)

    def test_log(self) -> None:
        """Every line is an object with Go's names, on standard error and in the file alike."""
        self.send(signal.SIGTERM)
        assert self.server.popen is not None
        self.server.popen.wait(SECONDS)
        lines = self.logged()
        for line in lines:
            self.assertLessEqual({"ts", "level", "file", "line", "msg"}, set(line))
        self.assertIn("serving on 127.0.0.1", " ".join(line["msg"] for line in lines))
        text = (self.logs / "seaweed-volume.INFO").read_text()
        self.assertEqual(text, (self.directory / "server.log").read_text())

    def test_broken_settings(self) -> None:
        """A reload that cannot be keeps what there is, and tells why."""
        self.server.allocate(1)
        (self.directory / "security.toml").write_text("nonsense")
        self.send(signal.SIGHUP)
        self.wait_for(lambda: any(line["msg"].startswith("settings stay as they are") for line in self.logged()))
        self.assertEqual(self.ask("PUT", "/1,0100c0ffee", b"x"), 201)

    def test_check(self) -> None:
        """Beside a running server its settings can be checked: the ports and the directory are its."""
        done = subprocess.run(
            [*self.server.command(), f"-dir={(self.directory / 'data').absolute()}", "--check-config"], cwd=ROOT,
            capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        assert self.server.popen is not None
        self.assertIn(f"in use by process {self.server.popen.pid}", done.stdout)
        self.assertIn("now it cannot be had: Address already in use", done.stdout)
        self.assertEqual(self.server.command()[0], sys.executable)
