"""Looks after the files of certificates, and takes new ones over while the server runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet import defer
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

if TYPE_CHECKING:
    from seaweedvol.config.model import Settings
    from seaweedvol.tls.credentials import Credentials

InThread = Callable[..., defer.Deferred[Any]]


class Rotation(Service):
    """Looks every ``refresh_seconds``, which is 5 unless the operator says otherwise."""

    name = "certificates"
    _log = Logger()

    def __init__(self, secured: Credentials, clock: Any, in_thread: InThread = deferToThread) -> None:
        self._secured, self._in_thread = secured, in_thread
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock

    def startService(self) -> None:
        """Begin to look; what is wrong from the start is told now that there is a log."""
        super().startService()
        self._secured.tell_ends()
        self._looking.start(self._secured.settings.refresh_seconds, now=False)

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()
        if self._looking.running:
            self._looking.stop()

    def reload(self, settings: Settings) -> defer.Deferred[Any]:
        """SIGHUP: perhaps other files; and those there are, at once."""
        return self._in_thread(self._secured.adopt, settings.security.tls)

    def _look(self) -> defer.Deferred[Any]:
        return self._in_thread(self._secured.refresh).addErrback(
            lambda failure: self._log.failure("cannot look at certificates", failure))
