"""Profiles over HTTP: below ``/debug/pprof/`` of the main port, or on a port of their own on this machine.

What they are is told in :mod:`seaweedvol.profiling.pages`; this brings them to clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request as WireRequest, Site

from seaweedvol.profiling import PREFIX
from seaweedvol.profiling.pages import Page, Pages
from seaweedvol.web.message.reply import Reply
from seaweedvol.web.message.request import Request
from seaweedvol.web.threads import InThread

_HOST: Final = "127.0.0.1"


async def profile(pages: Pages, request: Request, in_thread: InThread) -> Reply:
    """The reply of the main port."""
    query = {name: request.query.get(name) or "" for name in ("seconds", "debug")}
    page = await in_thread(pages.answer, request.path, query)
    return Reply(page.status, _headers(page), page.body)


class DebugService(Service):
    """A port of the loopback interface that serves nothing but profiles. One that is taken is told of, and no more."""

    name = "debug"
    _log = Logger()

    def __init__(self, reactor: Any, port: int) -> None:
        self._reactor, self._number = reactor, port
        self._port: Any = None

    def startService(self) -> None:
        """Listen."""
        site = _QuietSite(_Profiles(Pages(self._reactor.callFromThread)))
        site.noisy = False
        try:
            self._port = self._reactor.listenTCP(self._number, site, interface=_HOST)
        except CannotListenError as error:
            self._log.error("no profiles are served: {error}", error=error)
            return
        super().startService()
        self._log.info("profiles at http://{host}:{port}{prefix}", host=_HOST, port=self._number, prefix=PREFIX)

    def stopService(self) -> Deferred[object]:
        """Listen no more."""
        super().stopService()
        port, self._port = self._port, None
        return maybeDeferred(port.stopListening if port is not None else lambda: None)


class _QuietSite(Site):
    """Tells nothing of single requests."""

    def log(self, request: object) -> None:
        """Not."""


class _Profiles(Resource):
    isLeaf = True

    def __init__(self, pages: Pages) -> None:
        super().__init__()
        self._pages = pages

    def render_GET(self, request: WireRequest) -> int:
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        arguments: Mapping[bytes, list[bytes]] = request.args or {}
        query = {name: (arguments.get(name.encode()) or [b""])[0].decode("latin-1") for name in ("seconds", "debug")}

        def send(page: Page) -> None:
            if not gone:
                request.setResponseCode(page.status)
                for name, value in _headers(page):
                    request.setHeader(name, value)
                request.write(page.body)
                request.finish()

        def fail(failure: Failure) -> None:
            Logger().failure("cannot make a profile", failure)
            if not gone:
                request.setResponseCode(500)
                request.finish()

        deferToThread(self._pages.answer, request.path.decode("latin-1"), query).addCallbacks(send, fail)
        return NOT_DONE_YET


def _headers(page: Page) -> list[tuple[str, str]]:
    headers = [("Content-Type", page.content_type), ("X-Content-Type-Options", "nosniff")]
    if page.file_name:
        headers.append(("Content-Disposition", f'attachment; filename="{page.file_name}"'))
    return headers
