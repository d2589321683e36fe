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
from twisted.logger import Logger

from seaweedvol.config.errors import ConfigError, in_one_line
from seaweedvol.config.load import reload_settings
from seaweedvol.config.model import Settings
from seaweedvol.disks import Disks
from seaweedvol.life.dumping import Look, dump_text, looks_at
from seaweedvol.life.notifying import Notifier
from seaweedvol.life.reloading import apply, change_between
from seaweedvol.logs.bridge import join_logs
from seaweedvol.logs.levels import Levels
from seaweedvol.server.server import VolumeServer
from seaweedvol.server.state import is_in_maintenance
from seaweedvol.storage.memory import give_back

#: Seconds between the hand-overs of busy Python threads: gRPC's threads must not keep the reactor waiting.
SWITCH_INTERVAL: Final = 0.0005

#: Of the seconds that clients get to notice, the last ones, in which they are told with each reply.
GOODBYE_SECONDS: Final = 1.0
#: What the end takes beside the seconds that clients get to notice: requests under way, volumes to be closed.
STOP_SECONDS: Final = 90

Reloaded = Callable[[Settings], object]

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
    :ivar hang_up: has calls to other servers fail that are under way. One that waits for an answer which never comes
        would keep its thread, and so the process, for ever.
    :ivar lookouts: what lets operators look in, from before the volumes are loaded until after they are closed.
    :ivar say_goodbye: has HTTP clients told, with each reply, to come back on another connection.
    """

    disks: Disks
    http: Service
    rpc: Service
    heartbeat: Service
    master: Service | None = None
    say_goodbye: Callable[[], None] | None = None
    lookouts: tuple[Service, ...] = ()
    hang_up: Callable[[], None] | None = None

    def __iter__(self) -> Any:
        parts = (*self.lookouts, self.disks, self.http, self.rpc, self.heartbeat, self.master)
        return (part for part in parts if part is not None)


class ServerService(MultiService):
    """All parts of a server as one service, under the name that twistd shows.

    :ivar on_reload: called on SIGHUP, in the reactor's thread, with the settings in force from then on. May give back a
        Deferred; what fails is logged, and keeps nobody else from being called.
    :ivar looks: what SIGUSR1 puts into the log, by name; called in a thread.
    """

    name = "seaweed-volume"
    _log = Logger()

    def __init__(self, server: VolumeServer, parts: Parts, reactor: Any, notifier: Notifier | None = None) -> None:
        super().__init__()
        self.on_reload: list[Reloaded] = []
        self.looks: dict[str, Look] = looks_at(server)
        self._notifier = notifier or Notifier({}, reactor)
        self._server, self._parts, self._reactor = server, parts, reactor
        self._starting: defer.Deferred[None] = defer.succeed(None)
        self._reloads = defer.DeferredLock()
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
        self._join_logs(self._server.settings)
        self._notifier.loading()
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
            for lookout in parts.lookouts:
                lookout.startService()
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
        self._notifier.ready()
        if is_in_maintenance(self._server.store):
            self._log.warn("in maintenance mode: volumes are not changed by masters and shells")
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
        wanted: dict[int, Callable[[], object]] = {
            signal.SIGHUP: self._reload, signal.SIGUSR1: self._dump, signal.SIGALRM: self._reactor.stop}
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
        """SIGHUP: settings that can change in a running server, and volumes that were put into the directories.

        One after the other: else what an earlier signal has read could be taken after what a later one has.
        """
        self._reloads.run(lambda: defer.Deferred.fromCoroutine(self._reload_all()))

    async def _reload_all(self) -> None:
        self._notifier.reloading()
        self._read_settings()
        for hook in self.on_reload:
            try:
                await defer.maybeDeferred(hook, self._server.settings)
            except Exception:
                self._log.failure("a part stays as it is: {hook}", hook=hook)
        await self._load_new_volumes()
        if self.running:
            self._notifier.ready()

    def _read_settings(self) -> None:
        server = self._server
        try:
            change = change_between(server.settings, reload_settings(server.settings))
        except ConfigError as error:
            self._log.error("settings stay as they are: {error}", error=error)
            return
        apply(server, change)
        self._join_logs(server.settings)
        self._log.info("settings read anew; changed: {taken}", taken=", ".join(change.taken) or "nothing")
        if change.waiting:
            self._log.warn("needs a restart to change: {waiting}", waiting=", ".join(change.waiting))

    async def _load_new_volumes(self) -> None:
        await self._starting
        if not self.running:
            return
        try:
            await deferToThread(self._server.store.load_new_volumes)
        except Exception:
            self._log.failure("cannot load new volumes")

    def _dump(self) -> None:
        """SIGUSR1: the state of the server, and what its threads do, into the log."""
        told = deferToThread(dump_text, self.looks)
        told.addCallback(lambda text: self._log.info("state of the server:\n{text}", text=text))
        told.addErrback(lambda failure: self._log.failure("cannot tell the state", failure))

    def _join_logs(self, settings: Settings) -> None:
        wants_debug = Levels(settings.log_level, settings.log.vmodule).wants_debug
        join_logs(logging.DEBUG if wants_debug else logging.INFO)

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
        self._notifier.stopping(self._server.settings.pre_stop_seconds + STOP_SECONDS)
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
            await task.deferLater(self._reactor, max(seconds - GOODBYE_SECONDS, 0))
            if parts.say_goodbye is not None:
                parts.say_goodbye()
            await task.deferLater(self._reactor, min(GOODBYE_SECONDS, seconds))
        for port in (parts.http, parts.rpc):
            if port.running:
                await self._stop_part(port)
        if parts.hang_up is not None:
            try:
                await deferToThread(parts.hang_up)
            except Exception:
                self._log.failure("cannot hang up")
        for part in (parts.disks, parts.master, *parts.lookouts):
            if part is not None and part.running:
                await self._stop_part(part)
        await deferToThread(server.store.close)
        self._notifier.end()
        for number, old in self._old_signals.items():
            signal.signal(number, old)

    async def _stop_part(self, part: Service) -> None:
        try:
            await defer.maybeDeferred(part.stopService)
        except Exception:
            self._log.failure("cannot stop {part}", part=part.name or type(part).__name__)


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
