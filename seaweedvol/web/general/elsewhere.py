"""Reads of volumes that are not here, or that too many read here: proxied to another server, or redirected there.

As SeaweedFS ``volume_server_handlers_read.go`` (proxyReqToTargetServer). Knows lookups and requests; no needles.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

import attrs
from twisted.logger import Logger

from seaweedvol.server.interfaces import Location, LookupFailed
from seaweedvol.storage.ids import VolumeId
from seaweedvol.web.connection.exchange import Exchange
from seaweedvol.web.connection.render import Answer
from seaweedvol.web.general.upstream import get, pieces_of
from seaweedvol.web.message.redirecting import redirect
from seaweedvol.web.message.reply import Reply, empty
from seaweedvol.web.message.request import NeedlePath, Request
from seaweedvol.web.syntax.urls import Query, bytes_of, escape_path, text_of

if TYPE_CHECKING:
    from twisted.web.iweb import IAgent, IResponse

    from seaweedvol.server.server import VolumeServer

# What belongs to one connection, or is made anew by whoever sends the request.
_OURS: Final = frozenset(("Host", "Content-Length", "Transfer-Encoding", "Trailer", "Connection", "Keep-Alive"))

_log = Logger()


def _shuffled(locations: Sequence[Location]) -> list[Location]:
    return random.sample(list(locations), len(locations))


@attrs.frozen
class Elsewhere:
    """The road to other servers.

    :ivar shuffle: the order in which servers are considered.
    :ivar scheme: of their addresses: ``http`` or ``https``.
    """

    server: VolumeServer
    agent: IAgent
    shuffle: Callable[[Sequence[Location]], Sequence[Location]] = _shuffled
    scheme: str = "http"

    async def answer(self, exchange: Exchange, volume_id: VolumeId, path: NeedlePath) -> Answer:
        """What another server that holds the volume says, or where it is."""
        try:
            locations = await self.server.locations.lookup(volume_id)
        except LookupFailed as error:
            _log.info("lookup of volume {volume} failed: {error}", volume=volume_id, error=error)
            return self._failed(404, is_unknown=True)
        identity = self.server.identity
        here = f"{identity.ip}:{identity.port}"
        target = next((one for one in self.shuffle(locations) if here not in one.url), None)
        if target is None:
            self.server.instruments.note_event("emptyReadProxyLocaction")
            return self._failed(404, is_unknown=True)
        if self.server.settings.http.read_mode == "proxy":
            self.server.instruments.note_event("readProxyRequest")
            return await self._proxied(exchange.request, target)
        self.server.instruments.note_event("readRedirectRequest")
        return Answer(_redirected(exchange.request, f"{self.scheme}://{target.url}", path))

    def _failed(self, status: int, *, is_unknown: bool = False) -> Answer:
        self.server.instruments.note_read_failure(status, is_unknown=is_unknown)
        return Answer(empty(status))

    async def _proxied(self, request: Request, target: Location) -> Answer:
        path = escape_path(bytes_of(request.path)).decode("ascii")
        url = f"{self.scheme}://{target.url}{path}?{_query_with_mark(request.query)}"
        headers: dict[str, list[str]] = {}
        for name, value in request.headers:
            if name not in _OURS:
                headers.setdefault(name, []).append(value)
        try:
            response, is_packed = await get(self.agent, url, headers)
        except Exception as error:
            _log.info("cannot proxy to {url}: {error}", url=url, error=error)
            self.server.instruments.note_event("failedReadProxyRequest")
            return self._failed(500)
        return Answer(_copied_head(response, is_packed), pieces=pieces_of(response, is_packed=is_packed),
                      is_proxied=True)


def _copied_head(response: IResponse, is_packed: bool) -> Reply:
    reply = Reply(response.code)
    for name, values in response.headers.getAllRawHeaders():
        reply.headers += [(name.decode("latin-1"), value.decode("latin-1")) for value in values]
    # Twisted counts the length among its own headers, and takes it out of the others.
    if isinstance(response.length, int):
        reply.set("Content-Length", str(response.length))
    reply = Reply(reply.status, reply.headers)
    reply.remove("Server")
    for name in ("Connection", "Transfer-Encoding") + (("Content-Length", "Content-Encoding") if is_packed else ()):
        reply.remove(name)
    return reply


def _query_with_mark(query: Query) -> str:
    """The query sorted by name, as Go encodes it, with the mark that keeps a request from being passed on forever."""
    values = {name: items for name, items in query.items() if name != "proxied"}
    values["proxied"] = ["true"]
    return "&".join(f"{_escaped(name)}={_escaped(item)}"
                    for name in sorted(values, key=bytes_of) for item in values[name])


def _escaped(text: str) -> str:
    return quote_plus(bytes_of(text), safe="")


def _redirected(request: Request, target: str, path: NeedlePath) -> Reply:
    query = "proxied=true"
    collection = request.query.get("collection")
    if collection:
        query = f"collection={_escaped(collection)}&{query}"
    place = escape_path(bytes_of(f"/{path.vid},{path.fid}"))
    return redirect(request, f"{target}{text_of(place)}?{query}", 301)
