"""Tests of :mod:`seaweedvol.life.notifying`."""

from __future__ import annotations

import os
import socket

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.life.notifying import Notifier


class NotifierTests(SynchronousTestCase):
    """What a socket in systemd's place hears."""

    def setUp(self) -> None:
        # Relative, as the path of such a socket must be short.
        self.path = self.mktemp()
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self.path = os.path.relpath(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.addCleanup(self.socket.close)
        self.clock = Clock()

    def listen(self, name: str) -> dict[str, str]:
        """Listen, and give the variable that says so."""
        self.socket.bind(name)
        return {"NOTIFY_SOCKET": name.replace("\0", "@")}

    def heard(self) -> list[list[str]]:
        """The datagrams since the last call, in lines."""
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return found

    def test_life(self) -> None:
        """Loading, ready, reading anew, stopping: each is told, the last with the time that it takes."""
        notifier = Notifier(self.listen("\0" + f"seaweedvol-test-{os.getpid()}"), self.clock)
        notifier.loading()
        notifier.ready()
        notifier.reloading()
        notifier.stopping(100)
        loading, ready, reloading, stopping = self.heard()
        self.assertEqual((loading, ready), (["STATUS=loading volumes"], ["READY=1", "STATUS=serving"]))
        self.assertEqual((reloading[0], reloading[1][:15]), ("RELOADING=1", "MONOTONIC_USEC="))
        self.assertEqual(stopping[:2], ["STOPPING=1", "EXTEND_TIMEOUT_USEC=100000000"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_watchdog(self) -> None:
        """Signs of life come twice in the time that systemd waits for one, from the moment on that requests are served
        and until the end."""
        environ = {**self.listen(self.path), "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}
        notifier = Notifier(environ, self.clock, pid=7)
        self.clock.advance(100)
        self.assertEqual(self.heard(), [])
        notifier.ready()
        self.heard()
        for _ in range(4):
            self.clock.advance(15)
        self.assertEqual(self.heard(), [["WATCHDOG=1"]] * 4)
        notifier.end()
        self.clock.advance(100)
        self.assertEqual(self.heard(), [])

    def test_watchdog_of_another(self) -> None:
        """A watchdog over another process is none of ours."""
        environ = {**self.listen(self.path), "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}
        self.assertEqual(Notifier(environ, self.clock, pid=7).watchdog_seconds, 0)

    def test_nobody(self) -> None:
        """Without systemd, or with one that is gone, nothing happens."""
        for environ in ({}, {"NOTIFY_SOCKET": "/nonexistent/socket"}):
            Notifier(environ, self.clock).ready()
