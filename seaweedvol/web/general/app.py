"""Which request goes where: the routes of both ports, and what Go's ServeMux does before routes count.

Routes are a few lines each; what they do is in the modules named after it. Knows no wire.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import attrs
from klein import Klein

from seaweedvol.profiling import PREFIX
from seaweedvol.web.connection.exchange import Exchange
from seaweedvol.web.connection.render import Answer, Renderer
from seaweedvol.web.general.counting import Counted
from seaweedvol.web.general.deleting import Deleting
from seaweedvol.web.general.reading import Reading
from seaweedvol.web.general.writing import Writing
from seaweedvol.web.message.redirecting import redirect
from seaweedvol.web.message.reply import (
    REQUEST_ID, Reply, common_headers, completed, empty, json_error, new_request_id, options_reply, server_name,
    text_error,
)
from seaweedvol.web.pages import assets, statistics
from seaweedvol.web.pages.status import health, status
from seaweedvol.web.syntax.urls import cleaned_location, escape_path
from seaweedvol.web.threads import InThread

if TYPE_CHECKING:
    from twisted.web.resource import IResource

    from seaweedvol.profiling.pages import Pages
    from seaweedvol.server.server import VolumeServer


@attrs.frozen(eq=False)
class VolumeApp:
    """The HTTP surface of one server, for both of its ports.

    :ivar now_ns: nanoseconds since 1970, for request ids.
    :ivar profiles: what is below ``/debug/pprof/``; None when that is a path like any.
    """

    server: VolumeServer
    renderer: Renderer
    reading: Reading
    writing: Writing
    deleting: Deleting
    in_thread: InThread
    now_ns: Callable[[], int] = time.time_ns
    entropy: Callable[[int], bytes] = os.urandom
    profiles: Pages | None = None

    router = Klein()

    # --- routes --------------------------------------------------------------------------------------------------

    @router.route("/status")
    async def _status(self, exchange: Exchange) -> None:
        """How disks and volumes are."""
        await self._administer(exchange, self._look(exchange))

    @router.route("/healthz")
    @router.route("/readyz")
    async def _health(self, exchange: Exchange) -> None:
        """Whether to send requests here."""
        await self._administer(exchange, self._feel())

    @router.route("/livez")
    async def _live(self, exchange: Exchange) -> None:
        """Whether to leave the process alone."""
        await self._administer(exchange, self._answer_live())

    @router.route("/stats/<name>")
    async def _statistics(self, exchange: Exchange, name: str) -> None:
        """Numbers for scripts."""
        tell = statistics.PAGES.get(name)
        if tell is not None and not (self._shows_page(exchange) and statistics.is_told(self.server, exchange.request)):
            tell = None
        await self._administer(exchange, None if tell is None else self._tell(exchange, tell))

    @router.route("/ui/index.html")
    async def _page(self, exchange: Exchange) -> None:
        """For people."""
        await self._administer(exchange, self._show() if self._shows_page(exchange) else None)

    @router.route("/favicon.ico")
    async def _favicon(self, exchange: Exchange) -> None:
        """The icon of the page."""
        await self.renderer.send(exchange, Answer(await self.in_thread(assets.favicon, exchange.request)))

    @router.route("/seaweedfsstatic/", branch=True)
    async def _asset(self, exchange: Exchange) -> None:
        """What the page needs."""
        await self.renderer.send(exchange, Answer(await self.in_thread(assets.asset, exchange.request)))

    @router.route(PREFIX, branch=True)
    async def _profile(self, exchange: Exchange) -> None:
        """Of the running program."""
        pages = self.profiles
        await self._administer(exchange, None if pages is None else self._see(pages, exchange))

    @router.route("/", branch=True)
    async def _needle(self, exchange: Exchange) -> None:
        """Everything else is a needle."""
        with Counted(self.server.instruments, exchange) as counted:
            answer = await self._by_method(exchange)
            counted.reply = answer.reply
            await self._answer(exchange, answer, has_cors=True)

    # --- before the routes ---------------------------------------------------------------------------------------

    def resource(self) -> IResource:
        """The routes as Twisted knows them."""
        return self.router.resource()

    def new_id(self) -> str:
        """For a request."""
        return new_request_id(self.now_ns(), self.entropy)

    async def unrouted(self, exchange: Exchange) -> bool:
        """Answer what never reaches a route; false when there is nothing of the kind."""
        reply = _unrouted(exchange)
        if reply is None:
            return False
        await self.renderer.send(exchange, Answer(reply))
        return True

    # --- needles -------------------------------------------------------------------------------------------------

    async def _by_method(self, exchange: Exchange) -> Answer:
        request = exchange.request
        if request.method in ("GET", "HEAD"):
            return await self.reading.answer(exchange)
        if request.method == "OPTIONS":
            return Answer(options_reply(request))
        if request.is_public:
            # The read-only port does nothing and says nothing of it.
            return Answer(empty(200))
        if request.method in ("POST", "PUT"):
            return await self.writing.answer(exchange)
        if request.method == "DELETE":
            return await self.deleting.answer(exchange)
        return Answer(json_error(request, 400, f"unsupported method {request.method}"))

    # --- administration ------------------------------------------------------------------------------------------

    def _shows_page(self, exchange: Exchange) -> bool:
        """The page would tell more than a server with tokens wants to tell."""
        security, request = self.server.settings.security, exchange.request
        if not security.write_key or security.ui_access:
            return True
        if not request.is_public:
            reason = "there is a signing key, and access.ui is not on"
            self.server.guard.refusals.tell("page", f"{request.peer_host} is refused {request.path}: {reason}")
        return False

    async def _administer(self, exchange: Exchange, making: Awaitable[Reply] | None) -> None:
        """Answer one of the routes that only the full port has; on the other, its path is one like any."""
        if making is None or exchange.request.is_public:
            if making is not None:
                making.close()  # type: ignore[attr-defined]
            await self._needle(exchange)
        else:
            await self._answer(exchange, Answer(await making), has_cors=False)

    async def _look(self, exchange: Exchange) -> Reply:
        return await self.in_thread(status, self.server, exchange.request)

    async def _answer_live(self) -> Reply:
        return statistics.live()

    async def _tell(self, exchange: Exchange, tell: statistics.Tell) -> Reply:
        return await self.in_thread(tell, self.server, exchange.request)

    async def _feel(self) -> Reply:
        return health(self.server)

    async def _see(self, pages: Pages, exchange: Exchange) -> Reply:
        from seaweedvol.web.pages.debugging import profile

        return await profile(pages, exchange.request, self.in_thread)

    async def _show(self) -> Reply:
        return await self.in_thread(_page_of, self.server)

    # --- headers -------------------------------------------------------------------------------------------------

    async def _answer(self, exchange: Exchange, answer: Answer, *, has_cors: bool) -> None:
        """Send with the headers that every reply has; a header that the answer sets itself wins."""
        server = server_name(self.server.settings.offset_width)
        request_id = exchange.request_id or self.new_id()
        if has_cors:
            common = common_headers(exchange.request, server=server, request_id=request_id)
        else:
            common = [("Server", server), (REQUEST_ID, request_id)]
        answer.reply.headers = completed(common, answer.reply.headers, is_proxied=answer.is_proxied)
        await self.renderer.send(exchange, answer)


def _page_of(server: VolumeServer) -> Reply:
    """*Blocking.* The page; it is long where there are thousands of volumes."""
    # Not at the start: most servers are never looked at.
    from seaweedvol.web.ui.figures import figures
    from seaweedvol.web.ui.looks import page

    return page(figures(server, server.clock()))


def _unrouted(exchange: Exchange) -> Reply | None:
    """What Go's server and its ServeMux answer by themselves."""
    request, head = exchange.request, exchange.head
    if head.expects_other:
        return Reply(417, [("Connection", "close")])
    if head.raw_target == b"*":
        if request.method == "OPTIONS":
            return Reply(200, [("Content-Length", "0")])
        return Reply(400, [("Connection", "close")] if head.is_1_1 else [])
    target = head.target
    if target.escaped_path == "" and request.method == "CONNECT":
        return text_error(404, "404 page not found")
    location = _cleaned(exchange)
    return redirect(request, location, 307) if location is not None else None


def _cleaned(exchange: Exchange) -> str | None:
    target = exchange.head.target
    path = target.escaped_path
    location = cleaned_location(target) if exchange.request.method != "CONNECT" else None
    bare = (location or path).partition("?")[0]
    if bare == assets.PREFIX:
        query = b"?" + target.raw_query if target.raw_query else b""
        return escape_path(assets.PREFIX.encode("ascii") + b"/").decode("ascii") + query.decode("latin-1")
    return location
