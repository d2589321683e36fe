"""Telling systemd how the server is: ``sd_notify`` and the watchdog, by its datagrams.

Knows the two variables that systemd sets and one socket; must not know what the server does. The format is told in
``sd_notify(3)``: lines of ``NAME=value``, sent to the socket that ``NOTIFY_SOCKET`` names.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

#: A sign of life is due this often within the time that systemd waits for one.
SIGNS: Final = 2


class Notifier:
    """Sends to systemd; does nothing where none listens.

    :param environ: ``NOTIFY_SOCKET``, and ``WATCHDOG_USEC`` with ``WATCHDOG_PID``.
    :ivar watchdog_seconds: after which silence systemd ends the process; 0: never.
    """

    def __init__(self, environ: Mapping[str, str], clock: IReactorTime, pid: int | None = None) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        # "@" is how systemd writes the zero byte that an abstract name begins with.
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self.watchdog_seconds = _watchdog(environ, os.getpid() if pid is None else pid) if path else 0.0
        self._signs = LoopingCall(self.tell, "WATCHDOG=1")
        self._signs.clock = clock

    def tell(self, *lines: str) -> None:
        """Send lines such as ``STATUS=loading``. A listener that is gone or busy is no reason to fail or to wait."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto("\n".join(lines).encode("utf-8", "replace"), self._address)
        except OSError:
            pass

    def loading(self) -> None:
        """The process is there, its ports are not."""
        self.tell("STATUS=loading volumes")

    def ready(self) -> None:
        """Requests are served. From now on signs of life are sent, out of the thread that serves."""
        self.tell("READY=1", "STATUS=serving")
        if self.watchdog_seconds and not self._signs.running:
            self._signs.start(self.watchdog_seconds / SIGNS)

    def reloading(self) -> None:
        """Settings are being read anew."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=reading settings anew")

    def stopping(self, seconds: float) -> None:
        """The end has begun, and may take ``seconds``."""
        self.tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}", "STATUS=stopping")

    def end(self) -> None:
        """Send nothing more by itself."""
        if self._signs.running:
            self._signs.stop()


def _watchdog(environ: Mapping[str, str], pid: int) -> float:
    wanted, meant = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not wanted.isdigit() or meant not in ("", str(pid)):
        return 0.0
    return int(wanted) / 1e6
