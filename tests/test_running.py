"""Tests of :mod:`seaweedvol.running`: in which order a server starts and stops, and what ends it early."""

from __future__ import annotations

import atexit
import logging
import resource
import signal
import sys
from types import SimpleNamespace
from typing import Any, cast

import attrs
from twisted.application.service import Service
from twisted.internet import defer, task
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol import running
from seaweedvol.config.errors import ConfigError
from seaweedvol.config.model import LogSettings
from seaweedvol.running import Parts, ServerService
from seaweedvol.server.server import Life
from seaweedvol.storage.errors import DirectoryInUse


class FakeReactor(task.Clock):
    """Time, and what a reactor is told at the end."""

    running = True

    def __init__(self) -> None:
        super().__init__()
        self.stopped = 0

    def callFromThread(self, act: Any, *args: Any) -> None:  # noqa: N802
        """At once."""
        act(*args)

    def stop(self) -> None:
        """Count."""
        self.stopped += 1


class Part(Service):
    """A part that tells when it starts and stops."""

    def __init__(self, name: str, told: list[str], error: Exception | None = None) -> None:
        self.name, self._told, self._error = name, told, error
        self.loaded: defer.Deferred[None] = defer.succeed(None)

    def startService(self) -> None:
        """Tell, or fail."""
        if self._error is not None:
            raise self._error
        self._told.append(f"+{self.name}")
        super().startService()

    def stopService(self) -> None:
        """Tell."""
        self._told.append(f"-{self.name}")
        super().stopService()

    def when_loaded(self) -> defer.Deferred[None]:
        """As of the disks."""
        return self.loaded


class Telling:
    """A notifier that tells what it is told when it matters."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def __getattr__(self, name: str) -> Any:
        return lambda *values: self._told.append(f"systemd: {name}") if name in ("ready", "reloading") else None


@attrs.define
class FakeStore:
    """A store that tells what is asked of it."""

    told: list[str]

    state = SimpleNamespace(is_maintenance=False)

    def __getattr__(self, name: str) -> Any:
        return lambda: self.told.append(name)


class RunningTests(SynchronousTestCase):
    """A server of fake parts; what they tell is in ``told``."""

    def setUp(self) -> None:
        self.told: list[str] = []
        self.reactor, self.life = FakeReactor(), Life(first_beat_sent=True)
        settings = SimpleNamespace(log_level=0, server_id="me", pre_stop_seconds=10, log=LogSettings(),
                                   http=SimpleNamespace(bind_ip="", port=1))
        self.server = SimpleNamespace(
            settings=settings, store=FakeStore(self.told), life=self.life)
        self.handlers: dict[int, Any] = {}
        self.patch(running, "deferToThread", defer.maybeDeferred)
        self.limits: list[tuple[int, int]] = []
        self.patch(resource, "getrlimit", lambda number: (1024, 4096))
        self.patch(resource, "setrlimit", lambda number, limits: self.limits.append(limits))
        self.patch(signal, "signal", lambda number, handler: self.handlers.update({number: handler}))
        self.patch(signal, "getsignal", lambda number: signal.SIG_IGN)
        self.at_exit: list[tuple[Any, ...]] = []
        self.patch(atexit, "register", lambda *call: self.at_exit.append(call))
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        log = logging.getLogger("seaweedvol")
        self.addCleanup(log.setLevel, log.level)

    def make(self, **errors: Exception) -> ServerService:
        """The server; parts named in ``errors`` do not start."""
        disks, http, rpc, heartbeat, master = (
            Part(name, self.told, errors.get(name)) for name in ("disks", "http", "rpc", "heartbeat", "master"))
        self.disks = disks
        parts = Parts(cast(Any, disks), http, rpc, heartbeat, master, lambda: self.told.append("goodbye"),
                      hang_up=lambda: self.told.append("hang up"))
        return ServerService(cast(Any, self.server), parts, self.reactor, cast(Any, Telling(self.told)))

    def start(self, **errors: Exception) -> ServerService:
        """The server, started."""
        service = self.make(**errors)
        service.privilegedStartService()
        service.startService()
        return service


class OrderTests(RunningTests):
    """Start and stop."""

    def test_start(self) -> None:
        """Masters are told when everything else is there."""
        self.start()
        self.assertEqual(self.told, ["open", "+master", "+disks", "+rpc", "+http", "+heartbeat", "systemd: ready"])

    def test_open_files(self) -> None:
        """As many as the system allows, before the first volume is opened; a system that does not is no obstacle."""
        self.start()
        self.assertEqual(self.limits, [(4096, 4096)])

        def refuse(number: int, limits: tuple[int, int]) -> None:
            raise ValueError("not allowed to raise maximum limit")

        self.patch(resource, "setrlimit", refuse)
        self.start()
        self.assertEqual(self.told.count("+disks"), 2)

    def test_ports_wait_for_volumes(self) -> None:
        """No port is open before the volumes are loaded."""
        service = self.make()
        self.disks.loaded = defer.Deferred()
        service.startService()
        self.assertEqual(self.told, ["open", "+master", "+disks"])
        self.disks.loaded.callback(None)
        self.assertIn("+http", self.told)

    def test_stop(self) -> None:
        """Masters are told first, and clients have their time to notice before ports close; in its last second they are
        told with each reply. The store is last.
        """
        service = self.start()
        del self.told[:]
        stopped = service.stopService()
        self.assertEqual((self.told, self.life.is_stopping), (["-heartbeat", "stop"], True))
        self.reactor.advance(9)
        self.assertEqual(self.told[2:], ["goodbye"])
        self.reactor.advance(0.9)
        self.assertNoResult(stopped)
        self.reactor.advance(0.1)
        self.successResultOf(stopped)
        self.assertEqual(self.told[3:], ["-http", "-rpc", "hang up", "-disks", "-master", "close"])

    def test_stop_after_leaving(self) -> None:
        """Who has left before does not wait once more."""
        service = self.start()
        self.life.leave()
        self.successResultOf(service.stopService())

    def test_stop_of_an_unknown_server(self) -> None:
        """Whom no master ever knew does not wait either."""
        self.life.first_beat_sent = False
        self.successResultOf(self.start().stopService())

    def test_unhealthy_at_once(self) -> None:
        """The server says that it stops before it tells a master, which may take a while."""
        service = self.start()
        goodbye: defer.Deferred[None] = defer.Deferred()
        self.patch(Part, "stopService", lambda part: goodbye)
        service.stopService()
        self.assertEqual((self.life.is_ready, self.life.is_stopping), (False, True))
        goodbye.callback(None)

    def test_stop_without_wait(self) -> None:
        """No seconds are none."""
        self.server.settings.pre_stop_seconds = 0
        self.successResultOf(self.start().stopService())
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stop_while_loading(self) -> None:
        """A stop waits for the start, and then undoes it."""
        service = self.make()
        self.disks.loaded = defer.Deferred()
        service.startService()
        stopped = service.stopService()
        self.assertNoResult(stopped)
        self.disks.loaded.callback(None)
        self.reactor.advance(9)
        self.reactor.advance(1)
        self.successResultOf(stopped)
        self.assertEqual(self.told[-1], "close")

    def test_failing_hang_up(self) -> None:
        """Calls that cannot be given up keep nothing open."""
        service = self.start()
        service._parts = attrs.evolve(service._parts, hang_up=cast(Any, lambda: 1 / 0))
        stopped = service.stopService()
        self.reactor.advance(10)
        self.reactor.advance(10)
        self.successResultOf(stopped)
        self.assertEqual(self.told[-3:], ["-disks", "-master", "close"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_failing_stop(self) -> None:
        """A part that cannot stop does not keep the others from it."""
        service = self.start()
        self.patch(Part, "stopService", lambda part: 1 / 0)
        stopped = service.stopService()
        self.reactor.advance(9)
        self.reactor.advance(1)
        self.successResultOf(stopped)
        self.assertEqual(self.told[-1], "close")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 5)


class RefusalTests(RunningTests):
    """What cannot start."""

    def setUp(self) -> None:
        super().setUp()
        self.life.first_beat_sent = False

    def test_port_taken(self) -> None:
        """A part that cannot start ends the process with code 1, without waiting for clients that never were."""
        service = self.start(http=OSError("port\ntaken"))
        self.assertEqual((self.reactor.stopped, self.at_exit), (1, [(running._exit, 1)]))
        self.assertNotIn("+heartbeat", self.told)
        self.successResultOf(service.stopService())
        self.assertEqual(self.told[-3:], ["-disks", "-master", "close"])

    def test_directory_taken(self) -> None:
        """A directory that another server has does so too, before anything else is started."""
        def taken() -> None:
            raise DirectoryInUse("in use")

        self.server.store = SimpleNamespace(open=taken, stop=lambda: None, close=lambda: None)
        service = self.start()
        self.assertEqual((self.reactor.stopped, self.told), (1, []))
        self.successResultOf(service.stopService())

    def test_before_the_reactor(self) -> None:
        """Giving up before the reactor runs only says how to end."""
        self.reactor.running = False
        self.make().give_up(3, "no reason")
        self.assertEqual((self.reactor.stopped, self.at_exit), (0, [(running._exit, 3)]))


class SignalTests(RunningTests):
    """What signals do."""

    def send(self, number: int) -> None:
        """As the system does."""
        self.handlers[number](number, None)

    def setUp(self) -> None:
        super().setUp()
        self.old = cast(Any, self.server.settings)
        self.applied: list[tuple[Any, Any]] = []
        self.patch(running, "reload_settings", lambda settings: "new")
        self.patch(running, "change_between", lambda old, new: SimpleNamespace(pair=(old, new), taken=(), waiting=()))
        self.patch(running, "apply", lambda server, change: self.applied.append(change.pair))

    def test_hang_up(self) -> None:
        """SIGHUP reads settings anew, lets parts know, looks for volumes, and tells systemd of its begin and end."""
        service = self.start()
        del self.told[:]
        service.on_reload.append(lambda settings: self.told.append(f"hook {settings.server_id}"))
        self.send(signal.SIGHUP)
        self.assertEqual(self.applied, [(self.old, "new")])
        self.assertEqual(self.told, ["systemd: reloading", "hook me", "load_new_volumes", "systemd: ready"])

    def test_hang_up_with_broken_settings(self) -> None:
        """Settings that cannot be read change nothing; what lies in files of its own is read all the same."""
        def broken(settings: object) -> None:
            raise ConfigError("no TOML")

        self.patch(running, "reload_settings", broken)
        service = self.start()
        service.on_reload.append(lambda settings: self.told.append("hook"))
        self.send(signal.SIGHUP)
        self.assertEqual((self.applied, self.told[-3:]), ([], ["hook", "load_new_volumes", "systemd: ready"]))

    def test_failing_part(self) -> None:
        """A part that cannot take the new settings keeps nobody else from them."""
        service = self.start()
        service.on_reload.extend([lambda settings: 1 / 0, lambda settings: self.told.append("hook")])
        self.send(signal.SIGHUP)
        self.assertEqual(self.told[-3:], ["hook", "load_new_volumes", "systemd: ready"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_one_after_the_other(self) -> None:
        """What a second SIGHUP brings is not read before all parts have what the first has brought."""
        service = self.start()
        slow: defer.Deferred[None] = defer.Deferred()
        service.on_reload.append(lambda settings: slow)
        del self.told[:]
        self.send(signal.SIGHUP)
        self.send(signal.SIGHUP)
        self.assertEqual((len(self.applied), self.told), (1, ["systemd: reloading"]))
        slow.callback(None)
        self.assertEqual((len(self.applied), self.told), (2, [
            "systemd: reloading", "load_new_volumes", "systemd: ready"] * 2))

    def test_look(self) -> None:
        """SIGUSR1 puts the state into the log, and what cannot be told costs only itself."""
        service = self.start()
        service.looks = {"one": lambda: 1, "other": lambda: 1 / 0}
        with capturedLogs() as events:
            self.send(signal.SIGUSR1)
        text = str(events[-1]["text"])
        for part in ('"one": 1', '"other": "cannot be told: ZeroDivisionError', "thread MainThread", "test_look"):
            self.assertIn(part, text)

    def test_interrupt_of_a_background_program(self) -> None:
        """SIGINT ends the server where the shell has told it to ignore that."""
        self.start()
        self.send(signal.SIGINT)
        self.assertEqual(self.reactor.stopped, 1)

    def test_while_loading(self) -> None:
        """SIGHUP while volumes are loaded waits for them."""
        service = self.make()
        self.disks.loaded = defer.Deferred()
        service.startService()
        self.send(signal.SIGHUP)
        self.assertNotIn("load_new_volumes", self.told)
        self.disks.loaded.callback(None)
        self.assertEqual(self.told[-2:], ["load_new_volumes", "systemd: ready"])

    def test_while_stopping(self) -> None:
        """No signal cuts the stop short: what SIGHUP and SIGALRM do by default would end the process at once."""
        service = self.start()
        stopped = service.stopService()
        for number in (signal.SIGHUP, signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
            self.send(number)
        self.assertEqual((self.reactor.stopped, self.applied), (0, []))
        self.assertNoResult(stopped)
        self.reactor.advance(9)
        self.reactor.advance(1)
        self.successResultOf(stopped)

    def test_signals_are_given_back(self) -> None:
        """At the end signals do what they did before."""
        service = self.start()
        service.stopService()
        self.reactor.advance(9)
        self.reactor.advance(1)
        self.assertEqual(set(self.handlers.values()), {None})
