"""The life of a whole server: in which order its parts start, what a signal does, in which order they stop.

Start: directories are locked, volumes loaded, then ports opened, then the masters told. Stop: the masters told, data
brought to the disks, a while waited for clients to notice, ports closed, volumes closed.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
from twisted.application.service import MultiService, Service
from twisted.internet import defer, task
from twisted.internet.threads import deferToThread
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from seaweedvol.config.errors import ConfigError, in_one_line
from seaweedvol.config.security import reload_security
from seaweedvol.disks import Disks
from seaweedvol.server.server import VolumeServer
from seaweedvol.storage.memory import give_back

#: Seconds between the hand-overs of busy Python threads: gRPC's threads must not keep the reactor waiting.
SWITCH_INTERVAL: Final = 0.0005


#: Objects made and kept between two looks of the collector of cycles, by generation.
GC_THRESHOLDS: Final = (10_000, 20, 50)


@attrs.frozen
class Parts:
    """What is started and stopped.

    :ivar disks: loads and closes volumes.
    :ivar http: both HTTP ports.
    :ivar rpc: the gRPC port.
    :ivar heartbeat: tells the masters.
    :ivar master: the embedded one.
    """

    disks: Disks
    http: Service
    rpc: Service
    heartbeat: Service
    master: Service | None = None

    def __iter__(self) -> Any:
        return (part for part in (self.disks, self.http, self.rpc, self.heartbeat, self.master) if part is not None)


class ServerService(MultiService):
    """All parts of a server as one service, under the name that twistd shows."""

    name = "seaweed-volume"
    _log = Logger()

    def __init__(self, server: VolumeServer, parts: Parts, reactor: Any) -> None:
        super().__init__()
        self._server, self._parts, self._reactor = server, parts, reactor
        self._starting: defer.Deferred[None] = defer.succeed(None)
        self._old_signals: dict[int, Any] = {}
        for part in parts:
            part.setServiceParent(self)

    # --- start ---

    def privilegedStartService(self) -> None:
        """Nothing: ports open when the volumes are loaded."""

    def startService(self) -> None:
        """Take the directories, then start the rest in the background; what cannot start ends the process with 1."""
        Service.startService(self)
        sys.setswitchinterval(SWITCH_INTERVAL)
        allow_open_files()
        join_logs(logging.DEBUG if self._server.settings.log_level > 0 else logging.INFO)
        self._listen_to_signals()
        try:
            self._server.store.open()
        except Exception as error:
            # A directory that another server has: the operator needs the reason, not twistd's stack.
            self.give_up(1, in_one_line(error))
            return
        self._starting = defer.Deferred.fromCoroutine(self._start())

    async def _start(self) -> None:
        parts = self._parts
        try:
            if parts.master is not None:
                parts.master.startService()
            parts.disks.startService()
            await parts.disks.when_loaded()
            parts.rpc.startService()
            parts.http.startService()
            parts.heartbeat.startService()
        except Exception as error:
            self.give_up(1, in_one_line(error))
            return
        settle_memory()
        http = self._server.settings.http
        self._log.info("serving on {host}:{port} for {server_id}", host=http.bind_ip or "*", port=http.port,
                       server_id=self._server.settings.server_id)

    def give_up(self, status: int, reason: str) -> None:
        """End the process with ``status``, in order. From any thread, in any state."""
        self._log.critical("{reason}", reason=reason)
        self._reactor.callFromThread(self._end, status)

    def _end(self, status: int) -> None:
        # Not before whoever runs us has cleaned up: twistd removes its pid file when the reactor is done.
        atexit.register(_exit, status)
        if self._reactor.running:
            self._reactor.stop()

    # --- signals ---

    def _listen_to_signals(self) -> None:
        wanted: dict[int, Callable[[], object]] = {signal.SIGHUP: self._reload, signal.SIGALRM: self._reactor.stop}
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # A shell starts background programs with SIGINT ignored, and Twisted keeps to that; Go does not.
            wanted[signal.SIGINT] = self._reactor.stop
        self._handle(wanted)

    def _handle(self, wanted: Mapping[int, Callable[[], object]]) -> None:
        """Let signals act on the reactor's thread, and remember what they did before us."""
        for number, act in wanted.items():
            try:
                old = signal.signal(number, lambda *_, act=act: self._reactor.callFromThread(act))
            except ValueError:
                return  # not the main thread: nobody sends signals to us
            self._old_signals.setdefault(number, old)

    def _reload(self) -> None:
        """SIGHUP: new keys and white list, and volumes that were put into the directories."""
        server = self._server
        try:
            loaded = reload_security(server.settings)
        except ConfigError as error:
            self._log.error("security settings stay as they are: {error}", error=error)
        else:
            keys = loaded.settings
            server.guard.update(loaded.white_list, keys.write_key, keys.write_expires, keys.read_key, keys.read_expires)
            self._log.info("security settings read anew")
        defer.Deferred.fromCoroutine(self._load_new_volumes())

    async def _load_new_volumes(self) -> None:
        await self._starting
        if not self.running:
            return
        try:
            await deferToThread(self._server.store.load_new_volumes)
        except Exception:
            self._log.failure("cannot load new volumes")

    def _say_stopping(self) -> None:
        """Any signal while the server stops: its default would end the process before volumes are closed."""
        self._log.info("stopping already")

    # --- stop ---

    def stopService(self) -> defer.Deferred[None]:
        """Leave, wait for clients to notice, close."""
        Service.stopService(self)
        return defer.Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._handle(dict.fromkeys(
            (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGHUP), self._say_stopping))
        await self._starting
        server, parts = self._server, self._parts
        # Whoever left before has waited before; whom no master knew, no client turns away from.
        is_wait_due = server.life.leave() and not server.life.is_stopping and server.life.first_beat_sent
        server.life.is_stopping = True
        if parts.heartbeat.running:
            await self._stop_part(parts.heartbeat)
        await deferToThread(server.store.stop)
        seconds = server.settings.pre_stop_seconds
        if is_wait_due and seconds > 0:
            self._log.info("left the masters; serving {seconds} more seconds for clients to notice", seconds=seconds)
            await task.deferLater(self._reactor, seconds)
        for part in (parts.http, parts.rpc, parts.disks, parts.master):
            if part is not None and part.running:
                await self._stop_part(part)
        await deferToThread(server.store.close)
        for number, old in self._old_signals.items():
            signal.signal(number, old)

    async def _stop_part(self, part: Service) -> None:
        try:
            await defer.maybeDeferred(part.stopService)
        except Exception:
            self._log.failure("cannot stop {part}", part=part.name or type(part).__name__)


class ToTwisted(logging.Handler):
    """Hands what the layers below Twisted log (by the standard library) to Twisted's log."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line, under the name and the level it came with."""
        level = {"WARNING": "warn"}.get(record.levelname, record.levelname.lower())
        error = record.exc_info[1] if record.exc_info else None
        more = {} if error is None else {"log_failure": Failure(error)}
        Logger(namespace=record.name).emit(LogLevel.levelWithName(level), "{text}", text=record.getMessage(), **more)


def join_logs(level: int) -> None:
    """Let the standard library's log of this package end in Twisted's, from ``level`` up."""
    log = logging.getLogger("seaweedvol")
    if not any(isinstance(handler, ToTwisted) for handler in log.handlers):
        log.addHandler(ToTwisted())
    log.setLevel(level)
    log.propagate = False


def settle_memory() -> None:
    """What the start has made stays: the collector of cycles need not look at it again and again. It looks seldom at
    the rest too, as requests leave nothing for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    give_back()


def allow_open_files() -> None:
    """Have as many files and connections open as the system lets us; each volume takes two. Go's runtime does this too:
    most systems begin with 1024, for programs that use select().
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (ValueError, OSError) as error:
        Logger(namespace=__name__).warn("the limit on open files stays as it is: {error}", error=error)


def _exit(status: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
